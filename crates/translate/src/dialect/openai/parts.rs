//! What content parts and tools of chat completions and of responses have in common on the wire, and
//! how a part is read.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::chat_request::{Attachment, Part, Source};
use crate::dialect::request;
use crate::dialect::request::forms::{Object, list};
use crate::failure::{Failure, FieldPath};

/// `content`: a string, or a list of parts.
#[derive(Debug)]
pub enum Content<P> {
    /// Plain text.
    Text(String),
    /// Parts.
    Parts(Vec<P>),
}

impl<'de, P: Deserialize<'de>> Deserialize<'de> for Content<P> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V<P>(PhantomData<P>);
        impl<'de, P: Deserialize<'de>> Visitor<'de> for V<P> {
            type Value = Content<P>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or an array of content parts")
            }
            fn visit_str<E>(self, text: &str) -> Result<Content<P>, E> {
                Ok(Content::Text(text.to_owned()))
            }
            fn visit_string<E>(self, text: String) -> Result<Content<P>, E> {
                Ok(Content::Text(text))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Content<P>, A::Error> {
                list(seq, |part: Object<P>| part.0).map(Content::Parts)
            }
        }
        deserializer.deserialize_any(V(PhantomData))
    }
}

/// `image_url`: a URL, as responses have it, or an object with it, as chat completions do.
#[derive(Debug)]
pub struct ImageUrl {
    /// An http(s) URL or a data URI.
    pub url: String,
}

impl<'de> Deserialize<'de> for ImageUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = ImageUrl;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with `url`, or a URL")
            }
            fn visit_str<E>(self, url: &str) -> Result<ImageUrl, E> {
                Ok(ImageUrl {
                    url: url.to_owned(),
                })
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ImageUrl, A::Error> {
                let mut url = None;
                while let Some(key) = map.next_key::<String>()? {
                    if key == "url" {
                        url = Some(map.next_value()?);
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                let url = url.ok_or_else(|| A::Error::missing_field("url"))?;
                Ok(ImageUrl { url })
            }
        }
        deserializer.deserialize_any(V)
    }
}

/// `input_audio`.
#[derive(Debug, Deserialize)]
pub struct InputAudio {
    /// The bytes in base64.
    pub data: String,
    /// `wav` or `mp3`.
    #[serde(default)]
    pub format: Option<String>,
}

/// A grammar that a custom tool's text must follow.
#[derive(Debug, Deserialize)]
pub struct Grammar {
    /// `lark` or `regex`.
    #[serde(default)]
    pub syntax: Option<String>,
    /// The grammar itself.
    #[serde(default)]
    pub definition: Option<String>,
}

/// A content part of either API, whatever it is called there.
pub(super) enum Common {
    /// Text.
    Text(Option<String>),
    /// Words of refusal.
    Refusal(Option<String>),
    /// An image; `field` is where its URL stands in the part.
    Image {
        /// The URL.
        url: Option<ImageUrl>,
        /// The id of a file uploaded before.
        file_id: Option<String>,
        /// Where the URL stands in the part.
        field: &'static str,
    },
    /// A recording.
    Audio(Option<InputAudio>),
}

/// Reads a part of this `kind`, which stands at a path of the request.
///
/// # Errors
/// Something is missing or cannot be read.
pub(super) fn read(part: Common, kind: &str, path: FieldPath<'_>) -> Result<Part, Failure> {
    let missing = |field: &str| {
        Failure::invalid(
            format!("{path}.{field}"),
            format!("A part of type `{kind}` needs `{field}`."),
        )
    };
    match part {
        Common::Text(text) => Ok(Part::Text(text.ok_or_else(|| missing("text"))?)),
        Common::Refusal(words) => Ok(Part::Refusal(words.ok_or_else(|| missing("refusal"))?)),
        Common::Image {
            url: Some(image),
            field,
            ..
        } => request::picture(image.url, &format_args!("{path}.{field}")).map(Part::Image),
        Common::Image {
            file_id: Some(id), ..
        } => Ok(Part::Image(uploaded(id, None))),
        Common::Image { .. } => Err(missing("image_url")),
        Common::Audio(audio) => {
            let audio = audio.ok_or_else(|| missing("input_audio"))?;
            recording(audio, path)
        }
    }
}

/// A file that was uploaded before.
pub(super) fn uploaded(id: String, name: Option<String>) -> Attachment {
    Attachment {
        source: Source::FileId(id),
        name,
        mime: None,
    }
}

fn recording(audio: InputAudio, path: FieldPath<'_>) -> Result<Part, Failure> {
    let data = request::inline(&audio.data).ok_or_else(|| {
        Failure::invalid(
            format!("{path}.input_audio.data"),
            "The audio is empty or not valid base64.",
        )
    })?;
    Ok(Part::Audio(Attachment {
        source: Source::Inline(data.bytes),
        name: None,
        mime: audio
            .format
            .map(|format| format!("audio/{format}"))
            .or(data.mime),
    }))
}

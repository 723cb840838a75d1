//! Content parts: text, pictures, files, recordings.

use crate::chat_request::{Attachment, Part, Source};
use crate::dialect::openai::responses::wire;
use crate::dialect::request;
use crate::failure::{Failure, echo};

/// The parts of a list, which stands at a path of the request.
pub(super) fn parts(parts: Vec<wire::Part>, path: &str) -> Result<Vec<Part>, Failure> {
    let numbered = parts.into_iter().enumerate();
    numbered
        .map(|(at, part)| self::part(part, &format!("{path}[{at}]")))
        .collect()
}

fn part(part: wire::Part, path: &str) -> Result<Part, Failure> {
    let missing = |field: &str| {
        Failure::invalid(
            format!("{path}.{field}"),
            format!("A part of type `{}` needs `{field}`.", part.kind),
        )
    };
    match part.kind.as_str() {
        "input_text" | "output_text" | "text" | "summary_text" => {
            Ok(Part::Text(part.text.ok_or_else(|| missing("text"))?))
        }
        "reasoning_text" => Ok(Part::Reasoning(part.text.ok_or_else(|| missing("text"))?)),
        "refusal" => Ok(Part::Refusal(
            part.refusal.ok_or_else(|| missing("refusal"))?,
        )),
        "input_image" | "image_url" => match (part.image_url, part.file_id) {
            (Some(image), _) => {
                request::picture(image.url, &format!("{path}.image_url")).map(Part::Image)
            }
            (None, Some(id)) => Ok(Part::Image(uploaded(id, None))),
            (None, None) => Err(missing("image_url")),
        },
        "input_file" | "file" => file(part, path).map(Part::File),
        "input_audio" => audio(
            part.input_audio.ok_or_else(|| missing("input_audio"))?,
            path,
        ),
        other => Err(Failure::invalid(
            format!("{path}.type"),
            format!(
                "Invalid content part type `{}`: use input_text, input_image, input_file, output_text or refusal.",
                echo(other)
            ),
        )),
    }
}

fn uploaded(id: String, name: Option<String>) -> Attachment {
    Attachment {
        source: Source::FileId(id),
        name,
        mime: None,
    }
}

fn file(part: wire::Part, path: &str) -> Result<Attachment, Failure> {
    let name = part.filename;
    if let Some(id) = part.file_id {
        return Ok(uploaded(id, name));
    }
    let (text, field) = match (part.file_data, part.file_url) {
        (Some(data), _) => (data, "file_data"),
        (None, Some(url)) => {
            if url.starts_with("http://") || url.starts_with("https://") {
                return Ok(Attachment {
                    source: Source::Url(url),
                    name,
                    mime: None,
                });
            }
            (url, "file_url")
        }
        (None, None) => {
            let message = "A part of type `input_file` needs `file_data`, `file_url` or `file_id`.";
            return Err(Failure::invalid(path, message));
        }
    };
    let data = request::inline(&text).filter(|_| field == "file_data" || text.starts_with("data:"));
    let data = data.ok_or_else(|| {
        let form = match field {
            "file_data" => "a data URI or valid base64",
            _ => "an http(s) URL or a data URI",
        };
        let field = format!("{path}.{field}");
        Failure::invalid(&field, format!("`{field}` must be {form}, and not empty."))
    })?;
    Ok(Attachment {
        source: Source::Inline(data.bytes),
        name,
        mime: data.mime,
    })
}

fn audio(audio: wire::InputAudio, path: &str) -> Result<Part, Failure> {
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

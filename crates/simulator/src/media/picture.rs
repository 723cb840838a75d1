//! A picture: its size, its two colours and the pattern that they make.

use sha2::{Digest, Sha256};

use crate::media::{jpeg, png, webp};

/// Longest side that is drawn; no model makes more.
const LONGEST: u32 = 4096;

/// File format of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PictureFormat {
    Png,
    Jpeg,
    Webp,
    Svg,
}

impl PictureFormat {
    /// The format of that name, as the fields of requests and endings of files call it.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "png" => Some(Self::Png),
            "jpg" | "jpeg" => Some(Self::Jpeg),
            "webp" => Some(Self::Webp),
            "svg" => Some(Self::Svg),
            _ => None,
        }
    }

    pub(crate) fn mime(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
            Self::Svg => "image/svg+xml",
        }
    }
}

/// A colour: red, green, blue.
pub(super) type Colour = [u8; 3];

/// What is to be drawn: eight by eight fields in two colours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Picture {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) format: PictureFormat,
    /// Whether the ground is transparent, where the format can say so.
    pub(crate) transparent: bool,
    pub(super) ground: Colour,
    pub(super) ink: Colour,
    fields: u64,
}

impl Picture {
    /// A picture that belongs to the text: another text gives another one.
    pub(crate) fn of(text: &str, width: u32, height: u32, format: PictureFormat) -> Self {
        let hash = Sha256::digest(text.as_bytes());
        let mut bytes = hash.iter().copied();
        let mut next = || bytes.next().unwrap_or_default();
        let ground = [next(), next(), next()].map(|byte| 128 | byte);
        let ink = [next(), next(), next()].map(|byte| byte & 127);
        let fields = u64::from_le_bytes(std::array::from_fn(|_| next()));
        Self {
            width: width.clamp(1, LONGEST),
            height: height.clamp(1, LONGEST),
            format,
            transparent: false,
            ground,
            ink,
            fields,
        }
    }

    /// The file.
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self.format {
            PictureFormat::Png => png::encode(self),
            PictureFormat::Jpeg => jpeg::encode(self),
            PictureFormat::Webp => webp::encode(self),
            PictureFormat::Svg => self.svg().into_bytes(),
        }
    }

    /// Whether ink stands at this place.
    pub(super) fn inked(&self, x: u32, y: u32) -> bool {
        let field = |at: u32, of: u32| u64::from(at) * 8 / u64::from(of);
        self.fields >> ((field(y, self.height) * 8 + field(x, self.width)) % 64) & 1 == 1
    }

    fn svg(&self) -> String {
        let (width, height) = (self.width, self.height);
        let hex = |[r, g, b]: Colour| format!("#{r:02x}{g:02x}{b:02x}");
        let (ground, ink) = (hex(self.ground), hex(self.ink));
        let (w, h) = (width / 2, height / 2);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\"><rect width=\"{width}\" height=\"{height}\" fill=\"{ground}\"/><rect width=\"{w}\" height=\"{h}\" fill=\"{ink}\"/></svg>"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Picture, PictureFormat};

    #[test]
    fn the_same_text_gives_the_same_picture_and_another_another() {
        let draw = |text| Picture::of(text, 64, 48, PictureFormat::Png).encode();
        assert_eq!(draw("a boat"), draw("a boat"));
        assert_ne!(draw("a boat"), draw("a cat"));
    }

    #[test]
    fn no_size_is_too_large_or_too_small() {
        let picture = Picture::of("x", u32::MAX, 0, PictureFormat::Webp);
        assert_eq!((picture.width, picture.height), (4096, 1));
        let large = Picture::of("x", 4096, 4096, PictureFormat::Png).encode();
        assert!(large.len() < 64 * 1024, "{}", large.len());
    }
}

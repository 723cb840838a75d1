//! An image file of a pattern.

use crate::media::pattern::{Colour, Pattern};
use crate::media::{jpeg, png, webp};

/// File format of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ImageFormat {
    Png,
    Jpeg,
    Webp,
    Svg,
}

impl ImageFormat {
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

/// An image before it is encoded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Image {
    pattern: Pattern,
    format: ImageFormat,
}

impl Image {
    /// The image that belongs to a text: another text gives another one.
    pub(crate) fn of(text: &str, width: u32, height: u32, format: ImageFormat) -> Self {
        Self {
            pattern: Pattern::of(text, width, height),
            format,
        }
    }

    /// With a transparent background, or not, where the format can say so.
    pub(crate) fn transparent(mut self, transparent: bool) -> Self {
        self.pattern.transparent = transparent;
        self
    }

    /// The file.
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self.format {
            ImageFormat::Png => png::encode(&self.pattern),
            ImageFormat::Jpeg => jpeg::encode(&self.pattern),
            ImageFormat::Webp => webp::encode(&self.pattern),
            ImageFormat::Svg => svg(&self.pattern).into_bytes(),
        }
    }
}

fn svg(pattern: &Pattern) -> String {
    let (width, height) = (pattern.width, pattern.height);
    let hex = |[r, g, b]: Colour| format!("#{r:02x}{g:02x}{b:02x}");
    let (ground, ink) = (hex(pattern.ground), hex(pattern.ink));
    let (w, h) = (width / 2, height / 2);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\"><rect width=\"{width}\" height=\"{height}\" fill=\"{ground}\"/><rect width=\"{w}\" height=\"{h}\" fill=\"{ink}\"/></svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::{Image, ImageFormat};

    #[test]
    fn the_same_text_gives_the_same_picture_and_another_another() {
        let draw = |text| Image::of(text, 64, 48, ImageFormat::Png).encode();
        assert_eq!(draw("a boat"), draw("a boat"));
        assert_ne!(draw("a boat"), draw("a cat"));
    }

    #[test]
    fn no_size_is_too_large_or_too_small() {
        let image = Image::of("x", u32::MAX, 0, ImageFormat::Webp);
        assert_eq!((image.pattern.width, image.pattern.height), (4096, 1));
        let large = Image::of("x", 4096, 4096, ImageFormat::Png).encode();
        assert!(large.len() < 64 * 1024, "{}", large.len());
    }
}

//! What an image shows: eight by eight fields in two colours.

use sha2::{Digest, Sha256};

/// Longest side that is drawn, in pixels; no model makes more.
const MAX_SIDE: u32 = 4096;

/// A colour: red, green, blue.
pub(super) type Colour = [u8; 3];

/// A pattern of a size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pattern {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Whether the background is transparent, where the format can say so.
    pub(super) transparent: bool,
    pub(super) ground: Colour,
    pub(super) ink: Colour,
    fields: u64,
}

impl Pattern {
    /// The pattern that belongs to a text: another text gives another one.
    pub(super) fn of(text: &str, width: u32, height: u32) -> Self {
        let hash = Sha256::digest(text.as_bytes());
        let mut bytes = hash.iter().copied();
        let mut next = || bytes.next().unwrap_or_default();
        let ground = [next(), next(), next()].map(|byte| 128 | byte);
        let ink = [next(), next(), next()].map(|byte| byte & 127);
        let fields = u64::from_le_bytes(std::array::from_fn(|_| next()));
        Self {
            width: width.clamp(1, MAX_SIDE),
            height: height.clamp(1, MAX_SIDE),
            transparent: false,
            ground,
            ink,
            fields,
        }
    }

    /// Whether this pixel has the second colour.
    pub(super) fn inked(&self, x: u32, y: u32) -> bool {
        let field = |at: u32, of: u32| u64::from(at) * 8 / u64::from(of);
        self.fields >> ((field(y, self.height) * 8 + field(x, self.width)) % 64) & 1 == 1
    }
}

//! What prices of media are for.

/// What a price of media is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// One image.
    Image,
    /// One request, whatever it makes.
    Request,
    /// A second of audio or video.
    Second,
    /// A begun minute of audio.
    Minute,
    /// A character of text.
    Character,
    /// A token; see [`ChatPrice`](super::ChatPrice).
    Token,
}

impl Unit {
    /// The unit's name, for lists.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Request => "request",
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Character => "character",
            Self::Token => "token",
        }
    }

    pub(super) fn of_name(name: &str) -> Option<Self> {
        const ALL: [Unit; 6] = [
            Unit::Image,
            Unit::Request,
            Unit::Second,
            Unit::Minute,
            Unit::Character,
            Unit::Token,
        ];
        ALL.into_iter().find(|unit| unit.name() == name)
    }
}

//! Composing: a [`Turn`] becomes the one prompt that a text-only model takes.

pub mod schema;
pub mod tags;
pub mod tools;
pub mod transcript;

use crate::turn::Turn;
use tags::Tags;

/// What is asked of a text-only model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// The text.
    pub text: String,
    /// The tags its transcript is written with; none if it is a lone message.
    pub tags: Option<Tags>,
}

/// Composes the prompt of a turn.
#[must_use]
pub fn compose(turn: &Turn) -> Prompt {
    if let Some(text) = transcript::lone_text(turn) {
        return Prompt { text, tags: None };
    }
    let tags = transcript::tags_for(turn);
    Prompt {
        text: transcript::transcript(turn, tags, "", ""),
        tags: Some(tags),
    }
}

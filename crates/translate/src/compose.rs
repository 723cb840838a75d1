//! Composing: a [`ChatRequest`] becomes the one prompt that a text-only model takes.

pub mod schema;
pub mod tools;
pub mod transcript;

use crate::chat_request::{ChatRequest, OutputFormat};
use crate::tags::Tags;
use tools::Style;

/// What is asked of a text-only model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// The text.
    pub text: String,
    /// The tags its transcript is written with; none if it is a lone message.
    pub tags: Option<Tags>,
}

/// How prompts are worded.
#[derive(Debug, Clone, Default)]
pub struct Wording {
    /// How tools are described, by the beginning of a model's name; before our own table.
    pub styles: Vec<(String, Style)>,
}

/// Composes the prompt of a turn. `seed` is a number that nobody can guess: where upstream adds
/// text that is not known here (documents, pages of the web), the tags are numbered by it.
#[must_use]
pub fn compose(chat: &ChatRequest, wording: &Wording, seed: u32) -> Prompt {
    if !emulates(chat)
        && let Some(text) = transcript::lone_text(chat)
    {
        return Prompt { text, tags: None };
    }
    let tags = transcript::tags_for(chat, seed);
    let (instructions, reminder) = instructions(chat, tags, wording);
    Prompt {
        text: transcript::transcript(chat, tags, &instructions, &reminder),
        tags: Some(tags),
    }
}

/// The prompt that asks again: the same, with the answer that could not be used and why.
#[must_use]
pub fn correct(
    chat: &ChatRequest,
    tags: Tags,
    wording: &Wording,
    answer: &str,
    correction: &str,
) -> Prompt {
    let (instructions, reminder) = instructions(chat, tags, wording);
    let faulty = transcript::Faulty { answer, correction };
    Prompt {
        text: transcript::correcting(chat, tags, &instructions, &reminder, &faulty),
        tags: Some(tags),
    }
}

/// Whether the turn asks for what a text-only model must be told to do.
fn emulates(chat: &ChatRequest) -> bool {
    chat.tools.callable() || chat.output != OutputFormat::Text
}

/// What the model is told of tools and form: at the beginning, and last of all.
fn instructions(chat: &ChatRequest, tags: Tags, wording: &Wording) -> (String, String) {
    let style = Style::for_model(&chat.model, &wording.styles);
    let section = tools::section(&chat.tools, tags, style);
    let call = tools::reminder(&chat.tools, tags);
    let form = schema::instruction(&chat.output).unwrap_or_default();
    let gap = if call.is_empty() || form.is_empty() {
        ""
    } else {
        "\n"
    };
    (section, format!("{call}{gap}{form}"))
}

#[cfg(test)]
mod tests;

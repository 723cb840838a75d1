//! OpenAI's dialects.

pub mod assistants;
pub mod chat;
pub mod choice;
pub mod completions;
pub mod error;
pub mod limits;
pub mod media;
pub mod metadata;
pub mod page;
pub mod responses;
pub mod search;

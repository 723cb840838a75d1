//! OpenAI's dialects.

pub mod chat;
pub mod choice;
pub mod error;
pub mod media;
pub mod page;

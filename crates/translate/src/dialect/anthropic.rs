//! Anthropic's dialect.

pub mod error;
pub mod files;
pub mod messages;
pub mod model_names;
pub mod models;

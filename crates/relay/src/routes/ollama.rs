//! `/api/…`: Ollama's API.

pub mod chat;
pub mod embed;
pub mod models;

//! Objects that clients store and name by id: files, assistants, responses, conversations.

pub mod assistants;
pub mod files;
pub mod responses;
pub mod retention;

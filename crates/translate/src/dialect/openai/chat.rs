//! `POST /v1/chat/completions`.

pub mod decode;
pub mod encode;
pub mod wire;

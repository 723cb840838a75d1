//! Translation between what clients speak and what a text-only model takes and gives.
//!
//! A turn goes *decode → plan → compose* on the way in and *interpret → encode* on the way out.
//! Every step is a pure function or a state machine fed with text: this crate has no runtime,
//! socket, file, clock or randomness, and it does not know 1min.ai.
//!
//! The hub is [`chat_request`], [`media`], [`reply`] and [`failure`]; dialects, composing and interpreting meet only
//! there.

pub mod bounds;
pub mod chat_request;
pub mod compose;
pub mod dialect;
pub mod failure;
pub mod interpret;
pub mod media;
pub mod plan;
pub mod quote;
pub mod reply;
pub mod schema;
pub mod tags;
pub mod tokens;

//! Everything that is not chat: `POST /api/features`, one envelope for images, speech,
//! transcription and code.
//!
//! A request is paid from the moment it is accepted. So nothing here sends one twice; only polling
//! a job is repeated.

mod kind;
mod outcome;
mod payload;
mod polls;
pub mod spec;

pub use kind::Kind;
pub(crate) use outcome::SIGNED_SECONDS;
pub use outcome::{Inline, Outcome, ResultAsset};
pub(crate) use outcome::{JobState, is_record, is_result, is_working, read};
pub use payload::{Invalid, Mode, Payload, candidates};
pub use polls::{FIRST_POLL, first_poll, poll_pause};

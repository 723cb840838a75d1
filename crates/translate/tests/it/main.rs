//! Texts as models write them, and what is made of them.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a test may fail, reads its cases from files and takes time"
)]

mod cases;
mod damaged;
mod golden;
mod json_cases;
mod limits_properties;
mod long_lists;
mod overhead;
mod tool_cases;
mod tool_properties;
mod transcript_properties;
mod whole_and_streamed;

//! The simulator over real sockets: its shapes are the fixtures', its faults are what they say,
//! its journal sees who leaves.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::format_push_string,
    clippy::disallowed_methods,
    reason = "a test says by panicking what is wrong"
)]

mod billing;
mod client;
mod contract;
mod control;
mod faults;
mod features;
mod files;
mod journal;
mod model;
mod script;

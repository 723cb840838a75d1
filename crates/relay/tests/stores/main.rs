//! Stores as they are in service: against real memcached and Redis that die, hang and come back,
//! and through the URLs that use them.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::panic,
    reason = "a test says by panicking what is wrong"
)]

mod assistants;
mod blobs;
mod bucket;
mod conformance;
mod counters;
mod durability;
mod files;
mod jobs;
mod responses;
mod rig;
mod service;
mod sharing;

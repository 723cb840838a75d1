//! The real binary over real sockets, against the simulator: what clients see when all is well,
//! and when upstream, the request or the network is not.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test says by panicking what is wrong"
)]

mod access_keys;
mod attachments;
mod audio_requests;
mod cancel;
mod catalogue;
mod chat;
mod cpu;
mod deploy;
mod drift;
mod embeddings;
mod faults;
mod form;
mod image_jobs;
mod key_modes;
mod large_bodies;
mod ledger;
mod media_chat;
mod media_faults;
mod media_requests;
mod native;
mod ollama;
mod operator;
mod pool_refusals;
mod probe;
mod process;
mod refused;
mod requests;
mod responses;
mod rig;
mod routes;
mod scorecard;
mod sessions;
mod sharing;
mod stalled_peers;
mod stopping;
mod supplied_keys;
mod tls_upstream;
mod tools;
mod videos;

//! A client of the 1min.ai HTTP API: chat, images, speech, code, files and the list of models.
//!
//! This crate knows everything about 1min.ai and nothing about who asks: no dialect of another
//! vendor, no web framework, no configuration file. The facts it relies on stand in
//! `docs/upstream.md`.
//!
//! Only [`client`] sends. What can be decided without a socket (reading a stream of events,
//! recognising an error, writing a request) is pure and stands in the module of its subject.

pub mod api_key;
pub mod assets;
pub mod catalogue;
pub mod chat;
pub mod client;
pub mod code;
pub mod conversations;
pub mod error;
pub mod features;
pub mod images;
pub mod models;
pub mod refusal;
pub mod speech;
pub mod transcription;
mod transport;

pub use api_key::ApiKey;
pub use assets::{Deletion, Download};
pub use catalogue::Catalogue;
pub use client::{Client, DEFAULT_ASSET_URL, DEFAULT_BASE_URL, Options, Timeouts, USER_AGENT};
pub use error::{Accepted, Error, ProtocolError, TransportError, TransportKind};
pub use features::{Invalid, Mode, Outcome, Payload, ResultAsset};
pub use models::{Feature, Model};
pub use refusal::{Charged, FieldProblem, Refusal, RefusalKind};

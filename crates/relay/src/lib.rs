//! The server: OpenAI and Anthropic clients in, 1min.ai out.
//!
//! `app` builds the parts from the settings, `router` tells which URL goes where, `turn` is the way
//! of a request for an answer. Everything about 1min.ai's API is in the crate `onemin`, everything
//! about dialects and prompts in the crate `translate`; here is what needs sockets and time.

pub mod account;
pub mod app;
pub mod arriving;
pub mod assistants;
pub mod attach;
pub mod banner;
pub mod catalogue;
pub mod clock;
pub mod config;
pub mod demo;
pub mod doctor;
pub mod drawings;
pub mod embeddings;
pub mod endpoint;
pub mod failure;
pub mod files;
pub mod form;
pub mod https;
pub mod late;
pub mod limits;
pub mod observe;
pub mod pictures;
pub mod recordings;
pub mod respond;
pub mod responses;
pub mod retention;
pub mod router;
pub mod routes;
pub mod server;
pub mod store;
pub mod turn;
pub mod voices;

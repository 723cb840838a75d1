//! The server: OpenAI and Anthropic clients in, 1min.ai out.
//!
//! `app` builds the parts from the settings, `http::router` tells which URL goes where, `chat` is the way
//! of a request for an answer. Everything about 1min.ai's API is in the crate `onemin`, everything
//! about dialects and prompts in the crate `translate`; here is what needs sockets and time.

pub mod access;
pub mod account_id;
pub mod accounts;
pub mod app;
pub mod banner;
pub mod chat;
pub mod cli;
pub mod clock;
pub mod config;
pub mod decimal;
#[cfg(feature = "demo")]
pub mod demo;
#[cfg(not(feature = "demo"))]
#[path = "without/demo.rs"]
pub mod demo;
pub mod doctor;
pub mod embeddings;
pub mod failure;
pub mod http;
pub mod jobs;
pub mod ledger;
pub mod management;
pub mod media;
pub mod memory;
pub mod models;
pub mod native;
pub mod objects;
pub mod observe;
pub mod outbound_https;
pub mod probe;
pub mod routes;
pub mod scorecard;
pub mod setting_values;
pub mod sharing;
pub mod state;
pub mod store;
pub mod task;
pub mod uploads;

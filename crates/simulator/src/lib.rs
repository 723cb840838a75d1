//! A 1min.ai on loopback that answers and misbehaves on demand.
//!
//! Written from the recorded payloads in `fixtures/onemin`, not from any client's types: it must
//! know neither the relay nor the crate that calls 1min.ai, so that a misreading in one of them
//! shows. Tests start it as a library, people as a program (`1min-simulator`), the relay for its
//! demonstration. `docs/simulator.md` tells the directives, faults and control endpoints.
//!
//! A request's way stands in `upstream`: journal, endpoint, playback. What to answer (`script`)
//! and how to misbehave (`fault`) are data that a `directive` brings along.

mod account;
mod alter;
mod answer;
mod assets;
mod behavior;
mod billing;
mod chat;
mod clock;
mod control;
mod conversations;
mod digest;
mod directive;
mod fault;
mod features;
mod journal;
mod media;
mod model;
mod models;
mod pending;
mod playback;
mod prices;
mod refusal;
mod script;
mod server;
mod simulator;
mod state;
mod storage;
mod upstream;

pub use alter::alterations;
pub use billing::{Account, Charge};
pub use directive::{Directive, DirectiveError, Endpoint};
pub use fault::{ErrorShape, Fault, FaultKind};
pub use journal::{BODY_BYTES_KEPT, ENTRIES_KEPT, Entry, Journal, Outcome};
pub use model::{Call, Dialect, Plan, Step};
pub use script::{MAX_TOKENS, Script};
pub use simulator::{Options, Simulator, StartError};

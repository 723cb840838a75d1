//! A client of the 1min.ai HTTP API: chat, images, speech, code, files and the list of models.
//!
//! This crate knows everything about 1min.ai and nothing about who asks: no dialect of another
//! vendor, no web framework, no configuration file. The facts it relies on stand in
//! `docs/upstream.md`.
//!
//! Only [`client`] sends. What can be decoded without a socket (reading a stream of events,
//! recognising an error, writing a request) is pure and stands in the module of its subject.
//!
//! # Examples
//! A streamed answer, piece by piece, and what it cost:
//! ```
//! # use onemin::{ApiKey, Client, Options, chat};
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let service = simulator::Simulator::start(simulator::Options::default())?;
//! # let base_url = service.url().parse()?;
//! let client = Client::new(Options { base_url, ..Options::default() })?;
//! let key = ApiKey::parse("your-api-key")?;
//! let request = chat::Request {
//!     model: "gpt-4o-mini".to_owned(),
//!     prompt: "What is the largest planet?".to_owned(),
//!     ..chat::Request::default()
//! };
//! let mut stream = client.chat_stream(&key, &request).await?;
//! let mut text = String::new();
//! let accounting = loop {
//!     match stream.read(&mut |piece| text.push_str(piece)).await? {
//!         chat::Progress::More => {}
//!         chat::Progress::Done(accounting) => break accounting,
//!     }
//! };
//! println!("{text}, for {:?} credits", accounting.credits);
//! # assert!(text.contains("largest planet") && accounting.credits.is_some());
//! # Ok(())
//! # }
//! ```
//! An image. The payload is built and checked without sending anything, so a value that the model
//! does not accept costs nothing:
//! ```
//! # use onemin::{ApiKey, Client, Mode, Options, images};
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let service = simulator::Simulator::start(simulator::Options::default())?;
//! # let base_url = service.url().parse()?;
//! # let client = Client::new(Options { base_url, ..Options::default() })?;
//! # let key = ApiKey::parse("your-api-key")?;
//! let params = images::ImageParams {
//!     prompt: "a lighthouse in fog".to_owned(),
//!     size: Some("1024x1536".to_owned()),
//!     seed: Some(7),
//!     ..images::ImageParams::default()
//! };
//! let payload = images::generation("gpt-image-1-mini", &params)?;
//! assert_eq!(payload.ignored, ["seed"]);
//! let outcome = client.feature(&key, &payload, Mode::Polled).await?;
//! println!("stored as {}", outcome.assets[0].path);
//! # assert!(outcome.assets[0].path.ends_with(".png"));
//! # Ok(())
//! # }
//! ```
//! A stream that somebody else has received, decoded without a client:
//! ```
//! use onemin::chat::Decoder;
//!
//! let mut decoder = Decoder::new();
//! let mut text = String::new();
//! let events = b"event: content\ndata: {\"content\":\"Jupiter\"}\n\nevent: done\ndata: {}\n\n";
//! let ended = decoder.push(events, &mut |piece| text.push_str(piece))?;
//! assert_eq!((text.as_str(), ended.is_some()), ("Jupiter", true));
//! # Ok::<(), onemin::Error>(())
//! ```

pub mod api_key;
pub mod assets;
pub mod catalogue;
pub mod chat;
pub mod client;
mod clock;
pub mod code;
pub mod conversations;
pub mod drift;
pub mod error;
pub mod facts;
pub mod features;
pub mod images;
pub mod models;
pub mod music;
pub mod native;
pub mod prices;
pub mod probe;
pub mod refusal;
mod repaired_json;
pub mod speech;
pub mod transcription;
mod transport;
pub mod video;

pub use api_key::ApiKey;
pub use assets::{Deletion, Download};
pub use catalogue::Catalogue;
pub use client::{
    Client, DEFAULT_ASSET_URL, DEFAULT_BASE_URL, JobPoll, NativeBody, NativeRequest,
    NativeResponse, Options, Submitted, Timeouts, USER_AGENT,
};
pub use error::{Accepted, ConnectFailure, Error, ProtocolError, TransportError, TransportKind};
pub use features::{Invalid, Mode, Outcome, Payload, ResultAsset};
pub use models::{Feature, Model};
pub use refusal::{Charged, FieldProblem, Refusal, RefusalKind, Shortfall};
pub use transport::Authorities;

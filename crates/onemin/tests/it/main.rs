//! The client over real sockets, against a small server that says exactly what a test gives it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod assets;
mod cancel;
mod catalogue;
mod chat;
mod connections;
mod conversations;
mod damaged_text;
mod download;
mod features;
mod limits;
mod page;
mod server;
mod simulated;
mod stream;
mod upload_memory;

use std::path::Path;
use std::time::Duration;

use onemin::chat::{Progress, Request, Stream};
use onemin::{ApiKey, Client, Error, Options, Timeouts};
use server::Server;

/// A payload of the shared folder.
fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../fixtures/onemin")
            .join(name),
    )
    .unwrap()
}

fn key() -> ApiKey {
    ApiKey::parse("test-key-1234").unwrap()
}

fn ask(prompt: &str) -> Request {
    Request {
        model: "gpt-4o-mini".into(),
        prompt: prompt.into(),
        ..Request::default()
    }
}

fn client(server: &Server) -> Client {
    client_within(server, Timeouts::default())
}

fn client_within(server: &Server, timeouts: Timeouts) -> Client {
    let base_url = server.url();
    Client::new(Options {
        base_url,
        timeouts,
        ..Options::default()
    })
    .unwrap()
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Reads a stream to its end.
async fn read_all(mut stream: Stream) -> (String, Result<onemin::chat::Accounting, Error>) {
    let mut text = String::new();
    loop {
        match stream.read(&mut |piece| text.push_str(piece)).await {
            Ok(Progress::More) => {}
            Ok(Progress::Done(accounting)) => return (text, Ok(accounting)),
            Err(error) => return (text, Err(error)),
        }
    }
}

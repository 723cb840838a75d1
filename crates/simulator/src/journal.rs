//! What came in, and how each request ended, in order.
//!
//! A request is entered when its head arrives and closed when its answer is out or its client has
//! gone; a guard that lives in the handler and then in the body sees both. Bounded: the last
//! [`ENTRIES_KEPT`] entries, bodies up to [`BODY_BYTES_KEPT`] bytes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::request::Parts;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::account;
use crate::billing::Charge;
use crate::clock::now_ms;
use crate::digest::short;

/// Entries kept; older ones are forgotten.
pub const ENTRIES_KEPT: usize = 10_000;

/// Bytes of a body kept as it was; of a longer one only its beginning and its length.
pub const BODY_BYTES_KEPT: usize = 64 * 1024;

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It has not ended yet.
    Open,
    /// The whole answer was handed to the connection.
    Finished,
    /// The client left first.
    ClientLeft,
    /// A fault broke the connection.
    Torn,
}

/// One request.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// 1 for the first request since the start (the number goes on after a clearing).
    pub seq: u64,
    /// GET, POST…
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// The query as it was sent, without the question mark.
    pub query: Option<String>,
    /// First 16 hex digits of the key's SHA-256; never the key.
    pub api_key_hash: Option<String>,
    /// The header `User-Agent`.
    pub user_agent: Option<String>,
    /// The other headers, except those that hold secrets.
    pub headers: BTreeMap<String, String>,
    /// JSON bodies as they are; uploads as `{filename, mime, length, sha256}`; anything else as
    /// `{length, start, truncated}`.
    pub body: Value,
    /// When the head arrived, in milliseconds since 1970.
    pub started_at_ms: u64,
    /// HTTP status of the answer, once it is known.
    pub status: Option<u16>,
    /// How it ended.
    pub outcome: Outcome,
    /// When it ended, in milliseconds since 1970.
    pub ended_at_ms: Option<u64>,
    /// The id under which it was charged; see [`Charge::request_id`].
    pub request_id: Option<String>,
    /// What it cost; none if it was not charged.
    pub credits: Option<u64>,
    /// Content deltas that were handed to the connection.
    pub deltas: usize,
}

impl Entry {
    /// Whether the client left before the answer was out.
    #[must_use]
    pub fn client_left(&self) -> bool {
        self.outcome == Outcome::ClientLeft
    }

    /// The type of a request for a feature, or of a chat.
    #[must_use]
    pub fn feature(&self) -> Option<&str> {
        self.body.get("type").and_then(Value::as_str)
    }

    /// The model that was asked for.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        self.body.get("model").and_then(Value::as_str)
    }

    /// The prompt of a chat request.
    #[must_use]
    pub fn prompt(&self) -> Option<&str> {
        self.body
            .pointer("/promptObject/prompt")
            .and_then(Value::as_str)
    }
}

/// The list of requests; clones show the same list.
#[derive(Clone, Debug)]
pub struct Journal(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pages: Mutex<Pages>,
    changes: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Pages {
    last: u64,
    entries: VecDeque<Entry>,
}

impl Journal {
    pub(crate) fn new() -> Self {
        let inner = Inner {
            pages: Mutex::default(),
            changes: watch::Sender::new(0),
        };
        Self(Arc::new(inner))
    }

    /// All that is kept, oldest first.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.pages().entries.iter().cloned().collect()
    }

    /// The kept entries for which the predicate holds, oldest first.
    #[must_use]
    pub fn matching(&self, predicate: impl Fn(&Entry) -> bool) -> Vec<Entry> {
        self.pages()
            .entries
            .iter()
            .filter(|entry| predicate(entry))
            .cloned()
            .collect()
    }

    /// Forgets all entries.
    pub fn clear(&self) {
        self.pages().entries.clear();
    }

    /// The first entry for which the predicate holds, as soon as there is one; `None` when the
    /// time is over.
    pub async fn wait_for(
        &self,
        predicate: impl Fn(&Entry) -> bool,
        timeout: Duration,
    ) -> Option<Entry> {
        let mut changes = self.0.changes.subscribe();
        let found = async {
            loop {
                changes.borrow_and_update();
                if let Some(entry) = self.pages().entries.iter().find(|entry| predicate(entry)) {
                    return Some(entry.clone());
                }
                changes.changed().await.ok()?;
            }
        };
        tokio::time::timeout(timeout, found).await.ok().flatten()
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, head: &Parts) -> u64 {
        let mut pages = self.pages();
        pages.last += 1;
        let seq = pages.last;
        if pages.entries.len() == ENTRIES_KEPT {
            pages.entries.pop_front();
        }
        pages.entries.push_back(entry(seq, head));
        drop(pages);
        self.announce();
        seq
    }

    fn change(&self, seq: u64, change: impl FnOnce(&mut Entry)) {
        let mut pages = self.pages();
        let first = pages.entries.front().map_or(u64::MAX, |entry| entry.seq);
        let index = seq
            .checked_sub(first)
            .and_then(|index| usize::try_from(index).ok());
        if let Some(entry) = index.and_then(|index| pages.entries.get_mut(index)) {
            change(entry);
        }
        drop(pages);
        self.announce();
    }

    fn announce(&self) {
        self.0.changes.send_modify(|version| *version += 1);
    }
}

/// Follows one request to its end. Dropped without an end, it notes that the client has left.
#[derive(Debug)]
pub(crate) struct Ticket {
    journal: Option<Journal>,
    seq: u64,
    deltas: usize,
}

impl Ticket {
    pub(crate) fn open(journal: Option<&Journal>, head: &Parts) -> Self {
        let seq = journal.map_or(0, |journal| journal.open(head));
        Self {
            journal: journal.cloned(),
            seq,
            deltas: 0,
        }
    }

    /// Notes the body; what to note is computed only when there is a journal.
    pub(crate) fn body(&self, note: impl FnOnce() -> Value) {
        if let Some(journal) = &self.journal {
            let note = note();
            journal.change(self.seq, |entry| entry.body = note);
        }
    }

    pub(crate) fn status(&self, status: u16) {
        if let Some(journal) = &self.journal {
            journal.change(self.seq, |entry| entry.status = Some(status));
        }
    }

    /// Notes what the request cost.
    pub(crate) fn charged(&self, charge: Option<&Charge>) {
        if let (Some(journal), Some(charge)) = (&self.journal, charge) {
            journal.change(self.seq, |entry| {
                entry.request_id = Some(charge.request_id.clone());
                entry.credits = Some(charge.credits);
            });
        }
    }

    pub(crate) fn sent(&mut self, deltas: usize) {
        self.deltas += deltas;
    }

    /// Notes the end; only the first one counts.
    pub(crate) fn end(&mut self, outcome: Outcome) {
        if let Some(journal) = self.journal.take() {
            let deltas = self.deltas;
            journal.change(self.seq, |entry| {
                entry.outcome = outcome;
                entry.ended_at_ms = Some(now_ms());
                entry.deltas = deltas;
            });
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.end(Outcome::ClientLeft);
    }
}

/// A body as the journal keeps it.
pub(crate) fn body_note(body: &[u8]) -> Value {
    if body.is_empty() {
        return Value::Null;
    }
    let kept = body.get(..BODY_BYTES_KEPT).unwrap_or(body);
    let whole = kept.len() == body.len();
    let json = if whole {
        serde_json::from_slice(body).ok()
    } else {
        None
    };
    json.unwrap_or_else(|| {
        json!({"length": body.len(), "truncated": !whole, "start": String::from_utf8_lossy(kept)})
    })
}

fn entry(seq: u64, head: &Parts) -> Entry {
    const SECRET: [&str; 4] = ["api-key", "authorization", "x-api-key", "cookie"];
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let shown = head
        .headers
        .iter()
        .filter(|(name, _)| !SECRET.contains(&name.as_str()));
    Entry {
        seq,
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().map(str::to_owned),
        api_key_hash: account::key(&head.headers).map(|key| short(key.as_bytes())),
        user_agent: head.headers.get(http::header::USER_AGENT).map(text),
        headers: shown
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect(),
        body: Value::Null,
        started_at_ms: now_ms(),
        status: None,
        outcome: Outcome::Open,
        ended_at_ms: None,
        request_id: None,
        credits: None,
        deltas: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::{BODY_BYTES_KEPT, ENTRIES_KEPT, Journal, Outcome, Ticket, body_note};

    fn head() -> http::request::Parts {
        let request = http::Request::get("/models?feature=X")
            .header("api-key", "secret-key")
            .body(());
        request.expect("a request").into_parts().0
    }

    #[test]
    fn it_keeps_the_last_entries_and_never_a_key() {
        let journal = Journal::new();
        for _ in 0..ENTRIES_KEPT + 3 {
            Ticket::open(Some(&journal), &head()).end(Outcome::Finished);
        }
        let entries = journal.entries();
        assert_eq!((entries.len(), entries[0].seq), (ENTRIES_KEPT, 4));
        let shown = serde_json::to_string(&entries[0]).expect("JSON");
        assert!(!shown.contains("secret-key"));
        assert_eq!(entries[0].api_key_hash.as_deref().map(str::len), Some(16));
        assert!(
            entries
                .iter()
                .all(|entry| entry.outcome == Outcome::Finished)
        );
    }

    #[test]
    fn a_ticket_that_is_dropped_without_an_end_means_that_the_client_left() {
        let journal = Journal::new();
        let mut ticket = Ticket::open(Some(&journal), &head());
        ticket.sent(3);
        drop(ticket);
        let entry = journal.entries().remove(0);
        assert_eq!((entry.outcome, entry.deltas), (Outcome::ClientLeft, 3));
    }

    #[test]
    fn a_ticket_from_before_a_clearing_does_no_harm() {
        let journal = Journal::new();
        let old = Ticket::open(Some(&journal), &head());
        journal.clear();
        let new = Ticket::open(Some(&journal), &head());
        drop(old);
        assert_eq!(journal.entries()[0].outcome, Outcome::Open);
        drop(new);
        assert!(journal.entries()[0].client_left());
    }

    #[test]
    fn long_bodies_keep_their_beginning_and_length() {
        let body = format!("\"{}\"", "x".repeat(BODY_BYTES_KEPT));
        let note = body_note(body.as_bytes());
        assert_eq!(note["length"], body.len());
        assert_eq!(note["start"].as_str().map(str::len), Some(BODY_BYTES_KEPT));
        assert_eq!(body_note(b"{\"a\":1}"), serde_json::json!({"a": 1}));
        assert_eq!(body_note(b"{")["start"], "{");
    }
}

//! The ledger's entry of one request while it is under way: what its calls hold and have cost. The
//! row is written when the last who knows of it is done, however the request ended.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use translate::failure::Kind;
use translate::reply::Usage;

use super::queue::{Message, Queue};
use super::row::{CostSource, LedgerRow, SettledHold};
use crate::access::keys::cache::KnownKey;
use crate::accounts::account::InUse;

/// The outcome of a request that was answered.
pub const ANSWERED: &str = "answered";

/// The outcome of a job that came to nothing.
pub const JOB_FAILED: &str = "failed:job";

/// The entry of a request.
#[derive(Debug)]
pub struct RequestEntry {
    queue: Arc<Queue>,
    key: Option<Arc<KnownKey>>,
    row: Mutex<LedgerRow>,
    /// Whether a row is to be written.
    pays: AtomicBool,
    /// How many calls were held.
    holds: AtomicU32,
    /// Accounts that count as in use until the row is written.
    in_use: Mutex<Vec<InUse>>,
}

/// How a request ended.
#[derive(Debug, Clone, Copy)]
pub enum RequestEnd {
    /// It was answered.
    Answered,
    /// The client went before the end.
    Left,
    /// It failed.
    Failed(Kind),
}

impl RequestEntry {
    /// The entry of a request that has come in.
    #[must_use]
    pub fn new(
        queue: Arc<Queue>,
        id: String,
        api: &str,
        key: Option<Arc<KnownKey>>,
        at: i64,
    ) -> Self {
        let row = LedgerRow {
            id,
            at,
            api: api.to_owned(),
            key_id: key
                .as_ref()
                .map(|key| key.key.id.clone())
                .unwrap_or_default(),
            outcome: "left".to_owned(),
            ..LedgerRow::default()
        };
        Self {
            queue,
            key,
            row: Mutex::new(row),
            pays: AtomicBool::new(false),
            holds: AtomicU32::new(0),
            in_use: Mutex::default(),
        }
    }

    /// The access key; none without one.
    #[must_use]
    pub fn key(&self) -> Option<&Arc<KnownKey>> {
        self.key.as_ref()
    }

    /// When the request came, in milliseconds since 1970.
    #[must_use]
    pub fn at(&self) -> i64 {
        self.row().at
    }

    /// Its id and its endpoint.
    #[must_use]
    pub fn names(&self) -> (String, String) {
        let row = self.row();
        (row.id.clone(), row.api.clone())
    }

    /// An id for the hold of the next call: that of the request, and the call's number.
    #[must_use]
    pub fn hold_id(&self) -> String {
        let number = self.holds.fetch_add(1, Ordering::Relaxed) + 1;
        let request = &self.row().id;
        let mut id = String::with_capacity(request.len() + 4);
        id.push_str(request);
        id.push('-');
        match u8::try_from(number).ok().filter(|number| *number < 10) {
            Some(digit) => id.push(char::from(b'0' + digit)),
            None => id.push_str(&number.to_string()),
        }
        id
    }

    /// Notes that a paid call is asked for: the request gets a row.
    pub fn pays(&self, model: &str) {
        self.pays.store(true, Ordering::Relaxed);
        let mut row = self.row();
        if row.model.is_empty() {
            model.clone_into(&mut row.model);
        }
    }

    /// Keeps an account in use until the row is written.
    pub fn uses(&self, in_use: InUse) {
        self.in_use
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(in_use);
    }

    /// Notes a call's account.
    pub fn paid_by(&self, account: &str) {
        account.clone_into(&mut self.row().account);
    }

    /// Books what a call has cost.
    pub fn settle(&self, hold: SettledHold, credits: i64, source: CostSource, calls: u32) {
        let mut row = self.row();
        row.credits = row.credits.saturating_add(credits);
        row.source = row.source.max(source);
        row.calls += calls;
        row.settles.push(hold);
    }

    /// Notes how the request ended. Times are milliseconds.
    pub fn ended(
        &self,
        end: RequestEnd,
        model: &str,
        streamed: bool,
        usage: Option<Usage>,
        ms: f64,
        first_byte_ms: Option<f64>,
    ) {
        let mut row = self.row();
        let (outcome, status) = outcome(end);
        row.outcome = outcome;
        row.status = status;
        if !model.is_empty() {
            model.clone_into(&mut row.model);
        }
        row.streamed = streamed;
        row.ms = whole(ms);
        row.first_byte_ms = first_byte_ms.map(whole);
        if let Some(usage) = usage {
            row.input_tokens = usage.input_tokens;
            row.output_tokens = usage.output_tokens;
            usage.source.as_str().clone_into(&mut row.tokens_by);
        }
    }

    /// Notes that a job of the request came to nothing after the request was answered.
    pub fn job_failed(&self) {
        let mut row = self.row();
        if row.outcome == ANSWERED {
            JOB_FAILED.clone_into(&mut row.outcome);
        }
    }

    fn row(&self) -> MutexGuard<'_, LedgerRow> {
        self.row.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for RequestEntry {
    fn drop(&mut self) {
        if *self.pays.get_mut() {
            let row = self.row.get_mut().unwrap_or_else(PoisonError::into_inner);
            let row = Box::new(std::mem::take(row));
            self.queue.push(Message::Row(row));
        }
    }
}

/// The end in the ledger's words, and the status that OpenAI's clients get.
fn outcome(end: RequestEnd) -> (String, u16) {
    match end {
        RequestEnd::Answered => (ANSWERED.to_owned(), 200),
        RequestEnd::Left => ("left".to_owned(), 499),
        RequestEnd::Failed(kind) => {
            let status = translate::dialect::openai::error::status(kind);
            let word = if status < 500 { "refused" } else { "failed" };
            (format!("{word}:{}", kind.name()), status)
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a request does not last for millions of years"
)]
fn whole(ms: f64) -> i64 {
    ms.round() as i64
}

//! A hold: what one paid call is estimated to cost, until it is known. It is settled once; dropped,
//! it settles itself.

use std::sync::{Arc, Mutex, PoisonError};

use super::counters::{Counters, Scopes};
use super::period::Periods;
use super::request_entry::RequestEntry;
use super::row::{CostSource, SettledHold};

/// The hold of a call.
#[derive(Debug)]
pub struct Hold {
    /// None once it is settled.
    entry: Option<Arc<RequestEntry>>,
    id: String,
    credits: i64,
    counted: bool,
    periods: Arc<Periods>,
    counters: Arc<Mutex<Counters>>,
    scopes: Scopes,
    /// What the call has cost at least, once it was sent; none before.
    sent: Option<i64>,
    left: Option<i64>,
}

impl Hold {
    pub(super) fn new(
        entry: Arc<RequestEntry>,
        id: String,
        credits: i64,
        counted: bool,
        periods: Arc<Periods>,
        counters: Arc<Mutex<Counters>>,
        scopes: Scopes,
    ) -> Self {
        Self {
            entry: Some(entry),
            id,
            credits,
            counted,
            periods,
            counters,
            scopes,
            sent: None,
            left: None,
        }
    }

    /// Notes what is left of the key's tightest budget beside it.
    pub(super) fn with_left(self, left: Option<i64>) -> Self {
        let mut hold = self;
        hold.left = left;
        hold
    }

    /// What was left of the key's tightest budget when this was held, in thousandths of a credit, if
    /// it has any.
    #[must_use]
    pub fn left(&self) -> Option<i64> {
        self.left
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What is held, in thousandths of a credit.
    #[must_use]
    pub fn credits(&self) -> i64 {
        self.credits
    }

    /// Notes that the call is on its way: from now on it may be charged.
    pub fn sent(&mut self) {
        self.sent.get_or_insert(0);
    }

    /// Notes that the call surely cost nothing so far, and may be made again.
    pub fn not_sent(&mut self) {
        self.sent = None;
    }

    /// Notes that the call has cost at least so much by what was read of its answer.
    pub fn at_least(&mut self, credits: i64) {
        let known = self.sent.get_or_insert(0);
        *known = credits.max(*known);
    }

    /// The call is over and has cost this.
    pub fn settle(mut self, credits: i64, source: CostSource) {
        self.end(credits, source, 1);
    }

    /// The call surely cost nothing.
    pub fn release(mut self) {
        self.end(0, CostSource::None, 0);
    }

    /// The call is over, and its cost is not known: the estimate is booked, or what was read if
    /// that costs more.
    pub fn settle_by_estimate(mut self) {
        self.end_unknown();
    }

    /// Leaves it as it is for a job, which settles it by its id.
    pub fn leave_to_job(mut self) {
        self.entry = None;
    }

    fn end_unknown(&mut self) {
        match self.sent {
            Some(read) => self.end(self.credits.max(read), CostSource::Estimated, 1),
            None => self.end(0, CostSource::None, 0),
        }
    }

    fn end(&mut self, credits: i64, source: CostSource, calls: u32) {
        let Some(entry) = self.entry.take() else {
            return;
        };
        let held = if self.counted { 0 } else { self.credits };
        let key = entry.key().map_or("", |key| key.key.id.as_str());
        self.counters
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .settle(&self.periods, self.scopes.of(key), held, credits);
        let settled = SettledHold {
            id: std::mem::take(&mut self.id),
            credits: self.credits,
            counted: self.counted,
        };
        entry.settle(settled, credits, source, calls);
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.end_unknown();
    }
}

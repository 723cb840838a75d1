//! What all requests share.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::assets::store::Assets;
use crate::billing::{Balance, Billing, Charge};
use crate::conversations::store::Conversations;
use crate::features::jobs::Jobs;
use crate::journal::Journal;
use crate::pending::PendingDirectives;

/// The simulator's memory.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) journal: Option<Journal>,
    /// Time between two events of a stream for which no script says otherwise.
    pub(crate) pace: Duration,
    pending: Mutex<PendingDirectives>,
    assets: Mutex<Assets>,
    conversations: Mutex<Conversations>,
    jobs: Mutex<Jobs>,
    ids: AtomicU64,
    billing: Mutex<Billing>,
    altered: Mutex<BTreeSet<String>>,
}

impl State {
    pub(crate) fn new(journal: bool, pace: Duration) -> Self {
        Self {
            journal: journal.then(Journal::new),
            pace,
            pending: Mutex::default(),
            assets: Mutex::default(),
            conversations: Mutex::default(),
            jobs: Mutex::default(),
            ids: AtomicU64::new(1),
            billing: Mutex::default(),
            altered: Mutex::default(),
        }
    }

    pub(crate) fn pending(&self) -> MutexGuard<'_, PendingDirectives> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn assets(&self) -> MutexGuard<'_, Assets> {
        self.assets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn conversations(&self) -> MutexGuard<'_, Conversations> {
        self.conversations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number that nothing else of this simulator has.
    pub(crate) fn number(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    /// A UUID that no other answer of this simulator has. Counted, so that runs are alike.
    pub(crate) fn uuid(&self) -> String {
        let id = self.number();
        format!(
            "5100c0de-{:04x}-4000-8000-{:012x}",
            id >> 48,
            id & 0xffff_ffff_ffff
        )
    }

    pub(crate) fn billing(&self) -> MutexGuard<'_, Billing> {
        self.billing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Books a charge, and gives what the account had before it: what records show lags by one
    /// request.
    pub(crate) fn charge(&self, charge: &Charge) -> Balance {
        let mut billing = self.billing();
        let before = billing.balance(&charge.api_key_hash);
        billing.book(charge);
        before
    }

    /// The facts about 1min.ai that are altered.
    pub(crate) fn altered(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.altered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets everything that came in or was ordered.
    pub(crate) fn reset(&self) {
        self.pending().clear();
        *self.assets() = Assets::default();
        *self.conversations() = Conversations::default();
        *self.jobs() = Jobs::default();
        *self.billing() = Billing::default();
        self.altered().clear();
        if let Some(journal) = &self.journal {
            journal.clear();
        }
    }
}

//! An account of the pool: how it stands, and who uses it.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use onemin::{ApiKey, Error, Refusal};
use translate::failure::Failure;

use super::balance::Balance;
use super::choice::{Availability, Unavailable};
use super::refusal::of_pooled;
use crate::access::account_id::AccountId;
use crate::clock;
use crate::failure::of_upstream;
use crate::observe::throttle::warn_throttled;

/// One account.
#[derive(Debug)]
pub struct Account {
    /// Its name, as the operator gave it.
    pub name: Arc<str>,
    pub(super) key: ApiKey,
    /// Whether the settings or the file name it; else it is in the database.
    pub(super) is_configured: AtomicBool,
    state: Mutex<State>,
    /// Requests that use it and are not booked yet.
    in_use: AtomicU32,
    /// Calls that have begun.
    begun: AtomicU64,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) availability: Availability,
    pub(super) balance: Option<Balance>,
    /// When its key was looked at.
    pub(super) looked_at: i64,
}

/// The account of 1min.ai that a request uses: one of the operator's, or that of the caller's own key.
#[derive(Debug, Clone)]
pub struct Lease {
    /// Its key, for upstream alone.
    pub key: ApiKey,
    /// Whose what lies at 1min.ai is: uploads and jobs.
    pub account: AccountId,
    /// The operator's account; none for the account of a client's own key.
    pub pooled: Option<Arc<Account>>,
}

impl Lease {
    /// What the operator calls the account; none for the account of a client's own key.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.pooled.as_ref().map(|account| &*account.name)
    }
}

impl Lease {
    /// A few digits of a keyed hash of its key, by which the ledger notices that another key has come
    /// under an account's name.
    #[must_use]
    pub fn key_digest(&self) -> String {
        let mut digits = self.account.to_string();
        digits.truncate(12);
        digits
    }

    /// The failure of an unpaid call, such as an upload. What it says of the account is noted.
    #[must_use]
    pub fn failed(&self, error: &Error) -> Failure {
        if let (Some(account), Error::Refused(refusal)) = (&self.pooled, error) {
            account.refused(refusal, "");
        }
        self.failure(error)
    }

    /// What the caller is told of a call that failed: 1min.ai's own words only if the account is its
    /// own.
    #[must_use]
    pub fn failure(&self, error: &Error) -> Failure {
        match &self.pooled {
            Some(_) => of_pooled(error),
            None => of_upstream(error),
        }
    }

    /// What is told in the place of an answer that is passed on as it came; none if it says nothing of
    /// an account of the pool.
    #[must_use]
    pub fn untold(&self, refusal: &Refusal) -> Option<Failure> {
        self.pooled.as_ref()?;
        Unavailable::of(refusal, clock::now_ms())?;
        Some(of_pooled(&Error::Refused(Box::new(refusal.clone()))))
    }
}

/// A request that uses an account; it counts until this is dropped.
#[derive(Debug)]
pub struct InUse(Arc<Account>);

impl Drop for InUse {
    fn drop(&mut self) {
        self.0.in_use.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Account {
    /// An account of which nothing is known yet.
    pub(super) fn new(name: &str, key: &ApiKey, is_configured: bool) -> Self {
        Self {
            name: name.into(),
            key: key.clone(),
            is_configured: AtomicBool::new(is_configured),
            state: Mutex::default(),
            in_use: AtomicU32::new(0),
            begun: AtomicU64::new(0),
        }
    }

    /// Notes a refusal that surely cost nothing, and tells whether another account may be asked.
    pub fn refused(&self, refusal: &Refusal, model: &str) -> bool {
        let next = self
            .state()
            .availability
            .refused(refusal, model, clock::now_ms());
        if next {
            let (account, kind) = (&*self.name, refusal.kind);
            warn_throttled!(
                account,
                ?kind,
                "1min.ai refused the account; another is asked"
            );
        }
        next
    }

    /// Whether nothing stands against it now.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let availability = self.state().availability.clone();
        availability.parked.is_none() && availability.limited_until <= clock::now_ms()
    }

    /// Notes what a record says of its credits. `cost` is what the record's own request cost, which
    /// its numbers lack.
    pub fn seen(&self, balance: Balance, cost: i64) {
        let mut state = self.state();
        if state.balance.is_some_and(|known| known.at > balance.at) {
            return;
        }
        // It has paid.
        state.availability.short_until = 0;
        let left = balance.left().map(|left| left.saturating_sub(cost).max(0));
        state.availability.left = left.map(|left| (left, balance.at));
        state.balance = Some(balance);
    }

    /// Notes a call that uses it. If no other is under way, the number by which
    /// [`Account::was_alone`] tells later whether none came meanwhile.
    #[must_use]
    pub fn begin(self: &Arc<Self>) -> (InUse, Option<u64>) {
        let number = self.begun.fetch_add(1, Ordering::Relaxed) + 1;
        let before = self.in_use.fetch_add(1, Ordering::Relaxed);
        (InUse(self.clone()), (before == 0).then_some(number))
    }

    /// Whether the call of this number had the account for itself: then what 1min.ai says of its
    /// used credits can be compared with what was booked.
    #[must_use]
    pub fn was_alone(&self, number: u64) -> bool {
        self.begun.load(Ordering::Relaxed) == number
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // A panic while the lock was held can at worst have lost a note.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

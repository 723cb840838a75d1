//! Counters in a service that replicas share, with a mirror in this process.
//!
//! The service may die, hang, come back, and come back empty. None of this fails a request or
//! keeps it waiting for longer than [`ANSWER_TIMEOUT`]; after one call without an answer the service is
//! away, everything is counted here on top of its last count, and a background task looks for
//! it. When it is back, what was counted here meanwhile is added there.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::watch;

use super::Counters;
use super::window::Window;
use crate::account_id::AccountId;
use crate::store::StoreError;
use crate::task;

/// How long one count may take before the service counts as away.
pub const ANSWER_TIMEOUT: Duration = Duration::from_millis(250);

/// The pauses between two looks for a service that is away grow from the first to the second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(4));

/// How long one look may take: services that are found by name need several steps.
const LOOK: Duration = Duration::from_secs(2);

/// A service that counts.
pub trait Service: Send + Sync + 'static {
    /// Adds `by` to a counter, which begins at `floor` if it is not there, and gives the sum. It
    /// is forgotten two windows later.
    fn add(&self, counter: String, floor: u64, by: u64) -> Answer<'_, u64>;

    /// Whether the service is there and counts.
    fn health_check(&self) -> Answer<'_, ()>;

    /// What it is and where, for people; no secrets.
    fn name(&self) -> String;
}

/// What a service will have answered.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// How long a service that was never seen is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Search {
    /// It was configured: for ever.
    Steady,
    /// It may be there: for some seconds after the start.
    Tentative,
}

/// Looks for a service that may be there: with the pauses above, some 15 seconds.
const TENTATIVE_ATTEMPTS: u32 = 8;

/// Counters shared through a service.
pub struct Shared(Arc<Inner>);

struct Inner {
    service: Box<dyn Service>,
    search: Search,
    mirror: Mutex<Window<Mirrored>>,
    state: watch::Sender<State>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nobody has looked yet.
    Unseen,
    /// It was here and nobody looks for it yet.
    Lost,
    Here,
    /// Somebody is looking.
    Away,
    /// Never seen, and nobody looks any more.
    Absent,
}

#[derive(Debug, Default)]
struct Mirrored {
    /// The highest count that the service has given.
    known: u64,
    /// Counted here and not yet there.
    unsent: u64,
}

impl Shared {
    /// Counters over a service. Opens no connection.
    #[must_use]
    pub fn new(service: Box<dyn Service>, search: Search) -> Self {
        Self(Arc::new(Inner {
            service,
            search,
            mirror: Mutex::default(),
            state: watch::Sender::new(State::Unseen),
        }))
    }

    /// Whether the service counts now.
    #[must_use]
    pub fn is_here(&self) -> bool {
        *self.0.state.borrow() == State::Here
    }
}

impl Shared {
    /// Counts so many events, and gives how many there are.
    async fn add(&self, who: AccountId, window: u64, events: u64) -> u64 {
        let mut claim = Claim::new(&self.0, who, window, events);
        if self.is_here() {
            match self.0.ask(&claim).await {
                Ok(count) => return claim.settle(count),
                Err(error) => self.0.lose(&error),
            }
        }
        self.0.begin_to_look();
        claim.give_back()
    }
}

impl Counters for Shared {
    fn count<'a>(
        &'a self,
        who: AccountId,
        window: u64,
    ) -> Pin<Box<dyn Future<Output = u64> + Send + 'a>> {
        Box::pin(self.add(who, window, 1))
    }

    fn counted<'a>(
        &'a self,
        who: AccountId,
        window: u64,
    ) -> Pin<Box<dyn Future<Output = u64> + Send + 'a>> {
        Box::pin(self.add(who, window, 0))
    }

    fn warm(&self) {
        self.0.begin_to_look();
    }

    fn health_check(&self) -> Answer<'_, ()> {
        Box::pin(self.0.health_check())
    }

    fn is_optional(&self) -> bool {
        self.0.search == Search::Tentative
    }

    fn name(&self) -> String {
        match self.0.search {
            Search::Steady => format!("in {}", self.0.service.name()),
            Search::Tentative => format!("in {} if there is one", self.0.service.name()),
        }
    }
}

impl Inner {
    /// One call, given up when it takes too long or when another one has found the service away.
    async fn ask(&self, claim: &Claim<'_>) -> Result<u64, StoreError> {
        let mut state = self.state.subscribe();
        let asking = self.service.add(claim.counter(), claim.known, claim.by);
        tokio::select! {
            biased;
            answer = tokio::time::timeout(ANSWER_TIMEOUT, asking) => answer.unwrap_or(Err(StoreError::Timeout)),
            _ = state.wait_for(|state| *state != State::Here) => Err(StoreError::Timeout),
        }
    }

    /// One look, given up when it takes too long.
    async fn health_check(&self) -> Result<(), StoreError> {
        let looking = tokio::time::timeout(LOOK, self.service.health_check());
        looking.await.unwrap_or(Err(StoreError::Timeout))
    }

    fn lose(&self, error: &StoreError) {
        let was_here = self.state.send_if_modified(|state| {
            let was_here = *state == State::Here;
            if was_here {
                *state = State::Lost;
            }
            was_here
        });
        if was_here {
            let service = self.service.name();
            tracing::warn!(%error, "{service} does not answer: requests are counted in process until it is back");
        }
    }

    /// Starts a task that looks for the service, unless it is here or one is looking.
    fn begin_to_look(self: &Arc<Self>) {
        let mut before = State::Away;
        let mine = self.state.send_if_modified(|state| {
            before = *state;
            let mine = matches!(before, State::Unseen | State::Lost);
            if mine {
                *state = State::Away;
            }
            mine
        });
        if mine {
            // What was here a moment ago gets a moment.
            let rest = if before == State::Lost {
                PAUSES.0
            } else {
                Duration::ZERO
            };
            task::spawn(search_until_found(Arc::downgrade(self), rest));
        }
    }

    fn mirror(&self) -> MutexGuard<'_, Window<Mirrored>> {
        // A panic while the lock was held can at worst have lost one count.
        self.mirror.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks for a service until it is here, the counters are dropped, or a tentative search is over.
async fn search_until_found(inner: Weak<Inner>, rest: Duration) {
    tokio::time::sleep(rest).await;
    let mut pause = PAUSES.0;
    let mut attempts = 0;
    loop {
        let Some(counters) = inner.upgrade() else {
            return;
        };
        let found = counters.health_check().await;
        let service = counters.service.name();
        attempts += 1;
        let Err(error) = found else {
            counters.state.send_replace(State::Here);
            tracing::info!("requests are counted in {service}");
            return;
        };
        if counters.search == Search::Tentative && attempts >= TENTATIVE_ATTEMPTS {
            counters.state.send_replace(State::Absent);
            tracing::info!("no {service} found: requests are counted in process");
            return;
        }
        if attempts == 1 && rest.is_zero() && counters.search == Search::Steady {
            tracing::warn!(
                %error,
                "{service} does not answer: requests are counted in process until it does"
            );
        }
        drop(counters);
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

/// Events on their way to the service, with what was counted here before. If it does not arrive,
/// or the request is dropped while it is under way, it is counted here.
struct Claim<'c> {
    inner: &'c Inner,
    who: AccountId,
    window: u64,
    known: u64,
    events: u64,
    by: u64,
}

impl<'c> Claim<'c> {
    fn new(inner: &'c Inner, who: AccountId, window: u64, events: u64) -> Self {
        let mut mirror = inner.mirror();
        let entry = mirror.entry(who, window);
        let by = std::mem::take(&mut entry.unsent) + events;
        let known = entry.known;
        Self {
            inner,
            who,
            window,
            known,
            events,
            by,
        }
    }

    fn counter(&self) -> String {
        format!("1min-relay:count:{}:{}", self.window, self.who)
    }

    fn settle(mut self, count: u64) -> u64 {
        self.by = 0;
        let mut mirror = self.inner.mirror();
        let entry = mirror.entry(self.who, self.window);
        entry.known = entry.known.max(count);
        count
    }

    /// Counts here instead.
    fn give_back(&mut self) -> u64 {
        let by = std::mem::take(&mut self.by);
        let mut mirror = self.inner.mirror();
        // Between the claim and now the window may have ended; what belongs to it is over.
        let is_over = mirror.number() > self.window;
        let entry = mirror.entry(self.who, self.window);
        entry.unsent += if is_over { by.min(self.events) } else { by };
        entry.known + entry.unsent
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if self.by > 0 {
            self.give_back();
        }
    }
}

#[cfg(test)]
mod tests;

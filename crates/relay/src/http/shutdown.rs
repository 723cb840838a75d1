//! The end of the process, told to whoever still answers a request: a process ends once, so its
//! phase is one value for all of it.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::watch;
use translate::failure::{Failure, Kind};

/// How far the process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Phase {
    /// It serves.
    Running,
    /// It takes no new connections; open requests may end.
    Draining,
    /// The time for open requests is over: what is left fails now.
    Ending,
}

static PHASE: LazyLock<watch::Sender<Phase>> = LazyLock::new(|| watch::channel(Phase::Running).0);

/// The same phase, for those who only look.
static SEEN: AtomicU8 = AtomicU8::new(Phase::Running as u8);

/// Goes on to a phase and wakes who waits for it.
pub fn enter(phase: Phase) {
    SEEN.store(phase as u8, Ordering::Release);
    PHASE.send_replace(phase);
}

/// Hears of every further phase.
#[must_use]
pub fn subscribe() -> watch::Receiver<Phase> {
    PHASE.subscribe()
}

/// Whether no new requests are taken.
#[must_use]
pub fn is_draining() -> bool {
    SEEN.load(Ordering::Acquire) >= Phase::Draining as u8
}

/// Whether what is still open fails now.
#[must_use]
pub fn is_ending() -> bool {
    SEEN.load(Ordering::Acquire) >= Phase::Ending as u8
}

/// Ends when open requests must fail.
pub async fn ending() {
    let mut phase = subscribe();
    // The sender is never gone.
    let _ = phase.wait_for(|phase| *phase == Phase::Ending).await;
}

/// What a client is told whose request cannot be finished. It may have been paid for, so nothing
/// repeats it unasked.
#[must_use]
pub fn failure() -> Failure {
    Failure::new(
        Kind::Overloaded,
        "The relay is shutting down; the answer could not be finished.",
    )
    .with_retry(false)
}

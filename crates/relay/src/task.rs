//! Work that outlives the request in which it begins, or belongs to none. It is started here only, so that
//! all of it can be found: connections, the ledger's writer, jobs, retention, writes behind an answer.

use std::future::Future;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// Starts work that nobody waits for, or that must go on when whoever waits for it leaves.
#[expect(clippy::disallowed_methods, reason = "the one place that starts tasks")]
pub fn spawn<F>(work: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(work)
}

/// Starts what a destructor leaves to be done; nothing where the runtime is gone already.
#[expect(clippy::disallowed_methods, reason = "the one place that starts tasks")]
pub fn spawn_from_drop<F>(work: F)
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(work);
    }
}

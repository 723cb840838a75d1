//! Work whose time grows with a request's body: a large body's is done beside the async workers, so
//! that no other request waits for it, and only as much at once as there are processors.

use std::sync::LazyLock;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Semaphore;

/// Bodies from this size on are large, in bytes: the work of smaller ones takes a few milliseconds.
const LARGE_BYTES: usize = 128 * 1024;

static PROCESSORS: LazyLock<Semaphore> = LazyLock::new(|| {
    let count = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Semaphore::new(count)
});

/// Does work for a body of so many bytes. If the client leaves while others have their turn, it is
/// not begun.
pub async fn run<T>(body_bytes: usize, work: impl FnOnce() -> T) -> T {
    if body_bytes < LARGE_BYTES {
        return work();
    }
    run_beside(work).await
}

/// Does work that takes long whatever the size of its request's body.
pub async fn run_beside<T>(work: impl FnOnce() -> T) -> T {
    if Handle::current().runtime_flavor() != RuntimeFlavor::MultiThread {
        return work();
    }
    // Never closed.
    let _turn = PROCESSORS.acquire().await;
    tokio::task::block_in_place(work)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task;

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn others_have_their_turn_beside_large_work() {
        let (begun, begins) = std::sync::mpsc::channel();
        let (end, ends) = std::sync::mpsc::channel::<()>();
        let large = task::spawn(run(LARGE_BYTES, move || {
            let _ = begun.send(());
            ends.recv().is_ok()
        }));
        let other = task::spawn(async move {
            begins.recv().unwrap();
            end.send(()).unwrap();
        });
        assert!(large.await.unwrap());
        other.await.unwrap();
        assert_eq!(run(1, || 7).await, 7);
    }
}

//! What is being written in the background, so that no answer waits for it. What goes to one place
//! goes there in order and is waited for by whoever looks there next: a tool's output may follow the
//! call within a millisecond.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::Shared;

use crate::access::account_id::AccountId;
use crate::task;

/// Whose, and which.
pub(super) type ResponseKey = (AccountId, String);

type Write = Shared<Pin<Box<dyn Future<Output = ()> + Send>>>;

/// The last write to each place that is not yet done.
#[derive(Clone, Default)]
pub(super) struct Writes(Arc<Mutex<HashMap<ResponseKey, Write>>>);

impl Writes {
    /// Does this work in the background, behind everything that goes to the same key.
    pub(super) fn add(&self, key: ResponseKey, work: impl Future<Output = ()> + Send + 'static) {
        let mut last = self.last();
        let before = last.get(&key).cloned();
        let work: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
            if let Some(before) = before {
                before.await;
            }
            work.await;
        });
        let write = work.shared();
        last.insert(key.clone(), write.clone());
        drop(last);
        let writes = self.clone();
        task::spawn(async move {
            write.clone().await;
            writes.forget(&key, &write);
        });
    }

    fn forget(&self, key: &ResponseKey, write: &Write) {
        let mut last = self.last();
        if last.get(key).is_some_and(|other| other.ptr_eq(write)) {
            last.remove(key);
        }
    }

    /// Waits until all that goes to a place so far is there.
    pub(super) async fn settled(&self, key: &ResponseKey) {
        let last = self.last().get(key).cloned();
        if let Some(write) = last {
            write.await;
        }
    }

    /// Waits until nothing is being written.
    pub(super) async fn done(&self) {
        loop {
            let any = self
                .last()
                .iter()
                .next()
                .map(|(p, w)| (p.clone(), w.clone()));
            let Some((key, write)) = any else { return };
            write.clone().await;
            self.forget(&key, &write);
        }
    }

    fn last(&self) -> MutexGuard<'_, HashMap<ResponseKey, Write>> {
        // A panic while the lock was held can at worst have lost an entry.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::access::account_id::AccountIds;

    #[tokio::test(start_paused = true)]
    async fn what_is_added_later_comes_later_and_is_waited_for() {
        let (writes, written) = (Writes::default(), Arc::new(Mutex::new(Vec::new())));
        let owner = AccountIds::fresh().of_address([127, 0, 0, 1].into());
        let key = (owner, "conv_1".to_owned());
        for (number, pause) in [(1, 30), (2, 0), (3, 10)] {
            let written = written.clone();
            writes.add(key.clone(), async move {
                tokio::time::sleep(Duration::from_millis(pause)).await;
                written.lock().unwrap().push(number);
            });
        }
        writes.settled(&key).await;
        assert_eq!(*written.lock().unwrap(), [1, 2, 3]);
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!(writes.last().is_empty(), "what is done is let go");
    }

    #[tokio::test(start_paused = true)]
    async fn everything_can_be_waited_for() {
        let (writes, written) = (Writes::default(), Arc::new(Mutex::new(0)));
        let owner = AccountIds::fresh().of_address([127, 0, 0, 1].into());
        for number in 0..9 {
            let written = written.clone();
            writes.add((owner, format!("conv_{}", number % 4)), async move {
                tokio::time::sleep(Duration::from_millis(10)).await;
                *written.lock().unwrap() += 1;
            });
        }
        writes.done().await;
        assert_eq!(*written.lock().unwrap(), 9);
    }
}

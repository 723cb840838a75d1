//! What is being added to conversations in the background: in order, and waited for by whoever
//! looks at a conversation next. A tool's output may follow the call within a millisecond.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::Shared;

use super::Place;

type Addition = Shared<Pin<Box<dyn Future<Output = ()> + Send>>>;

/// The last addition to each conversation that is not yet done.
#[derive(Clone, Default)]
pub(super) struct Additions(Arc<Mutex<HashMap<Place, Addition>>>);

impl Additions {
    /// Does this work in the background, behind everything that was added before.
    pub(super) fn add(&self, place: Place, work: impl Future<Output = ()> + Send + 'static) {
        let mut last = self.last();
        let before = last.get(&place).cloned();
        let work: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
            if let Some(before) = before {
                before.await;
            }
            work.await;
        });
        let addition = work.shared();
        last.insert(place.clone(), addition.clone());
        drop(last);
        let additions = self.clone();
        tokio::spawn(async move {
            addition.clone().await;
            let mut last = additions.last();
            if last.get(&place).is_some_and(|a| a.ptr_eq(&addition)) {
                last.remove(&place);
            }
        });
    }

    /// Waits until all that was added so far is there.
    pub(super) async fn settled(&self, place: &Place) {
        let last = self.last().get(place).cloned();
        if let Some(addition) = last {
            addition.await;
        }
    }

    fn last(&self) -> MutexGuard<'_, HashMap<Place, Addition>> {
        // A panic while the lock was held can at worst have lost an entry.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::account::Identities;

    #[tokio::test(start_paused = true)]
    async fn what_is_added_later_comes_later_and_is_waited_for() {
        let (additions, said) = (Additions::default(), Arc::new(Mutex::new(Vec::new())));
        let owner = Identities::fresh().of_address([127, 0, 0, 1].into());
        let place = (owner, "conv_1".to_owned());
        for (number, pause) in [(1, 30), (2, 0), (3, 10)] {
            let said = said.clone();
            additions.add(place.clone(), async move {
                tokio::time::sleep(Duration::from_millis(pause)).await;
                said.lock().unwrap().push(number);
            });
        }
        additions.settled(&place).await;
        assert_eq!(*said.lock().unwrap(), [1, 2, 3]);
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!(additions.last().is_empty(), "what is done is let go");
    }
}

//! Counters that are forgotten after a while: the trait, and the adapter in this process's memory.

pub mod memcached;
#[cfg(feature = "redis")]
pub mod redis;
pub mod shared;
mod window;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use crate::account_id::AccountId;
use crate::store::StoreError;
use window::Window;

/// Counts events in windows of time.
pub trait Counters: Send + Sync {
    /// Counts one event of `who` in the window that began `window` windows after 1970, and gives
    /// how many there are now. A store that cannot answer must count somewhere else: a request
    /// never fails because of its counter.
    fn count<'a>(
        &'a self,
        who: AccountId,
        window: u64,
    ) -> Pin<Box<dyn Future<Output = u64> + Send + 'a>>;

    /// How many events of `who` were counted in the window. As with [`Counters::count`], a store that
    /// cannot answer tells what it knows.
    fn counted<'a>(
        &'a self,
        who: AccountId,
        window: u64,
    ) -> Pin<Box<dyn Future<Output = u64> + Send + 'a>>;

    /// Looks for the service behind it, in the background, so that the first request need not.
    fn warm(&self) {}

    /// Whether the service behind it counts now.
    fn health_check(&self) -> Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send + '_>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Whether the service behind it may as well not be there.
    fn is_optional(&self) -> bool {
        false
    }

    /// What the start-up line says of it.
    fn name(&self) -> String;
}

/// Counters in this process's memory: nothing to install, not shared.
#[derive(Debug, Default)]
pub struct InProcess {
    counts: Mutex<Window<u64>>,
}

impl Counters for InProcess {
    fn count<'a>(
        &'a self,
        who: AccountId,
        window: u64,
    ) -> Pin<Box<dyn Future<Output = u64> + Send + 'a>> {
        // A panic while the lock was held can at worst have lost one count.
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(who, window);
        *count += 1;
        Box::pin(std::future::ready(*count))
    }

    fn counted<'a>(
        &'a self,
        who: AccountId,
        window: u64,
    ) -> Pin<Box<dyn Future<Output = u64> + Send + 'a>> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        Box::pin(std::future::ready(*counts.entry(who, window)))
    }

    fn name(&self) -> String {
        "in process".to_owned()
    }
}

//! Counters that are forgotten after a while, kept in this process.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use crate::account::Identity;

/// Counts events in windows of time.
pub trait Counters: Send + Sync {
    /// Counts one event of `who` in the window that began `window` windows after 1970, and gives
    /// how many there are now. A store that cannot answer must count somewhere else: a request
    /// never fails because of its counter.
    fn count<'a>(
        &'a self,
        who: Identity,
        window: u64,
    ) -> Pin<Box<dyn Future<Output = u64> + Send + 'a>>;

    /// What the start-up line says of it.
    fn name(&self) -> &'static str;
}

/// The most identities that are counted at once; beyond it the window starts anew for all. At some
/// 60 bytes each that is 6 MB.
const MAX_IDENTITIES: usize = 100_000;

/// Counters in this process's memory: nothing to install, not shared.
#[derive(Debug, Default)]
pub struct InProcess {
    counts: Mutex<Window>,
}

#[derive(Debug, Default)]
struct Window {
    number: u64,
    counts: HashMap<Identity, u64>,
}

impl Window {
    fn count(&mut self, who: Identity, number: u64) -> u64 {
        if number != self.number || self.counts.len() >= MAX_IDENTITIES {
            self.number = number;
            self.counts = HashMap::new();
        }
        let count = self.counts.entry(who).or_insert(0);
        *count += 1;
        *count
    }
}

impl Counters for InProcess {
    fn count<'a>(
        &'a self,
        who: Identity,
        window: u64,
    ) -> Pin<Box<dyn Future<Output = u64> + Send + 'a>> {
        // A panic while the lock was held can at worst have lost one count.
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.count(who, window);
        Box::pin(std::future::ready(count))
    }

    fn name(&self) -> &'static str {
        "in process"
    }
}

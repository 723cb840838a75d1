//! How often somebody may try to sign in with a wrong key.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::account_id::AccountId;

/// Failures that an address has in each window.
const FAILURES: u32 = 5;

const WINDOW: Duration = Duration::from_mins(1);

/// Addresses that are remembered; beyond it, all wait until a window has passed.
const ADDRESSES: usize = 10_000;

/// Counts failures by address, in this process.
#[derive(Default)]
pub struct SignInLimit {
    failures: Mutex<HashMap<AccountId, (Instant, u32)>>,
}

impl SignInLimit {
    /// Whether an address may try now; if not, in how many seconds.
    ///
    /// # Errors
    /// The seconds to wait.
    pub fn check(&self, address: AccountId, now: Instant) -> Result<(), u64> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.retain(|_, (since, _)| now.duration_since(*since) < WINDOW);
        let since = match failures.get(&address) {
            Some((since, count)) if *count >= FAILURES => *since,
            None if failures.len() >= ADDRESSES => now,
            _ => return Ok(()),
        };
        let left = WINDOW.saturating_sub(now.duration_since(since));
        Err(left.as_secs() + 1)
    }

    /// An address gave a wrong key.
    pub fn failed(&self, address: AccountId, now: Instant) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.entry(address).or_insert((now, 0)).1 += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::account_id::AccountIds;

    #[test]
    fn five_failures_a_minute_and_only_of_that_address() {
        let limit = SignInLimit::default();
        let ids = AccountIds::fresh();
        let of = |address: &str| ids.of_address(address.parse().unwrap());
        let (one, other) = (of("192.0.2.1"), of("192.0.2.2"));
        let begin = Instant::now();
        for _ in 0..5 {
            assert_eq!(limit.check(one, begin), Ok(()));
            limit.failed(one, begin);
        }
        assert_eq!(limit.check(one, begin + Duration::from_secs(20)), Err(41));
        assert_eq!(limit.check(other, begin), Ok(()));
        assert_eq!(limit.check(one, begin + WINDOW), Ok(()));
    }
}

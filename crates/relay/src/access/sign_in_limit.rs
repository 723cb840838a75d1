//! How often somebody may try to sign in with a wrong key.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::account_id::AccountId;
use crate::store::counters::Counters;

/// Failures that an address has in each window.
const FAILURES: u64 = 5;

const WINDOW_SECONDS: u64 = 60;

/// Counts failures by address, where requests are counted, too: replicas count together.
pub struct SignInLimit {
    counters: Arc<dyn Counters>,
}

impl SignInLimit {
    /// Counts here.
    #[must_use]
    pub fn new(counters: Arc<dyn Counters>) -> Self {
        Self { counters }
    }

    /// Whether an address may try now; if not, in how many seconds.
    ///
    /// # Errors
    /// The seconds to wait.
    pub async fn check(&self, address: AccountId, now: SystemTime) -> Result<(), u64> {
        let now = seconds(now);
        let window = now / WINDOW_SECONDS;
        let failures = self.counters.counted(address.apart(), window).await;
        if failures < FAILURES {
            return Ok(());
        }
        Err(WINDOW_SECONDS - now % WINDOW_SECONDS)
    }

    /// An address gave a wrong key.
    pub async fn failed(&self, address: AccountId, now: SystemTime) {
        let window = seconds(now) / WINDOW_SECONDS;
        self.counters.count(address.apart(), window).await;
    }
}

fn seconds(now: SystemTime) -> u64 {
    now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::access::account_id::AccountIds;
    use crate::store::counters::InProcess;

    #[tokio::test]
    async fn five_failures_a_minute_and_only_of_that_address() {
        let limit = SignInLimit::new(Arc::new(InProcess::default()));
        let ids = AccountIds::fresh();
        let of = |address: &str| ids.of_address(address.parse().unwrap());
        let (one, other) = (of("192.0.2.1"), of("192.0.2.2"));
        let at = |seconds: u64| UNIX_EPOCH + Duration::from_secs(600 + seconds);
        for _ in 0..5 {
            assert_eq!(limit.check(one, at(0)).await, Ok(()));
            limit.failed(one, at(0)).await;
        }
        assert_eq!(limit.check(one, at(20)).await, Err(40));
        assert_eq!(limit.check(other, at(20)).await, Ok(()));
        assert_eq!(limit.check(one, at(60)).await, Ok(()));
    }
}

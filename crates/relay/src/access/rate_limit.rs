//! Rate limits: how many requests a minute a key or an address may make.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::ValueEnum;
use http::{HeaderMap, HeaderName, HeaderValue};
use translate::failure::{Failure, Kind};

use crate::access::account_id::AccountId;
use crate::clock;
use crate::store::counters::Counters;

const WINDOW_SECONDS: u64 = 60;

/// What the rate limit counts by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RateLimitBy {
    /// The key that the client sends: an access key, or its own of 1min.ai's.
    Key,
    /// The client's address.
    Address,
}

impl std::fmt::Display for RateLimitBy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Key => "key",
            Self::Address => "address",
        })
    }
}

/// The limiter. Counting is the store's business.
#[derive(Clone)]
pub struct RateLimit {
    per_minute: u64,
    counters: Arc<dyn Counters>,
}

/// How a caller stands after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimitStatus {
    limit: u64,
    /// None if it was one request too many.
    remaining: Option<u64>,
    reset_seconds: u64,
}

impl RateLimit {
    /// So many requests a minute; 0 is no limit.
    #[must_use]
    pub fn new(per_minute: u32, counters: Arc<dyn Counters>) -> Self {
        Self {
            per_minute: u64::from(per_minute),
            counters,
        }
    }

    /// Whether there is a limit at all.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.per_minute > 0
    }

    /// Begins to look for the service that counts, if there is one.
    pub fn warm(&self) {
        self.counters.warm();
    }

    /// Counts a request.
    ///
    /// # Errors
    /// A [`Kind::RateLimited`] failure that says when to come back.
    pub async fn admit(&self, who: AccountId, slot: &RateLimitSlot) -> Result<(), Failure> {
        let status = self.count_at(who, clock::system_time()).await;
        slot.tighten(status);
        status.check()
    }

    /// Counts a request against a limit of the caller's own.
    ///
    /// # Errors
    /// A [`Kind::RateLimited`] failure that says when to come back.
    pub async fn admit_within(
        &self,
        per_minute: u32,
        who: AccountId,
        slot: &RateLimitSlot,
    ) -> Result<(), Failure> {
        let own = Self {
            per_minute: u64::from(per_minute),
            counters: self.counters.clone(),
        };
        let status = own.count_at(who.apart(), clock::system_time()).await;
        slot.tighten(status);
        status.check()
    }

    async fn count_at(&self, who: AccountId, now: SystemTime) -> RateLimitStatus {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let count = self.counters.count(who, now / WINDOW_SECONDS).await;
        RateLimitStatus {
            limit: self.per_minute,
            remaining: self.per_minute.checked_sub(count),
            reset_seconds: WINDOW_SECONDS - now % WINDOW_SECONDS,
        }
    }
}

/// What every answer to a request tells of its caller's limit, a refusal too; nothing before the
/// request is counted.
#[derive(Debug, Clone, Default)]
pub struct RateLimitSlot(Arc<Mutex<Option<RateLimitStatus>>>);

impl RateLimitSlot {
    /// How the caller stands, once that is known.
    #[must_use]
    pub fn status(&self) -> Option<RateLimitStatus> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Of several limits the tightest is told: by it clients pace themselves.
    fn tighten(&self, status: RateLimitStatus) {
        let mut tightest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tightest.is_none_or(|known| status.remaining < known.remaining) {
            *tightest = Some(status);
        }
    }
}

impl RateLimitStatus {
    fn check(self) -> Result<(), Failure> {
        if self.remaining.is_some() {
            return Ok(());
        }
        let message = format!(
            "Rate limit of this relay reached: {} requests a minute. Try again in {} s.",
            self.limit, self.reset_seconds
        );
        Err(Failure::new(Kind::RateLimited, message).with_retry_after(Some(self.reset_seconds)))
    }

    /// Writes OpenAI's rate limit headers.
    pub fn headers(&self, headers: &mut HeaderMap) {
        let mut set = |name: &'static str, value: HeaderValue| {
            headers.insert(HeaderName::from_static(name), value);
        };
        set("x-ratelimit-limit-requests", HeaderValue::from(self.limit));
        set(
            "x-ratelimit-remaining-requests",
            HeaderValue::from(self.remaining.unwrap_or_default()),
        );
        if let Ok(reset) = HeaderValue::try_from(format!("{}s", self.reset_seconds)) {
            set("x-ratelimit-reset-requests", reset);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::account_id::AccountIds;
    use crate::store::counters::InProcess;
    use std::time::Duration;

    #[tokio::test]
    async fn the_limit_holds_within_a_window_and_for_each_caller_alone() {
        let limit = RateLimit::new(2, Arc::new(InProcess::default()));
        let account_ids = AccountIds::fresh();
        let who = |key: &str| account_ids.of_key(&onemin::ApiKey::parse(key).unwrap());
        let at = |seconds: u64| UNIX_EPOCH + Duration::from_secs(600 + seconds);
        assert_eq!(limit.count_at(who("a"), at(0)).await.remaining, Some(1));
        assert_eq!(limit.count_at(who("a"), at(10)).await.remaining, Some(0));
        let refused = limit.count_at(who("a"), at(45)).await.check().unwrap_err();
        assert_eq!(
            (refused.kind, refused.retry_after),
            (Kind::RateLimited, Some(15))
        );
        assert!(limit.count_at(who("b"), at(45)).await.check().is_ok());
        assert!(limit.count_at(who("a"), at(60)).await.check().is_ok());
    }

    #[test]
    fn of_several_limits_the_tightest_is_told() {
        let status = |limit, remaining| RateLimitStatus {
            limit,
            remaining,
            reset_seconds: 9,
        };
        let slot = RateLimitSlot::default();
        for (next, expected) in [
            (status(60, Some(57)), status(60, Some(57))),
            (status(99, Some(98)), status(60, Some(57))),
            (status(10, None), status(10, None)),
            (status(60, Some(0)), status(10, None)),
        ] {
            slot.tighten(next);
            assert_eq!(slot.status(), Some(expected));
        }
    }
}

//! The time of day, as the APIs tell it.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970; zero by a clock that stands before.
#[must_use]
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

/// Milliseconds since 1970, as records have them.
#[must_use]
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}

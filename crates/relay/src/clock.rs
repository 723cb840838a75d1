//! The time of day: for the APIs, for records, and for whatever is given it as a value.

use std::time::{SystemTime, UNIX_EPOCH};

/// The time of day.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the calendar"
)]
pub fn system_time() -> SystemTime {
    SystemTime::now()
}

/// Seconds since 1970; zero by a clock that stands before.
#[must_use]
pub fn now() -> u64 {
    let since = system_time().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

/// Milliseconds since 1970, as records have them.
#[must_use]
pub fn now_ms() -> i64 {
    let since = system_time().duration_since(UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}

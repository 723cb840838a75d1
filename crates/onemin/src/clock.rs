//! Calendar time, which signed URLs and `Retry-After` speak of.

use std::time::SystemTime;

/// The time now.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the calendar"
)]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}

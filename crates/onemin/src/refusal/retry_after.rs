//! The `Retry-After` header: seconds, or a date.

use std::time::{Duration, SystemTime};

/// Longer waits are not believed.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(24);

/// How long to wait from now.
pub(crate) fn retry_after(value: &[u8], now: SystemTime) -> Option<Duration> {
    let text = str::from_utf8(value).ok()?.trim();
    let wait = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds.ceil()).ok()?,
        Err(_) => httpdate::parse_http_date(text)
            .ok()?
            .duration_since(now)
            .unwrap_or_default(),
    };
    Some(wait.min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::retry_after;

    #[test]
    fn seconds_and_dates_are_understood() {
        let now = UNIX_EPOCH + Duration::from_hours(497_676); // 2026-10-10 12:00:00 UTC
        for (value, wait) in [
            ("30", Some(30)),
            (" 0 ", Some(0)),
            ("1.2", Some(2)),
            ("99999999999", Some(86_400)),
            ("Sat, 10 Oct 2026 12:00:45 GMT", Some(45)),
            ("Sat, 10 Oct 2026 11:00:00 GMT", Some(0)),
            ("-5", None),
            ("inf", None),
            ("NaN", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(
                retry_after(value.as_bytes(), now).map(|wait| wait.as_secs()),
                wait,
                "{value}"
            );
        }
    }
}

//! When a log line was written: what the usual timer makes of it, with the date and the time of day
//! worked out once a second.

use std::cell::RefCell;
use std::fmt;
use std::time::UNIX_EPOCH;

use jiff::Timestamp;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

use crate::clock;

/// Writes `2026-11-28T23:21:34.391065Z`.
pub struct LineTime;

/// A second since 1970, and its text up to the fraction.
type Second = (u64, String);

thread_local! {
    static LAST: RefCell<Second> = const { RefCell::new((0, String::new())) };
}

impl FormatTime for LineTime {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let since = clock::system_time().duration_since(UNIX_EPOCH);
        let since = since.unwrap_or_default();
        LAST.with_borrow_mut(|(second, text)| {
            if *second != since.as_secs() || text.is_empty() {
                *second = since.as_secs();
                let at = Timestamp::from_second(i64::try_from(*second).unwrap_or_default());
                *text = at.unwrap_or_default().to_string();
                text.truncate(text.len().saturating_sub(1));
            }
            writer.write_str(text)
        })?;
        let mut fraction = *b".000000Z";
        let mut rest = since.subsec_micros();
        for digit in fraction.iter_mut().rev().skip(1).take(6) {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
            rest /= 10;
        }
        writer.write_str(str::from_utf8(&fraction).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_moment_in_microseconds() {
        let before = Timestamp::now();
        for _ in 0..3 {
            let mut text = String::new();
            LineTime.format_time(&mut Writer::new(&mut text)).unwrap();
            assert_eq!(text.len(), "2026-11-28T23:21:34.391065Z".len(), "{text}");
            let at: Timestamp = text.parse().unwrap();
            let apart = at.duration_since(before).as_micros();
            assert!((-1..1_000_000).contains(&apart), "{text} {before}");
        }
    }
}

//! Time as upstream writes it.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the clock"
)]
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// ISO 8601 with milliseconds and `Z`, as in `createdAt`.
pub(crate) fn iso(ms: u64) -> String {
    let (year, month, day, hour, minute, second, milli) = civil(ms);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

/// The stamp in the keys of uploaded files: `YYYY_MM_DD_HH_MM_SS_mmm`.
pub(crate) fn key_stamp(ms: u64) -> String {
    let (year, month, day, hour, minute, second, milli) = civil(ms);
    format!("{year:04}_{month:02}_{day:02}_{hour:02}_{minute:02}_{second:02}_{milli:03}")
}

/// The date in signed links: `YYYYMMDDTHHMMSSZ`.
pub(crate) fn compact(ms: u64) -> String {
    let (year, month, day, hour, minute, second, _) = civil(ms);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// Milliseconds since 1970 of such a date; `None` for what is none.
pub(crate) fn from_compact(date: &str) -> Option<u64> {
    let number = |from: usize, to: usize| -> Option<u64> { date.get(from..to)?.parse().ok() };
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let seconds = number(9, 11)? * 3600 + number(11, 13)? * 60 + number(13, 15)?;
    // The same eras as in `civil`.
    let year = if month <= 2 {
        year.checked_sub(1)?
    } else {
        year
    };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day.checked_sub(1)?;
    let of_era = year % 400 * 365 + year % 400 / 4 - year % 400 / 100 + of_year;
    let days = (year / 400 * 146_097 + of_era).checked_sub(719_468)?;
    Some((days * 86_400 + seconds) * 1000)
}

/// The calendar in UTC. Days are turned into a date over eras of 400 years that begin in March,
/// so that the leap day is the last of its year.
fn civil(ms: u64) -> (u64, u64, u64, u64, u64, u64, u64) {
    let (seconds, milli) = (ms / 1000, ms % 1000);
    let (days, of_day) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (
        year,
        month,
        day,
        of_day / 3600,
        of_day / 60 % 60,
        of_day % 60,
        milli,
    )
}

#[cfg(test)]
mod tests {
    use super::{compact, from_compact, iso, key_stamp};

    #[test]
    fn instants_become_dates() {
        let cases = [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_735_689_599_999, "2024-12-31T23:59:59.999Z"),
            (1_791_633_601_234, "2026-10-10T12:00:01.234Z"),
        ];
        for (ms, date) in cases {
            assert_eq!(iso(ms), date);
        }
        for ms in [0, 951_782_400_000, 1_735_689_599_000, 1_791_633_601_000] {
            assert_eq!(from_compact(&compact(ms)), Some(ms));
        }
        assert_eq!(compact(1_791_633_601_234), "20261010T120001Z");
        for wrong in [
            "",
            "2026",
            "00000101T000000Z",
            "20261010T1200",
            "üüüüüüüüüü",
        ] {
            assert_eq!(from_compact(wrong), None, "{wrong}");
        }
        assert_eq!(key_stamp(1_791_633_600_101), "2026_10_10_12_00_00_101");
    }
}

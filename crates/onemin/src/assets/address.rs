//! Where a stored file can be fetched, and how long a signed URL is good.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use url::Url;

/// Bytes of a path that are sent as they are.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=:@".contains(&byte)
}

/// The address of a file by its path. None if the path leads out of the store.
pub(crate) fn of_path(asset_base: &str, path: &str) -> Option<String> {
    let path = path.trim_start_matches('/');
    let leads_out = path.split('/').any(|part| matches!(part, "" | "." | ".."));
    if leads_out || path.len() > 4096 {
        return None;
    }
    let mut address = format!("{asset_base}/");
    for byte in path.bytes() {
        if is_plain(byte) {
            address.push(char::from(byte));
        } else {
            // Writing into a text cannot fail.
            let _ = write!(address, "%{byte:02X}");
        }
    }
    Some(address)
}

/// When a signed URL ends to be good, as it says itself. None if it does not say.
#[must_use]
pub fn expires_at(url: &str) -> Option<SystemTime> {
    let url = Url::parse(url).ok()?;
    let parameter = |name: &str| {
        let mut pairs = url.query_pairs();
        pairs.find_map(|(of, value)| of.eq_ignore_ascii_case(name).then(|| value.into_owned()))
    };
    if let Some(second) = parameter("Expires") {
        return at(second.parse().ok()?);
    }
    let signed = instant(&parameter("X-Amz-Date")?)?;
    let good: u64 = parameter("X-Amz-Expires")?.parse().ok()?;
    at(signed.checked_add(good)?)
}

/// How many seconds a signed URL is good from the moment in which it was signed, as it says itself.
#[must_use]
pub(crate) fn good_for(url: &str) -> Option<u64> {
    let url = Url::parse(url).ok()?;
    let mut pairs = url.query_pairs();
    let seconds = pairs.find(|(name, _)| name.eq_ignore_ascii_case("X-Amz-Expires"));
    seconds?.1.parse().ok()
}

fn at(second: u64) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(second))
}

/// Seconds since 1970 of a time such as `20261010T120001Z`.
fn instant(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let part = |text: &str, from: usize, to: usize| -> Option<u64> {
        let digits = text.get(from..to)?;
        let all = digits.bytes().all(|byte| byte.is_ascii_digit());
        all.then(|| digits.parse().ok())?
    };
    if date.len() != 8 || time.len() != 6 {
        return None;
    }
    let (year, month, day) = (part(date, 0, 4)?, part(date, 4, 6)?, part(date, 6, 8)?);
    let (hour, minute, second) = (part(time, 0, 2)?, part(time, 2, 4)?, part(time, 4, 6)?);
    let valid = year >= 1970 && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !valid || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
}

/// Days since 1970-01-01. A year is counted from March, so that the leap day is its last.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let months = (month + 9) % 12;
    let leap_days = year / 4 - year / 100 + year / 400;
    let before = (153 * months + 2) / 5;
    (year * 365 + leap_days + before + day - 1).saturating_sub(719_468)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use proptest::prelude::*;

    use super::{expires_at, instant, of_path};

    #[test]
    fn a_path_stays_in_the_store() {
        let at = |path| of_path("https://asset.1min.ai", path);
        for (path, address) in [
            ("images/a.png", Some("https://asset.1min.ai/images/a.png")),
            ("/images/a.png", Some("https://asset.1min.ai/images/a.png")),
            (
                "images/ä b?c#d%.png",
                Some("https://asset.1min.ai/images/%C3%A4%20b%3Fc%23d%25.png"),
            ),
            ("images/../keys", None),
            ("images//a.png", None),
            ("..", None),
            ("", None),
        ] {
            assert_eq!(at(path).as_deref(), address, "{path}");
        }
    }

    #[test]
    fn a_time_is_read() {
        for (text, seconds) in [
            ("19700101T000000Z", Some(0)),
            ("20000229T235959Z", Some(951_868_799)),
            ("20261010T120001Z", Some(1_791_633_601)),
            ("20261310T120001Z", None),
            ("2026-10-10T12:00:01Z", None),
            ("20261010T120001", None),
            ("", None),
        ] {
            assert_eq!(instant(text), seconds, "{text}");
        }
    }

    #[test]
    fn a_signed_url_says_how_long_it_is_good() {
        let at = |second| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(second));
        let week = "https://s3.us-east-1.amazonaws.com/asset.1min.ai/a.png?X-Amz-Date=20261010T120001Z&X-Amz-Expires=604800";
        assert_eq!(expires_at(week), at(1_791_633_601 + 604_800));
        assert_eq!(expires_at("https://h/a?Expires=12&Signature=x"), at(12));
        assert_eq!(expires_at("https://asset.1min.ai/a.png"), None);
        assert_eq!(expires_at("no url"), None);
    }

    proptest! {
        #[test]
        fn a_time_agrees_with_another_reader(second in 0u64..4_000_000_000) {
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(second);
            let text = httpdate::fmt_http_date(time);
            let month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
                .iter().position(|name| *name == &text[8..11]).unwrap() + 1;
            let written = format!("{}{month:02}{}T{}Z", &text[12..16], &text[5..7], text[17..25].replace(':', ""));
            prop_assert_eq!(instant(&written), Some(second));
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = instant(&text);
            let _ = expires_at(&text);
            let _ = of_path("https://a", &text);
        }
    }
}

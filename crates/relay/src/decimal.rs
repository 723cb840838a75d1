//! Numbers of few places as text. Credits and milliseconds have at most three, and finding the shortest
//! digits of any number takes ten times as long.

use std::fmt;

/// The most digits, a sign and a point.
const TEXT_BYTES_MAX: usize = 24;

/// Beyond it not every thousandth is a number of its own.
const THOUSANDTHS_MAX: f64 = 1e15;

/// Appends a number as `{}` does.
///
/// # Errors
/// The writer's own.
pub fn write(value: f64, out: &mut impl fmt::Write) -> fmt::Result {
    match thousandths(value) {
        Some(number) => write_thousandths(number, false, out),
        None => write!(out, "{value}"),
    }
}

/// Appends a number as `{:?}` does, which shows that it need not be whole.
///
/// # Errors
/// The writer's own.
pub fn write_with_point(value: f64, out: &mut impl fmt::Write) -> fmt::Result {
    match thousandths(value) {
        Some(number) => write_thousandths(number, true, out),
        None => write!(out, "{value:?}"),
    }
}

/// A number in thousandths, if it has no more places. Zero is left out: it may have a sign.
#[expect(
    clippy::cast_possible_truncation,
    clippy::float_cmp,
    reason = "the bound is far below 2^63, and only the very same number has these digits"
)]
fn thousandths(value: f64) -> Option<i64> {
    let scaled = (value * 1000.0).round();
    let is_exact = scaled.abs() < THOUSANDTHS_MAX && scaled != 0.0 && scaled / 1000.0 == value;
    is_exact.then_some(scaled as i64)
}

fn write_thousandths(number: i64, with_point: bool, out: &mut impl fmt::Write) -> fmt::Result {
    let mut bytes = [0; TEXT_BYTES_MAX];
    let mut begin = bytes.len();
    let mut rest = number.unsigned_abs();
    let mut put = |byte: u8| {
        begin -= 1;
        if let Some(place) = bytes.get_mut(begin) {
            *place = byte;
        }
    };
    let mut shown = false;
    for place in 0.. {
        if place == 3 {
            if shown {
                put(b'.');
            } else if with_point {
                put(b'0');
                put(b'.');
            }
        }
        if place > 3 && rest == 0 {
            break;
        }
        let digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
        shown |= digit != b'0' || place >= 3;
        if shown {
            put(digit);
        }
    }
    if number < 0 {
        put(b'-');
    }
    let text = bytes.get(begin..).unwrap_or_default();
    out.write_str(str::from_utf8(text).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(value: f64) -> (String, String) {
        let (mut plain, mut with_point) = (String::new(), String::new());
        write(value, &mut plain).unwrap();
        write_with_point(value, &mut with_point).unwrap();
        (plain, with_point)
    }

    fn expected(value: f64) -> (String, String) {
        (format!("{value}"), format!("{value:?}"))
    }

    #[test]
    fn numbers_are_written_as_the_usual_formatter_writes_them() {
        for value in [
            0.0,
            -0.0,
            1.0,
            0.5,
            0.001,
            0.01,
            0.0001,
            10.0,
            100.25,
            1234.567,
            -3.25,
            1e14,
            1e15,
            1e16,
            1e300,
            999_999_999_999.999,
            9_007_199_254_740_993.0,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MIN_POSITIVE,
        ] {
            assert_eq!(written(value), expected(value));
        }
    }

    proptest! {
        #[test]
        fn so_is_any_number_of_three_places(thousandths in any::<i32>()) {
            let value = f64::from(thousandths) / 1000.0;
            prop_assert_eq!(written(value), expected(value));
        }

        #[test]
        fn so_is_any_number(value in any::<f64>()) {
            prop_assert_eq!(written(value), expected(value));
        }
    }
}

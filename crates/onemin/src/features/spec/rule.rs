//! What a field may be.

use serde_json::{Number, Value};

/// What a value must be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// Anything.
    Any,
    /// A text of at most so many characters, and not an empty one.
    Text(usize),
    /// One of these.
    OneOf(&'static [&'static str]),
    /// A whole number between these.
    Whole(i64, i64),
    /// A multiple of the first between the others.
    Multiple(i64, i64, i64),
    /// A number between these.
    Number(f64, f64),
    /// Yes or no.
    Flag,
    /// `WxH` within bounds.
    Size(Pixels),
    /// A file: the path of an asset, or a URL.
    File,
    /// At most so many files.
    Files(usize),
}

/// The bounds of a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pixels {
    /// What both sides are multiples of.
    pub multiple: u32,
    /// The least and the greatest side.
    pub side: (u32, u32),
    /// The least and the greatest area.
    pub area: (u64, u64),
    /// The longer side over the shorter one, at most.
    pub ratio: u32,
}

impl Pixels {
    /// Whether a size is within the bounds.
    #[must_use]
    pub fn holds(&self, (width, height): (u32, u32)) -> bool {
        let (short, long) = (width.min(height), width.max(height));
        let area = u64::from(width) * u64::from(height);
        short.is_multiple_of(self.multiple)
            && long.is_multiple_of(self.multiple)
            && short >= self.side.0
            && long <= self.side.1
            && (self.area.0..=self.area.1).contains(&area)
            && u64::from(long) <= u64::from(self.ratio) * u64::from(short)
    }
}

/// The longest path or URL of a file, in bytes.
const ADDRESS_BYTES_MAX: usize = 8192;

impl Rule {
    /// The value in upstream's spelling.
    ///
    /// # Errors
    /// What is allowed.
    pub fn check(&self, value: &Value) -> Result<Value, String> {
        self.checked(value).ok_or_else(|| self.allowed())
    }

    fn checked(&self, value: &Value) -> Option<Value> {
        match *self {
            Self::Any => Some(value.clone()),
            Self::Text(most) => {
                let text = value.as_str()?;
                let fits = !text.trim().is_empty() && text.chars().nth(most).is_none();
                fits.then(|| value.clone())
            }
            Self::OneOf(options) => {
                let text = plain(value)?;
                let found = options
                    .iter()
                    .find(|of| of.eq_ignore_ascii_case(text.trim()));
                found.map(|option| Value::from(*option))
            }
            Self::Whole(least, most) => {
                let number = whole(value)?;
                (least..=most).contains(&number).then(|| number.into())
            }
            Self::Multiple(of, least, most) => {
                let number = whole(value)?;
                let fits = number % of == 0 && (least..=most).contains(&number);
                fits.then(|| number.into())
            }
            Self::Number(least, most) => {
                let number = float(value)?;
                (least..=most).contains(&number).then(|| shortest(number))
            }
            Self::Flag => flag(value).map(Value::from),
            Self::Size(pixels) => {
                let size = size(value.as_str()?)?;
                let text = || Value::from(format!("{}x{}", size.0, size.1));
                pixels.holds(size).then(text)
            }
            Self::File => is_file(value).then(|| value.clone()),
            Self::Files(most) => {
                let list = value.as_array()?;
                let fits = list.len() <= most && list.iter().all(is_file);
                fits.then(|| value.clone())
            }
        }
    }

    /// What is allowed, in words.
    #[must_use]
    pub fn allowed(&self) -> String {
        const NO_END: i64 = 100_000_000;
        match *self {
            Self::Any => "anything".to_owned(),
            Self::Text(usize::MAX) => "a text".to_owned(),
            Self::Text(most) => format!("a text of at most {most} characters"),
            Self::OneOf([only]) => format!("only {only}"),
            Self::OneOf(options) => format!("one of {}", options.join(", ")),
            Self::Whole(least, most) if least == most => format!("only {least}"),
            Self::Whole(least, most) if most > NO_END => format!("a whole number from {least}"),
            Self::Whole(least, most) => format!("a whole number from {least} to {most}"),
            Self::Multiple(of, least, most) => {
                format!("a multiple of {of} from {least} to {most}")
            }
            Self::Number(least, most) => format!("a number from {least} to {most}"),
            Self::Flag => "true or false".to_owned(),
            Self::Size(Pixels {
                multiple,
                side,
                area,
                ratio,
            }) => format!(
                "WIDTHxHEIGHT, both multiples of {multiple} from {} to {}, {} to {} pixels in all, the longer at most {ratio} times the shorter",
                side.0, side.1, area.0, area.1
            ),
            Self::File => "the path of a stored file or a URL".to_owned(),
            Self::Files(most) => format!("a list of at most {most} paths or URLs"),
        }
    }
}

/// Width and height of a text such as `1024x768`, `1664*928` or `16:9`.
pub(crate) fn size(text: &str) -> Option<(u32, u32)> {
    let (width, height) = text.trim().split_once(['x', 'X', '*', '×', ':', '/'])?;
    let side = |text: &str| -> Option<u32> {
        let digits = text.trim();
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        let side = plain.then(|| digits.parse().ok())??;
        (1..=100_000).contains(&side).then_some(side)
    };
    Some((side(width)?, side(height)?))
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the number is whole and small"
)]
fn whole(value: &Value) -> Option<i64> {
    let number = float(value)?;
    (number.fract() == 0.0 && number.abs() < 9.0e15).then_some(number as i64)
}

fn float(value: &Value) -> Option<f64> {
    let number: f64 = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

/// A number without a fraction that is zero.
fn shortest(number: f64) -> Value {
    match whole(&Number::from_f64(number).map_or(Value::Null, Value::Number)) {
        Some(whole) => whole.into(),
        None => number.into(),
    }
}

fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

fn is_file(value: &Value) -> bool {
    value.as_str().is_some_and(|address| {
        !address.is_empty()
            && address.len() <= ADDRESS_BYTES_MAX
            && !address.contains(|c: char| c.is_whitespace() || c.is_control())
            && (!address.contains("://")
                || ["https://", "http://"]
                    .iter()
                    .any(|of| address.starts_with(of)))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{Pixels, Rule, size};

    const FREE: Pixels = Pixels {
        multiple: 16,
        side: (16, 3840),
        area: (655_360, 8_294_400),
        ratio: 3,
    };

    #[test]
    fn a_value_is_taken_in_every_spelling_and_sent_in_one() {
        let rows = [
            (
                Rule::OneOf(&["AUTO", "ON"]),
                json!("auto"),
                Some(json!("AUTO")),
            ),
            (Rule::OneOf(&["1", "0.25"]), json!(1), Some(json!("1"))),
            (Rule::OneOf(&["png"]), json!("gif"), None),
            (Rule::Whole(1, 10), json!("3"), Some(json!(3))),
            (Rule::Whole(1, 10), json!(3.0), Some(json!(3))),
            (Rule::Whole(1, 10), json!(3.5), None),
            (Rule::Whole(1, 10), json!(11), None),
            (Rule::Whole(1, 10), json!(1e300), None),
            (
                Rule::Multiple(32, 256, 1440),
                json!("512"),
                Some(json!(512)),
            ),
            (Rule::Multiple(32, 256, 1440), json!(500), None),
            (Rule::Multiple(32, 256, 1440), json!(1472), None),
            (Rule::Number(0.25, 4.0), json!(1.5), Some(json!(1.5))),
            (Rule::Number(0.25, 4.0), json!(1.0), Some(json!(1))),
            (Rule::Number(0.25, 4.0), json!("NaN"), None),
            (Rule::Flag, json!("False"), Some(json!(false))),
            (Rule::Flag, json!(1), None),
            (Rule::Text(3), json!("äöü"), Some(json!("äöü"))),
            (Rule::Text(3), json!("four"), None),
            (Rule::Text(3), json!(" "), None),
            (
                Rule::Size(FREE),
                json!("1280 X 720"),
                Some(json!("1280x720")),
            ),
            (Rule::Size(FREE), json!("512x512"), None),
            (Rule::Size(FREE), json!("3840x2176"), None),
            (Rule::Size(FREE), json!("3072x512"), None),
            (Rule::Size(FREE), json!("1000x1000"), None),
            (
                Rule::File,
                json!("images/a.png"),
                Some(json!("images/a.png")),
            ),
            (Rule::File, json!("file:///etc/passwd"), None),
            (Rule::File, json!("data:image/png;base64, AA"), None),
            (Rule::Files(1), json!(["a.png", "b.png"]), None),
        ];
        for (rule, given, sent) in rows {
            assert_eq!(rule.check(&given).ok(), sent, "{rule:?} {given}");
            assert!(!rule.allowed().is_empty());
        }
    }

    proptest! {
        #[test]
        fn no_text_is_a_size_by_accident(text in any::<String>()) {
            if let Some((width, height)) = size(&text) {
                prop_assert!(width > 0 && height > 0);
            }
        }

        #[test]
        fn what_was_checked_checks_again(text in "[0-9]{1,4}[x*][0-9]{1,4}") {
            let sizes = Rule::Size(FREE);
            if let Ok(value) = sizes.check(&Value::from(text)) {
                prop_assert_eq!(sizes.check(&value), Ok(value.clone()));
            }
        }
    }
}

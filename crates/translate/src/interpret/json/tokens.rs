//! The tokens of JSON as models write it: literals of other languages, odd numbers, bare words,
//! quotation marks, escapes and comments.

use std::fmt::Write as _;

use super::grade::Grade;
use crate::interpret::slice::{at_most, from, to};

/// Whether a character can open a string.
pub(super) fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`' | '“' | '‘')
}

/// The mark that closes a string opened by this one.
pub(super) fn closing(open: char) -> char {
    match open {
        '“' => '”',
        '‘' => '’',
        other => other,
    }
}

/// Whether a character can stand in a key without quotes.
pub(super) fn is_key_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$' | '-' | '.')
}

/// Whether a string begins with three marks, as in Python. None: more is needed.
pub(super) fn is_triple(rest: &str, mark: char, whole: bool) -> Option<bool> {
    if !matches!(mark, '"' | '\'') {
        return Some(false);
    }
    let run = rest.chars().take(3).take_while(|c| *c == mark).count();
    match run {
        3 => Some(true),
        2 if rest.len() == 2 && !whole => None,
        _ => Some(false),
    }
}

/// Whether a string is a Windows path whose backslashes are not escaped: it begins as one and
/// holds a backslash that means nothing in JSON. None: more is needed.
pub(super) fn is_windows_path(inside: &str, mark: char, whole: bool) -> Option<bool> {
    /// The longest path Windows takes by default.
    const MAX_PATH: usize = 260;
    let full = whole || inside.len() >= MAX_PATH;
    let inside = at_most(inside, MAX_PATH);
    let more = full.then_some(false);
    for (at, fits) in [
        (0, u8::is_ascii_alphabetic as fn(&u8) -> bool),
        (1, |b| *b == b':'),
        (2, |b| *b == b'\\'),
        (3, |b| *b != b'\\' && *b != b'"'),
    ] {
        match inside.as_bytes().get(at) {
            None => return more,
            Some(byte) if !fits(byte) => return Some(false),
            Some(_) => {}
        }
    }
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        if c == mark {
            return Some(false);
        }
        if c == '\\' {
            match chars.next() {
                None => return more,
                Some('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't') => {}
                Some('u') => match unicode(chars.as_str()) {
                    Hex::Valid(_) => {}
                    Hex::Cut => return more,
                    Hex::Invalid => return Some(true),
                },
                Some(_) => return Some(true),
            }
        }
    }
    more
}

/// The bytes of a comment up to the line's end.
pub(super) fn line_comment(rest: &str, whole: bool) -> Option<usize> {
    rest.find('\n').or(whole.then_some(rest.len()))
}

/// The bytes of a comment up to its closing mark.
pub(super) fn block_comment(rest: &str) -> Option<usize> {
    from(rest, 2).find("*/").map(|end| end + 4)
}

/// Where a token outside strings ends, if that is in sight.
pub(super) fn token_end(rest: &str, until: &[String]) -> Option<usize> {
    let mark = until.iter().filter_map(|m| rest.find(m.as_str())).min();
    let delimiter = rest.char_indices().find_map(|(at, c)| match c {
        ',' | '}' | ']' | '\n' | '\r' | '{' | '[' | '"' => Some(at),
        '/' if from(rest, at).starts_with("//") || from(rest, at).starts_with("/*") => {
            to(rest, at).ends_with([' ', '\t']).then_some(at)
        }
        '#' => to(rest, at).ends_with([' ', '\t']).then_some(at),
        _ => None,
    });
    match (mark, delimiter) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// A scalar without quotes as JSON, and how it was read.
pub(super) fn scalar(token: &str) -> Result<(String, Grade), &'static str> {
    let token = token.trim();
    let (json, grade) = match token {
        "true" | "false" | "null" => (token, Grade::Exact),
        "True" | "TRUE" => ("true", Grade::Lossless),
        "False" | "FALSE" => ("false", Grade::Lossless),
        "None" | "NULL" | "Null" | "nil" => ("null", Grade::Lossless),
        "undefined" | "NaN" | "Infinity" | "-Infinity" => ("null", Grade::Guess),
        _ => return number(token).map_or_else(|| word(token), Ok),
    };
    Ok((json.to_owned(), grade))
}

/// A number as JSON, if the token is one.
fn number(token: &str) -> Option<(String, Grade)> {
    if is_json_number(token) {
        return Some((token.to_owned(), Grade::Exact));
    }
    let (sign, digits) = match token.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", token.strip_prefix('+').unwrap_or(token)),
    };
    if let Some(hex) = digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        let value = u64::from_str_radix(hex, 16).ok()?;
        return Some((format!("{sign}{value}"), Grade::Lossless));
    }
    if digits.starts_with('_') || digits.ends_with('_') {
        return None;
    }
    let plain = digits.replace('_', "");
    let padded = match plain.split_at_checked(1) {
        Some((".", rest)) => format!("0.{rest}"),
        _ => plain,
    };
    let fixed = format!(
        "{sign}{}",
        padded
            .replace(".e", "e")
            .replace(".E", "E")
            .trim_end_matches('.')
    );
    is_json_number(&fixed).then_some((fixed, Grade::Lossless))
}

/// Whether a token is a number by JSON's grammar.
fn is_json_number(token: &str) -> bool {
    let digits = token.strip_prefix('-').unwrap_or(token);
    let mut parts = digits.splitn(2, ['e', 'E']);
    let mantissa = parts.next().unwrap_or_default();
    let exponent = parts
        .next()
        .map(|e| e.strip_prefix(['+', '-']).unwrap_or(e));
    let mut halves = mantissa.splitn(2, '.');
    let whole = halves.next().unwrap_or_default();
    let all_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    all_digits(whole)
        && (whole.len() == 1 || !whole.starts_with('0'))
        && halves.next().is_none_or(all_digits)
        && exponent.is_none_or(all_digits)
}

/// A bare word as a string: a guess.
fn word(token: &str) -> Result<(String, Grade), &'static str> {
    let plain = |c: char| {
        c.is_alphanumeric()
            || matches!(
                c,
                ' ' | '_' | '-' | '.' | ':' | '/' | '@' | '+' | '%' | '°' | '\'' | '&' | '?' | '='
            )
    };
    if token.is_empty() || !token.starts_with(char::is_alphanumeric) || !token.chars().all(plain) {
        return Err("something stands where a value should");
    }
    Ok((serde_json::Value::from(token).to_string(), Grade::Guess))
}

/// One escape of a string, as JSON.
pub(crate) struct Escape {
    pub(crate) json: String,
    pub(crate) width: usize,
    pub(crate) grade: Grade,
}

impl Escape {
    /// What it means.
    pub(crate) fn text(&self) -> String {
        let quoted = format!("\"{}\"", self.json);
        serde_json::from_str(&quoted).unwrap_or_else(|_| self.json.clone())
    }
}

/// Reads the escape at the beginning. None: more is needed. An escape that JSON does not know
/// stands for itself, as in `\d` and `\$`: nothing else was meant.
pub(crate) fn escape(rest: &str, whole: bool) -> Option<Escape> {
    let literal = |json: &str, width, grade| {
        Some(Escape {
            json: json.to_owned(),
            width,
            grade,
        })
    };
    match from(rest, 1).chars().next() {
        None if whole => literal("\\\\", 1, Grade::Lossless),
        None => None,
        Some('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't') => {
            literal(to(rest, 2), 2, Grade::Exact)
        }
        Some('\'') => literal("'", 2, Grade::Lossless),
        Some('u') => unicode_escape(rest, whole),
        Some(_) => literal("\\\\", 1, Grade::Lossless),
    }
}

/// A `\uXXXX` and, if it is the first half of a pair, the other half with it.
fn unicode_escape(rest: &str, whole: bool) -> Option<Escape> {
    let literal = |json: &str, width, grade| {
        Some(Escape {
            json: json.to_owned(),
            width,
            grade,
        })
    };
    match unicode(from(rest, 2)) {
        Hex::Cut if !whole => None,
        Hex::Cut | Hex::Invalid => literal("\\\\", 1, Grade::Lossless),
        Hex::Valid(0xd800..=0xdbff) => {
            let second = from(rest, 6);
            let low = second.strip_prefix("\\u").map(unicode);
            match low {
                Some(Hex::Valid(0xdc00..=0xdfff)) => literal(to(rest, 12), 12, Grade::Exact),
                Some(Hex::Cut) if !whole => None,
                None if "\\u".starts_with(second) && !whole => None,
                _ => literal("\\ufffd", 6, Grade::Guess),
            }
        }
        Hex::Valid(0xdc00..=0xdfff) => literal("\\ufffd", 6, Grade::Guess),
        Hex::Valid(_) => literal(to(rest, 6), 6, Grade::Exact),
    }
}

enum Hex {
    Valid(u32),
    Invalid,
    Cut,
}

/// Four hexadecimal digits.
fn unicode(digits: &str) -> Hex {
    let valid = digits
        .bytes()
        .take(4)
        .take_while(u8::is_ascii_hexdigit)
        .count();
    match valid {
        4 => u32::from_str_radix(to(digits, 4), 16).map_or(Hex::Invalid, Hex::Valid),
        n if n == digits.len() => Hex::Cut,
        _ => Hex::Invalid,
    }
}

/// Writes a control character as JSON wants it.
pub(super) fn push_control(c: char, out: &mut String) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        other => {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\u{:04x}", u32::from(other));
        }
    }
}

/// Writes a character of a string as JSON wants it.
pub(super) fn push_escaped(c: char, out: &mut String) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        c if c < ' ' => push_control(c, out),
        c => out.push(c),
    }
}

/// Writes a text as the inside of a JSON string.
pub(crate) fn push_text(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c == '"' || c == '\\' || c < ' ') {
        out.push_str(to(rest, at));
        rest = from(rest, at);
        if let Some(c) = rest.chars().next() {
            push_escaped(c, out);
            rest = from(rest, 1);
        }
    }
    out.push_str(rest);
}

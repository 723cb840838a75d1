//! Regular expressions of schemas. JSON Schema's are ECMAScript's, and clients' libraries write them
//! as JavaScript has them; the engine here reads another grammar. What both write differently is
//! written anew, and what the engine cannot do at all is left out of the schema: a pattern is a
//! further bound on a text, and no reason to refuse a request.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::validator;

/// Keywords whose values are data, not schemas.
const DATA: [&str; 5] = ["const", "enum", "default", "examples", "example"];

/// Letters that mean something behind a backslash.
const ESCAPES: &str = "dDwWsSbBfnrtvcxupPk";

/// The schema with patterns that the engine reads, and whether one was left out. None if the schema
/// is good as it is.
pub(super) fn readable(schema: &Value) -> Option<(Value, bool)> {
    has_patterns(schema).then(|| {
        let mut readable = schema.clone();
        let left_out = rewrite(&mut readable, &mut Known::new());
        (readable, left_out)
    })
}

fn has_patterns(schema: &Value) -> bool {
    match schema {
        Value::Object(keywords) => keywords.iter().any(|(keyword, value)| {
            let is_pattern = keyword == "pattern" && value.is_string();
            is_pattern
                || keyword == "patternProperties"
                || (!DATA.contains(&keyword.as_str()) && has_patterns(value))
        }),
        Value::Array(schemas) => schemas.iter().any(has_patterns),
        _ => false,
    }
}

/// Whether a pattern was left out.
fn rewrite(schema: &mut Value, known: &mut Known) -> bool {
    match schema {
        Value::Object(keywords) => rewrite_keywords(keywords, known),
        Value::Array(schemas) => schemas
            .iter_mut()
            .fold(false, |out, part| rewrite(part, known) | out),
        _ => false,
    }
}

fn rewrite_keywords(keywords: &mut Map<String, Value>, known: &mut Known) -> bool {
    let mut left_out = false;
    let pattern = keywords.get("pattern").and_then(Value::as_str);
    if let Some(pattern) = pattern {
        if let Some(pattern) = engine_pattern(pattern, known) {
            keywords.insert("pattern".to_owned(), pattern.into());
        } else {
            keywords.shift_remove("pattern");
            left_out = true;
        }
    }
    if let Some(Value::Object(properties)) = keywords.get_mut("patternProperties") {
        let before = properties.len();
        let read = std::mem::take(properties).into_iter();
        let read =
            read.filter_map(|(pattern, part)| Some((engine_pattern(&pattern, known)?, part)));
        *properties = read.collect();
        if properties.len() < before {
            // What it would have allowed must not be refused by its neighbours.
            keywords.shift_remove("additionalProperties");
            keywords.shift_remove("unevaluatedProperties");
            left_out = true;
        }
    }
    for (keyword, value) in keywords.iter_mut() {
        if !DATA.contains(&keyword.as_str()) {
            left_out |= rewrite(value, known);
        }
    }
    left_out
}

/// Patterns that were looked at, and as the engine reads them.
type Known = HashMap<String, Option<String>>;

/// A pattern as the engine reads it; none if it cannot.
fn engine_pattern(pattern: &str, known: &mut Known) -> Option<String> {
    if let Some(known) = known.get(pattern) {
        return known.clone();
    }
    let engines = rewritten(pattern);
    let compiled = validator::build(&json!({ "pattern": engines.as_ref() }));
    let read = compiled.is_ok().then(|| engines.into_owned());
    known.insert(pattern.to_owned(), read.clone());
    read
}

/// An ECMAScript pattern in the engine's grammar.
fn rewritten(pattern: &str) -> Cow<'_, str> {
    if !pattern.contains(['[', '{', '\\']) {
        return Cow::Borrowed(pattern);
    }
    // The engine's own reading of `\d` and `\w` is Unicode's where it looks around or back.
    let looks_around = ["(?=", "(?!", "(?<=", "(?<!"]
        .iter()
        .any(|sign| pattern.contains(sign));
    let refers_back = pattern
        .as_bytes()
        .windows(2)
        .any(|pair| matches!(pair, [b'\\', b'1'..=b'9']));
    let mut writer = Writer {
        rest: pattern,
        out: String::with_capacity(pattern.len() + 16),
        in_class: false,
        ascii_classes: looks_around || refers_back,
    };
    while writer.step() {}
    Cow::Owned(writer.out)
}

struct Writer<'p> {
    rest: &'p str,
    out: String,
    in_class: bool,
    ascii_classes: bool,
}

impl Writer<'_> {
    fn take(&mut self, bytes: usize, written: &str) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
        self.out.push_str(written);
    }

    /// Writes what comes next; false at the end.
    fn step(&mut self) -> bool {
        let mut chars = self.rest.chars();
        match (chars.next(), chars.next()) {
            (None, _) => return false,
            (Some('\\'), Some(escaped)) => self.escape(escaped),
            // ECMAScript's classes of everything and of nothing.
            (Some('['), _) if !self.in_class && self.rest.starts_with("[^]") => {
                self.take(3, r"[\s\S]");
            }
            (Some('['), Some(']')) if !self.in_class => self.take(2, r"[^\s\S]"),
            (Some('['), _) if !self.in_class => {
                self.in_class = true;
                self.take(1, "[");
            }
            (Some(']'), _) if self.in_class => {
                self.in_class = false;
                self.take(1, "]");
            }
            (Some('{'), _) if !self.in_class && !is_quantifier(self.rest) => self.take(1, r"\{"),
            (Some(c), _) => {
                let mut buffer = [0; 4];
                self.take(c.len_utf8(), c.encode_utf8(&mut buffer));
            }
        }
        true
    }

    fn escape(&mut self, escaped: char) {
        if escaped == 'u'
            && let Some((length, character)) = utf16_escape(self.rest)
        {
            let written = format!("\\u{{{:X}}}", u32::from(character));
            return self.take(length, &written);
        }
        if self.ascii_classes
            && let Some(class) = ascii_class(escaped, self.in_class)
        {
            return self.take(2, class);
        }
        // `\u{1F600}`, `\p{Lu}`: the braces are no quantifier.
        if matches!(escaped, 'u' | 'x' | 'p' | 'P')
            && let Some(end) = braced(self.rest)
        {
            let written = self.rest.get(..end).unwrap_or_default().to_owned();
            return self.take(end, &written);
        }
        match escaped {
            '0' => self.take(2, r"\x00"),
            '<' | '>' => self.take(2, if escaped == '<' { "<" } else { ">" }),
            // A letter that means nothing is itself.
            c if c.is_ascii_alphabetic() && !ESCAPES.contains(c) => self.take(1, ""),
            c => {
                let written = self
                    .rest
                    .get(..1 + c.len_utf8())
                    .unwrap_or_default()
                    .to_owned();
                self.take(written.len(), &written);
            }
        }
    }
}

fn ascii_class(letter: char, in_class: bool) -> Option<&'static str> {
    Some(match (letter, in_class) {
        ('d', true) => "0-9",
        ('d', false) => "[0-9]",
        ('D', false) => "[^0-9]",
        ('w', true) => "A-Za-z0-9_",
        ('w', false) => "[A-Za-z0-9_]",
        ('W', false) => "[^A-Za-z0-9_]",
        _ => return None,
    })
}

/// Where an escape with braces ends.
fn braced(text: &str) -> Option<usize> {
    let inner = text.get(2..)?.strip_prefix('{')?;
    Some(3 + inner.find('}')? + 1)
}

/// Whether a brace begins a quantifier: `{1}`, `{1,}`, `{1,2}`.
fn is_quantifier(rest: &str) -> bool {
    let Some((inner, _)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) else {
        return false;
    };
    let (least, most) = inner.split_once(',').unwrap_or((inner, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    !least.is_empty() && is_number(least) && is_number(most)
}

/// The character of `\uXXXX` at the beginning of a text, a pair of surrogates included, and how many
/// bytes it takes.
fn utf16_escape(text: &str) -> Option<(usize, char)> {
    let unit = |text: &str| {
        let digits = text.strip_prefix("\\u")?.get(..4)?;
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_hex
            .then(|| u16::from_str_radix(digits, 16).ok())
            .flatten()
    };
    let first = unit(text)?;
    let second = text.get(6..).and_then(unit);
    let pair = [Some(first), second].into_iter().flatten();
    let character = char::decode_utf16(pair).next()?.ok()?;
    Some((6 * character.len_utf16(), character))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Schema;

    fn fits(pattern: &str, text: &str) -> bool {
        let schema = json!({"type": "string", "pattern": pattern});
        let schema = Schema::compile(&schema).unwrap_or_else(|why| panic!("{pattern}: {why}"));
        assert!(!schema.leaves_out_patterns(), "{pattern}");
        schema.fits(&text.into())
    }

    #[test]
    fn patterns_mean_what_javascript_means() {
        for (pattern, good, bad) in [
            ("^[^]+$", "a\nb", ""),
            (r"^(?=.*\d)[\w-]{3,}$", "ab-1", "abc"),
            (r"^[\d.]+$", "1.2", "x"),
            (r"^\u{1F600}$", "\u{1F600}", "x"),
            (r"^\uD83D\uDE00$", "\u{1F600}", "x"),
            (r"^\u00e9$", "\u{e9}", "e"),
            (r"^https?:\/\/[^\s/$.?#].[^\s]*$", "http://a.b", "a b"),
            (r"^[[\]]$", "[", "a"),
            (r"^{name}$", "{name}", "name"),
            (r"^a{2}$", "aa", "a"),
            (r"^\<b\>$", "<b>", "b"),
            (r"^(?<year>\d{4})-\d\d$", "2026-11", "26-11"),
            (r"^(a|b)\1$", "aa", "ab"),
            (r"^(?!.*--)[a-z&&-]+$", "a-b&", "a--b"),
            (r"^\p{Lu}", "\u{c9}a", "a"),
            (r"^[^\u0000-\u001F]*$", "a", "\u{1}"),
            (r"^\i\-\_$", "i-_", "x"),
        ] {
            assert!(fits(pattern, good), "{pattern} {good:?}");
            assert!(!fits(pattern, bad), "{pattern} {bad:?}");
        }
        // Digits are ASCII's.
        assert!(!fits(r"^\d$", "\u{664}"));
        assert!(!fits(r"^(?=.)\d$", "\u{664}"));
    }

    #[test]
    fn what_the_engine_cannot_do_is_left_out_and_marked() {
        for schema in [
            json!({"type": "string", "pattern": "(", "minLength": 1}),
            json!({"type": "object", "properties": {"a": {"type": "string", "pattern": r"\u{110000}"}}}),
            json!({"type": "object", "patternProperties": {"(": {"type": "string"}}, "additionalProperties": false}),
            json!({"anyOf": [{"type": "string", "pattern": "[b-a]"}, {"type": "object"}, {"type": "null"}]}),
        ] {
            let compiled = Schema::compile(&schema).unwrap();
            assert!(compiled.leaves_out_patterns(), "{schema}");
        }
        let schema = json!({"type": "string", "pattern": "(", "minLength": 2});
        let schema = Schema::compile(&schema).unwrap();
        assert!(schema.fits(&"ab".into()) && !schema.fits(&"a".into()));
    }

    #[test]
    fn data_that_looks_like_a_pattern_is_none() {
        let schema =
            json!({"enum": [{"pattern": "("}], "properties": {"pattern": {"type": "string"}}});
        let compiled = Schema::compile(&schema).unwrap();
        assert!(!compiled.leaves_out_patterns());
        assert!(compiled.fits(&json!({"pattern": "("})));
    }
}

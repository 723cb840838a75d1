//! Regular expressions of schemas. JSON Schema's are ECMAScript's, and clients' libraries write them
//! as JavaScript has them; the engine here reads another grammar. What both write differently is
//! written anew.

use std::borrow::Cow;

/// Letters that are classes behind a backslash.
const CLASSES: &str = "dDsSwW";

/// Letters that mean something behind a backslash.
const ESCAPES: &str = "dDwWsSbBfnrtvcxupPk";

/// An ECMAScript pattern in the engine's grammar.
pub(super) fn rewritten(pattern: &str) -> Cow<'_, str> {
    // The engine's own reading of `.`, `\d`, `\s` and `\w` is Unicode's where it looks around or back,
    // and that of `\b` is so everywhere: it is written as a look around.
    let looks_around = ["(?=", "(?!", "(?<=", "(?<!", r"\b", r"\B"]
        .iter()
        .any(|sign| pattern.contains(sign));
    if !looks_around && !pattern.contains(['[', ']', '{', '}', '\\']) {
        return Cow::Borrowed(pattern);
    }
    let refers_back = pattern
        .as_bytes()
        .windows(2)
        .any(|pair| matches!(pair, [b'\\', b'1'..=b'9']));
    let mut writer = Writer {
        rest: pattern,
        out: String::with_capacity(pattern.len() + 16),
        in_class: false,
        own_classes: looks_around || refers_back,
    };
    while writer.step() {}
    Cow::Owned(writer.out)
}

struct Writer<'p> {
    rest: &'p str,
    out: String,
    in_class: bool,
    /// Whether classes are written out as ECMAScript means them.
    own_classes: bool,
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
            (Some('\\'), Some(escaped)) => {
                self.escape(escaped);
                // A class is no end of a range.
                let is_class = CLASSES.contains(escaped) && self.in_class;
                if is_class && self.rest.starts_with('-') {
                    self.take(1, r"\-");
                }
            }
            (Some('-'), Some('\\')) if self.in_class => {
                let is_class = chars.next().is_some_and(|c| CLASSES.contains(c));
                self.take(1, if is_class { r"\-" } else { "-" });
            }
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
            (Some('.'), _) if self.own_classes && !self.in_class => {
                self.take(1, "[^\\n\\r\u{2028}\u{2029}]");
            }
            // Braces and brackets that open or close nothing are themselves.
            (Some('{'), _) if !self.in_class => match quantifier(self.rest).map(str::to_owned) {
                Some(quantifier) => self.take(quantifier.len(), &quantifier),
                None => self.take(1, r"\{"),
            },
            (Some('}'), _) if !self.in_class => self.take(1, r"\}"),
            (Some(']'), _) => self.take(1, r"\]"),
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
            // Beyond ASCII nothing has a meaning of its own.
            let written = if character.is_ascii() {
                format!("\\x{:02X}", u32::from(character))
            } else {
                character.to_string()
            };
            return self.take(length, &written);
        }
        if self.own_classes
            && let Some(characters) = class(escaped)
        {
            let written = if self.in_class {
                characters.to_owned()
            } else {
                format!("[{characters}]")
            };
            return self.take(2, &written);
        }
        // `\u{1F600}`, `\p{Lu}`: the braces are no quantifier.
        if matches!(escaped, 'u' | 'x' | 'p' | 'P')
            && let Some(end) = braced(self.rest)
        {
            let written = self.rest.get(..end).unwrap_or_default().to_owned();
            return self.take(end, &written);
        }
        // `\cA`: the library looks at the whole pattern again for each of them.
        if escaped == 'c'
            && let Some(letter) = self.rest.chars().nth(2).filter(char::is_ascii_alphabetic)
        {
            return self.take(3, &format!("\\x{:02X}", u32::from(letter) % 32));
        }
        match escaped {
            '0' => self.take(2, r"\x00"),
            // In a class it is the character backspace.
            'b' if self.in_class => self.take(2, r"\x08"),
            'b' => self.take(2, WORD_BOUNDARY),
            'B' => self.take(2, NO_WORD_BOUNDARY),
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

/// The characters of a class's escape, as they stand in brackets. The engine reads no brackets within
/// brackets, so what is not in a class is told by its ranges.
fn class(letter: char) -> Option<&'static str> {
    Some(match letter {
        'd' => "0-9",
        'D' => "\\x00-/:-\u{10FFFF}",
        'w' => "A-Za-z0-9_",
        'W' => "\\x00-/:-@\\[-\\^`\\{-\u{10FFFF}",
        's' => {
            "\\t-\\r \u{A0}\u{1680}\u{2000}-\u{200A}\u{2028}\u{2029}\u{202F}\u{205F}\u{3000}\u{FEFF}"
        }
        'S' => concat!(
            "\\x00-\\x08\\x0E-\\x1F!-\u{9F}\u{A1}-\u{167F}\u{1681}-\u{1FFF}\u{200B}-\u{2027}",
            "\u{202A}-\u{202E}\u{2030}-\u{205E}\u{2060}-\u{2FFF}\u{3001}-\u{FEFE}\u{FF00}-\u{10FFFF}",
        ),
        _ => return None,
    })
}

const WORD_BOUNDARY: &str =
    "(?:(?<![A-Za-z0-9_])(?=[A-Za-z0-9_])|(?<=[A-Za-z0-9_])(?![A-Za-z0-9_]))";
const NO_WORD_BOUNDARY: &str =
    "(?:(?<![A-Za-z0-9_])(?![A-Za-z0-9_])|(?<=[A-Za-z0-9_])(?=[A-Za-z0-9_]))";

/// Where an escape with braces ends.
fn braced(text: &str) -> Option<usize> {
    let inner = text.get(2..)?.strip_prefix('{')?;
    Some(3 + inner.find('}')? + 1)
}

/// The quantifier at the beginning of a text: `{1}`, `{1,}`, `{1,2}`.
fn quantifier(text: &str) -> Option<&str> {
    let (inner, _) = text.strip_prefix('{')?.split_once('}')?;
    let (least, most) = inner.split_once(',').unwrap_or((inner, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_quantifier = !least.is_empty() && is_number(least) && is_number(most);
    is_quantifier.then(|| text.get(..inner.len() + 2)).flatten()
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
    use serde_json::{Value, json};

    use crate::schema::{PatternBudget, Schema};

    const DRAFT_7: &str = "http://json-schema.org/draft-07/schema#";

    fn compile(schema: &Value) -> Result<Schema, String> {
        Schema::compile(schema, &PatternBudget::default())
    }

    /// The same by the newest draft and by an older one, which checks patterns before they are read.
    fn fits(pattern: &str, text: &str) -> bool {
        let newest = json!({"type": "string", "pattern": pattern});
        let older = json!({"$schema": DRAFT_7, "type": "string", "pattern": pattern});
        let [newest, older] = [newest, older].map(|schema| {
            let schema = compile(&schema).unwrap_or_else(|why| panic!("{pattern}: {why}"));
            assert!(!schema.leaves_out_patterns(), "{pattern}");
            schema.fits(&text.into())
        });
        assert_eq!(newest, older, "{pattern} {text:?}");
        newest
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
            (r"^a{1,2}}]$", "aa}]", "aa"),
            (r"^a}$", "a}", "a"),
            (r"^\$\{[^}]+\}$", "${a}", "${}"),
            (r"^[^{}[\]]*$", "a", "{"),
            (r"^(?!.*\.\.)[\w.]+$", "a.b", "a..b"),
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
    }

    #[test]
    fn classes_and_boundaries_are_those_of_ascii_also_where_a_pattern_looks_around() {
        for (pattern, good, bad) in [
            (r"^\d$", "4", "\u{664}"),
            (r"^\D$", "\u{664}", "4"),
            (r"^[\D]$", "\u{664}", "4"),
            (r"^\w+$", "a_9", "\u{e4}"),
            (r"^\W$", "\u{e4}", "_"),
            (r"^[^\W]$", "_", "\u{e4}"),
            (r"^[\W_]$", "_", "a"),
            (r"^[\w.-]+$", "a.b-c", "\u{e4}"),
            (r"^\s$", "\u{feff}", "\u{85}"),
            (r"^\S$", "\u{85}", "\u{feff}"),
            (r"^[\S]$", "\u{85}", "\u{3000}"),
            (r"^.$", "\u{85}", "\u{2028}"),
            (r"^[.]$", ".", "a"),
            (r"^[\w-.]+$", "a-b.c", "a,b"),
            (r"^[.-\d]+$", "1-2.", "1/2"),
            (r"^[\w-]+$", "a-b", "a.b"),
        ] {
            for pattern in [pattern.to_owned(), format!("(?=){pattern}")] {
                assert!(fits(&pattern, good), "{pattern} {good:?}");
                assert!(!fits(&pattern, bad), "{pattern} {bad:?}");
            }
        }
        for (pattern, good, bad) in [
            (r"\bcat\b", "a cat.", "cats"),
            (r"\bcat\b", "\u{e4}cat\u{e4}", "_cat"),
            (r"\Bcat", "tomcat", "\u{e4}cat"),
            (r"^\b.+\b$", "a\u{e4}b", "a\u{e4}"),
            (r"^\b\d{4}\b-\b\w+$", "2026-x", "\u{664}026-x"),
            (r"^[\b]$", "\u{8}", "b"),
            (r"^(\w)\1\b", "aa b", "\u{e4}\u{e4}"),
        ] {
            assert!(fits(pattern, good), "{pattern} {good:?}");
            assert!(!fits(pattern, bad), "{pattern} {bad:?}");
        }
    }

    #[test]
    fn what_the_engine_cannot_do_is_left_out_and_marked() {
        for schema in [
            json!({"type": "string", "pattern": "(", "minLength": 1}),
            json!({"type": "object", "properties": {"a": {"type": "string", "pattern": r"\u{110000}"}}}),
            json!({"type": "object", "patternProperties": {"(": {"type": "string"}}, "additionalProperties": false}),
            json!({"anyOf": [{"type": "string", "pattern": "[b-a]"}, {"type": "object"}, {"type": "null"}]}),
        ] {
            let compiled = compile(&schema).unwrap();
            assert!(compiled.leaves_out_patterns(), "{schema}");
        }
        let schema = json!({"type": "string", "pattern": "(", "minLength": 2});
        let schema = compile(&schema).unwrap();
        assert!(schema.fits(&"ab".into()) && !schema.fits(&"a".into()));
    }

    proptest::proptest! {
        #[test]
        fn no_pattern_is_a_reason_to_refuse_a_schema(
            pattern in r"[\\\\\[\]{}()|.*+?^$dwWsbBupxk0-9a-c,<>=!:\-\u{e4}]{0,24}",
        ) {
            for draft in [DRAFT_7, "https://json-schema.org/draft/2020-12/schema"] {
                let (key, part) = (pattern.as_str(), json!({"pattern": pattern}));
                let properties = json!({"a": part, "b": {"patternProperties": {(key): {}}}});
                let schema = json!({"$schema": draft, "type": "object", "properties": properties});
                proptest::prop_assert!(compile(&schema).is_ok(), "{}", pattern);
            }
        }
    }

    #[test]
    fn data_that_looks_like_a_pattern_is_none() {
        let schema =
            json!({"enum": [{"pattern": "("}], "properties": {"pattern": {"type": "string"}}});
        let compiled = compile(&schema).unwrap();
        assert!(!compiled.leaves_out_patterns());
        assert!(compiled.fits(&json!({"pattern": "("})));
    }
}

//! An estimate of how many tokens a text has.
//!
//! Upstream's own counts come first; this stands in where it gives none, and where an answer must
//! be cut at the client's limit. Exact counts would need each provider's vocabulary, tens of
//! megabytes of it, and would still be wrong for all other providers. The rule here follows how
//! byte-pair vocabularies of today cut text (a word with its leading space, three digits, a run of
//! marks) and is held against OpenAI's `o200k` vocabulary in this crate's tests.

/// Counts tokens of a text that comes in pieces; where the pieces are cut does not matter.
#[derive(Debug, Clone, Default)]
pub struct Meter {
    tokens: u64,
    class: Class,
    run: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Class {
    #[default]
    Nothing,
    Space,
    Latin,
    Letters,
    Ideographs,
    Digits,
    Marks,
    Newlines,
    Symbols,
}

impl Meter {
    /// The tokens of what has been counted so far.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.tokens
    }

    /// Counts a text.
    pub fn count(&mut self, text: &str) {
        for c in text.chars() {
            self.step(c);
        }
    }

    /// Counts as much of the text as fits a limit of tokens in all; gives the bytes that fit.
    pub fn count_within(&mut self, text: &str, limit: u64) -> usize {
        for (at, c) in text.char_indices() {
            let before = self.clone();
            self.step(c);
            if self.tokens > limit {
                *self = before;
                return at;
            }
        }
        text.len()
    }

    fn step(&mut self, c: char) {
        let class = Class::of(c);
        let joins = class == self.class
            || (self.class == Class::Space && class.takes_leading_space() && self.run == 1);
        if joins && class == self.class {
            self.run = self.run.saturating_add(1);
        } else {
            self.run = 1;
        }
        let starts = if class != self.class && joins {
            false
        } else {
            class.starts_token(self.run)
        };
        self.tokens += u64::from(starts);
        self.class = class;
    }
}

impl Class {
    fn of(c: char) -> Self {
        match c {
            '\n' | '\r' => Self::Newlines,
            c if c.is_whitespace() => Self::Space,
            'a'..='z' | 'A'..='Z' => Self::Latin,
            '0'..='9' => Self::Digits,
            '\u{2e80}'..='\u{9fff}'
            | '\u{ac00}'..='\u{d7af}'
            | '\u{f900}'..='\u{faff}'
            | '\u{20000}'..='\u{3ffff}' => Self::Ideographs,
            '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}' => Self::Symbols,
            c if c.is_alphabetic() => Self::Letters,
            _ => Self::Marks,
        }
    }

    fn takes_leading_space(self) -> bool {
        matches!(self, Self::Latin | Self::Letters | Self::Marks)
    }

    /// Whether the n-th character of a run of this class begins a new token.
    fn starts_token(self, n: u32) -> bool {
        match self {
            Self::Nothing => false,
            Self::Space | Self::Newlines => n == 1,
            Self::Latin => n == 1 || (n > 10 && (n - 10) % 5 == 1),
            Self::Letters => n % 4 == 1,
            Self::Ideographs => !n.is_multiple_of(4),
            Self::Digits => n % 3 == 1,
            Self::Marks => n % 2 == 1,
            Self::Symbols => true,
        }
    }
}

/// The tokens of a text of so many bytes, where its words were not looked at: four bytes a token
/// lies between code (3) and prose (5), and near Chinese and Japanese.
#[must_use]
pub fn from_bytes(bytes: u64) -> u64 {
    bytes.div_ceil(4)
}

/// The tokens of a whole text.
#[must_use]
pub fn estimate(text: &str) -> u64 {
    let mut meter = Meter::default();
    meter.count(text);
    meter.tokens()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_estimate_stays_near_a_real_vocabulary() {
        let o200k = tiktoken_rs::o200k_base().unwrap();
        let texts = [
            (
                "English prose",
                "The relay listens on one port and speaks to many clients at once. When a reader is slow, the writer waits; nothing is buffered without a bound, and nobody notices that the words have come a long way.",
            ),
            (
                "German prose",
                "Der Server nimmt Anfragen entgegen, übersetzt sie in die Sprache des Anbieters und gibt die Antwort Wort für Wort weiter, ohne etwas zu verlieren.",
            ),
            (
                "Russian prose",
                "Сервер принимает запросы, переводит их на язык поставщика и возвращает ответ слово за словом, ничего не теряя по дороге.",
            ),
            (
                "Chinese prose",
                "服务器接收请求，把它们翻译成供应商的语言，然后逐字返回答案，途中不会丢失任何内容。",
            ),
            (
                "Japanese prose",
                "サーバーはリクエストを受け取り、提供者の言葉に翻訳し、答えを一語ずつ返します。途中で何も失われません。",
            ),
            (
                "Rust code",
                "fn main() {\n    let total: u64 = (1..=10).filter(|n| n % 2 == 0).sum();\n    println!(\"sum = {total}\");\n}\n",
            ),
            (
                "JSON",
                r#"{"name": "get_weather", "arguments": {"location": "Paris", "unit": "celsius", "days": 3, "detailed": true}}"#,
            ),
            (
                "Numbers",
                "In 1984 there were 12,345,678 of them; by 2026 it was 3.14159 times as many, or 38783095.",
            ),
        ];
        for (name, text) in texts {
            let small = |n: usize| f64::from(u32::try_from(n).unwrap());
            let real = small(o200k.encode_ordinary(text).len());
            let ours = small(usize::try_from(estimate(text)).unwrap());
            let ratio = ours / real;
            println!("{name}: {ours} estimated, {real} counted, ratio {ratio:.2}");
            assert!(
                (0.7..1.4).contains(&ratio),
                "{name}: {ours} estimated, {real} counted"
            );
        }
    }

    proptest! {
        #[test]
        fn where_the_text_is_cut_does_not_matter(text in "(?s).{0,60}", at in 0usize..60) {
            let at = text.char_indices().map(|(i, _)| i).nth(at).unwrap_or(text.len());
            let mut meter = Meter::default();
            meter.count(&text[..at]);
            meter.count(&text[at..]);
            prop_assert_eq!(meter.tokens(), estimate(&text));
        }

        #[test]
        fn no_more_than_the_limit_fits(text in "(?s).{0,60}", limit in 0u64..30) {
            let fits = Meter::default().count_within(&text, limit);
            prop_assert!(estimate(&text[..fits]) <= limit);
            prop_assert!(fits == text.len() || estimate(&text) > limit);
        }
    }
}

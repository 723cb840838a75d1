//! JSON read in one pass by byte positions: each member of an object is handed on as the text that
//! it is, and what nobody asks for is passed over where it lies.
//!
//! The structure is checked (brackets, commas, colons, ends of strings, what words and numbers are
//! made of); what stands within a string, and the spelling of a number, is the business of whoever
//! reads the value.

/// The deepest nesting that is read.
const DEPTH_MAX: usize = 128;

/// A place in a JSON text.
#[derive(Debug)]
pub(crate) struct Spans<'d> {
    text: &'d str,
    at: usize,
}

impl<'d> Spans<'d> {
    /// At the beginning of a text.
    pub(crate) fn of(text: &'d str) -> Self {
        Self { text, at: 0 }
    }

    /// Reads a text that is one object. `member` is told each key as it is written, and must read
    /// the value, by [`Spans::value`] or as an object in its turn. None if it is no such text.
    pub(crate) fn whole_object(
        text: &'d str,
        member: &mut dyn FnMut(&mut Self, &'d str) -> Option<()>,
    ) -> Option<()> {
        let mut spans = Self::of(text);
        spans.object(member)?;
        spans.pass_space();
        (spans.at == text.len()).then_some(())
    }

    /// Reads an object that stands here, as [`Spans::whole_object`].
    pub(crate) fn object(
        &mut self,
        member: &mut dyn FnMut(&mut Self, &'d str) -> Option<()>,
    ) -> Option<()> {
        self.pass_space();
        self.take(b'{')?;
        self.pass_space();
        if self.take(b'}').is_some() {
            return Some(());
        }
        loop {
            let key = self.key()?;
            member(self, key)?;
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    /// Reads the value that stands here into a place, as it is written; `null` is none.
    pub(crate) fn value_into(&mut self, place: &mut Option<&'d str>) -> Option<()> {
        let raw = self.value()?;
        *place = Some(raw).filter(|raw| *raw != "null");
        Some(())
    }

    /// The value that stands here, as it is written.
    pub(crate) fn value(&mut self) -> Option<&'d str> {
        let first = self.peek()?;
        let begin = self.at;
        match first {
            b'"' => {
                self.string()?;
            }
            b'{' | b'[' => self.nested()?,
            _ => self.scalar()?,
        }
        self.text.get(begin..self.at)
    }

    /// What comes next, spaces aside.
    #[inline]
    pub(crate) fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.as_bytes().get(self.at)?;
            if !is_space(byte) {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    /// Passes over an object or a list. Of each bracket that is open the kind is one bit.
    fn nested(&mut self) -> Option<()> {
        let mut open: u128 = 0;
        let mut depth = 0;
        loop {
            // A value stands here.
            match self.peek()? {
                bracket @ (b'{' | b'[') if depth < DEPTH_MAX => {
                    self.at += 1;
                    let is_object = bracket == b'{';
                    open = open << 1 | u128::from(is_object);
                    depth += 1;
                    let end = if is_object { b'}' } else { b']' };
                    if self.peek()? != end {
                        self.key_in(open)?;
                        continue;
                    }
                }
                b'"' => {
                    self.string()?;
                }
                _ => self.scalar()?,
            }
            // A value has ended here.
            loop {
                match (self.peek()?, open & 1) {
                    (b',', _) => {
                        self.at += 1;
                        self.key_in(open)?;
                        break;
                    }
                    (b'}', 1) | (b']', 0) => {
                        self.at += 1;
                        open >>= 1;
                        depth -= 1;
                        if depth == 0 {
                            return Some(());
                        }
                    }
                    _ => return None,
                }
            }
        }
    }

    /// The key of the next member, if an object is open.
    fn key_in(&mut self, open: u128) -> Option<()> {
        if open & 1 == 1 {
            self.key()?;
        }
        Some(())
    }

    /// The key that stands here, with its colon.
    fn key(&mut self) -> Option<&'d str> {
        self.pass_space();
        let key = self.string()?;
        self.pass_space();
        self.take(b':')?;
        Some(key)
    }

    /// A number or a word.
    fn scalar(&mut self) -> Option<()> {
        let left = self.text.as_bytes().get(self.at..)?;
        let is_numeric = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let length = match left.iter().position(|byte| !is_numeric(byte)) {
            Some(0) => {
                let words = [&b"null"[..], b"true", b"false"];
                words.into_iter().find(|word| left.starts_with(word))?.len()
            }
            end => end.unwrap_or(left.len()),
        };
        self.at += length;
        let goes_on = |byte: &u8| byte.is_ascii_alphanumeric() || is_numeric(byte);
        (!left.get(length).is_some_and(goes_on)).then_some(())
    }

    /// What stands between the quotes of the string that begins here.
    fn string(&mut self) -> Option<&'d str> {
        self.take(b'"')?;
        let begin = self.at;
        let length = json_strings::end(self.text.as_bytes().get(begin..)?)?;
        self.at = begin + length + 1;
        self.text.get(begin..begin + length)
    }

    fn take(&mut self, wanted: u8) -> Option<()> {
        (self.text.as_bytes().get(self.at) == Some(&wanted)).then(|| self.at += 1)
    }

    fn pass_space(&mut self) {
        let _ = self.peek();
    }
}

fn is_space(byte: u8) -> bool {
    byte <= b' ' && matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// The members of an object as they are written.
    fn members(text: &str) -> Option<Vec<(&str, &str)>> {
        let mut members = Vec::new();
        Spans::whole_object(text, &mut |spans, key| {
            members.push((key, spans.value()?));
            Some(())
        })?;
        Some(members)
    }

    #[test]
    fn members_are_given_as_they_are_written() {
        let text = "\n{ \"a\" : 1.5e3 ,\"b\":\"x\\\"}\",\"c\":{\"d\":[1,{\"e\":\"]\"},[]]} , \"f\":null}\t";
        let expected = [
            ("a", "1.5e3"),
            ("b", "\"x\\\"}\""),
            ("c", "{\"d\":[1,{\"e\":\"]\"},[]]}"),
            ("f", "null"),
        ];
        assert_eq!(members(text).unwrap(), expected);
        assert_eq!(members("{}").unwrap(), []);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in [
            "",
            "{",
            "[]",
            "1",
            "{}{}",
            "{\"a\":1",
            "{\"a\":}",
            "{\"a\"}",
            "{\"a\":1,}",
            "{\"a\":1 \"b\":2}",
            "{\"a\":[1}",
            "{\"a\":[1,]}",
            "{\"a\":{\"b\"}}",
            "{\"a\":{\"b\":1]}",
            "{\"a\":\"x}",
            "{\"a\":\"x\\",
            "{\"a\":tru}",
            "{\"a\":truex}",
            "{\"a\":null1}",
            "{\"a\":1x}",
            "{\"a\":1 2}",
            "{\"a\":nothing}",
            "{\"a\":,}",
            "{a:1}",
            &format!("{{\"a\":{}{}}}", "[".repeat(129), "]".repeat(129)),
        ] {
            assert_eq!(members(text), None, "{text}");
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::hash_map(any::<String>(), inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_a_writer_writes_is_read(value in any_value(), pretty in any::<bool>()) {
            let object = json!({"first": value, "second": 2});
            let text = if pretty {
                serde_json::to_string_pretty(&object).unwrap()
            } else {
                object.to_string()
            };
            let members = members(&text).unwrap();
            prop_assert_eq!(members.len(), 2);
            let read: Value = serde_json::from_str(members[0].1).unwrap();
            prop_assert_eq!(&read, &object["first"]);
            prop_assert_eq!(members[1], ("second", "2"));
        }

        #[test]
        fn cut_text_is_refused(value in any_value(), at in any::<prop::sample::Index>()) {
            let text = json!({"first": value}).to_string();
            let mut cut = at.index(text.len());
            while !text.is_char_boundary(cut) {
                cut -= 1;
            }
            prop_assert_eq!(members(&text[..cut]), None);
        }
    }
}

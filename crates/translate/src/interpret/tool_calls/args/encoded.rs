//! A JSON object inside a JSON string, as arguments that were encoded twice stand.

use crate::interpret::json::emitter::{Emitter, Fed, Progress};
use crate::interpret::json::{Grade, tokens};
use crate::interpret::slice::{from, to};

/// A JSON object inside a JSON string.
#[derive(Debug)]
pub(in super::super) struct Encoded {
    mark: char,
    emitter: Emitter,
    /// Decoded text that the emitter has not done with.
    decoded: String,
    /// Text that is decoded once, where the object was escaped twice and more is needed.
    once: Option<String>,
}

impl Encoded {
    /// For an object inside a string whose mark was passed.
    /// `twice`: it was escaped twice. The emitter writes the object.
    pub(super) fn new(mark: char, twice: bool, emitter: Emitter) -> Self {
        Self {
            mark,
            emitter,
            decoded: String::new(),
            once: twice.then(String::new),
        }
    }

    /// How far the object had to be repaired.
    pub(super) fn grade(&self) -> Grade {
        self.emitter.grade()
    }

    /// Whether a key came twice.
    pub(super) fn repeated_key(&self) -> bool {
        self.emitter.repeated_key()
    }

    /// Whether the text so far ends in the middle of one of the object's own strings.
    pub(super) fn ends_in_string(&self) -> bool {
        self.emitter.ends_in_string()
    }

    /// Reads on and writes what is certain.
    pub(super) fn feed(&mut self, text: &str, whole: bool, out: &mut String) -> Fed {
        let mut consumed = 0;
        loop {
            let rest = from(text, consumed);
            let plain = rest.find([self.mark, '\\']).unwrap_or(rest.len());
            let said = to(rest, plain);
            let rest = from(rest, plain);
            let ended = rest.starts_with(self.mark);
            let (taken, fed) = self.emit(said, ended, out);
            consumed += taken;
            match fed.progress {
                Progress::More if ended => return self.end(consumed, out),
                Progress::More => {}
                Progress::Done => return self.past_string(text, consumed, whole),
                Progress::Broken(_) => return Fed { consumed, ..fed },
            }
            if rest.is_empty() {
                return Fed {
                    consumed,
                    progress: Progress::More,
                };
            }
            match tokens::escape(rest, whole) {
                None => {
                    return Fed {
                        consumed,
                        progress: Progress::More,
                    };
                }
                Some(escape) => {
                    consumed += escape.width;
                    self.take(&escape.text());
                }
            }
        }
    }

    /// Gives the emitter more of what the string says, and tells how much of that it took. That is
    /// done by characters: what came along behind the one that breaks it is not part of the call.
    fn emit(&mut self, said: &str, ended: bool, out: &mut String) -> (usize, Fed) {
        for (at, c) in said.char_indices() {
            self.take(c.encode_utf8(&mut [0; 4]));
            let fed = self.emit_decoded(false, out);
            match fed.progress {
                Progress::More => {}
                // What stands behind the object in its string is passed.
                Progress::Done => return (said.len(), fed),
                Progress::Broken(_) => return (at + c.len_utf8(), fed),
            }
        }
        (said.len(), self.emit_decoded(ended, out))
    }

    /// Takes in what the string says, decoded once more if it was escaped twice.
    fn take(&mut self, said: &str) {
        let Some(once) = &mut self.once else {
            self.decoded.push_str(said);
            return;
        };
        once.push_str(said);
        loop {
            let plain = once.find('\\').unwrap_or(once.len());
            self.decoded.push_str(to(once, plain));
            once.drain(..plain);
            let Some(escape) = tokens::escape(once, false).filter(|_| !once.is_empty()) else {
                break;
            };
            self.decoded.push_str(&escape.text());
            once.drain(..escape.width);
        }
    }

    fn emit_decoded(&mut self, ended: bool, out: &mut String) -> Fed {
        let fed = self.emitter.feed(&self.decoded, ended, out);
        self.decoded.drain(..fed.consumed);
        fed
    }

    /// The string ended before the object did.
    fn end(&mut self, consumed: usize, out: &mut String) -> Fed {
        match self.emitter.close(out) {
            Ok(()) => Fed {
                consumed: consumed + 1,
                progress: Progress::Done,
            },
            Err(why) => Fed {
                consumed,
                progress: Progress::Broken(why),
            },
        }
    }

    /// The object is complete: passes what is left of the string, with its mark.
    fn past_string(&self, text: &str, consumed: usize, whole: bool) -> Fed {
        let rest = from(text, consumed);
        let blank = rest
            .trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '\\' | 'n' | 't' | 'r'));
        let at = text.len() - blank.len();
        match blank.chars().next() {
            None if !whole => Fed {
                consumed,
                progress: Progress::More,
            },
            Some(c) if c == self.mark => Fed {
                consumed: at + 1,
                progress: Progress::Done,
            },
            _ => Fed {
                consumed,
                progress: Progress::Done,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How far a string is read, and what is written, if its text comes in such pieces.
    fn read(text: &str, piece: usize) -> (usize, Progress, String) {
        let mut encoded = Encoded::new('"', false, Emitter::default());
        let (mut at, mut out) = (0, String::new());
        for end in (1..=text.len()).filter(|end| end % piece == 0 || *end == text.len()) {
            let fed = encoded.feed(&text[at..end], false, &mut out);
            at += fed.consumed;
            if fed.progress != Progress::More {
                return (at, fed.progress, out);
            }
        }
        (at, Progress::More, out)
    }

    #[test]
    fn what_stands_behind_the_object_is_passed_up_to_the_strings_end_at_any_cut() {
        let table = [
            (r#"{\"a\": 1}", "b""#, 11, Progress::Done),
            (r#"{\"a\": 1}}\n", "b""#, 14, Progress::Done),
            (r#"{\"a\": 1}} </tool_call>"#, 24, Progress::More),
        ];
        for (text, end, progress) in table {
            for piece in [1, 3, text.len()] {
                let written = r#"{"a":1}"#.to_owned();
                assert_eq!(
                    read(text, piece),
                    (end, progress, written),
                    "{text} by {piece}"
                );
            }
        }
    }
}

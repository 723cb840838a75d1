//! One tag for each parameter.

use std::collections::BTreeSet;

use super::super::callable_tools::{CallableTool, Holds};
use super::super::keys;
use super::super::markers::ENDS_OF_PARAMETER;
use super::super::tag::{self, Tag};
use crate::interpret::json::emitter::{Fed, Progress};
use crate::interpret::json::{self, Grade, tokens};
use crate::interpret::scanner::{Cursor, ReadError};
use crate::interpret::slice::{at_most, from, to};

/// Reads parameter tags and writes them as the members of one object.
#[derive(Debug)]
pub(in super::super) struct Tagged {
    /// Whether the object's brace is written.
    begun: bool,
    members: usize,
    open: Option<Parameter>,
    /// The names that came.
    names: BTreeSet<String>,
    /// Whether a value of text came: what it holds may look like the next parameter.
    text: bool,
    /// What closed the last text.
    close: Option<String>,
}

/// The parameter whose value is being read.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one fact about a place in the text"
)]
#[derive(Debug)]
struct Parameter {
    name: String,
    close: String,
    holds: Holds,
    /// Whether it came as `<parameter=key>`, whose closing tag models forget.
    assigned: bool,
    /// Whether some of its value was written.
    begun: bool,
    /// Whether a line break inside it was.
    several_lines: bool,
    /// Whether its value stands on lines of its own: then one line break at each end is not of it.
    framed: bool,
    /// Bytes of a held value in which no closing tag begins.
    searched: usize,
    /// What is known of a held value's first line.
    first_line: FirstLine,
    /// Tags of its own kind that opened inside the value and are not closed.
    nested: usize,
}

/// The first line of a value, as far as it was looked for: no byte is looked at twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FirstLine {
    /// It has no end in this many bytes.
    Open(usize),
    /// It ends here, without a closing tag in it.
    Ends(usize),
    /// It holds a closing tag.
    Closed,
}

/// The most white space behind a closing tag in which it is looked for what follows.
const MAX_BLANK_BEHIND: usize = 4096;
/// The longest name in an element of its own.
const MAX_KEY: usize = 1024;

enum Step {
    Took(usize),
    Wait,
    Done(usize),
    Broken(&'static str),
}

impl Tagged {
    /// For tags behind members that stand already.
    pub(super) fn new(begun: bool, members: usize) -> Self {
        Self {
            begun,
            members,
            open: None,
            names: BTreeSet::new(),
            text: false,
            close: None,
        }
    }

    /// Reads on and writes what is certain.
    pub(super) fn feed(
        &mut self,
        text: &str,
        whole: bool,
        tool: Option<&CallableTool>,
        out: &mut String,
    ) -> Fed {
        if !self.begun {
            self.begun = true;
            out.push('{');
        }
        let mut consumed = 0;
        loop {
            let rest = from(text, consumed);
            let step = match self.open.take() {
                Some(parameter) => self.value(parameter, rest, whole, out),
                None => self.between(rest, whole, tool, out),
            };
            match step {
                Step::Took(n) => consumed += n,
                Step::Wait => {
                    return Fed {
                        consumed,
                        progress: Progress::More,
                    };
                }
                Step::Broken(why) => {
                    return Fed {
                        consumed,
                        progress: Progress::Broken(why),
                    };
                }
                Step::Done(n) => {
                    out.push('}');
                    return Fed {
                        consumed: consumed + n,
                        progress: Progress::Done,
                    };
                }
            }
        }
    }

    /// Between parameters: the next one's tag, or the end.
    fn between(
        &mut self,
        rest: &str,
        whole: bool,
        tool: Option<&CallableTool>,
        out: &mut String,
    ) -> Step {
        let mut cursor = Cursor::new(rest, whole);
        cursor.blank();
        let start = cursor.at();
        if cursor.rest().is_empty() {
            // Passed for good, so that a long one is not passed again with each piece of text.
            return if start > 0 {
                Step::Took(start)
            } else {
                Step::Wait
            };
        }
        if !cursor.rest().starts_with('<') {
            // A bracket, a fence, words: the tags have ended.
            return if self.members > 0 {
                Step::Done(start)
            } else {
                Step::Broken("no parameter tag stands where one should")
            };
        }
        let tag = match tag::lex(&mut cursor, &|_, _| true) {
            Ok(tag) => tag,
            Err(ReadError::Incomplete) => return Step::Wait,
            Err(ReadError::NoMatch) => return Step::Broken("a parameter tag cannot be read"),
        };
        let known = tool.is_some_and(|t| t.has(tag.raw));
        if keys::holds_arguments(&tag.name) && tag.value.is_none() && !known {
            return Step::Took(cursor.at());
        }
        if tag.closing || tag::begins_call(&tag) {
            return Step::Done(start);
        }
        match Self::parameter(&mut cursor, &tag, tool) {
            Ok(parameter) => {
                if let Some(why) = self.unlikely(&parameter, tool) {
                    return Step::Broken(why);
                }
                self.begin(&parameter, tag.empty, out);
                self.open = (!tag.empty).then_some(parameter);
                Step::Took(cursor.at())
            }
            Err(ReadError::Incomplete) => Step::Wait,
            Err(ReadError::NoMatch) => Step::Broken("a parameter tag cannot be read"),
        }
    }

    /// Why a tag is rather part of the value before it, which held what ends it.
    fn unlikely(
        &mut self,
        parameter: &Parameter,
        tool: Option<&CallableTool>,
    ) -> Option<&'static str> {
        if !self.names.insert(parameter.name.clone()) {
            return Some("a parameter stands twice in its arguments");
        }
        let unknown = tool.is_some_and(|t| t.names_parameters() && !t.has(&parameter.name));
        if unknown && self.text {
            return Some("a tag behind a text is not a parameter");
        }
        self.text |= parameter.holds != Holds::Data;
        self.close = Some(parameter.close.clone());
        None
    }

    /// Whether a value's end was not found yet.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// The tag that closed the last value.
    pub(super) fn parameter_tag(&self) -> Option<&str> {
        self.close.as_deref().filter(|_| self.text)
    }

    fn parameter(
        cursor: &mut Cursor<'_>,
        tag: &Tag<'_>,
        tool: Option<&CallableTool>,
    ) -> Result<Parameter, ReadError> {
        let mut close = format!("</{}>", tag.raw);
        let name = match &tag.value {
            Some(name) => name.clone(),
            None if tag.name == "arg_key" => {
                let name = key(cursor, &close)?;
                cursor.blank();
                if !cursor.try_literal("<arg_value>")? {
                    return Err(ReadError::NoMatch);
                }
                "</arg_value>".clone_into(&mut close);
                name
            }
            None => tag.raw.to_owned(),
        };
        let said = tag
            .text
            .map(|text| if text { Holds::Text } else { Holds::Data });
        let holds = said.unwrap_or_else(|| tool.map_or(Holds::Any, |t| t.holds(&name)));
        Ok(Parameter {
            name,
            close,
            holds,
            assigned: tag.assigned,
            begun: false,
            several_lines: false,
            framed: false,
            searched: 0,
            first_line: FirstLine::Open(0),
            nested: 0,
        })
    }

    fn begin(&mut self, parameter: &Parameter, empty: bool, out: &mut String) {
        if self.members > 0 {
            out.push(',');
        }
        self.members += 1;
        out.push('"');
        tokens::push_text(&parameter.name, out);
        out.push_str("\":");
        if empty {
            out.push_str(if parameter.holds == Holds::Data {
                "null"
            } else {
                "\"\""
            });
        } else if parameter.holds == Holds::Text {
            out.push('"');
        }
    }

    /// More of a value: text is written as it comes, data when it is whole.
    fn value(
        &mut self,
        mut parameter: Parameter,
        rest: &str,
        whole: bool,
        out: &mut String,
    ) -> Step {
        let end = match parameter.end(rest, whole) {
            End::At(at, width) => Some((at, width)),
            End::Open => None,
            End::Unsure(at) => return self.stream(parameter, to(rest, at), out),
        };
        let Some((at, width)) = end else {
            let hold = parameter.hold(rest);
            return self.stream(parameter, to(rest, rest.len() - hold), out);
        };
        let mut text = to(rest, at);
        if parameter.holds == Holds::Text {
            text = parameter.trimmed(text);
            tokens::push_text(text, out);
            out.push('"');
        } else {
            out.push_str(&typed(parameter.trimmed(text), parameter.holds));
        }
        Step::Took(at + width)
    }

    /// Writes text that surely belongs to the value.
    fn stream(&mut self, mut parameter: Parameter, sure: &str, out: &mut String) -> Step {
        if parameter.holds != Holds::Text {
            parameter.note_nested(from(sure, parameter.searched));
            parameter.searched = sure.len().max(parameter.searched);
            self.open = Some(parameter);
            return Step::Wait;
        }
        // Line breaks at the end may be the closing tag's.
        let sure = sure.trim_end_matches(['\n', '\r']);
        let lead = if parameter.begun {
            0
        } else {
            parameter.lead(sure)
        };
        if sure.len() <= lead {
            self.open = Some(parameter);
            return Step::Wait;
        }
        parameter.framed |= lead > 0;
        parameter.several_lines |= from(sure, lead).contains('\n');
        parameter.begun = true;
        parameter.note_nested(sure);
        tokens::push_text(from(sure, lead), out);
        self.open = Some(parameter);
        Step::Took(sure.len())
    }

    /// The text ended without the arguments' end.
    pub(super) fn close(&mut self, out: &mut String) -> Result<(), &'static str> {
        if self.open.is_some() {
            return Err("a parameter is not closed");
        }
        if !self.begun {
            out.push('{');
        }
        out.push('}');
        Ok(())
    }
}

enum End {
    At(usize, usize),
    /// A closing tag stands here, but what follows it is not in sight yet.
    Unsure(usize),
    Open,
}

impl Parameter {
    /// Where the value ends: at its closing tag, if a tag or nothing follows that. A text may hold
    /// the same tag.
    fn end(&mut self, rest: &str, whole: bool) -> End {
        if let Some(start) = self.unclosed(rest) {
            return End::At(start, 0);
        }
        let mut at = rest.floor_char_boundary(self.searched);
        let mut nested = self.nested;
        while let Some(found) = from(rest, at).find(&self.close) {
            let start = at + found;
            nested += self.opened(rest.get(at..start).unwrap_or_default());
            if nested > 0 {
                nested -= 1;
                at = start + self.close.len();
                continue;
            }
            let all_behind = from(rest, start + self.close.len());
            let behind = at_most(all_behind, MAX_BLANK_BEHIND).trim_start();
            let is_all = all_behind.len() <= MAX_BLANK_BEHIND;
            if is_all && !whole && (self.close.starts_with(behind) || "```".starts_with(behind)) {
                return End::Unsure(start);
            }
            // The same tag again: this one belongs to the value.
            let again = behind.starts_with(&self.close);
            if (behind.starts_with('<') && !again) || behind.is_empty() || behind.starts_with("```")
            {
                return End::At(start, self.close.len());
            }
            at = start + self.close.len();
        }
        End::Open
    }

    /// How often a tag of the same kind opens in a text.
    fn opened(&self, text: &str) -> usize {
        let name = self.close.trim_start_matches("</").trim_end_matches('>');
        text.match_indices(name)
            .filter(|(at, _)| {
                to(text, *at).ends_with('<')
                    && from(text, at + name.len()).starts_with(['>', '=', ' '])
            })
            .count()
    }

    /// Notes the tags of its own kind in a text that belongs to the value.
    fn note_nested(&mut self, text: &str) {
        let mut rest = text;
        while let Some(found) = rest.find(&self.close) {
            self.nested += self.opened(to(rest, found));
            self.nested = self.nested.saturating_sub(1);
            rest = from(rest, found + self.close.len());
        }
        self.nested += self.opened(rest);
    }

    /// Where a value of one line ends whose closing tag was forgotten: before the next tag. A
    /// longer text may hold such tags itself.
    fn unclosed(&mut self, rest: &str) -> Option<usize> {
        if !self.assigned || self.several_lines || !self.close.starts_with("</parameter") {
            return None;
        }
        // A text's beginning leaves as it is written; what is held is the same and more each time.
        let known = match self.holds {
            Holds::Text => FirstLine::Open(0),
            Holds::Any | Holds::Data => self.first_line,
        };
        self.first_line = match known {
            FirstLine::Open(searched) => {
                let start = rest.floor_char_boundary(self.lead(rest).max(searched));
                match from(rest, start).find('\n').map(|found| start + found) {
                    None => FirstLine::Open(rest.len()),
                    Some(end) if to(rest, end).contains(&self.close) => FirstLine::Closed,
                    Some(end) => FirstLine::Ends(end),
                }
            }
            known => known,
        };
        let FirstLine::Ends(end) = self.first_line else {
            return None;
        };
        ENDS_OF_PARAMETER
            .iter()
            .any(|m| from(rest, end).starts_with(m))
            .then_some(end)
    }

    /// The longest end of the text that can begin a closing tag.
    fn hold(&self, rest: &str) -> usize {
        // The beginning of a tag of its own kind, with what follows its name.
        let name = self.close.trim_start_matches("</").trim_end_matches('>');
        let own = format!("<{name}=");
        let marks = ENDS_OF_PARAMETER
            .iter()
            .copied()
            .chain([self.close.as_str(), own.as_str()]);
        marks
            .map(|mark| {
                (1..=mark.len().min(rest.len()))
                    .rev()
                    .find(|n| {
                        rest.as_bytes()
                            .ends_with(mark.as_bytes().get(..*n).unwrap_or_default())
                    })
                    .unwrap_or(0)
            })
            .max()
            .unwrap_or(0)
    }

    /// The line break before the value that is not part of it.
    fn lead(&self, text: &str) -> usize {
        match text {
            _ if self.begun => 0,
            t if t.starts_with("\r\n") => 2,
            t => usize::from(t.starts_with('\n')),
        }
    }

    /// The last of a value without the line breaks that frame it.
    fn trimmed<'t>(&self, text: &'t str) -> &'t str {
        let lead = self.lead(text);
        let text = from(text, lead);
        if lead == 0 && !self.framed {
            return text;
        }
        text.strip_suffix("\r\n")
            .or(text.strip_suffix('\n'))
            .unwrap_or(text)
    }
}

/// The name in an element of its own. A longer one is none: nobody's parameter is called so.
fn key(cursor: &mut Cursor<'_>, close: &str) -> Result<String, ReadError> {
    let most = MAX_KEY + close.len();
    match at_most(cursor.rest(), most).find(close) {
        Some(_) => Ok(cursor.until(close)?.trim().to_owned()),
        None if cursor.rest().len() >= most => Err(ReadError::NoMatch),
        None => Err(cursor.end()),
    }
}

/// A value that is not only text, as JSON.
fn typed(text: &str, holds: Holds) -> String {
    let trimmed = text.trim();
    let read = json::repair_whole(trimmed).ok();
    let sure = |grade| {
        if holds == Holds::Data {
            true
        } else {
            grade == Grade::Exact
        }
    };
    match read.filter(|r| {
        sure(r.grade)
            && !(holds == Holds::Data && r.grade == Grade::Guess && r.json.starts_with('"'))
    }) {
        Some(repaired) => repaired.json,
        None => serde_json::Value::from(text).to_string(),
    }
}

//! The head of a call: everything up to where its arguments begin, in any dialect.
//!
//! Markers only say that a call may follow; what follows is recognised by its own shape. So mixed
//! and stray markers (a Qwen tag round Hermes JSON, a fence in a tag) need no row of their own.

use super::markers::Sense;
use super::syntax::{Args, CallHead, Known, ParsedCall, Position, fence_line};
use super::tag::{self, Tag};
use super::{envelope, lines, named, pythonic, yaml};
use crate::interpret::scanner::{Cursor, Read, ReadError};

/// Reads the head of a call that begins here, and says how many bytes that took.
pub(super) fn read(
    text: &str,
    whole: bool,
    place: Position,
    known: Known<'_>,
) -> (Read<CallHead>, usize) {
    let mut cursor = Cursor::new(text, whole);
    let head = head(&mut cursor, place, known);
    let cost = if head == Err(ReadError::Incomplete) {
        text.len()
    } else {
        cursor.reached()
    };
    (head, cost)
}

fn head(cursor: &mut Cursor<'_>, place: Position, known: Known<'_>) -> Read<CallHead> {
    let (marks, found) = match markers(cursor, place, known)? {
        Step::ParsedCall(marks, found) => (marks, found),
        Step::Marked(marks) => (marks, body(cursor, place, marks, known)?),
    };
    Ok(CallHead {
        name: found.name,
        args: found.args,
        end: cursor.at(),
        is_prompt_tag: marks.is_prompt_tag,
        marked: marks.any,
        depth: found.depth,
    })
}

/// The markers before a call.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Marks {
    /// Whether there was any.
    any: bool,
    is_prompt_tag: bool,
    /// Whether a fence was opened inside them.
    fenced: bool,
}

enum Step {
    Marked(Marks),
    ParsedCall(Marks, ParsedCall),
}

/// The most markers before one call.
const MAX_MARKERS: usize = 8;

/// Passes the markers before a call. A marker that names the tool gives the call's head.
fn markers(cursor: &mut Cursor<'_>, place: Position, known: Known<'_>) -> Read<Step> {
    let mut marks = Marks::default();
    for _ in 0..MAX_MARKERS {
        if marks.any {
            cursor.blank();
        }
        let at = cursor.at();
        match cursor.peek()? {
            Some('<') => match tagged(cursor, known, place, marks.any)? {
                Opened::Wrapper(is_prompt_tag) => {
                    marks.is_prompt_tag |= is_prompt_tag && !marks.any;
                    marks.any = true;
                    continue;
                }
                Opened::Call(found) => {
                    marks.any = true;
                    return Ok(Step::ParsedCall(marks, found));
                }
                Opened::None => {
                    cursor.go(at);
                    return Ok(Step::Marked(marks));
                }
            },
            Some('`') if marks.any && !marks.fenced => {
                fence_line(cursor)?;
                marks.fenced = true;
                continue;
            }
            _ => {}
        }
        match lines::words(cursor, !marks.any && place != Position::Text, known)? {
            lines::Opened::Wrapper => marks.any = true,
            lines::Opened::Call(found) => {
                marks.any = true;
                return Ok(Step::ParsedCall(marks, found));
            }
            lines::Opened::None => return Ok(Step::Marked(marks)),
        }
    }
    Err(ReadError::NoMatch)
}

enum Opened {
    Wrapper(bool),
    Call(ParsedCall),
    None,
}

/// What the tag here opens.
fn tagged(
    cursor: &mut Cursor<'_>,
    known: Known<'_>,
    place: Position,
    inside: bool,
) -> Read<Opened> {
    let may_name_tool = inside || !matches!(place, Position::Text);
    let wanted = |part: &str, complete| {
        tag::known(part, complete)
            || (may_name_tool && (inside || known.declared.begins_name(part, complete)))
    };
    let tag = match tag::lex(cursor, &wanted) {
        Err(ReadError::NoMatch) => return Ok(Opened::None),
        other => other?,
    };
    if tag.closing {
        return Ok(Opened::None);
    }
    // A tool's own name comes first: a client may call its tool `user` or `action`. Only the tag that
    // the model was asked for stays what it is, also beside a tool `tool_call`.
    let is_ours = tag::is_ours(&tag, known.tags);
    let names_tool = || known.declared.names().any(|name| name == tag.raw);
    if may_name_tool && tag.value.is_none() && !is_ours && names_tool() {
        return named::declared_tag(cursor, &tag, known).map(Opened::Call);
    }
    match tag::sense(&tag, known.tags) {
        Some(Sense::Wrapper | Sense::Named) if tag.value.is_some() => {
            named_by_tag(cursor, &tag).map(Opened::Call)
        }
        Some(Sense::Wrapper) => Ok(Opened::Wrapper(is_ours)),
        // Claude's older form names the tool in an element.
        Some(Sense::Named) if tag.name == "invoke" && may_name_tool => Ok(Opened::Wrapper(false)),
        Some(Sense::Separator) if inside => Ok(Opened::Wrapper(false)),
        Some(Sense::Harmony) if tag.raw.starts_with('|') => named::harmony(cursor, &tag, known)
            .map_or_else(no_call, |found| Ok(Opened::Call(found))),
        _ if inside => {
            named::element(cursor, &tag).map_or_else(no_call, |found| Ok(Opened::Call(found)))
        }
        _ => Ok(Opened::None),
    }
}

fn no_call(halt: ReadError) -> Read<Opened> {
    match halt {
        ReadError::NoMatch => Ok(Opened::None),
        ReadError::Incomplete => Err(ReadError::Incomplete),
    }
}

/// `<function=f>` or `<invoke name="f">`, and then JSON or parameter tags.
fn named_by_tag(cursor: &mut Cursor<'_>, tag: &Tag<'_>) -> Read<ParsedCall> {
    let name = tag.value.clone().unwrap_or_default();
    if tag.empty {
        return Ok(ParsedCall::new(name, Args::Whole("{}".to_owned())));
    }
    named::arguments(cursor, name)
}

/// What stands behind the markers.
fn body(
    cursor: &mut Cursor<'_>,
    place: Position,
    marks: Marks,
    known: Known<'_>,
) -> Read<ParsedCall> {
    let start = cursor.at();
    let marked = marks.any || place == Position::Inside;
    if place == Position::Behind {
        return envelope::object(cursor, envelope::Trust::Said, known);
    }
    if !marked
        && !matches!(
            place,
            Position::Alone | Position::Code | Position::LineStart
        )
    {
        return Err(ReadError::NoMatch);
    }
    let bare = if marked {
        envelope::Trust::Marked
    } else {
        envelope::Trust::Bare
    };
    match cursor.peek()?.ok_or(ReadError::NoMatch)? {
        '{' if marked || place != Position::LineStart => envelope::object(cursor, bare, known),
        '[' => list(cursor, marked || place != Position::LineStart, bare, known),
        c if (marked || place == Position::Code) && (c.is_alphabetic() || c == '_') => {
            let forms = [named::words, yaml_form, python_form];
            first_of(cursor, start, &forms, known)
        }
        _ => Err(ReadError::NoMatch),
    }
}

type Form = fn(&mut Cursor<'_>, Known<'_>) -> Read<ParsedCall>;

/// The first form that the text has. One that needs more keeps the later ones waiting.
fn first_of(
    cursor: &mut Cursor<'_>,
    start: usize,
    forms: &[Form],
    known: Known<'_>,
) -> Read<ParsedCall> {
    for form in forms {
        cursor.go(start);
        match form(cursor, known) {
            Err(ReadError::NoMatch) => {}
            other => return other,
        }
    }
    Err(ReadError::NoMatch)
}

fn yaml_form(cursor: &mut Cursor<'_>, known: Known<'_>) -> Read<ParsedCall> {
    yaml::call(cursor, known.declared)
}

fn python_form(cursor: &mut Cursor<'_>, known: Known<'_>) -> Read<ParsedCall> {
    pythonic::statements(cursor, known.declared)
        .map(|calls| ParsedCall::new("", Args::Several(calls)))
}

/// `[{…}, {…}]` or `[f(a=1), g()]`.
fn list(
    cursor: &mut Cursor<'_>,
    objects: bool,
    trust: envelope::Trust,
    known: Known<'_>,
) -> Read<ParsedCall> {
    let start = cursor.at();
    cursor.take('[')?;
    cursor.blank();
    match cursor.peek()?.ok_or(ReadError::NoMatch)? {
        '{' if objects => envelope::object(cursor, trust, known),
        '{' => Err(ReadError::NoMatch),
        _ => {
            cursor.go(start);
            pythonic::list(cursor, known.declared)
                .map(|calls| ParsedCall::new("", Args::Several(calls)))
        }
    }
}

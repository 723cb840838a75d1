//! The head of a call: everything up to where its arguments begin, in any dialect.
//!
//! Markers only say that a call may follow; what follows is recognised by its own shape. So mixed
//! and stray markers (a Qwen tag round Hermes JSON, a fence in a tag) need no row of their own.

use super::declared::Declared;
use super::tag::{self, Sense, Tag};
use super::{envelope, lines, named, pythonic, yaml};
use crate::compose::tags::Tags;
use crate::interpret::scanner::{Cursor, Halt, Read};

/// What a reading of heads needs to know.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) declared: &'a Declared,
    pub(super) tags: Tags,
}

/// A call as far as its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    /// The name as written; empty if none could be read.
    pub(super) name: String,
    pub(super) args: Args,
    /// Bytes up to where the arguments begin, or behind all of it.
    pub(super) end: usize,
    /// Whether the tag is the one we asked for, which no text of the request holds.
    pub(super) ours: bool,
    /// Whether any marker said that this is a call.
    pub(super) marked: bool,
    /// Braces open around the arguments.
    pub(super) depth: usize,
}

/// How the arguments stand in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Args {
    /// As a JSON object that begins here.
    Json,
    /// As a JSON object inside a string whose content begins here.
    Encoded { mark: char, twice: bool },
    /// One tag for each parameter.
    Tagged,
    /// Read already, with the head.
    Whole(String),
    /// As a JSON object of a call whose envelope is unknown: it counts only if it fits.
    Fitting(String),
    /// A block of text beside calls, in a list of content blocks.
    Said(String),
    /// As plain text, for the tool's only text parameter.
    Plain(String),
    /// Several calls, read already: the name and the arguments of each.
    Several(Vec<(String, String)>),
    /// They could not be read; the call reaches to its closing tag.
    Unreadable,
}

/// What a form of call gives, its markers not counted.
pub(super) struct Found {
    pub(super) name: String,
    pub(super) args: Args,
    pub(super) depth: usize,
}

impl Found {
    pub(super) fn new(name: impl Into<String>, args: Args) -> Self {
        Self {
            name: name.into(),
            args,
            depth: 0,
        }
    }
}

/// How a call may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In running text: only behind a marker.
    Text,
    /// In running text at a line's start: some markers count only there.
    LineStart,
    /// Where nothing but calls stands: as the whole reply, alone in a fence.
    Alone,
    /// At a line's start behind text: an object that says itself that it is a call.
    Behind,
    /// In a fence that says it holds Python calls.
    Code,
    /// Behind a call, in the same wrapper.
    Inside,
}

/// Reads the head of a call that begins here, and says how many bytes that took.
pub(super) fn read(text: &str, whole: bool, place: Place, known: Known<'_>) -> (Read<Head>, usize) {
    let mut cursor = Cursor::new(text, whole);
    let head = head(&mut cursor, place, known);
    let cost = if head == Err(Halt::More) {
        text.len()
    } else {
        cursor.reached()
    };
    (head, cost)
}

fn head(cursor: &mut Cursor<'_>, place: Place, known: Known<'_>) -> Read<Head> {
    let (marks, found) = match markers(cursor, place, known)? {
        Step::Found(marks, found) => (marks, found),
        Step::Marked(marks) => (marks, body(cursor, place, marks, known)?),
    };
    Ok(Head {
        name: found.name,
        args: found.args,
        end: cursor.at(),
        ours: marks.ours,
        marked: marks.any,
        depth: found.depth,
    })
}

/// The markers before a call.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Marks {
    /// Whether there was any.
    any: bool,
    ours: bool,
    /// Whether a fence was opened inside them.
    fenced: bool,
}

enum Step {
    Marked(Marks),
    Found(Marks, Found),
}

/// The most markers before one call.
const MAX_MARKERS: usize = 8;

/// Passes the markers before a call. A marker that names the tool gives the call's head.
fn markers(cursor: &mut Cursor<'_>, place: Place, known: Known<'_>) -> Read<Step> {
    let mut marks = Marks::default();
    for _ in 0..MAX_MARKERS {
        if marks.any {
            cursor.blank();
        }
        let at = cursor.at();
        match cursor.peek()? {
            Some('<') => match tagged(cursor, known, place, marks.any)? {
                Opened::Wrapper(ours) => {
                    marks.ours |= ours && !marks.any;
                    marks.any = true;
                    continue;
                }
                Opened::Call(found) => {
                    marks.any = true;
                    return Ok(Step::Found(marks, found));
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
        if !marks.any
            && !matches!(place, Place::Text)
            && let Some(found) = lines::line(cursor, known)?
        {
            marks.any = true;
            return Ok(Step::Found(marks, found));
        }
        match lines::bracket(cursor, !marks.any && place != Place::Text, known)? {
            lines::Bracket::Wrapper => marks.any = true,
            lines::Bracket::Call(found) => {
                marks.any = true;
                return Ok(Step::Found(marks, found));
            }
            lines::Bracket::None => return Ok(Step::Marked(marks)),
        }
    }
    Err(Halt::No)
}

enum Opened {
    Wrapper(bool),
    Call(Found),
    None,
}

/// What the tag here opens.
fn tagged(cursor: &mut Cursor<'_>, known: Known<'_>, place: Place, inside: bool) -> Read<Opened> {
    let may_name_tool = inside || !matches!(place, Place::Text);
    let wanted = |part: &str, complete| {
        tag::known(part, complete)
            || (may_name_tool && (inside || known.declared.begins_name(part, complete)))
    };
    let tag = match tag::lex(cursor, &wanted) {
        Err(Halt::No) => return Ok(Opened::None),
        other => other?,
    };
    if tag.closing {
        return Ok(Opened::None);
    }
    // A tool's own name comes first: a client may call its tool `user` or `action`.
    if may_name_tool && tag.value.is_none() && known.declared.names().any(|n| n == tag.raw) {
        return named::declared_tag(cursor, &tag, known).map(Opened::Call);
    }
    match tag::sense(&tag, known.tags) {
        Some(Sense::Wrapper | Sense::Named) if tag.value.is_some() => {
            named_by_tag(cursor, &tag).map(Opened::Call)
        }
        Some(Sense::Wrapper) => Ok(Opened::Wrapper(tag::is_ours(&tag, known.tags))),
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

fn no_call(halt: Halt) -> Read<Opened> {
    match halt {
        Halt::No => Ok(Opened::None),
        Halt::More => Err(Halt::More),
    }
}

/// `<function=f>` or `<invoke name="f">`, and then JSON or parameter tags.
fn named_by_tag(cursor: &mut Cursor<'_>, tag: &Tag<'_>) -> Read<Found> {
    let name = tag.value.clone().unwrap_or_default();
    if tag.empty {
        return Ok(Found::new(name, Args::Whole("{}".to_owned())));
    }
    named::arguments(cursor, name)
}

/// Passes ```` ```json ```` and its line's end.
pub(super) fn fence_line(cursor: &mut Cursor<'_>) -> Read<()> {
    let ticks = cursor.run(|c| c == '`')?;
    if ticks.len() < 3 {
        return Err(Halt::No);
    }
    cursor.run(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ' '))?;
    Ok(())
}

/// What stands behind the markers.
fn body(cursor: &mut Cursor<'_>, place: Place, marks: Marks, known: Known<'_>) -> Read<Found> {
    let start = cursor.at();
    let marked = marks.any || place == Place::Inside;
    if place == Place::Behind {
        return envelope::object(cursor, envelope::Trust::Said, known);
    }
    if !marked && !matches!(place, Place::Alone | Place::Code | Place::LineStart) {
        return Err(Halt::No);
    }
    let bare = if marked {
        envelope::Trust::Marked
    } else {
        envelope::Trust::Bare
    };
    match cursor.peek()?.ok_or(Halt::No)? {
        '{' if marked || place != Place::LineStart => envelope::object(cursor, bare, known),
        '[' => list(cursor, marked || place != Place::LineStart, bare, known),
        c if (marked || place == Place::Code) && (c.is_alphabetic() || c == '_') => {
            let forms = [named::words, yaml_form, python_form];
            first_of(cursor, start, &forms, known)
        }
        _ => Err(Halt::No),
    }
}

type Form = fn(&mut Cursor<'_>, Known<'_>) -> Read<Found>;

/// The first form that the text has. One that needs more keeps the later ones waiting.
fn first_of(
    cursor: &mut Cursor<'_>,
    start: usize,
    forms: &[Form],
    known: Known<'_>,
) -> Read<Found> {
    for form in forms {
        cursor.go(start);
        match form(cursor, known) {
            Err(Halt::No) => {}
            other => return other,
        }
    }
    Err(Halt::No)
}

fn yaml_form(cursor: &mut Cursor<'_>, known: Known<'_>) -> Read<Found> {
    yaml::call(cursor, known.declared)
}

fn python_form(cursor: &mut Cursor<'_>, known: Known<'_>) -> Read<Found> {
    pythonic::statements(cursor, known.declared).map(|calls| Found::new("", Args::Several(calls)))
}

/// `[{…}, {…}]` or `[f(a=1), g()]`.
fn list(
    cursor: &mut Cursor<'_>,
    objects: bool,
    trust: envelope::Trust,
    known: Known<'_>,
) -> Read<Found> {
    let start = cursor.at();
    cursor.take('[')?;
    cursor.blank();
    match cursor.peek()?.ok_or(Halt::No)? {
        '{' if objects => envelope::object(cursor, trust, known),
        '{' => Err(Halt::No),
        _ => {
            cursor.go(start);
            pythonic::list(cursor, known.declared).map(|calls| Found::new("", Args::Several(calls)))
        }
    }
}

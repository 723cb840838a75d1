//! What stands behind markers that are words: at a line's start (`Action:`, `TOOL_CALL`,
//! `✿FUNCTION✿`, `>>>f`) or in brackets (`[TOOL_CALLS]`, `[Calling tool: f({…})]`).

use super::markers::{self, Leads};
use super::syntax::{Args, Known, ParsedCall, fence_line};
use super::{envelope, named, pythonic};
use crate::interpret::scanner::{Cursor, Read, ReadError};
use crate::interpret::slice::from;

/// What a marker of words opens.
pub(super) enum Opened {
    Wrapper,
    Call(ParsedCall),
    None,
}

/// Passes a marker of words and what it leads to, if both stand here.
pub(super) fn words(cursor: &mut Cursor<'_>, line_start: bool, known: Known<'_>) -> Read<Opened> {
    let start = cursor.at();
    let Some(words) = markers::words(cursor, line_start)? else {
        return Ok(Opened::None);
    };
    let form: fn(&mut Cursor<'_>, Known<'_>) -> Read<ParsedCall> = match words.leads {
        Leads::Wrapped => return Ok(Opened::Wrapper),
        Leads::Invented => return Ok(Opened::None),
        Leads::Shaped => behind_word,
        Leads::Narrated => narrated,
        Leads::Action => action,
        Leads::Flower => flower,
        Leads::Recipient => recipient,
        Leads::Header => header,
    };
    match form(cursor, known) {
        Ok(found) => Ok(Opened::Call(found)),
        Err(ReadError::Incomplete) => Err(ReadError::Incomplete),
        Err(ReadError::NoMatch) => {
            cursor.go(start);
            Ok(Opened::None)
        }
    }
}

/// `[Calling tool: f({…})]`, `[Calling tool f with arguments {…}]`.
fn narrated(cursor: &mut Cursor<'_>, known: Known<'_>) -> Read<ParsedCall> {
    /// What may stand between the name and its arguments, the longer before its beginning.
    const BETWEEN: [&str; 5] = [
        "with arguments:",
        "with arguments",
        "with args",
        "arguments:",
        "with",
    ];
    cursor.spaces();
    let quoted = cursor.take('`')? || cursor.take('"')?;
    let name = named::name(cursor)?.to_owned();
    if quoted {
        cursor.go(cursor.at() + 1);
    }
    cursor.spaces();
    let rest = cursor.rest();
    let open = |word: &&str| word.len() > rest.len() && word.starts_with(rest);
    if !cursor.whole() && BETWEEN.iter().any(open) {
        return Err(ReadError::Incomplete);
    }
    if let Some(word) = BETWEEN.iter().find(|word| rest.starts_with(**word)) {
        cursor.go(cursor.at() + word.len());
    }
    cursor.spaces();
    match cursor.peek()?.ok_or(ReadError::NoMatch)? {
        '{' => Ok(ParsedCall::new(name, Args::Json)),
        ':' | '(' => {
            cursor.go(cursor.at() + 1);
            cursor.spaces();
            let json = cursor.peek()? == Some('{');
            if json {
                Ok(ParsedCall::new(name, Args::Json))
            } else {
                Err(ReadError::NoMatch)
            }
        }
        ']' if known.declared.resolve(&name).is_some() => {
            Ok(ParsedCall::new(name, Args::Whole("{}".to_owned())))
        }
        _ => Err(ReadError::NoMatch),
    }
}

/// `TOOL_CALL {…}` and its like.
fn behind_word(cursor: &mut Cursor<'_>, known: Known<'_>) -> Read<ParsedCall> {
    cursor.blank();
    if cursor.peek()? == Some('`') {
        fence_line(cursor)?;
        cursor.blank();
    }
    shaped(cursor, known)
}

/// An envelope, a list of them, `name {…}` or `name(key=value)`.
fn shaped(cursor: &mut Cursor<'_>, known: Known<'_>) -> Read<ParsedCall> {
    let start = cursor.at();
    match cursor.peek()?.ok_or(ReadError::NoMatch)? {
        '{' => envelope::object(cursor, envelope::Trust::Marked, known),
        '[' => {
            cursor.take('[')?;
            cursor.blank();
            if cursor.peek()? == Some('{') {
                return envelope::object(cursor, envelope::Trust::Marked, known);
            }
            cursor.go(start);
            pythonic::list(cursor, known.declared)
                .map(|calls| ParsedCall::new("", Args::Several(calls)))
        }
        c if c.is_alphabetic() => {
            // Prose may stand here too: only a declared name counts.
            let name = named::name(&mut cursor.clone())?;
            known.declared.resolve(name).ok_or(ReadError::NoMatch)?;
            match named::words(cursor, known) {
                Err(ReadError::NoMatch) => {
                    cursor.go(start);
                    pythonic::statements(cursor, known.declared)
                        .map(|calls| ParsedCall::new("", Args::Several(calls)))
                }
                other => other,
            }
        }
        _ => Err(ReadError::NoMatch),
    }
}

/// `ReAct`: `Action: f` and on the next line `Action Input: …`; or JSON behind `Action:`.
fn action(cursor: &mut Cursor<'_>, known: Known<'_>) -> Read<ParsedCall> {
    cursor.blank();
    match cursor.peek()?.ok_or(ReadError::NoMatch)? {
        '`' if cursor.rest().starts_with("``") => {
            fence_line(cursor)?;
            cursor.blank();
            return shaped(cursor, known);
        }
        '{' | '[' => return shaped(cursor, known),
        _ => {}
    }
    if let Some(found) = python_action(cursor, known)? {
        return Ok(found);
    }
    let line = cursor
        .until("\n")?
        .trim()
        .trim_matches(['`', '"', '\'', '[', ']', '*']);
    known.declared.resolve(line).ok_or(ReadError::NoMatch)?;
    let name = line.to_owned();
    cursor.blank();
    if !cursor.try_word("Action Input:")? && !cursor.try_word("Action_Input:")? {
        return Err(ReadError::NoMatch);
    }
    cursor.blank();
    if cursor.peek()? == Some('`') {
        fence_line(cursor)?;
        cursor.blank();
    }
    match cursor.peek()? {
        Some('{') => Ok(ParsedCall::new(name, Args::Json)),
        None => Ok(ParsedCall::new(name, Args::Whole("{}".to_owned()))),
        Some(_) => {
            let text = cursor
                .run(|c| c != '\n')?
                .trim()
                .trim_matches(['"', '\''])
                .to_owned();
            Ok(ParsedCall::new(
                name,
                if text == "None" {
                    Args::Whole("{}".to_owned())
                } else {
                    Args::Plain(text)
                },
            ))
        }
    }
}

/// `f(a="x")` behind `Action:`, where the tool is declared.
fn python_action(cursor: &mut Cursor<'_>, known: Known<'_>) -> Read<Option<ParsedCall>> {
    let start = cursor.at();
    let word = cursor.rest();
    let end =
        word.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | '/')));
    let python = match end {
        None => {
            return if cursor.whole() {
                Ok(None)
            } else {
                Err(ReadError::Incomplete)
            };
        }
        Some(end) => from(word, end).starts_with('('),
    };
    if !python {
        return Ok(None);
    }
    match pythonic::statements(cursor, known.declared) {
        Ok(calls) => Ok(Some(ParsedCall::new("", Args::Several(calls)))),
        Err(ReadError::Incomplete) => Err(ReadError::Incomplete),
        Err(ReadError::NoMatch) => {
            cursor.go(start);
            Ok(None)
        }
    }
}

/// qwen-agent: `✿FUNCTION✿: f` and `✿ARGS✿: {…}`.
fn flower(cursor: &mut Cursor<'_>, _known: Known<'_>) -> Read<ParsedCall> {
    cursor.blank();
    let name = named::name(cursor)?.to_owned();
    cursor.blank();
    if !cursor.try_literal("✿ARGS✿:")? {
        return Err(ReadError::NoMatch);
    }
    cursor.blank();
    let json = cursor.peek()? == Some('{');
    Ok(ParsedCall::new(
        name,
        if json { Args::Json } else { Args::Unreadable },
    ))
}

/// Functionary: `>>>f` and on the next line `{…}`.
fn recipient(cursor: &mut Cursor<'_>, known: Known<'_>) -> Read<ParsedCall> {
    cursor.spaces();
    let name = named::name(cursor)?.to_owned();
    known.declared.resolve(&name).ok_or(ReadError::NoMatch)?;
    cursor.blank();
    if cursor.peek()? == Some('{') {
        Ok(ParsedCall::new(name, Args::Json))
    } else {
        Err(ReadError::NoMatch)
    }
}

/// A Harmony header whose special tokens were lost: `commentary to=functions.f json{…}`.
fn header(cursor: &mut Cursor<'_>, known: Known<'_>) -> Read<ParsedCall> {
    let name = named::name(cursor)?.to_owned();
    known.declared.resolve(&name).ok_or(ReadError::NoMatch)?;
    let rest = cursor.rest();
    let Some(end) = rest.find(['{', '\n']) else {
        return Err(if rest.len() > 80 {
            ReadError::NoMatch
        } else {
            cursor.end()
        });
    };
    if from(rest, end).starts_with('{') && end <= 80 {
        cursor.go(cursor.at() + end);
        return Ok(ParsedCall::new(name, Args::Json));
    }
    Err(ReadError::NoMatch)
}

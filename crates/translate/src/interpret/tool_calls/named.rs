//! Forms that write the name first and then the arguments: Mistral, `DeepSeek`, Kimi, GLM, Harmony,
//! Claude's and `Qwen3-Coder`'s tags, Cline's tags, `name {json}`.

use super::callable_tools::CallableTools;
use super::keys;
use super::markers::Sense;
use super::syntax::{Args, Known, ParsedCall, fence_line};
use super::tag::{self, Tag};
use crate::interpret::scanner::{Cursor, Read, ReadError};
use crate::interpret::slice::{at_most, to};

/// The longest name that is read.
const MAX_NAME: usize = 128;

/// A tool's name as it may be written.
pub(super) fn name<'t>(cursor: &mut Cursor<'t>) -> Read<&'t str> {
    let name = cursor.run(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | '/'))?;
    let name = name.trim_end_matches([':', '.']);
    if name.is_empty() || name.len() > MAX_NAME {
        Err(ReadError::NoMatch)
    } else {
        Ok(name)
    }
}

/// Arguments behind a tag that named the tool: JSON, or a tag for each parameter.
pub(super) fn arguments(cursor: &mut Cursor<'_>, name: String) -> Read<ParsedCall> {
    cursor.blank();
    if cursor.peek()? == Some('`') {
        fence_line(cursor)?;
        cursor.blank();
    }
    let args = match cursor.peek()?.ok_or(ReadError::NoMatch)? {
        '{' => Args::Json,
        '<' => grouped(cursor)?,
        _ => Args::Unreadable,
    };
    Ok(ParsedCall::new(name, args))
}

/// Parameter tags, or JSON in a tag that holds all arguments, perhaps in a fence.
fn grouped(cursor: &mut Cursor<'_>) -> Read<Args> {
    let start = cursor.at();
    let tag = tag::lex(cursor, &|_, _| true)?;
    if !tag.closing && tag.value.is_none() && keys::holds_arguments(&tag.name) {
        cursor.blank();
        if cursor.peek()? == Some('`') {
            fence_line(cursor)?;
            cursor.blank();
        }
        if cursor.peek()? == Some('{') {
            return Ok(Args::Json);
        }
    }
    cursor.go(start);
    Ok(Args::Tagged)
}

/// A name in running words behind a marker, and what separates it from its arguments.
pub(super) fn words(cursor: &mut Cursor<'_>, known: Known<'_>) -> Read<ParsedCall> {
    let mut called = name(cursor)?.to_owned();
    loop {
        cursor.blank();
        let at = cursor.at();
        match cursor.peek()? {
            Some('{') => return Ok(ParsedCall::new(called, Args::Json)),
            Some('(') => return in_parentheses(cursor, called),
            Some('`') => fence_line(cursor)?,
            Some(':') => {
                cursor.take(':')?;
                cursor.blank();
                if !matches!(cursor.peek()?, Some('{' | '`')) {
                    return Err(ReadError::NoMatch);
                }
            }
            Some('[') => bracket_separator(cursor)?,
            Some('<') => match separator(cursor, known)? {
                Behind::Separator if called == "function" => {
                    cursor.blank();
                    if cursor.peek()? == Some('<') {
                        return tag::lex(cursor, &|_, _| true)?
                            .value
                            .map_or(Err(ReadError::NoMatch), |name| arguments(cursor, name));
                    }
                    name(cursor)?.clone_into(&mut called);
                }
                Behind::Separator => {
                    cursor.blank();
                    // `<|constrain|>json`
                    cursor.try_literal("json")?;
                }
                Behind::Parameter => {
                    cursor.go(at);
                    return Ok(ParsedCall::new(called, Args::Tagged));
                }
                Behind::End => {
                    cursor.go(at);
                    return no_arguments(called, known.declared);
                }
            },
            None => return no_arguments(called, known.declared),
            Some(_) => return Err(ReadError::NoMatch),
        }
    }
}

/// A name with nothing behind it is a call only if the tool is known.
fn no_arguments(name: String, declared: &CallableTools) -> Read<ParsedCall> {
    declared
        .resolve(&name)
        .map(|_| ParsedCall::new(name, Args::Whole("{}".to_owned())))
        .ok_or(ReadError::NoMatch)
}

enum Behind {
    Separator,
    Parameter,
    End,
}

/// What the tag behind a name is.
fn separator(cursor: &mut Cursor<'_>, known: Known<'_>) -> Read<Behind> {
    let tag = tag::lex(cursor, &|_, _| true)?;
    Ok(match tag::sense(&tag, known.tags) {
        _ if tag.closing => Behind::End,
        Some(Sense::Separator | Sense::Harmony) => Behind::Separator,
        Some(Sense::Closer | Sense::Invented) => Behind::End,
        _ => Behind::Parameter,
    })
}

/// `[ARGS]` and `[CALL_ID]…[ARGS]`.
fn bracket_separator(cursor: &mut Cursor<'_>) -> Read<()> {
    if cursor.try_literal("[CALL_ID]")? {
        cursor.run(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ' '))?;
    }
    if cursor.try_literal("[ARGS]")? {
        Ok(())
    } else {
        Err(ReadError::NoMatch)
    }
}

/// `name({json})`; with anything else in parentheses it is Python.
fn in_parentheses(cursor: &mut Cursor<'_>, name: String) -> Read<ParsedCall> {
    cursor.take('(')?;
    cursor.blank();
    if cursor.peek()? == Some('{') {
        return Ok(ParsedCall::new(name, Args::Json));
    }
    Err(ReadError::NoMatch)
}

/// `<get_weather>`: a tag of the tool's own name, with parameter tags in it that the tool has.
pub(super) fn declared_tag(
    cursor: &mut Cursor<'_>,
    tag: &Tag<'_>,
    known: Known<'_>,
) -> Read<ParsedCall> {
    let tool = known
        .declared
        .resolve(tag.raw)
        .and_then(|i| known.declared.get(i))
        .ok_or(ReadError::NoMatch)?;
    let found = |args| ParsedCall::new(tag.raw, args);
    let none = || found(Args::Whole("{}".to_owned()));
    if tag.empty {
        return if tool.needs_nothing() {
            Ok(none())
        } else {
            Err(ReadError::NoMatch)
        };
    }
    cursor.blank();
    let start = cursor.at();
    match cursor.peek()?.ok_or(ReadError::NoMatch)? {
        '{' => return Ok(found(Args::Json)),
        '<' => {}
        _ => return Err(ReadError::NoMatch),
    }
    let next = tag::lex(cursor, &|_, _| true)?;
    if next.closing && next.raw == tag.raw {
        return if tool.needs_nothing() {
            Ok(none())
        } else {
            Err(ReadError::NoMatch)
        };
    }
    cursor.go(start);
    let fits =
        !next.closing && (tool.has(next.raw) || next.value.as_deref().is_some_and(|v| tool.has(v)));
    if fits || keys::holds_arguments(&next.name) {
        Ok(found(Args::Tagged))
    } else {
        Err(ReadError::NoMatch)
    }
}

/// `<name>f</name>` and then `<arguments>{…}</arguments>` or its like.
pub(super) fn element(cursor: &mut Cursor<'_>, tag: &Tag<'_>) -> Read<ParsedCall> {
    if matches!(
        tag.name.as_str(),
        "server_name" | "call_id" | "id" | "tool_call_id"
    ) {
        cursor.until(&format!("</{}>", tag.raw))?;
        cursor.blank();
        let next = tag::lex(cursor, &|_, _| true)?;
        return if next.name == tag.name {
            Err(ReadError::NoMatch)
        } else {
            element(cursor, &next)
        };
    }
    if tag.closing
        || !matches!(
            tag.name.as_str(),
            "name" | "tool_name" | "function_name" | "function" | "tool"
        )
    {
        return Err(ReadError::NoMatch);
    }
    let name = cursor.until(&format!("</{}>", tag.raw))?.trim().to_owned();
    if name.is_empty() || name.len() > MAX_NAME {
        return Err(ReadError::NoMatch);
    }
    arguments(cursor, name)
}

/// A Harmony header: `<|channel|>commentary to=functions.f <|constrain|>json<|message|>{…}`.
/// One without a recipient is no call.
pub(super) fn harmony(
    cursor: &mut Cursor<'_>,
    tag: &Tag<'_>,
    known: Known<'_>,
) -> Read<ParsedCall> {
    /// Headers are shorter.
    const MAX_HEADER: usize = 256;
    if tag.name == "recipient" {
        return words(cursor, known);
    }
    let header = at_most(cursor.rest(), MAX_HEADER);
    let message = header.find("<|message|>").unwrap_or(header.len());
    let brace = header.find('{');
    // What stands behind the brace is no header, and may not have come yet.
    let head_end = brace.map_or(message, |brace| brace.min(message));
    let addressed = to(header, head_end).split_once("to=");
    if addressed.is_none() && head_end < header.len() {
        return Err(ReadError::NoMatch);
    }
    let Some(end) = brace else {
        let over = header.len() + 4 > MAX_HEADER || header.contains('\n');
        return Err(if over {
            ReadError::NoMatch
        } else {
            cursor.end()
        });
    };
    let header = to(header, end);
    let (_, recipient) = addressed.ok_or(ReadError::NoMatch)?;
    let name = recipient
        .split(|c: char| c.is_whitespace() || c == '<')
        .next()
        .unwrap_or_default();
    if name.is_empty() || header.contains('\n') {
        return Err(ReadError::NoMatch);
    }
    cursor.go(cursor.at() + end);
    Ok(ParsedCall::new(name, Args::Json))
}

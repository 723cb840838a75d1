//! The JSON envelope: one object with a name and arguments, whatever its keys are called.
//!
//! OpenAI's, Anthropic's, Hermes', Llama's, Cohere's and xLAM's shapes are one grammar here: name
//! keys, argument keys, and containers that hold the envelope one level deeper.

use super::head::{Args, Found, Known};
use crate::interpret::json;
use crate::interpret::scanner::{Cursor, Halt, Read, is_quote};

/// Keys whose string names the tool.
const NAME_KEYS: [&str; 9] = [
    "name",
    "function_name",
    "tool_name",
    "toolName",
    "tool",
    "function",
    "action",
    "recipient_name",
    "func",
];
/// Keys whose value is the arguments.
const ARGUMENT_KEYS: [&str; 13] = [
    "arguments",
    "parameters",
    "args",
    "params",
    "input",
    "tool_input",
    "toolInput",
    "action_input",
    "parameter",
    "kwargs",
    "tool_arguments",
    "function_args",
    "argument",
];
/// Keys whose object or array holds the envelope.
const CONTAINER_KEYS: [&str; 9] = [
    "tool_calls",
    "tool_call",
    "function_call",
    "function",
    "tool_use",
    "tool",
    "calls",
    "tool_uses",
    "call",
];
/// Keys that say nothing about arguments.
const OTHER_KEYS: [&str; 14] = [
    "id",
    "type",
    "call_id",
    "tool_call_id",
    "tool_use_id",
    "index",
    "role",
    "content",
    "refusal",
    "thought",
    "thoughts",
    "reasoning",
    "annotations",
    "audio",
];

/// Whether a key says nothing about arguments, so that it may stand in a bare envelope.
pub(super) fn is_idle(key: &str) -> bool {
    OTHER_KEYS.contains(&key)
}

/// Whether a marker said that this is a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    Marked,
    /// Nothing did: name, arguments and nothing unknown must be there.
    Bare,
}

struct Envelope {
    name: Option<String>,
    args: Option<(usize, usize)>,
    /// Members that are neither: arguments without their own object, perhaps.
    others: Vec<(String, usize, usize)>,
}

/// Reads an envelope as far as its arguments, or to its end.
pub(super) fn object(cursor: &mut Cursor<'_>, trust: Trust, known: Known<'_>) -> Read<Found> {
    nested(cursor, trust, known, 1)
}

fn nested(cursor: &mut Cursor<'_>, trust: Trust, known: Known<'_>, depth: usize) -> Read<Found> {
    if depth > 4 || !cursor.take('{')? {
        return Err(Halt::No);
    }
    let mut envelope = Envelope {
        name: None,
        args: None,
        others: Vec::new(),
    };
    loop {
        gap(cursor)?;
        match cursor.peek()?.ok_or(Halt::No)? {
            '}' => {
                cursor.take('}')?;
                let mut found = finish(cursor, envelope, trust)?;
                found.depth = depth - 1;
                return Ok(found);
            }
            ',' => {
                cursor.take(',')?;
                continue;
            }
            // Braces doubled as in a template.
            '{' if envelope.name.is_none() && envelope.others.is_empty() => {
                return nested(cursor, trust, known, depth + 1);
            }
            _ => {}
        }
        if let Some(found) = member(cursor, &mut envelope, trust, known, depth)? {
            return Ok(found);
        }
    }
}

/// One member. Gives the head if the arguments begin here.
fn member(
    cursor: &mut Cursor<'_>,
    envelope: &mut Envelope,
    trust: Trust,
    known: Known<'_>,
    depth: usize,
) -> Read<Option<Found>> {
    let key = key(cursor)?;
    gap(cursor)?;
    if !cursor.take(':')? && !cursor.take('=')? {
        return Err(Halt::No);
    }
    gap(cursor)?;
    let is = |keys: &[&str]| keys.contains(&key.as_str());
    let first = cursor.peek()?.ok_or(Halt::No)?;
    let start = cursor.at();
    if is(&CONTAINER_KEYS) && matches!(first, '{' | '[') && envelope.name.is_none() {
        return contained(cursor, trust, known, depth);
    }
    if is(&NAME_KEYS) && is_quote(first) && envelope.name.is_none() {
        envelope.name = Some(cursor.string()?);
        return Ok(None);
    }
    if is(&ARGUMENT_KEYS)
        && let Some(name) = &envelope.name
    {
        let args = arguments(cursor, first)?;
        return Ok(Some(Found {
            name: name.clone(),
            args,
            depth,
        }));
    }
    if trust == Trust::Marked
        && first == '{'
        && envelope.name.is_none()
        && known.declared.names().any(|n| n == key)
    {
        return Ok(Some(Found {
            name: key,
            args: Args::Json,
            depth,
        }));
    }
    if trust == Trust::Bare && !is(&ARGUMENT_KEYS) && !is(&OTHER_KEYS) {
        return Err(Halt::No);
    }
    cursor.skip_value()?;
    if is(&ARGUMENT_KEYS) {
        envelope.args = Some((start, cursor.at()));
    } else if !is(&OTHER_KEYS) {
        envelope.others.push((key, start, cursor.at()));
    }
    Ok(None)
}

/// Passes white space and comments.
fn gap(cursor: &mut Cursor<'_>) -> Read<()> {
    loop {
        cursor.blank();
        if cursor.rest().starts_with('/') && cursor.try_literal("//")? {
            cursor.until("\n")?;
        } else if cursor.rest().starts_with('/') && cursor.try_literal("/*")? {
            cursor.until("*/")?;
        } else {
            return Ok(());
        }
    }
}

fn key(cursor: &mut Cursor<'_>) -> Read<String> {
    match cursor.peek()?.ok_or(Halt::No)? {
        c if is_quote(c) => cursor.string(),
        c if c.is_alphabetic() || c == '_' => {
            Ok(cursor.run(|c| c.is_alphanumeric() || c == '_')?.to_owned())
        }
        _ => Err(Halt::No),
    }
}

/// `"tool_calls": [{…` or `"function": {…`. An empty list is passed over.
fn contained(
    cursor: &mut Cursor<'_>,
    trust: Trust,
    known: Known<'_>,
    depth: usize,
) -> Read<Option<Found>> {
    if cursor.take('[')? {
        cursor.blank();
        if cursor.take(']')? {
            return Ok(None);
        }
    }
    nested(cursor, trust, known, depth + 1).map(Some)
}

/// How the arguments that begin here stand. A null or an empty list means none.
fn arguments(cursor: &mut Cursor<'_>, first: char) -> Read<Args> {
    let none = || Args::Whole("{}".to_owned());
    match first {
        '{' => Ok(Args::Json),
        '"' | '\'' => quoted(cursor, first),
        '[' => {
            let start = cursor.at();
            cursor.take('[')?;
            cursor.blank();
            if cursor.take(']')? {
                return Ok(none());
            }
            cursor.go(start);
            Ok(Args::Unreadable)
        }
        _ => {
            let word = cursor
                .clone()
                .run(char::is_alphanumeric)?
                .to_ascii_lowercase();
            if matches!(word.as_str(), "null" | "none" | "undefined") {
                cursor.go(cursor.at() + word.len());
                return Ok(none());
            }
            Ok(Args::Unreadable)
        }
    }
}

/// Arguments in a string: an escaped object, an object that should have been, or plain text.
fn quoted(cursor: &mut Cursor<'_>, mark: char) -> Read<Args> {
    let start = cursor.at();
    cursor.take(mark)?;
    cursor.blank();
    if cursor.peek()? == Some('{') {
        let inside = cursor.at();
        cursor.take('{')?;
        cursor.blank();
        let unescaped = cursor.peek()? == Some(mark);
        cursor.go(inside);
        return Ok(if unescaped {
            Args::Json
        } else {
            Args::Encoded { mark }
        });
    }
    cursor.go(start);
    let text = cursor.string()?;
    Ok(if text.trim().is_empty() {
        Args::Whole("{}".to_owned())
    } else {
        Args::Plain(text)
    })
}

/// The envelope ended before arguments were met behind a name.
fn finish(cursor: &Cursor<'_>, envelope: Envelope, trust: Trust) -> Read<Found> {
    let Some(name) = envelope.name else {
        return if trust == Trust::Marked {
            Ok(Found::new("", Args::Unreadable))
        } else {
            Err(Halt::No)
        };
    };
    if let Some((start, end)) = envelope.args {
        return Ok(Found::new(name, whole(cursor.between(start, end))));
    }
    if trust == Trust::Bare {
        return Err(Halt::No);
    }
    let members: Vec<String> = envelope
        .others
        .iter()
        .map(|(key, start, end)| {
            format!(
                "{}:{}",
                serde_json::Value::from(key.as_str()),
                cursor.between(*start, *end)
            )
        })
        .collect();
    Ok(Found::new(
        name,
        whole(&format!("{{{}}}", members.join(","))),
    ))
}

/// Arguments that stand before the name.
fn whole(text: &str) -> Args {
    let text = text.trim();
    if text.starts_with(['"', '\'']) {
        return match Cursor::new(text, true).string() {
            Ok(inside) if inside.trim_start().starts_with('{') => whole(&inside),
            Ok(inside) if inside.trim().is_empty() => Args::Whole("{}".to_owned()),
            Ok(inside) => Args::Plain(inside),
            Err(_) => Args::Unreadable,
        };
    }
    match text {
        "null" | "None" | "[]" => Args::Whole("{}".to_owned()),
        _ => json::repair_whole(text)
            .ok()
            .filter(|r| r.json.starts_with('{'))
            .map_or(Args::Unreadable, |r| Args::Whole(r.json)),
    }
}

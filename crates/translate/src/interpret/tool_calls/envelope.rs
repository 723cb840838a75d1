//! The JSON envelope: one object with a name and arguments, whatever its keys are called.
//!
//! OpenAI's, Anthropic's, Hermes', Llama's, Cohere's and xLAM's shapes are one grammar here: name
//! keys, argument keys, and containers that hold the envelope one level deeper.

use super::callable_tools::CallableTool;
use super::keys;
use super::syntax::{Args, Known, ParsedCall, fence_line};
use crate::interpret::json;
use crate::interpret::scanner::{Cursor, Read, ReadError, is_quote};

/// Whether a marker said that this is a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    Marked,
    /// Nothing did: name, arguments and nothing unknown must be there.
    Bare,
    /// Nothing did, and text stands before: its first key must say that it is a call.
    Said,
}

/// The longest name that a member of an unknown envelope gives.
const MAX_NAME: usize = 64;
/// The most members of an unknown envelope.
const MAX_MEMBERS: usize = 6;

struct Envelope {
    name: Option<String>,
    args: Option<(usize, usize)>,
    /// Members that are neither: arguments without their own object, perhaps.
    others: Vec<(String, usize, usize)>,
    /// The one object under a key that is no known one.
    foreign: Option<String>,
    /// A declared tool's name under such a key.
    named: Option<String>,
    /// The text of a content block that holds no call, once its type said so.
    block: Option<String>,
}

/// Reads an envelope as far as its arguments, or to its end.
pub(super) fn object(cursor: &mut Cursor<'_>, trust: Trust, known: Known<'_>) -> Read<ParsedCall> {
    nested(cursor, trust, known, 1)
}

fn nested(
    cursor: &mut Cursor<'_>,
    trust: Trust,
    known: Known<'_>,
    depth: usize,
) -> Read<ParsedCall> {
    if depth > 4 || !cursor.take('{')? {
        return Err(ReadError::NoMatch);
    }
    let mut envelope = Envelope {
        name: None,
        args: None,
        others: Vec::new(),
        foreign: None,
        named: None,
        block: None,
    };
    loop {
        gap(cursor)?;
        match cursor.peek()?.ok_or(ReadError::NoMatch)? {
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
) -> Read<Option<ParsedCall>> {
    let key = key(cursor)?;
    gap(cursor)?;
    if !cursor.take(':')? && !cursor.take('=')? {
        return Err(ReadError::NoMatch);
    }
    gap(cursor)?;
    let is = |keys: &[&str]| keys.contains(&key.as_str());
    let first = cursor.peek()?.ok_or(ReadError::NoMatch)?;
    let start = cursor.at();
    if trust == Trust::Said {
        return if keys::SAYING.contains(&key.as_str()) && matches!(first, '{' | '[') {
            contained(cursor, Trust::Bare, known, depth)
        } else {
            Err(ReadError::NoMatch)
        };
    }
    if is(&keys::CONTAINERS) && matches!(first, '{' | '[') && envelope.name.is_none() {
        return contained(cursor, trust, known, depth);
    }
    if is(&keys::NAMES) && is_quote(first) && envelope.name.is_none() {
        envelope.name = Some(cursor.string()?);
        return Ok(None);
    }
    if keys::are_arguments(&key)
        && let Some(name) = &envelope.name
    {
        let nothing = known
            .declared
            .resolve(name)
            .and_then(|tool| known.declared.get(tool))
            .is_some_and(CallableTool::needs_nothing);
        let args = arguments(cursor, first, nothing)?;
        return Ok(Some(ParsedCall {
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
        return Ok(Some(ParsedCall {
            name: key,
            args: Args::Json,
            depth,
        }));
    }
    if trust == Trust::Bare && !keys::are_arguments(&key) && !keys::is_idle(&key) {
        return unknown_member(cursor, envelope, key, known, depth);
    }
    if key == "type"
        && trust == Trust::Bare
        && ["\"text\"", "\"thinking\""]
            .iter()
            .any(|kind| cursor.rest().starts_with(kind))
    {
        envelope.block = Some(String::new());
    }
    cursor.skip_value()?;
    if keys::are_arguments(&key) {
        envelope.args = Some((start, cursor.at()));
    } else if !keys::is_idle(&key) {
        envelope.others.push((key, start, cursor.at()));
    }
    Ok(None)
}

/// A member that no known envelope has. Where nothing says that this is a call, it may still be one
/// in an envelope of the model's own: decided at its end.
fn unknown_member(
    cursor: &mut Cursor<'_>,
    envelope: &mut Envelope,
    key: String,
    known: Known<'_>,
    depth: usize,
) -> Read<Option<ParsedCall>> {
    let start = cursor.at();
    let first = cursor.peek()?.ok_or(ReadError::NoMatch)?;
    if envelope.name.is_some() && envelope.foreign.is_none() || envelope.others.len() >= MAX_MEMBERS
    {
        return Err(ReadError::NoMatch);
    }
    let text_block = keys::TEXT.contains(&key.as_str()) && envelope.block.is_some();
    match first {
        '{' if depth == 1
            && envelope.others.is_empty()
            && known.declared.names().any(|n| n == key) =>
        {
            cursor.skip_value()?;
            let json = repaired(cursor.between(start, cursor.at())).ok_or(ReadError::NoMatch)?;
            envelope.name = Some(key.clone());
            envelope.foreign = Some(json);
        }
        '{' if envelope.foreign.is_none() => {
            cursor.skip_value()?;
            let json = repaired(cursor.between(start, cursor.at())).ok_or(ReadError::NoMatch)?;
            envelope.foreign = Some(json);
        }
        '"' if text_block => {
            let said = cursor.string()?;
            if key == "text" {
                envelope.block = Some(said);
            }
        }
        '"' => {
            let text = cursor.string()?;
            if text.len() > MAX_NAME {
                return Err(ReadError::NoMatch);
            }
            let names_tool = known.declared.names().any(|n| n == text);
            if names_tool && envelope.named.replace(text).is_some() {
                return Err(ReadError::NoMatch);
            }
        }
        c if c.is_ascii_digit() || matches!(c, 't' | 'f' | 'n' | '-') => cursor.skip_value()?,
        '[' if text_block => cursor.skip_value()?,
        _ => return Err(ReadError::NoMatch),
    }
    envelope.others.push((key, start, cursor.at()));
    Ok(None)
}

/// An object as JSON.
fn repaired(text: &str) -> Option<String> {
    let repaired = json::repair_whole(text).ok()?;
    repaired.json.starts_with('{').then_some(repaired.json)
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
    match cursor.peek()?.ok_or(ReadError::NoMatch)? {
        c if is_quote(c) => cursor.string(),
        c if c.is_alphabetic() || c == '_' => {
            Ok(cursor.run(|c| c.is_alphanumeric() || c == '_')?.to_owned())
        }
        _ => Err(ReadError::NoMatch),
    }
}

/// `"tool_calls": [{…` or `"function": {…`. An empty list is passed over.
fn contained(
    cursor: &mut Cursor<'_>,
    trust: Trust,
    known: Known<'_>,
    depth: usize,
) -> Read<Option<ParsedCall>> {
    if cursor.take('[')? {
        cursor.blank();
        if cursor.take(']')? {
            return Ok(None);
        }
    }
    nested(cursor, trust, known, depth + 1).map(Some)
}

/// How the arguments that begin here stand. A null or an empty list means none.
/// So does nothing at all, for a tool that needs nothing.
fn arguments(cursor: &mut Cursor<'_>, first: char, nothing: bool) -> Read<Args> {
    let none = || Args::Whole("{}".to_owned());
    match first {
        '{' => Ok(Args::Json),
        '}' | ',' if nothing => Ok(none()),
        '<' if nothing && cursor.clone().try_literal("</")? => Ok(none()),
        '`' => {
            fence_line(cursor)?;
            cursor.blank();
            Ok(if cursor.peek()? == Some('{') {
                Args::Json
            } else {
                Args::Unreadable
            })
        }
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
    // The object's own string, where it was encoded twice.
    let own_string = cursor.rest().starts_with('\\') && cursor.try_literal("\\\"")?;
    cursor.blank();
    if cursor.peek()? == Some('{') {
        let inside = cursor.at();
        cursor.take('{')?;
        escaped_blank(cursor)?;
        let unescaped = cursor.peek()? == Some(mark);
        let twice =
            own_string || cursor.rest().starts_with('\\') && cursor.try_literal("\\\\\\\"")?;
        cursor.go(inside);
        return Ok(if unescaped {
            Args::Json
        } else {
            Args::Encoded { mark, twice }
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

/// Passes white space, escaped or not.
fn escaped_blank(cursor: &mut Cursor<'_>) -> Read<()> {
    loop {
        cursor.blank();
        let start = cursor.at();
        if !cursor.rest().starts_with('\\') {
            return Ok(());
        }
        let escapes = cursor.run(|c| c == '\\')?;
        match cursor.peek()? {
            Some('n' | 'r' | 't') if escapes.len() <= 2 => cursor.go(cursor.at() + 1),
            _ => {
                cursor.go(start);
                return Ok(());
            }
        }
    }
}

/// The envelope ended before arguments were met behind a name.
fn finish(cursor: &Cursor<'_>, envelope: Envelope, trust: Trust) -> Read<ParsedCall> {
    if let Some(said) = envelope.block.filter(|_| envelope.foreign.is_none()) {
        return Ok(ParsedCall::new("", Args::Said(said)));
    }
    if let Some(json) = envelope.foreign {
        let name = envelope
            .name
            .or(envelope.named)
            .filter(|_| envelope.args.is_none());
        return name
            .map(|name| ParsedCall::new(name, Args::Fitting(json)))
            .ok_or(ReadError::NoMatch);
    }
    let Some(name) = envelope.name else {
        return if trust == Trust::Marked {
            Ok(ParsedCall::new("", Args::Unreadable))
        } else {
            Err(ReadError::NoMatch)
        };
    };
    if let Some((start, end)) = envelope.args {
        return Ok(ParsedCall::new(name, whole(cursor.between(start, end))));
    }
    if trust == Trust::Bare {
        return Err(ReadError::NoMatch);
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
    Ok(ParsedCall::new(
        name,
        whole(&format!("{{{}}}", members.join(","))),
    ))
}

/// Arguments that stand before the name.
fn whole(text: &str) -> Args {
    let text = text.trim();
    if text.starts_with(['"', '\'']) {
        return match Cursor::new(text, true).string() {
            Ok(inside) if inside.trim_start().starts_with('{') => match whole(&inside) {
                // Escaped twice.
                Args::Unreadable if inside.contains("\\\"") => {
                    match Cursor::new(&format!("\"{inside}\""), true).string() {
                        Ok(object) => whole(&object),
                        Err(_) => Args::Unreadable,
                    }
                }
                read => read,
            },
            Ok(inside) if inside.trim_start().starts_with('"') => whole(&inside),
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

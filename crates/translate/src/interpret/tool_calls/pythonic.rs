//! Calls in Python's form: `[f(a=1), g()]`, Gemini's `tool_code`, LFM2's and `OLMo`'s lists.
//!
//! Only keyword arguments with literal values are read: positional arguments, variables and
//! assignments are code, not calls.

use super::callable_tools::CallableTools;
use super::named;
use crate::interpret::json::Grade;
use crate::interpret::json::emitter::{Emitter, Progress};
use crate::interpret::scanner::{Cursor, Read, ReadError};

/// The deepest nesting of tuples.
const MAX_DEPTH: usize = 16;

/// `[f(a=1), g()]`, of declared tools at its beginning.
pub(super) fn list(
    cursor: &mut Cursor<'_>,
    declared: &CallableTools,
) -> Read<Vec<(String, String)>> {
    if !cursor.take('[')? {
        return Err(ReadError::NoMatch);
    }
    let mut calls = Vec::new();
    loop {
        cursor.blank();
        if cursor.take(']')? {
            return if calls.is_empty() {
                Err(ReadError::NoMatch)
            } else {
                Ok(calls)
            };
        }
        if cursor.take(',')? {
            continue;
        }
        calls.push(call(cursor, declared, calls.is_empty())?);
    }
}

/// One call after the other, each perhaps in `print(…)`, perhaps in a list.
pub(super) fn statements(
    cursor: &mut Cursor<'_>,
    declared: &CallableTools,
) -> Read<Vec<(String, String)>> {
    let printed = cursor.try_literal("print(")?;
    cursor.blank();
    let first = call(cursor, declared, true)?;
    if printed {
        cursor.blank();
        if !cursor.take(')')? {
            return Err(ReadError::NoMatch);
        }
    }
    Ok(vec![first])
}

/// `f(a=1, b="x")`. The first name must be declared, or it is not about our tools.
fn call(cursor: &mut Cursor<'_>, declared: &CallableTools, first: bool) -> Read<(String, String)> {
    let name = named::name(cursor)?.to_owned();
    // `f.call(…)` is how Llama calls its built-in tools.
    let name = name
        .strip_suffix(".call")
        .map_or(name.clone(), str::to_owned);
    if first && declared.resolve(&name).is_none() {
        return Err(ReadError::NoMatch);
    }
    if !cursor.take('(')? {
        return Err(ReadError::NoMatch);
    }
    let mut json = String::from("{");
    loop {
        cursor.blank();
        if cursor.take(')')? {
            json.push('}');
            return Ok((name, json));
        }
        if cursor.take(',')? {
            continue;
        }
        if json.len() > 1 {
            json.push(',');
        }
        keyword(cursor, &mut json)?;
    }
}

/// `key=value`.
fn keyword(cursor: &mut Cursor<'_>, json: &mut String) -> Read<()> {
    let key = match cursor.peek()?.ok_or(ReadError::NoMatch)? {
        '"' | '\'' => cursor.string()?,
        _ => cursor.run(|c| c.is_alphanumeric() || c == '_')?.to_owned(),
    };
    cursor.blank();
    if key.is_empty() || !cursor.take('=')? || cursor.peek()? == Some('=') {
        return Err(ReadError::NoMatch);
    }
    json.push_str(&serde_json::Value::from(key).to_string());
    json.push(':');
    cursor.blank();
    value(cursor, json, 0)
}

/// A literal.
fn value(cursor: &mut Cursor<'_>, json: &mut String, depth: usize) -> Read<()> {
    if cursor.peek()? == Some('(') && depth < MAX_DEPTH {
        return tuple(cursor, json, depth);
    }
    let start = cursor.at();
    let raw = raw_prefix(cursor)?;
    let mut emitter = Emitter::until(vec![")".to_owned()]);
    let mut written = String::new();
    if raw {
        let text = raw_string(cursor)?;
        json.push_str(&serde_json::Value::from(text).to_string());
        return Ok(());
    }
    let fed = emitter.feed(cursor.rest(), cursor.whole(), &mut written);
    match fed.progress {
        Progress::Done if emitter.grade() != Grade::Guess => {
            cursor.go(cursor.at() + fed.consumed);
            json.push_str(&written);
            Ok(())
        }
        Progress::More => Err(cursor.end()),
        _ => {
            cursor.go(start);
            Err(ReadError::NoMatch)
        }
    }
}

/// Whether the string that begins here is a raw one; other prefixes are passed.
fn raw_prefix(cursor: &mut Cursor<'_>) -> Read<bool> {
    let mut ahead = cursor.clone();
    let prefix = ahead.run(|c| matches!(c, 'r' | 'R' | 'b' | 'B' | 'u' | 'U'))?;
    let is_prefix =
        !prefix.is_empty() && prefix.len() <= 2 && matches!(ahead.peek()?, Some('"' | '\''));
    if is_prefix {
        cursor.go(ahead.at());
    }
    Ok(is_prefix && prefix.contains(['r', 'R']))
}

fn raw_string(cursor: &mut Cursor<'_>) -> Read<String> {
    let mark = cursor.peek()?.ok_or(ReadError::NoMatch)?;
    cursor.take(mark)?;
    let text = cursor.run(|c| c != mark)?.to_owned();
    if cursor.take(mark)? {
        Ok(text)
    } else {
        Err(ReadError::NoMatch)
    }
}

/// `(1, 2)` as an array.
fn tuple(cursor: &mut Cursor<'_>, json: &mut String, depth: usize) -> Read<()> {
    cursor.take('(')?;
    json.push('[');
    let mut first = true;
    loop {
        cursor.blank();
        if cursor.take(')')? {
            json.push(']');
            return Ok(());
        }
        if cursor.take(',')? {
            continue;
        }
        if !std::mem::take(&mut first) {
            json.push(',');
        }
        value(cursor, json, depth + 1)?;
    }
}

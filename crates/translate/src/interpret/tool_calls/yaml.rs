//! A call as YAML: `name: f`, then `arguments:` and one indented line for each.
//!
//! Only what models write so: scalars, block scalars and flow values; anything else is no call.

use serde_json::{Map, Value};

use super::callable_tools::CallableTools;
use super::keys;
use super::markers::ENDS_OF_YAML;
use super::syntax::{Args, ParsedCall};
use crate::interpret::json::{self, Grade};
use crate::interpret::scanner::{Cursor, Read, ReadError};
use crate::interpret::slice::to;

/// Reads the call to its closing marker.
pub(super) fn call(cursor: &mut Cursor<'_>, declared: &CallableTools) -> Read<ParsedCall> {
    if !cursor.try_literal("name:")?
        && !cursor.try_literal("tool:")?
        && !cursor.try_literal("function:")?
    {
        return Err(ReadError::NoMatch);
    }
    let name = cursor
        .until("\n")?
        .trim()
        .trim_matches(['"', '\''])
        .to_owned();
    declared.resolve(&name).ok_or(ReadError::NoMatch)?;
    let rest = cursor.rest();
    let end = ENDS_OF_YAML.iter().filter_map(|e| rest.find(e)).min();
    let end = match end {
        Some(end) => end,
        None if cursor.whole() => rest.len(),
        None => return Err(ReadError::Incomplete),
    };
    let mut lines: Vec<&str> = to(rest, end)
        .lines()
        .filter(|l| !l.trim().is_empty())
        .collect();
    let args = if lines.is_empty() {
        Map::new()
    } else {
        let first = lines.remove(0).trim_end();
        let key = first.strip_suffix(':').ok_or(ReadError::NoMatch)?;
        if !keys::holds_arguments(key.trim()) {
            return Err(ReadError::NoMatch);
        }
        mapping(&lines)?
    };
    cursor.go(cursor.at() + end);
    Ok(ParsedCall::new(
        name,
        Args::Whole(Value::Object(args).to_string()),
    ))
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Lines of one indentation, `key: value` each.
fn mapping(lines: &[&str]) -> Read<Map<String, Value>> {
    let mut map = Map::new();
    let depth = lines.first().map_or(0, |l| indent(l));
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let (key, value) = line.trim().split_once(':').ok_or(ReadError::NoMatch)?;
        if indent(line) != depth || depth == 0 {
            return Err(ReadError::NoMatch);
        }
        let below = lines
            .iter()
            .skip(at + 1)
            .take_while(|l| indent(l) > depth)
            .count();
        let block = lines.get(at + 1..at + 1 + below).unwrap_or_default();
        map.insert(
            key.trim_matches(['"', '\'']).to_owned(),
            member(value.trim(), block)?,
        );
        at += 1 + below;
    }
    Ok(map)
}

fn member(value: &str, block: &[&str]) -> Read<Value> {
    match value {
        "|" | "|-" | ">" | ">-" => {
            let margin = block.first().map_or(0, |l| indent(l));
            let lines: Vec<&str> = block
                .iter()
                .map(|l| l.get(margin..).unwrap_or_default())
                .collect();
            let mut text = lines.join(if value.starts_with('|') { "\n" } else { " " });
            if !value.ends_with('-') {
                text.push('\n');
            }
            Ok(Value::from(text))
        }
        "" if block
            .first()
            .is_some_and(|l| l.trim_start().starts_with("- ")) =>
        {
            let items = block.iter().map(|l| {
                l.trim()
                    .strip_prefix("- ")
                    .map(scalar)
                    .ok_or(ReadError::NoMatch)
            });
            Ok(Value::Array(items.collect::<Read<Vec<Value>>>()?))
        }
        "" if !block.is_empty() => mapping(block).map(Value::Object),
        "" => Ok(Value::Null),
        _ if block.is_empty() => Ok(scalar(value)),
        _ => Err(ReadError::NoMatch),
    }
}

fn scalar(text: &str) -> Value {
    let read = json::repair_whole(text)
        .ok()
        .filter(|r| r.grade < Grade::Guess);
    read.and_then(|r| serde_json::from_str(&r.json).ok())
        .unwrap_or_else(|| Value::from(text))
}

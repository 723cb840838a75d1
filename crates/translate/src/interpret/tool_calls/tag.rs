//! The tags that models put around calls, all spelled a little differently: one lexer for them.
//!
//! `<tool_call>`, `<TOOLCALL>`, `<|tool_call_begin|>`, `<｜tool▁calls▁begin｜>`, `<｜DSML｜invoke name="f">`,
//! `<minimax:tool_call>` and `<function=f>` differ in pipes, name spaces, case and separators, and
//! these are not minded. What a tag means is looked up among the [`markers`].

use super::markers::{self, NAMESPACES, Sense};
use crate::interpret::scanner::{Cursor, Read, ReadError};
use crate::interpret::slice::{from, to};
use crate::tags::Tags;

/// One tag as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag<'t> {
    /// The name as written, with its pipes and name space.
    pub(super) raw: &'t str,
    /// The name as the table has it.
    pub(super) name: String,
    /// What follows `=`, or the value of the attribute that names something.
    pub(super) value: Option<String>,
    /// Whether the value came as `<tag=value>`.
    pub(super) assigned: bool,
    /// Whether an attribute says that the content is text.
    pub(super) text: Option<bool>,
    pub(super) closing: bool,
    /// Whether it is `<tag/>`.
    pub(super) empty: bool,
}

/// The longest tag that is read: attributes of calls are short.
const MAX_TAG: usize = 256;
/// The longest name of a tag.
const MAX_NAME: usize = 80;

/// The tag's meaning under the tags in force. The protocol's own tag counts only in the variant
/// that was chosen for this request: no text of the request holds it.
pub(super) fn sense(tag: &Tag<'_>, tags: Tags) -> Option<Sense> {
    markers::sense(plain_name(&tag.name, tags)?)
}

/// The name without the number of our variant; none if it has another number.
fn plain_name(name: &str, tags: Tags) -> Option<&str> {
    match name.rsplit_once('-') {
        None => Some(name),
        Some((plain, number)) => (tags.variant()?.to_string() == number).then_some(plain),
    }
}

/// Whether this is the call tag that the model was asked to write, exactly as no text of the
/// request has it.
pub(super) fn is_ours(tag: &Tag<'_>, tags: Tags) -> bool {
    tag.value.is_none() && tag.raw == tags.name("tool_call")
}

/// Whether this tag begins another call rather than a parameter.
pub(super) fn begins_call(tag: &Tag<'_>) -> bool {
    match markers::sense(&tag.name) {
        Some(Sense::Named) => {
            tag.value.is_some() && matches!(tag.name.as_str(), "function" | "invoke")
        }
        Some(Sense::Wrapper | Sense::Closer) => true,
        _ => false,
    }
}

/// Whether a name is one of the table, or so far can become one. Every beginning of a name that
/// is wanted must be wanted too.
pub(super) fn known(part: &str, complete: bool) -> bool {
    let part = part.trim_start_matches(['|', '｜', '/']);
    match part.split_once(['|', '｜', ':']) {
        None => segment_known(part, complete),
        Some((first, rest)) if NAMESPACES.iter().any(|n| first.eq_ignore_ascii_case(n)) => {
            known(rest, complete)
        }
        Some((first, rest)) => {
            segment_known(first, true) && rest.trim_matches(['|', '｜']).is_empty()
        }
    }
}

/// The same of a name without pipes and name space.
fn segment_known(part: &str, complete: bool) -> bool {
    if !part.bytes().next().is_none_or(markers::begins_tag) {
        return false;
    }
    let unnumbered = part.trim_end_matches(|c: char| c.is_ascii_digit());
    let name = normal(unnumbered.strip_suffix('-').unwrap_or(part));
    if complete {
        markers::sense(&name).is_some()
    } else {
        markers::may_become_tag(&name)
    }
}

/// The name as the table has it.
fn normal(raw: &str) -> String {
    let raw = raw.trim_matches(['|', '｜', '/']);
    let cut = raw.rfind(['|', '｜', ':']).map_or(0, |at| {
        at + from(raw, at).chars().next().map_or(0, char::len_utf8)
    });
    let name = from(raw, cut);
    let numbered = name
        .rsplit_once('-')
        .filter(|(_, n)| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    let (name, number) = numbered.map_or((name, None), |(name, n)| (name, Some(n)));
    let mut normal: String = name
        .chars()
        .map(|c| {
            if matches!(c, '▁' | '-' | ' ') {
                '_'
            } else {
                c.to_ascii_lowercase()
            }
        })
        .collect();
    if let Some(stripped) = normal.strip_prefix("longcat_") {
        normal = stripped.to_owned();
    }
    if let Some(number) = number {
        normal.push('-');
        normal.push_str(number);
    }
    normal
}

/// Reads a tag. `wanted` says of a name whether it is looked for, or of
/// one that is not complete whether it can become such a name.
pub(super) fn lex<'t>(
    cursor: &mut Cursor<'t>,
    wanted: &dyn Fn(&str, bool) -> bool,
) -> Read<Tag<'t>> {
    let (start, rest) = (cursor.at(), cursor.rest().len());
    match lex_within(cursor, start, wanted) {
        // No tag ends behind the longest: what has come decides, and is not read with each piece again.
        Err(ReadError::Incomplete) if rest > MAX_TAG => Err(ReadError::NoMatch),
        read => read,
    }
}

fn lex_within<'t>(
    cursor: &mut Cursor<'t>,
    start: usize,
    wanted: &dyn Fn(&str, bool) -> bool,
) -> Read<Tag<'t>> {
    if !cursor.take('<')? {
        return Err(ReadError::NoMatch);
    }
    let mut closing = cursor.take('/')?;
    let raw = name(cursor, wanted)?;
    closing |= raw.trim_start_matches(['|', '｜']).starts_with('/');
    let mut tag = Tag {
        raw,
        name: normal(raw),
        value: None,
        assigned: false,
        text: None,
        closing,
        empty: false,
    };
    if tag.name.is_empty() {
        return Err(ReadError::NoMatch);
    }
    attributes(cursor, &mut tag, start)?;
    Ok(tag)
}

fn name<'t>(cursor: &mut Cursor<'t>, wanted: &dyn Fn(&str, bool) -> bool) -> Read<&'t str> {
    let rest = cursor.rest();
    let is_name = |c: char| {
        c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | '|' | '｜' | '▁' | '/')
    };
    let begins = rest
        .chars()
        .next()
        .is_none_or(|c| c.is_alphabetic() || matches!(c, '_' | '|' | '｜'));
    let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
    // A closing `/` belongs to the tag's end, not to its name.
    let raw = to(rest, end);
    let raw = if end < rest.len() {
        raw.trim_end_matches('/')
    } else {
        raw
    };
    if !begins || raw.len() > MAX_NAME || !wanted(raw, end < rest.len()) {
        return Err(ReadError::NoMatch);
    }
    if end == rest.len() {
        return Err(cursor.end());
    }
    cursor.go(cursor.at() + raw.len());
    Ok(raw)
}

fn attributes(cursor: &mut Cursor<'_>, tag: &mut Tag<'_>, start: usize) -> Read<()> {
    loop {
        cursor.blank();
        if cursor.at() - start > MAX_TAG {
            return Err(ReadError::NoMatch);
        }
        match cursor.peek()? {
            Some('>') => {
                cursor.take('>')?;
                return Ok(());
            }
            Some('=') if tag.value.is_none() => {
                cursor.take('=')?;
                tag.assigned = true;
                tag.value = Some(assigned(cursor, names_tool(tag))?);
            }
            // The bracket is missing before the arguments.
            Some('{') if tag.value.is_some() && names_tool(tag) => return Ok(()),
            Some('/') => {
                cursor.take('/')?;
                tag.empty = true;
            }
            Some(c) if c.is_alphabetic() => attribute(cursor, tag)?,
            _ => return Err(ReadError::NoMatch),
        }
    }
}

/// Whether the tag is one that names a tool.
fn names_tool(tag: &Tag<'_>) -> bool {
    matches!(tag.name.as_str(), "function" | "invoke")
}

/// The name in `<function=name>`; before JSON its bracket may be missing if the tag names a tool.
fn assigned(cursor: &mut Cursor<'_>, names_tool: bool) -> Read<String> {
    let rest = cursor.rest();
    if names_tool {
        let name =
            rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':')));
        let Some(name) = name else {
            return Err(if rest.len() > MAX_TAG {
                ReadError::NoMatch
            } else {
                cursor.end()
            });
        };
        let behind = from(rest, name).trim_start();
        if name > 0 && behind.is_empty() && rest.len() <= MAX_TAG {
            return Err(cursor.end());
        }
        if name > 0 && behind.starts_with('{') {
            cursor.go(cursor.at() + name);
            return Ok(to(rest, name).to_owned());
        }
    }
    let end = rest.find(['>', '\n', '<']).filter(|end| *end <= MAX_TAG);
    match end {
        Some(end) if from(rest, end).starts_with('>') => {
            cursor.go(cursor.at() + end);
            Ok(to(rest, end).trim().trim_matches(['"', '\'']).to_owned())
        }
        None if rest.len() <= MAX_TAG => Err(cursor.end()),
        _ => Err(ReadError::NoMatch),
    }
}

fn attribute(cursor: &mut Cursor<'_>, tag: &mut Tag<'_>) -> Read<()> {
    let key = cursor.run(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))?;
    cursor.blank();
    if !cursor.take('=')? {
        return Ok(());
    }
    cursor.blank();
    let value = match cursor.peek()? {
        Some('"' | '\'') => cursor.string()?,
        _ => cursor
            .run(|c| !c.is_whitespace() && !matches!(c, '>' | '/'))?
            .to_owned(),
    };
    match key {
        "name" | "tool" | "tool_name" | "function" | "key" if tag.value.is_none() => {
            tag.value = Some(value);
        }
        "string" => tag.text = Some(value == "true"),
        "type" if value == "string" => tag.text = Some(true),
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Read<Tag<'_>> {
        lex(&mut Cursor::new(text, false), &|_, _| true)
    }

    #[test]
    fn spellings_of_one_tag_have_one_name() {
        for text in [
            "<tool_call>",
            "<|tool_call|>",
            "<TOOL_CALL>",
            "<tool-call>",
            "<minimax:tool_call>",
            "<｜tool▁call｜>",
            "<|tool_call>",
            "<tool_call >",
            "</tool_call>",
            "<｜DSML｜tool_call>",
        ] {
            assert_eq!(
                read(text).map(|t| t.name),
                Ok("tool_call".to_owned()),
                "{text}"
            );
        }
        assert!(read("</tool_call>").unwrap().closing);
        assert!(read("<|/tool_call|>").unwrap().closing);
    }

    #[test]
    fn names_are_read_from_attributes_and_assignments() {
        for text in [
            "<function=f>",
            "<function name=\"f\">",
            "<invoke id=\"1\" name='f'>",
            "<tool name=f/>",
            "<function = f>",
            "<function=\"f\">",
        ] {
            assert_eq!(
                read(text).map(|t| t.value),
                Ok(Some("f".to_owned())),
                "{text}"
            );
        }
    }

    #[test]
    fn a_numbered_tag_counts_only_in_its_variant() {
        let tag = read("<tool_call-2>").unwrap();
        let second = Tags::choose(["<user>"]);
        assert_eq!(sense(&tag, Tags::default()), None);
        assert_eq!(sense(&tag, second), Some(Sense::Wrapper));
        assert!(is_ours(&tag, second));
        assert!(!is_ours(&read("<tool_call>").unwrap(), second));
        assert!(is_ours(&read("<tool_call>").unwrap(), Tags::default()));
    }

    #[test]
    fn what_is_no_tag_is_known_at_once() {
        for text in ["< b", "<3", "<=", "<a href=\"x\ny", "<<"] {
            assert_ne!(
                lex(&mut Cursor::new(text, false), &known),
                Err(ReadError::Incomplete),
                "{text}"
            );
        }
        for text in [
            "<",
            "<t",
            "<tool_",
            "<|",
            "<｜tool▁c",
            "<minimax:",
            "<tool_call-",
            "<function=na",
        ] {
            assert_eq!(
                lex(&mut Cursor::new(text, false), &known),
                Err(ReadError::Incomplete),
                "{text}"
            );
        }
    }
}

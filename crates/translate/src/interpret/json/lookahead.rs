//! Does this quotation mark end the string? Models forget to escape the marks inside.
//!
//! In valid JSON a string's end is followed by what may follow a value, so valid text is always
//! read as it is. The look ahead is bounded, and reads no further than it must.

use crate::interpret::scanner::{at_most, from};

use super::tokens;

/// Where the string stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Key,
    /// A value in an object.
    Member,
    /// A value in an array.
    Element,
    Top,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Yes,
    No,
    More,
}

/// How far ahead a key is looked for.
const REACH: usize = 96;
/// How much white space is looked through.
const MAX_BLANK: usize = 1024;

/// Whether a mark of the list begins here. None without marks.
pub(super) fn mark(until: &[String], rest: &str) -> Option<Verdict> {
    if until.iter().any(|m| rest.starts_with(m.as_str())) {
        return Some(Verdict::Yes);
    }
    let partial = !rest.is_empty() && until.iter().any(|m| m.starts_with(rest));
    partial.then_some(Verdict::More)
}

/// Whether the string ends at the quotation mark before this text.
pub(super) fn closes(after: &str, place: Place, until: &[String], whole: bool) -> Verdict {
    let next = after.trim_start();
    let blank = after.len() - next.len();
    if blank > MAX_BLANK || place == Place::Top {
        return Verdict::Yes;
    }
    let Some(c) = next.chars().next() else {
        return if whole { Verdict::Yes } else { Verdict::More };
    };
    match (place, c) {
        (Place::Key, ':' | '=') | (Place::Member | Place::Element, '}' | ']') => Verdict::Yes,
        (Place::Member, ',') => member_follows(from(next, 1), whole),
        (Place::Element, ',') => element_follows(from(next, 1), whole),
        (Place::Member, '"') if blank > 0 => key_follows(next, whole),
        (Place::Member | Place::Element, '/') => comment_follows(next, whole),
        (Place::Element, '"' | '#') | (Place::Member, '#') if blank > 0 => Verdict::Yes,
        _ => match mark(until, next) {
            Some(Verdict::More) if whole => Verdict::No,
            Some(verdict) => verdict,
            None => Verdict::No,
        },
    }
}

/// Whether what follows a comma in an object can be its next member or its end.
fn member_follows(after: &str, whole: bool) -> Verdict {
    let next = after.trim_start();
    if after.len() - next.len() > MAX_BLANK {
        return Verdict::Yes;
    }
    match next.chars().next() {
        None => or_more(whole),
        Some('}' | ']' | ',' | '#') => Verdict::Yes,
        Some('/') => comment_follows(next, whole),
        Some(c) if tokens::is_quote(c) || tokens::is_key_char(c) => key_follows(next, whole),
        Some(_) => Verdict::No,
    }
}

/// Whether what follows a comma in an array can be its next element or its end.
fn element_follows(after: &str, whole: bool) -> Verdict {
    let next = after.trim_start();
    if after.len() - next.len() > MAX_BLANK {
        return Verdict::Yes;
    }
    match next.chars().next() {
        None => or_more(whole),
        Some('/') => comment_follows(next, whole),
        Some(c) if tokens::is_quote(c) || c.is_ascii_digit() => Verdict::Yes,
        Some('{' | '[' | ']' | '-' | '+' | '.' | '#' | ',') => Verdict::Yes,
        Some(c) if c.is_alphabetic() => literal_follows(next, whole),
        Some(_) => Verdict::No,
    }
}

fn or_more(whole: bool) -> Verdict {
    if whole { Verdict::Yes } else { Verdict::More }
}

fn comment_follows(next: &str, whole: bool) -> Verdict {
    match next.as_bytes().get(1) {
        Some(b'/' | b'*') => Verdict::Yes,
        None if !whole => Verdict::More,
        _ => Verdict::No,
    }
}

/// Whether a literal begins here: `true`, `None` and their like.
fn literal_follows(next: &str, whole: bool) -> Verdict {
    let word = next.find(|c: char| !c.is_alphabetic());
    match word {
        Some(end) => match tokens::scalar(crate::interpret::scanner::to(next, end)) {
            Ok((json, _)) if !json.starts_with('"') => Verdict::Yes,
            _ => Verdict::No,
        },
        None if next.len() > 9 => Verdict::No,
        None if whole => Verdict::Yes,
        None => Verdict::More,
    }
}

/// Whether a key and its colon stand here. A key longer than our reach is taken for one.
fn key_follows(next: &str, whole: bool) -> Verdict {
    let window = at_most(next, REACH);
    let unsure = if whole || next.len() >= REACH {
        Verdict::Yes
    } else {
        Verdict::More
    };
    let mut chars = window.char_indices();
    let Some((_, first)) = chars.next() else {
        return unsure;
    };
    let quote = tokens::is_quote(first).then(|| tokens::closing(first));
    let mut escaped = false;
    let end = chars.find_map(|(at, c)| match quote {
        _ if escaped => {
            escaped = false;
            None
        }
        Some(_) if c == '\\' => {
            escaped = true;
            None
        }
        Some(mark) => (c == mark).then(|| at + c.len_utf8()),
        None => (!tokens::is_key_char(c)).then_some(at),
    });
    let Some(end) = end else {
        return unsure;
    };
    let behind = from(window, end);
    match behind.trim_start().chars().next() {
        None => unsure,
        Some(':') => Verdict::Yes,
        Some('=') if quote.is_some() || behind.starts_with('=') => Verdict::Yes,
        Some(_) => Verdict::No,
    }
}

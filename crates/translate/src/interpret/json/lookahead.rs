//! Does this quotation mark end the string? Models forget to escape the marks inside.
//!
//! In valid JSON a string's end is followed by what may follow a value, so valid text is always
//! read as it is. The look ahead is bounded, and reads no further than it must.

use crate::interpret::slice::{at_most, from};

use super::tokens;

/// Where the string stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
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
pub(super) fn closes(after: &str, place: Position, until: &[String], whole: bool) -> Verdict {
    let next = after.trim_start();
    let blank = after.len() - next.len();
    if blank > MAX_BLANK || place == Position::Top {
        return Verdict::Yes;
    }
    let Some(c) = next.chars().next() else {
        return if whole { Verdict::Yes } else { Verdict::More };
    };
    match (place, c) {
        (Position::Key, ':' | '=') | (Position::Member | Position::Element, '}' | ']') => {
            Verdict::Yes
        }
        (Position::Member, ',') => member_follows(from(next, 1), whole),
        (Position::Element, ',') => element_follows(from(next, 1), whole),
        (Position::Member, '"') if blank > 0 => key_follows(next, whole),
        (Position::Member | Position::Element, '/') => comment_follows(next, whole),
        (Position::Element, '"' | '#') | (Position::Member, '#') if blank > 0 => Verdict::Yes,
        _ => match mark(until, next) {
            Some(Verdict::More) if whole => Verdict::No,
            Some(verdict) => verdict,
            None => Verdict::No,
        },
    }
}

/// Whether another string follows the one that this mark may have ended, as in `"a" "b"` or
/// `"a" + "b"`, and then what may follow a value.
pub(super) fn adjacent(after: &str, whole: bool) -> Verdict {
    let mut next = after.trim_start();
    let gap = after.len() - next.len();
    if gap > MAX_BLANK {
        return Verdict::No;
    }
    if let Some(behind) = next.strip_prefix('+') {
        next = behind.trim_start();
    } else if gap == 0 && !next.is_empty() {
        return Verdict::No;
    }
    let inside = match next.strip_prefix('"') {
        Some(inside) => at_most(inside, REACH),
        None if next.is_empty() => return if whole { Verdict::No } else { Verdict::More },
        None => return Verdict::No,
    };
    let full = whole || inside.len() + 4 >= REACH;
    let mut escaped = false;
    let end = inside.char_indices().find(|(_, c)| {
        let ends = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    let behind = match end {
        Some((end, _)) => from(inside, end + 1).trim_start(),
        None => return if full { Verdict::No } else { Verdict::More },
    };
    match behind.chars().next() {
        Some(',' | '}' | ']' | '+' | '"') => Verdict::Yes,
        Some(_) => Verdict::No,
        None if full => Verdict::No,
        None => Verdict::More,
    }
}

/// The key that begins behind this mark, if a colon follows it. An error if more text is needed.
pub(super) fn repeats_key(after: &str, whole: bool) -> Result<Option<&str>, ()> {
    let window = at_most(after, REACH);
    let full = whole || after.len() >= REACH;
    let unsure = if full { Ok(None) } else { Err(()) };
    let Some(end) = window.find(|c: char| !tokens::is_key_char(c)) else {
        return unsure;
    };
    let Some(behind) = from(window, end).strip_prefix('"') else {
        return Ok(None);
    };
    match behind.trim_start().chars().next() {
        Some(':') => Ok(after.get(..end)),
        Some(_) => Ok(None),
        None => unsure,
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
        Some(end) => match tokens::scalar(crate::interpret::slice::to(next, end)) {
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

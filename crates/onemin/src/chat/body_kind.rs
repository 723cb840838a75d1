//! What a body is: its type says one thing, its first bytes may say another.

use crate::repaired_json::BYTE_ORDER_MARK;

/// What a response's `content-type` declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Declared {
    /// `text/event-stream`.
    Events,
    /// JSON.
    Document,
    /// `text/plain`.
    Plain,
    /// A web page.
    Page,
    /// Nothing, or nothing known.
    Unknown,
}

impl Declared {
    /// Reads the value of the header.
    pub(crate) fn of(content_type: Option<&[u8]>) -> Self {
        let value = content_type.unwrap_or_default().to_ascii_lowercase();
        let essence = value
            .split(|byte| *byte == b';')
            .next()
            .unwrap_or_default()
            .trim_ascii();
        match essence {
            b"text/event-stream" => Self::Events,
            b"text/plain" => Self::Plain,
            b"text/html" | b"application/xhtml+xml" => Self::Page,
            b"application/json" => Self::Document,
            other if other.ends_with(b"+json") => Self::Document,
            _ => Self::Unknown,
        }
    }
}

/// What a body is to be read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Server-sent events.
    Events,
    /// One JSON document.
    Document,
    /// The answer's text itself.
    Plain,
    /// A web page, which is no answer.
    Page,
}

const SSE_FIELDS: [&[u8]; 4] = [b"event:", b"data:", b"id:", b"retry:"];
const HTML_STARTS: [&[u8]; 2] = [b"<!doctype", b"<html"];

/// The most bytes that are needed to tell, leading space aside.
const SNIFF_BYTES_MAX: usize = 10;

/// Decides; None if the bytes are too few to tell and there may be more.
pub(crate) fn shape(declared: Declared, bytes: &[u8], ended: bool) -> Option<Shape> {
    let bytes = bytes
        .strip_prefix(BYTE_ORDER_MARK)
        .unwrap_or(bytes)
        .trim_ascii_start();
    if bytes.len() < SNIFF_BYTES_MAX && !ended && may_be_marked(bytes) {
        return None;
    }
    let begins = |marks: &[&[u8]]| marks.iter().any(|mark| starts(bytes, mark));
    let is_events = begins(match declared {
        Declared::Plain => &SSE_FIELDS[..1],
        _ => &SSE_FIELDS,
    });
    Some(match declared {
        _ if is_events => Shape::Events,
        // What ended within its first field is no text.
        Declared::Events if SSE_FIELDS.iter().any(|field| field.starts_with(bytes)) => {
            Shape::Events
        }
        Declared::Events | Declared::Unknown if bytes.starts_with(b":") => Shape::Events,
        Declared::Document => Shape::Document,
        _ if bytes.starts_with(b"{") => Shape::Document,
        Declared::Page => Shape::Page,
        Declared::Events | Declared::Unknown if begins(&HTML_STARTS) => Shape::Page,
        _ => Shape::Plain,
    })
}

fn starts(bytes: &[u8], mark: &[u8]) -> bool {
    bytes
        .get(..mark.len())
        .is_some_and(|begin| begin.eq_ignore_ascii_case(mark))
}

/// Whether the bytes can still become one of the marks.
fn may_be_marked(bytes: &[u8]) -> bool {
    let begins = |mark: &&[u8]| {
        mark.get(..bytes.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(bytes))
    };
    SSE_FIELDS.iter().chain(&HTML_STARTS).any(begins) || BYTE_ORDER_MARK.starts_with(bytes)
}

#[cfg(test)]
mod tests {
    use super::{Declared, Shape, shape};

    #[test]
    fn a_body_is_read_as_what_it_is() {
        let (events, plain, unknown) = (
            Some("text/event-stream; charset=utf-8"),
            Some("text/plain"),
            None,
        );
        for (content_type, body, expected) in [
            (
                Some("application/json; charset=utf-8"),
                "event: a",
                Shape::Events,
            ),
            (
                Some("application/json"),
                "{\"aiRecord\":null}",
                Shape::Document,
            ),
            (Some("application/json"), "even", Shape::Document),
            (Some("text/html"), "event: a", Shape::Events),
            (Some("text/html"), "{\"aiRecord\":null}", Shape::Document),
            (Some("text/html"), "<html>", Shape::Page),
            (Some("application/problem+json"), "", Shape::Document),
            (Some("Text/HTML"), "Hello", Shape::Page),
            (events, "event: content\n", Shape::Events),
            (events, ": ping\n", Shape::Events),
            (events, "\n\ndata: 1", Shape::Events),
            (events, "\u{feff}data: 1", Shape::Events),
            (events, "", Shape::Events),
            (events, "e", Shape::Events),
            (events, "event", Shape::Events),
            (events, "Even so.", Shape::Plain),
            (events, "{\"aiRecord\":null}", Shape::Document),
            (events, "Hello! How can I help?", Shape::Plain),
            (events, "<!DOCTYPE html>", Shape::Page),
            (plain, "Hello!", Shape::Plain),
            (plain, "{\"a\":1}", Shape::Document),
            (plain, "data: is the new oil", Shape::Plain),
            (plain, "event: content\n", Shape::Events),
            (plain, "ev", Shape::Plain),
            (unknown, "Hello!", Shape::Plain),
            (unknown, "event:content", Shape::Events),
            (unknown, "{}", Shape::Document),
            (unknown, "<html>", Shape::Page),
            (Some("application/octet-stream"), "data: {", Shape::Events),
        ] {
            let declared = Declared::of(content_type.map(str::as_bytes));
            assert_eq!(
                shape(declared, body.as_bytes(), true),
                Some(expected),
                "{content_type:?} {body:?}"
            );
            let early =
                (0..body.len()).find_map(|end| shape(declared, &body.as_bytes()[..end], false));
            assert!(
                early.is_none_or(|early| early == expected),
                "{content_type:?} {body:?} as it comes: {early:?}"
            );
        }
    }
}

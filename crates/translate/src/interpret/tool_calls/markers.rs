//! What tells that a call may begin or has ended: every marker once, with what it leads to.
//!
//! A new way of writing calls is a row here, unless the call itself has a new shape. At which
//! characters text must be looked at, and whether what has come of it may still become a marker,
//! is computed from the rows.

use crate::interpret::scanner::{Cursor, Read, ReadError};

/// What a tag means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sense {
    /// Opens one call or several.
    Wrapper,
    /// Opens a call if it gives a name, as `<invoke name="f">` or `<function=f>`; else nothing.
    Named,
    /// Begins a Harmony header, which may name a recipient.
    Harmony,
    /// Stands between the name and the arguments.
    Separator,
    /// Ends a call or several.
    Closer,
    /// Begins something that is not the model's to write: a tool's result, another turn.
    Invented,
}

/// Every tag by its name without pipes, name space and case, with `_` between words.
const TAGS: &[(&str, Sense)] = &[
    ("tool_call", Sense::Wrapper),
    ("tool_calls", Sense::Wrapper),
    ("toolcall", Sense::Wrapper),
    ("toolcalls", Sense::Wrapper),
    ("function_call", Sense::Wrapper),
    ("function_calls", Sense::Wrapper),
    ("functioncall", Sense::Wrapper),
    ("functioncalls", Sense::Wrapper),
    ("tool_use", Sense::Wrapper),
    ("tool_request", Sense::Wrapper),
    ("tool_code", Sense::Wrapper),
    ("use_mcp_tool", Sense::Wrapper),
    ("tool_call_begin", Sense::Wrapper),
    ("tool_calls_begin", Sense::Wrapper),
    ("tool_calls_section_begin", Sense::Wrapper),
    ("tool_call_start", Sense::Wrapper),
    ("tool_calls_start", Sense::Wrapper),
    ("start_action", Sense::Wrapper),
    ("action_start", Sense::Wrapper),
    ("start_function_call", Sense::Wrapper),
    ("python_tag", Sense::Wrapper),
    ("python_start", Sense::Wrapper),
    ("tools_prefix", Sense::Wrapper),
    ("function", Sense::Named),
    ("invoke", Sense::Named),
    ("tool", Sense::Named),
    ("call", Sense::Named),
    ("action", Sense::Named),
    ("recipient", Sense::Harmony),
    ("channel", Sense::Harmony),
    ("start", Sense::Harmony),
    ("plugin", Sense::Separator),
    ("interpreter", Sense::Separator),
    ("tool_sep", Sense::Separator),
    ("tool_call_argument_begin", Sense::Separator),
    ("constrain", Sense::Separator),
    ("message", Sense::Separator),
    ("content", Sense::Separator),
    ("tool_call_end", Sense::Closer),
    ("tool_calls_end", Sense::Closer),
    ("tool_calls_section_end", Sense::Closer),
    ("end_action", Sense::Closer),
    ("action_end", Sense::Closer),
    ("end_function_call", Sense::Closer),
    ("python_end", Sense::Closer),
    ("tools_suffix", Sense::Closer),
    ("eom_id", Sense::Closer),
    ("eot_id", Sense::Closer),
    ("im_end", Sense::Closer),
    ("end", Sense::Closer),
    ("end_of_sentence", Sense::Closer),
    ("end_of_turn", Sense::Closer),
    ("end_of_text", Sense::Closer),
    ("endoftext", Sense::Closer),
    ("return", Sense::Closer),
    ("tool_result", Sense::Invented),
    ("tool_results", Sense::Invented),
    ("tool_response", Sense::Invented),
    ("tool_responses", Sense::Invented),
    ("tool_output", Sense::Invented),
    ("tool_outputs", Sense::Invented),
    ("tool_output_begin", Sense::Invented),
    ("tool_outputs_begin", Sense::Invented),
    ("function_result", Sense::Invented),
    ("function_results", Sense::Invented),
    ("function_response", Sense::Invented),
    ("function_responses", Sense::Invented),
    ("observation", Sense::Invented),
    ("start_tool_result", Sense::Invented),
    ("im_start", Sense::Invented),
    ("start_of_turn", Sense::Invented),
    ("start_header_id", Sense::Invented),
    ("user", Sense::Invented),
    ("system", Sense::Invented),
    ("assistant", Sense::Invented),
];

/// Name spaces in use before `:` or between pipes.
pub(super) const NAMESPACES: [&str; 10] = [
    "minimax", "seed", "xai", "antml", "qwen", "ns", "longcat", "dsml", "steptml", "step",
];

/// Where a marker counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// In running text too.
    Anywhere,
    /// At a line's start only.
    LineStart,
}

/// What stands behind a marker of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leads {
    /// One call or several, in any form.
    Wrapped,
    /// A call that has its own shape, since prose may stand here too.
    Shaped,
    /// A call that is told: a name, perhaps words, and arguments up to a bracket.
    Narrated,
    /// `ReAct`'s name, and its arguments on the next line.
    Action,
    /// qwen-agent's name and arguments.
    Flower,
    /// Functionary's name, and its arguments on the next line.
    Recipient,
    /// The name in a Harmony header whose special tokens were lost.
    Header,
    /// Something that is not the model's to write: a tool's result, another turn.
    Invented,
}

/// A marker of words.
#[derive(Debug)]
pub(super) struct Words {
    text: &'static str,
    at: At,
    pub(super) leads: Leads,
}

const fn row(text: &'static str, at: At, leads: Leads) -> Words {
    Words { text, at, leads }
}

/// Every marker that is no tag.
const WORDS: &[Words] = &[
    row("[TOOL_CALLS]", At::Anywhere, Leads::Wrapped),
    row("[TOOL_CALL]", At::Anywhere, Leads::Wrapped),
    row("[TOOL_REQUEST]", At::Anywhere, Leads::Wrapped),
    row("[FUNCTION_CALL]", At::Anywhere, Leads::Wrapped),
    row("[tool_calls]", At::Anywhere, Leads::Wrapped),
    row("[Calling tool:", At::LineStart, Leads::Narrated),
    row("[Calling tool", At::LineStart, Leads::Narrated),
    row("[Tool call:", At::LineStart, Leads::Narrated),
    row("[Tool Call:", At::LineStart, Leads::Narrated),
    row("[tool_call:", At::LineStart, Leads::Narrated),
    row("[Called tool:", At::LineStart, Leads::Narrated),
    row("[Calling function:", At::LineStart, Leads::Narrated),
    row("[Calling:", At::LineStart, Leads::Narrated),
    row("TOOL_CALLS:", At::LineStart, Leads::Shaped),
    row("TOOL_CALL:", At::LineStart, Leads::Shaped),
    row("TOOL_CALL", At::LineStart, Leads::Shaped),
    row("Tool call:", At::LineStart, Leads::Shaped),
    row("Tool Call:", At::LineStart, Leads::Shaped),
    row("tool_call:", At::LineStart, Leads::Shaped),
    row("Function call:", At::LineStart, Leads::Shaped),
    row("Function Call:", At::LineStart, Leads::Shaped),
    row("functools", At::LineStart, Leads::Shaped),
    row("Action:", At::LineStart, Leads::Action),
    row("✿FUNCTION✿:", At::LineStart, Leads::Flower),
    row(">>>", At::LineStart, Leads::Recipient),
    row("assistantcommentary to=", At::LineStart, Leads::Header),
    row("assistant to=", At::LineStart, Leads::Header),
    row("commentary to=", At::LineStart, Leads::Header),
    row("analysis to=", At::LineStart, Leads::Header),
    row("to=", At::LineStart, Leads::Header),
    row("Observation:", At::LineStart, Leads::Invented),
    row("[TOOL_RESULTS]", At::Anywhere, Leads::Invented),
    row("[Tool result", At::Anywhere, Leads::Invented),
    row("Tool result:", At::LineStart, Leads::Invented),
    row("Tool Result:", At::LineStart, Leads::Invented),
    row("User:", At::LineStart, Leads::Invented),
    row("Human:", At::LineStart, Leads::Invented),
    row("✿RESULT✿", At::LineStart, Leads::Invented),
];

/// What a fence says of itself that holds calls in a form of their own.
const CODE_FENCES: [&str; 7] = [
    "tool_code",
    "python",
    "py",
    "tool_call",
    "tool_calls",
    "yaml",
    "yml",
];

/// Marks that no JSON holds outside strings; where one stands, the arguments are over.
pub(super) const ENDS_OF_JSON: [&str; 9] = [
    "</tool",
    "</function",
    "</invoke",
    "<tool_call",
    "<|",
    "<｜",
    "</TOOL",
    "[TOOL_CALLS]",
    "```",
];
/// Where the text of a YAML call ends.
pub(super) const ENDS_OF_YAML: [&str; 3] = ["</", "\n```", "<|"];
/// What follows a parameter's value whose closing tag was forgotten.
pub(super) const ENDS_OF_PARAMETER: [&str; 2] = ["\n<parameter=", "\n</function>"];

/// A marker may begin with this byte in running text.
const ANYWHERE: u8 = 1;
/// It may at a line's start.
const LINE_START: u8 = 2;
/// A tag's name may.
const TAG: u8 = 4;

/// What each byte can begin.
static BEGINS: [u8; 256] = begins();

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated by the compiler: no row is empty, no byte is outside the table"
)]
const fn begins() -> [u8; 256] {
    let mut table = [0; 256];
    table[b'<' as usize] = ANYWHERE | LINE_START;
    table[b'{' as usize] = LINE_START;
    table[b'[' as usize] = LINE_START;
    let mut at = 0;
    while at < WORDS.len() {
        let first = WORDS[at].text.as_bytes()[0] as usize;
        table[first] |= match WORDS[at].at {
            At::Anywhere => ANYWHERE | LINE_START,
            At::LineStart => LINE_START,
        };
        at += 1;
    }
    let mut at = 0;
    while at < TAGS.len() {
        let first = TAGS[at].0.as_bytes()[0];
        table[first as usize] |= TAG;
        table[first.to_ascii_uppercase() as usize] |= TAG;
        at += 1;
    }
    let mut at = 0;
    while at < NAMESPACES.len() {
        let first = NAMESPACES[at].as_bytes()[0];
        table[first as usize] |= TAG;
        table[first.to_ascii_uppercase() as usize] |= TAG;
        at += 1;
    }
    table
}

fn begins_any(byte: u8, what: u8) -> bool {
    BEGINS
        .get(usize::from(byte))
        .is_some_and(|known| known & what != 0)
}

/// Whether a marker may begin with this byte in running text.
pub(super) fn begins_anywhere(byte: u8) -> bool {
    begins_any(byte, ANYWHERE)
}

/// Whether the name of a tag or its name space may begin with this byte.
pub(super) fn begins_tag(byte: u8) -> bool {
    begins_any(byte, TAG)
}

/// Whether a tag, a list, an object or a marker of words may begin here, as far as it has come.
pub(super) fn may_begin(text: &str, line_start: bool) -> bool {
    let Some(first) = text.bytes().next() else {
        return false;
    };
    let place = if line_start { LINE_START } else { ANYWHERE };
    if !begins_any(first, place) {
        return false;
    }
    let shape = first == b'<' || (line_start && matches!(first, b'{' | b'['));
    shape
        || WORDS.iter().any(|words| {
            (line_start || words.at == At::Anywhere)
                && (text.starts_with(words.text) || words.text.starts_with(text))
        })
}

/// Passes the longest marker of words that stands here and leads to a call.
pub(super) fn words(cursor: &mut Cursor<'_>, line_start: bool) -> Read<Option<&'static Words>> {
    longest(cursor, line_start, |leads| leads != Leads::Invented)
}

/// Whether a result or another turn begins here that is not the model's to write.
pub(super) fn invented(cursor: &mut Cursor<'_>, line_start: bool) -> Read<bool> {
    let found = longest(cursor, line_start, |leads| leads == Leads::Invented)?;
    Ok(found.is_some())
}

/// Passes the longest of some markers of words that stands here.
fn longest(
    cursor: &mut Cursor<'_>,
    line_start: bool,
    wanted: impl Fn(Leads) -> bool,
) -> Read<Option<&'static Words>> {
    if cursor.peek()?.is_none() {
        return Ok(None);
    }
    let mut rows = WORDS.iter();
    let mut best: Option<&'static Words> = None;
    let mut open = false;
    while let Some(words) =
        rows.find(|words| wanted(words.leads) && (line_start || words.at == At::Anywhere))
    {
        match cursor.clone().try_literal(words.text) {
            Ok(true) => {
                let longer = best.filter(|b| b.text.len() >= words.text.len());
                best = longer.or(Some(words));
            }
            Ok(false) => {}
            Err(_) => open = true,
        }
    }
    if open {
        return Err(ReadError::Incomplete);
    }
    if let Some(words) = best {
        cursor.go(cursor.at() + words.text.len());
    }
    Ok(best)
}

/// What the tag of this name means.
pub(super) fn sense(name: &str) -> Option<Sense> {
    let row = TAGS.iter().find(|(known, _)| *known == name)?;
    Some(row.1)
}

/// Whether what has come of a tag's name may become one with a meaning, or a name space.
pub(super) fn may_become_tag(part: &str) -> bool {
    let mut names = TAGS.iter().map(|(name, _)| *name).chain(NAMESPACES);
    names.any(|name| name.starts_with(part))
}

/// Whether a fence with this info string may hold calls in a form of their own.
pub(super) fn is_code_fence(info: &str) -> bool {
    CODE_FENCES.contains(&info)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_marker_is_looked_for_where_it_counts() {
        for words in WORDS {
            let text = words.text;
            let ends = text.char_indices().skip(1).map(|(at, _)| at);
            for part in ends.chain([text.len()]).filter_map(|end| text.get(..end)) {
                assert!(may_begin(part, true), "{part}");
                assert!(
                    words.at == At::LineStart || may_begin(part, false),
                    "{part}"
                );
            }
        }
        for text in ["", "a", "Ac<", "Toolbox", "[x]", "é", "“"] {
            assert!(!may_begin(text, false), "{text}");
        }
        assert!(may_begin("{", true) && !may_begin("{", false));
    }

    #[test]
    fn every_marker_stands_once() {
        for (at, words) in WORDS.iter().enumerate() {
            let same = WORDS.iter().skip(at + 1).find(|w| w.text == words.text);
            assert!(same.is_none(), "{}", words.text);
        }
        for (at, (name, _)) in TAGS.iter().enumerate() {
            assert!(
                !TAGS.iter().skip(at + 1).any(|(other, _)| other == name),
                "{name}"
            );
            assert!(begins_tag(name.as_bytes()[0]) && may_become_tag(name));
        }
    }
}

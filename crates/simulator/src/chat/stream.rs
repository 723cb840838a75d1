//! The answer as Server-Sent Events: `content`…, `result`, `done`; or `error`.

use std::io::Write as _;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;

use crate::answer::{Answer, pause};
use crate::chat::record;
use crate::chat::reply::{AFTER, Reply};
use crate::chat::request::ChatRequest;
use crate::fault::{ErrorShape, Fault, Faults, Kind};
use crate::playback::Step;
use crate::script::Script;
use crate::state::State;

/// Faults that end a stream in its middle.
const ENDING: [Kind; 8] = [
    Kind::ErrorMidway,
    Kind::ErrorFirst,
    Kind::Cut,
    Kind::CutMidFrame,
    Kind::Reset,
    Kind::CleanCut,
    Kind::CleanCutMidFrame,
    Kind::Stall,
];

/// The stream that says `reply`.
pub(crate) fn answer(
    state: &State,
    request: &ChatRequest,
    reply: &Reply,
    script: &Script,
    faults: &Faults,
) -> Answer {
    let record = || record::json(state, request, reply, script, faults);
    let mut frames = Frames::new(
        Style::new(faults),
        reply.text.len() + reply.deltas().len() * 48,
    );
    let ending = frames.play(reply, record, faults);
    let slow = faults
        .find(Kind::SlowStream)
        .map(|fault| fault.ms.unwrap_or(250));
    let delay = slow
        .or(script.delay_ms)
        .map_or(state.pace, Duration::from_millis);
    Answer::stream(frames.steps(delay, ending, script), script, faults)
}

/// A stream that fails before it began: HTTP 200 and one error event.
pub(crate) fn error(message: &str, script: &Script, faults: &Faults) -> Answer {
    let mut frames = Frames::new(Style::new(faults), 256);
    frames.event(
        "error",
        &error_data(message, "UNKNOWN_ERROR", shape_of(faults)),
    );
    Answer::stream(frames.steps(Duration::ZERO, None, script), script, faults)
}

/// How the frames are written.
#[derive(Clone, Copy, Debug, Default)]
struct Style {
    crlf: bool,
    no_space: bool,
    multi_line: bool,
    comments: bool,
    /// None of the above.
    plain: bool,
}

impl Style {
    fn new(faults: &Faults) -> Self {
        let style = Self {
            crlf: faults.has(Kind::Crlf),
            no_space: faults.has(Kind::NoSpace),
            multi_line: faults.has(Kind::MultiLineData),
            comments: faults.has(Kind::CommentLines),
            plain: false,
        };
        Self {
            plain: !(style.crlf || style.no_space || style.multi_line || style.comments),
            ..style
        }
    }
}

/// The frames of a stream in one buffer, and where each ends.
#[derive(Debug)]
struct Frames {
    style: Style,
    buffer: Vec<u8>,
    ends: Vec<(usize, FrameKind)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum FrameKind {
    /// A content delta that the journal counts.
    Delta,
    /// `done`, which follows its `result` at once.
    Done,
    Other,
}

impl Frames {
    fn new(style: Style, size: usize) -> Self {
        Self {
            style,
            buffer: Vec::with_capacity(size + 2048),
            ends: Vec::new(),
        }
    }

    /// Writes the whole stream; returns how it ends if not properly.
    fn play(
        &mut self,
        reply: &Reply,
        record: impl FnOnce() -> String,
        faults: &Faults,
    ) -> Option<Step> {
        let ending = faults.first_of(&ENDING);
        let deltas = deltas_of(reply, faults);
        let end_at = ending.map(|fault| after(fault).min(deltas.len()));
        if faults.has(Kind::UnknownEvents) {
            self.event("reasoning", r#"{"content":"The user wants an answer."}"#);
        }
        if (reply.empty_first || faults.has(Kind::EmptyText)) && end_at != Some(0) {
            self.event("content", r#"{"content":""}"#);
        }
        for (index, delta) in deltas
            .iter()
            .enumerate()
            .take(end_at.unwrap_or(deltas.len()))
        {
            self.between(index, faults);
            self.delta(delta);
        }
        if let Some(fault) = ending {
            let next = deltas
                .get(end_at.unwrap_or(0))
                .copied()
                .unwrap_or("and so on");
            return self.break_off(fault, next);
        }
        self.between(deltas.len(), faults);
        if faults.has(Kind::RepeatedFinal) {
            self.delta(&reply.text);
        }
        if !faults.has(Kind::MissingResult) {
            self.event("result", &record());
        }
        if !faults.has(Kind::MissingDone) {
            self.event("done", r#"{"message":"Stream completed"}"#);
            self.retag(FrameKind::Done);
        }
        None
    }

    /// What faults put between two deltas.
    fn between(&mut self, index: usize, faults: &Faults) {
        if faults
            .find(Kind::MalformedEvent)
            .is_some_and(|fault| after(fault) == index)
        {
            self.event("content", r#"{"content":"bro"#);
        }
        if faults.has(Kind::UnknownEvents) && index == 1 {
            self.event("llm_chunk", r#"{"text":"not for you"}"#);
            self.event("ping", "");
        }
    }

    fn break_off(&mut self, fault: &Fault, next: &str) -> Option<Step> {
        match fault.kind {
            Kind::ErrorMidway | Kind::ErrorFirst => {
                let message =
                    fault
                        .message
                        .as_deref()
                        .unwrap_or(match fault.shape.unwrap_or_default() {
                            ErrorShape::Nested => "Something failed upstream",
                            ErrorShape::Text => "upstream connection lost",
                            ErrorShape::String | ErrorShape::Message => {
                                "The openai service is temporarily unavailable."
                            }
                        });
                let code = fault.code.as_deref().unwrap_or("UNKNOWN_ERROR");
                self.event(
                    "error",
                    &error_data(message, code, fault.shape.unwrap_or_default()),
                );
                None
            }
            Kind::CutMidFrame | Kind::CleanCutMidFrame => {
                let start = self.buffer.len();
                self.delta(next);
                self.buffer
                    .truncate(start + (self.buffer.len() - start) / 2);
                self.retag(FrameKind::Other);
                (fault.kind == Kind::CutMidFrame).then_some(Step::Tear { reset: false })
            }
            Kind::CleanCut => None,
            Kind::Stall => Some(Step::Stall),
            kind => Some(Step::Tear {
                reset: kind == Kind::Reset,
            }),
        }
    }

    fn delta(&mut self, text: &str) {
        if self.style.plain {
            self.buffer
                .extend_from_slice(b"event: content\ndata: {\"content\":");
            write_json(&mut self.buffer, text);
            self.buffer.extend_from_slice(b"}\n\n");
        } else {
            let mut data = b"{\"content\":".to_vec();
            write_json(&mut data, text);
            data.push(b'}');
            self.event("content", &String::from_utf8_lossy(&data));
            self.ends.pop();
        }
        self.ends.push((self.buffer.len(), FrameKind::Delta));
    }

    fn event(&mut self, name: &str, data: &str) {
        let line = if self.style.crlf { "\r\n" } else { "\n" };
        let space = if self.style.no_space { "" } else { " " };
        let (first, rest) = match data.split_at_checked(1) {
            Some(("{", rest)) if self.style.multi_line => ("{", Some(rest)),
            _ => (data, None),
        };
        // Writing to memory cannot fail.
        let buffer = &mut self.buffer;
        if self.style.comments {
            let _ = write!(buffer, ":{space}keep-alive{line}{line}");
        }
        let _ = write!(buffer, "event:{space}{name}{line}data:{space}{first}{line}");
        if let Some(rest) = rest {
            let _ = write!(buffer, "data:{space}{rest}{line}");
        }
        buffer.extend_from_slice(line.as_bytes());
        self.ends.push((self.buffer.len(), FrameKind::Other));
    }

    /// Corrects the last frame's end and kind.
    fn retag(&mut self, kind: FrameKind) {
        let end = self.buffer.len();
        if let Some(last) = self.ends.last_mut() {
            *last = (end, kind);
        }
    }

    /// The frames as steps: each a body frame of its own, or cut into socket writes of the wished
    /// size wherever that falls.
    fn steps(self, delay: Duration, ending: Option<Step>, script: &Script) -> Vec<Step> {
        let buffer = Bytes::from(self.buffer);
        let mut steps =
            Vec::with_capacity(self.ends.len() * if delay.is_zero() { 1 } else { 2 } + 2);
        let mut start = 0;
        if let (Some(size), true) = (script.write, delay.is_zero()) {
            cut(&buffer, 0, &self.ends, size, script, &mut steps);
        } else {
            for frame in &self.ends {
                if start > 0 && !delay.is_zero() && frame.1 != FrameKind::Done {
                    steps.push(Step::Wait(delay));
                }
                let frames = std::slice::from_ref(frame);
                match script.write {
                    Some(size) => cut(&buffer, start, frames, size, script, &mut steps),
                    None => steps.push(Step::Send {
                        bytes: buffer.slice(start..frame.0),
                        deltas: usize::from(frame.1 == FrameKind::Delta),
                    }),
                }
                start = frame.0;
            }
        }
        if let Some(ending) = ending {
            steps.extend([Step::Flush, ending]);
        }
        steps
    }
}

/// Cuts the bytes from `start` to the end of the last frame into writes of `size` bytes; a delta
/// counts with the write that holds its last byte.
fn cut(
    buffer: &Bytes,
    start: usize,
    frames: &[(usize, FrameKind)],
    size: usize,
    script: &Script,
    steps: &mut Vec<Step>,
) {
    let end = frames.last().map_or(start, |frame| frame.0);
    let mut frames = frames.iter().peekable();
    for from in (start..end).step_by(size.max(1)) {
        if from > start {
            steps.push(pause(script));
        }
        let to = end.min(from + size.max(1));
        let mut deltas = 0;
        while let Some((_, kind)) = frames.next_if(|frame| frame.0 <= to) {
            deltas += usize::from(*kind == FrameKind::Delta);
        }
        steps.push(Step::Send {
            bytes: buffer.slice(from..to),
            deltas,
        });
    }
}

/// The deltas that go out: none, or only the first ones, when the record is going to fail.
fn deltas_of<'a>(reply: &'a Reply, faults: &Faults) -> Vec<&'a str> {
    let limit = record::failure(faults).map(|fault| fault.after.unwrap_or(0));
    reply.deltas().take(limit.unwrap_or(usize::MAX)).collect()
}

fn after(fault: &Fault) -> usize {
    if fault.kind == Kind::ErrorFirst {
        0
    } else {
        fault.after.unwrap_or(AFTER)
    }
}

fn shape_of(faults: &Faults) -> ErrorShape {
    faults
        .iter()
        .find_map(|fault| fault.shape)
        .unwrap_or_default()
}

fn error_data(message: &str, code: &str, shape: ErrorShape) -> String {
    match shape {
        ErrorShape::String => json!({"error": message}).to_string(),
        ErrorShape::Nested => json!({"error": {"code": code, "message": message}}).to_string(),
        ErrorShape::Message => json!({"message": message}).to_string(),
        ErrorShape::Text => message.replace(['\r', '\n'], " "),
    }
}

fn write_json(buffer: &mut Vec<u8>, text: &str) {
    // Neither writing to memory nor a string as JSON can fail.
    let _ = serde_json::to_writer(buffer, text);
}

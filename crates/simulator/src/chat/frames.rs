//! SSE frames in one buffer, written as well or as badly as wanted, and cut into steps.

use std::io::Write as _;
use std::time::Duration;

use bytes::Bytes;

use crate::answer::pause;
use crate::fault::{FaultKind, Faults};
use crate::playback::Step;
use crate::script::Script;

/// How frames are written.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Style {
    line_end: &'static str,
    after_colon: &'static str,
    /// Whether the JSON stands on two data lines.
    two_lines: bool,
    /// Whether a comment stands before every frame.
    comments: bool,
}

/// What some servers write before a text.
pub(super) const BYTE_ORDER_MARK: char = '\u{feff}';

/// As upstream does.
const PLAIN: Style = Style {
    line_end: "\n",
    after_colon: " ",
    two_lines: false,
    comments: false,
};

impl Style {
    fn new(faults: &Faults) -> Self {
        Self {
            line_end: if faults.has(FaultKind::Crlf) {
                "\r\n"
            } else {
                "\n"
            },
            after_colon: if faults.has(FaultKind::NoSpace) {
                ""
            } else {
                " "
            },
            two_lines: faults.has(FaultKind::MultiLineData),
            comments: faults.has(FaultKind::CommentLines),
        }
    }
}

/// Frames, one behind the other, and where each ends.
#[derive(Debug)]
pub(crate) struct Frames {
    style: Style,
    buffer: Vec<u8>,
    ends: Vec<(usize, FrameKind)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum FrameKind {
    /// A content delta that the journal counts.
    Delta,
    /// The terminator, which follows the frame before it at once.
    Last,
    Other,
}

impl Frames {
    /// No frames yet, with room for so many bytes.
    pub(crate) fn new(faults: &Faults, room: usize) -> Self {
        let mut buffer = Vec::with_capacity(room);
        if faults.has(FaultKind::ByteOrderMark) {
            buffer.extend_from_slice(BYTE_ORDER_MARK.encode_utf8(&mut [0; 4]).as_bytes());
        }
        Self {
            style: Style::new(faults),
            buffer,
            ends: Vec::new(),
        }
    }

    /// A `content` event.
    pub(crate) fn delta(&mut self, text: &str) {
        if self.style == PLAIN {
            self.buffer
                .extend_from_slice(b"event: content\ndata: {\"content\":");
            write_json(&mut self.buffer, text);
            self.buffer.extend_from_slice(b"}\n\n");
        } else {
            let mut data = b"{\"content\":".to_vec();
            write_json(&mut data, text);
            data.push(b'}');
            self.write("content", &String::from_utf8_lossy(&data));
        }
        self.end(FrameKind::Delta);
    }

    /// Any other event, or a `content` event that is no delta.
    pub(crate) fn event(&mut self, name: &str, data: &str) {
        self.write(name, data);
        self.end(FrameKind::Other);
    }

    /// The event that ends the stream.
    pub(crate) fn terminator(&mut self, name: &str, data: &str) {
        self.write(name, data);
        self.end(FrameKind::Last);
    }

    /// The first three quarters of a `content` event: torn within its JSON.
    pub(crate) fn torn_delta(&mut self, text: &str) {
        let start = self.buffer.len();
        self.delta(text);
        self.ends.pop();
        self.buffer
            .truncate(start + (self.buffer.len() - start) * 3 / 4);
        self.end(FrameKind::Other);
    }

    fn write(&mut self, name: &str, data: &str) {
        let Style {
            line_end,
            after_colon,
            two_lines,
            comments,
        } = self.style;
        let rest = data.strip_prefix('{').filter(|_| two_lines);
        let first = if rest.is_some() { "{" } else { data };
        // Writing to memory cannot fail.
        let buffer = &mut self.buffer;
        if comments {
            let _ = write!(buffer, ":{after_colon}keep-alive{line_end}{line_end}");
        }
        let _ = write!(
            buffer,
            "event:{after_colon}{name}{line_end}data:{after_colon}{first}{line_end}"
        );
        if let Some(rest) = rest {
            let _ = write!(buffer, "data:{after_colon}{rest}{line_end}");
        }
        buffer.extend_from_slice(line_end.as_bytes());
    }

    fn end(&mut self, kind: FrameKind) {
        self.ends.push((self.buffer.len(), kind));
    }

    /// The frames as steps, `delay` apart: each a body frame of its own, or cut into socket writes
    /// of the requested size wherever that falls.
    pub(crate) fn steps(self, delay: Duration, script: &Script) -> Vec<Step> {
        let buffer = Bytes::from(self.buffer);
        let mut steps = Vec::with_capacity(2 * self.ends.len() + 2);
        if let (Some(size), true) = (script.write, delay.is_zero()) {
            cut(&buffer, 0, &self.ends, size, script, &mut steps);
            return steps;
        }
        let mut start = 0;
        for frame in &self.ends {
            if start > 0 && !delay.is_zero() && frame.1 != FrameKind::Last {
                steps.push(Step::Wait(delay));
            }
            let size = script.write.unwrap_or(usize::MAX);
            cut(
                &buffer,
                start,
                std::slice::from_ref(frame),
                size,
                script,
                &mut steps,
            );
            start = frame.0;
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
    let mut from = start;
    while from < end {
        if from > start {
            steps.push(pause(script));
        }
        let to = end.min(from.saturating_add(size.max(1)));
        let mut deltas = 0;
        while let Some((_, kind)) = frames.next_if(|frame| frame.0 <= to) {
            deltas += usize::from(*kind == FrameKind::Delta);
        }
        steps.push(Step::Send {
            bytes: buffer.slice(from..to),
            deltas,
        });
        from = to;
    }
}

fn write_json(buffer: &mut Vec<u8>, text: &str) {
    // Neither writing to memory nor a string as JSON can fail.
    let _ = serde_json::to_writer(buffer, text);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::Frames;
    use crate::fault::{Fault, FaultKind, Faults};
    use crate::playback::Step;
    use crate::script::Script;

    fn frames(kinds: &[FaultKind], deltas: &[String]) -> Frames {
        let faults = Faults::new(kinds.iter().map(|&kind| Fault::new(kind)).collect());
        let mut frames = Frames::new(&faults, 0);
        for delta in deltas {
            frames.delta(delta);
        }
        frames.terminator("done", "{}");
        frames
    }

    fn sent(steps: &[Step]) -> (Vec<u8>, usize) {
        steps
            .iter()
            .fold((Vec::new(), 0), |(mut all, count), step| match step {
                Step::Send { bytes, deltas } => {
                    all.extend_from_slice(bytes);
                    (all, count + deltas)
                }
                _ => (all, count),
            })
    }

    #[test]
    fn every_style_is_written_as_its_name_says() {
        let one = ["a".to_owned()];
        let cases = [
            (
                vec![],
                "event: content\ndata: {\"content\":\"a\"}\n\nevent: done\ndata: {}\n\n",
            ),
            (
                vec![FaultKind::Crlf],
                "event: content\r\ndata: {\"content\":\"a\"}\r\n\r\nevent: done\r\ndata: {}\r\n\r\n",
            ),
            (
                vec![FaultKind::NoSpace],
                "event:content\ndata:{\"content\":\"a\"}\n\nevent:done\ndata:{}\n\n",
            ),
            (
                vec![FaultKind::MultiLineData],
                "event: content\ndata: {\ndata: \"content\":\"a\"}\n\nevent: done\ndata: {\ndata: }\n\n",
            ),
            (
                vec![FaultKind::CommentLines],
                ": keep-alive\n\nevent: content\ndata: {\"content\":\"a\"}\n\n: keep-alive\n\nevent: done\ndata: {}\n\n",
            ),
        ];
        for (kinds, text) in cases {
            let steps = frames(&kinds, &one).steps(Duration::ZERO, &Script::default());
            assert_eq!(String::from_utf8(sent(&steps).0).expect("UTF-8"), text);
        }
    }

    #[test]
    fn a_torn_delta_counts_for_none() {
        let mut frames = Frames::new(&Faults::default(), 0);
        frames.torn_delta("Jupiter");
        let (bytes, deltas) = sent(&frames.steps(Duration::ZERO, &Script::default()));
        assert_eq!(
            (String::from_utf8(bytes).as_deref(), deltas),
            (Ok("event: content\ndata: {\"content\":\""), 0)
        );
    }

    #[test]
    fn a_delay_stands_between_events_but_not_before_the_terminator() {
        let deltas = ["a".to_owned(), "b".to_owned()];
        let steps = frames(&[], &deltas).steps(Duration::from_millis(5), &Script::default());
        let waits: Vec<bool> = steps
            .iter()
            .map(|step| matches!(step, Step::Wait(_)))
            .collect();
        assert_eq!(waits, [false, true, false, false]);
    }

    proptest! {
        #[test]
        fn cutting_changes_neither_bytes_nor_count(
            deltas in proptest::collection::vec(".{0,12}", 0..8),
            write in proptest::option::of(0_usize..40),
            delay in 0_u64..2,
            crlf: bool,
        ) {
            let kinds: &[FaultKind] = if crlf { &[FaultKind::Crlf] } else { &[] };
            let whole = frames(kinds, &deltas).buffer;
            let script = Script { write, ..Script::default() };
            let steps = frames(kinds, &deltas).steps(Duration::from_millis(delay), &script);
            prop_assert_eq!(sent(&steps), (whole, deltas.len()));
            let limit = write.map_or(usize::MAX, |size| size.max(1));
            let fits = |step: &Step| !matches!(step, Step::Send { bytes, .. } if bytes.len() > limit);
            prop_assert!(steps.iter().all(fits));
        }
    }
}

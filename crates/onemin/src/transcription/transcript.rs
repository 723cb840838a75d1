//! What came as a transcript: bare text, JSON, SRT or VTT, all read into one spec.

use serde_json::Value;

use crate::features::Outcome;

/// What was said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Transcript {
    /// All of it; empty if nothing was said.
    pub text: String,
    /// The pieces with their times; empty where none came.
    pub segments: Vec<Segment>,
    /// The language, as the model wrote it.
    pub language: Option<String>,
    /// How long the recording is, in seconds.
    pub duration: Option<f64>,
}

/// One piece.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Segment {
    /// When it begins, in seconds.
    pub start: f64,
    /// When it ends, in seconds.
    pub end: f64,
    /// What is said.
    pub text: String,
    /// Who says it, where the model tells speakers apart.
    pub speaker: Option<String>,
}

impl Transcript {
    /// Reads the result of a transcription or translation.
    #[must_use]
    pub fn of(outcome: &Outcome) -> Self {
        let objects = outcome.objects.iter();
        let best = objects.map(Self::of_value).max_by_key(|t| t.segments.len());
        let text = outcome.text.as_deref().unwrap_or_default();
        match best {
            Some(of_object) if !of_object.segments.is_empty() || text.is_empty() => of_object,
            _ => Self::of_text(text),
        }
    }

    /// Reads a text that may be JSON, SRT or VTT. What is none of them is the text itself.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        let trimmed = text.trim();
        if trimmed.starts_with(['{', '['])
            && let Ok(value) = serde_json::from_str::<Value>(trimmed)
            && says_something(&value)
        {
            return Self::of_value(&value);
        }
        let cues = cues(trimmed);
        if cues.is_empty() {
            return Self {
                text: trimmed.to_owned(),
                ..Self::default()
            };
        }
        Self {
            text: joined(&cues),
            duration: cues.last().map(|cue| cue.end),
            segments: cues,
            language: None,
        }
    }

    fn of_value(value: &Value) -> Self {
        let list = value
            .as_array()
            .or_else(|| value.get("segments")?.as_array());
        let segments: Vec<Segment> = list.into_iter().flatten().filter_map(Segment::of).collect();
        let text = ["text", "transcript", "content"]
            .iter()
            .find_map(|name| value.get(*name)?.as_str());
        let duration = value.get("duration").and_then(seconds);
        Self {
            text: text.map_or_else(|| joined(&segments), |text| text.trim().to_owned()),
            language: value
                .get("language")
                .and_then(Value::as_str)
                .map(str::to_owned),
            duration: duration.or_else(|| segments.last().map(|segment| segment.end)),
            segments,
        }
    }
}

impl Segment {
    fn of(value: &Value) -> Option<Self> {
        let text = value.get("text")?.as_str()?;
        let start = value.get("start").and_then(seconds)?;
        Some(Self {
            start,
            end: value
                .get("end")
                .and_then(seconds)
                .unwrap_or(start)
                .max(start),
            text: text.trim().to_owned(),
            speaker: value
                .get("speaker")
                .and_then(Value::as_str)
                .map(str::to_owned),
        })
    }
}

fn says_something(value: &Value) -> bool {
    let list = value
        .as_array()
        .or_else(|| value.get("segments")?.as_array());
    list.is_some_and(|list| list.iter().any(|piece| Segment::of(piece).is_some()))
        || ["text", "transcript", "content"]
            .iter()
            .any(|name| value.get(*name).is_some_and(Value::is_string))
}

fn seconds(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().trim_end_matches('s').parse().ok()?,
        _ => return None,
    };
    (number.is_finite() && number >= 0.0).then_some(number)
}

fn joined(segments: &[Segment]) -> String {
    let texts: Vec<&str> = segments
        .iter()
        .map(|segment| segment.text.as_str())
        .collect();
    texts.join(" ")
}

/// The cues of SRT or VTT: a line with two times and an arrow, and the lines up to an empty one.
/// None if the text is neither.
fn cues(text: &str) -> Vec<Segment> {
    let mut cues: Vec<Segment> = Vec::new();
    let mut within = false;
    for (at, line) in text.lines().map(str::trim).enumerate() {
        match times(line) {
            Some((start, end)) => {
                within = true;
                cues.push(Segment {
                    start,
                    end: end.max(start),
                    ..Segment::default()
                });
            }
            None if line.is_empty() => within = false,
            None if within => {
                if let Some(cue) = cues.last_mut() {
                    let space = if cue.text.is_empty() { "" } else { " " };
                    cue.text = format!("{}{space}{line}", cue.text);
                }
            }
            // Before the first cue there may be a heading or a number.
            None if cues.is_empty() && at > 20 => return Vec::new(),
            None => {}
        }
    }
    cues
}

/// `00:00:01,500 --> 00:00:02,000`, with a comma or a point, with or without hours.
fn times(line: &str) -> Option<(f64, f64)> {
    let (start, rest) = line.split_once("-->")?;
    let end = rest.split_whitespace().next()?;
    Some((time(start.trim())?, time(end)?))
}

fn time(text: &str) -> Option<f64> {
    let text = text.replace(',', ".");
    let mut parts = text.rsplit(':');
    let is_plain = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.')
    };
    let mut number = || -> Option<Option<f64>> {
        match parts.next() {
            None => Some(None),
            Some(part) if is_plain(part) => Some(Some(part.parse().ok()?)),
            Some(_) => None,
        }
    };
    let (second, minute, hour) = (number()??, number()??, number()?.unwrap_or(0.0));
    (parts.next().is_none() && second < 60.0 && minute < 60.0)
        .then_some((hour * 60.0 + minute) * 60.0 + second)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Segment, Transcript};

    fn segment(start: f64, end: f64, text: &str) -> Segment {
        Segment {
            start,
            end,
            text: text.into(),
            speaker: None,
        }
    }

    #[test]
    fn every_form_is_read() {
        let cues = vec![
            segment(0.0, 1.5, "Hello."),
            segment(1.5, 3661.25, "Two lines."),
        ];
        for text in [
            "1\n00:00:00,000 --> 00:00:01,500\nHello.\n\n2\n00:00:01,500 --> 01:01:01,250\nTwo\nlines.\n",
            "WEBVTT\n\n00:00.000 --> 00:01.500 align:start\nHello.\n\n00:01.500 --> 01:01:01.250\nTwo\nlines.",
            r#"{"text":"Hello. Two lines.","duration":3661.25,"segments":[{"start":0,"end":1.5,"text":" Hello."},{"start":"1.5","end":3661.25,"text":"Two lines."},{"odd":1}]}"#,
            r#"[{"start":0,"end":1.5,"text":" Hello."},{"start":1.5,"end":3661.25,"text":"Two lines."}]"#,
        ] {
            let transcript = Transcript::of_text(text);
            assert_eq!(transcript.segments, cues, "{text}");
            assert_eq!(transcript.text, "Hello. Two lines.");
            assert_eq!(transcript.duration, Some(3661.25));
        }
    }

    #[test]
    fn text_that_only_looks_like_a_form_is_text() {
        for text in [
            "Remember to water the plants.",
            "",
            "{\"unrelated\": true}",
            "[laughs] hello",
            "an arrow --> here",
            "1:2:3:4 --> 1:2",
        ] {
            let transcript = Transcript::of_text(text);
            assert_eq!(
                (transcript.text.as_str(), transcript.segments.len()),
                (text, 0)
            );
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in any::<String>(), times in "[0-9:,. >-]{0,40}") {
            let _ = Transcript::of_text(&text);
            let _ = Transcript::of_text(&times);
        }
    }
}

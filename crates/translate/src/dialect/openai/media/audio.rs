//! `/v1/audio/…`: what is asked for, and transcripts in the forms that clients want.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::dialect::json;
use crate::dialect::request;
use crate::failure::{Failure, echo};
use crate::media::{SpeechRequest, Transcript, TranscriptForm};

/// The longest text that is spoken, in characters, as OpenAI has it.
const MAX_INPUT: usize = 4096;

/// Parameters with a meaning of their own.
const KNOWN: [&str; 7] = [
    "model",
    "input",
    "voice",
    "response_format",
    "speed",
    "language",
    "stream_format",
];

/// Parameters that mean nothing to any model here.
const IGNORED: [&str; 1] = ["instructions"];

/// Parameters that never had an effect anyone hears.
const SILENT: [&str; 3] = ["user", "safety_identifier", "metadata"];

#[derive(Deserialize)]
struct Speech {
    model: Option<String>,
    input: Option<String>,
    voice: Option<Voice>,
    response_format: Option<String>,
    speed: Option<f64>,
    language: Option<String>,
    stream_format: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Voice {
    Name(String),
    Custom { id: String },
}

/// Reads the body of `POST /v1/audio/speech`.
///
/// # Errors
/// A missing text, a parameter of the wrong type or out of its range.
pub fn speech(body: &[u8]) -> Result<SpeechRequest, Failure> {
    let speech: Speech = request::parse(body)?;
    let input = speech.input.filter(|input| !input.trim().is_empty());
    let input = input.ok_or_else(|| {
        Failure::invalid(
            "input",
            "`input` is missing or empty: give the text to speak.",
        )
    })?;
    if input.chars().count() > MAX_INPUT {
        return Err(Failure::invalid(
            "input",
            format!("`input` has more than {MAX_INPUT} characters: send it in pieces."),
        ));
    }
    if speech
        .speed
        .is_some_and(|speed| !(0.25..=4.0).contains(&speed))
    {
        return Err(Failure::invalid(
            "speed",
            "`speed` is a number from 0.25 to 4.",
        ));
    }
    let events = match speech.stream_format.as_deref() {
        None | Some("audio") => false,
        Some("sse") => true,
        Some(_) => {
            return Err(Failure::invalid(
                "stream_format",
                "`stream_format` is audio or sse.",
            ));
        }
    };
    let mut others: Map<String, Value> = request::parse(body)?;
    others.retain(|name, value| {
        let name = name.as_str();
        !(value.is_null() || KNOWN.contains(&name) || SILENT.contains(&name))
    });
    let ignored = IGNORED
        .iter()
        .filter(|name| others.shift_remove(**name).is_some())
        .map(|name| (*name).to_owned())
        .collect();
    Ok(SpeechRequest {
        model: speech
            .model
            .filter(|model| !model.is_empty())
            .unwrap_or_else(|| "tts-1".to_owned()),
        input,
        voice: speech.voice.map(|voice| match voice {
            Voice::Name(name) | Voice::Custom { id: name } => name,
        }),
        response_format: speech.response_format,
        speed: speech.speed,
        language: speech.language,
        events,
        strict: false,
        extra: others,
        ignored,
    })
}

impl TranscriptForm {
    /// The form by its name.
    ///
    /// # Errors
    /// An unknown name.
    pub fn of(name: Option<&str>) -> Result<Self, Failure> {
        match name.unwrap_or("json") {
            "json" => Ok(Self::Json),
            "text" => Ok(Self::Text),
            "verbose_json" => Ok(Self::VerboseJson),
            "srt" => Ok(Self::Srt),
            "vtt" => Ok(Self::Vtt),
            other => Err(Failure::invalid(
                "response_format",
                format!(
                    "Invalid response_format `{}`: use json, text, verbose_json, srt or vtt.",
                    echo(other)
                ),
            )),
        }
    }

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Text => "text",
            Self::VerboseJson => "verbose_json",
            Self::Srt => "srt",
            Self::Vtt => "vtt",
        }
    }

    /// The media type of the answer.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Json | Self::VerboseJson => "application/json",
            Self::Text | Self::Srt => "text/plain; charset=utf-8",
            Self::Vtt => "text/vtt; charset=utf-8",
        }
    }

    /// A transcript in this form. Subtitles need the times that upstream gave: none are made up.
    ///
    /// # Errors
    /// Subtitles, of a transcript without times.
    pub fn written(self, transcript: &Transcript, task: &str) -> Result<Vec<u8>, Failure> {
        let cues = matches!(self, Self::Srt | Self::Vtt);
        if cues && transcript.segments.is_empty() && !transcript.text.is_empty() {
            // What was paid for must not be lost with it.
            return Err(Failure::invalid(
                "response_format",
                format!(
                    "1min.ai gave no times for this recording, so `{}` cannot be made: use json or text. What was said: {}",
                    self.as_str(),
                    transcript.text
                ),
            )
            .with_retry(false));
        }
        Ok(match self {
            Self::Json => json::text(&json!({"text": transcript.text})),
            Self::Text => format!("{}\n", transcript.text.trim_end()).into_bytes(),
            Self::VerboseJson => json::text(&transcript.verbose(task)),
            Self::Srt => transcript.cues("", ',').into_bytes(),
            Self::Vtt => transcript.cues("WEBVTT\n\n", '.').into_bytes(),
        })
    }
}

impl Transcript {
    fn verbose(&self, task: &str) -> Value {
        let end = self.segments.last().map_or(0.0, |segment| segment.end);
        let segments = self.segments.iter().enumerate().map(|(id, segment)| {
            json!({
                "id": id, "seek": 0, "start": segment.start, "end": segment.end, "text": segment.text,
                "tokens": [], "temperature": 0.0, "avg_logprob": 0.0, "compression_ratio": 0.0, "no_speech_prob": 0.0,
            })
        });
        json!({
            "task": task,
            "language": self.language.as_deref().unwrap_or("unknown"),
            "duration": self.duration.unwrap_or(end),
            "text": self.text,
            "segments": segments.collect::<Vec<_>>(),
        })
    }

    /// Subtitles: each piece with its number and times.
    fn cues(&self, head: &str, point: char) -> String {
        let cues = self.segments.iter().zip(1..).map(|(segment, number)| {
            let (start, end) = (clock(segment.start, point), clock(segment.end, point));
            format!("{number}\n{start} --> {end}\n{}\n", segment.text.trim())
        });
        format!("{head}{}", cues.collect::<Vec<_>>().join("\n"))
    }
}

/// Seconds as `HH:MM:SS` and milliseconds behind a point or comma.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "times of a recording are small, and less than nothing is nothing"
)]
fn clock(seconds: f64, point: char) -> String {
    let millis = (seconds.max(0.0) * 1000.0).round() as u64;
    let (hours, minutes) = (millis / 3_600_000, millis / 60_000 % 60);
    format!(
        "{hours:02}:{minutes:02}:{:02}{point}{:03}",
        millis / 1000 % 60,
        millis % 1000
    )
}

/// The events of a streamed transcript that is there at once.
#[must_use]
pub fn transcript_events(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for event in [
        json!({"type": "transcript.text.delta", "delta": text}),
        json!({"type": "transcript.text.done", "text": text}),
    ] {
        out.extend_from_slice(b"data: ");
        json::write(&event, &mut out);
        out.extend_from_slice(b"\n\n");
    }
    out
}

/// One piece of streamed speech.
#[must_use]
pub fn speech_delta(base64: &str) -> Vec<u8> {
    format!("data: {{\"type\":\"speech.audio.delta\",\"audio\":\"{base64}\"}}\n\n").into_bytes()
}

/// The end of streamed speech.
#[must_use]
pub fn speech_done() -> Vec<u8> {
    let done = json!({"type": "speech.audio.done", "usage": {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}});
    let mut out = b"data: ".to_vec();
    json::write(&done, &mut out);
    out.extend_from_slice(b"\n\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Segment;

    #[test]
    fn speech_is_read_and_its_limits_kept() {
        let request = speech(br#"{"model": "tts-1", "input": "Hi", "voice": {"id": "v"}, "stream_format": "sse", "instructions": "x"}"#).unwrap();
        assert_eq!(
            (
                request.voice.as_deref(),
                request.events,
                request.ignored.len()
            ),
            (Some("v"), true, 1)
        );
        let request =
            speech(br#"{"input": "Hi", "language": "de", "pitch": -2, "user": "u", "seed": null}"#)
                .unwrap();
        assert_eq!(request.language.as_deref(), Some("de"));
        assert_eq!(json!(request.extra), json!({"pitch": -2}));
        for (body, param) in [
            (r"{}", "input"),
            (r#"{"input": " "}"#, "input"),
            (r#"{"input": "x", "speed": 9}"#, "speed"),
            (r#"{"input": "x", "language": 7}"#, "language"),
            (
                r#"{"input": "x", "stream_format": "tape"}"#,
                "stream_format",
            ),
        ] {
            assert_eq!(
                speech(body.as_bytes()).unwrap_err().param.as_deref(),
                Some(param),
                "{body}"
            );
        }
    }

    #[test]
    fn a_transcript_takes_every_form_but_makes_no_times_up() {
        let plain = Transcript {
            text: "Hi".to_owned(),
            ..Transcript::default()
        };
        let timed = Transcript {
            segments: vec![
                Segment {
                    start: 0.0,
                    end: 1.25,
                    text: " Hi".to_owned(),
                },
                Segment {
                    start: 3661.5,
                    end: 3662.0,
                    text: "there".to_owned(),
                },
            ],
            ..plain.clone()
        };
        let write = |form: TranscriptForm, transcript: &Transcript| {
            form.written(transcript, "transcribe")
                .map(|b| String::from_utf8(b).unwrap())
        };
        assert_eq!(
            write(TranscriptForm::Json, &plain).unwrap(),
            r#"{"text":"Hi"}"#
        );
        assert_eq!(write(TranscriptForm::Text, &plain).unwrap(), "Hi\n");
        for form in [TranscriptForm::Srt, TranscriptForm::Vtt] {
            let refused = write(form, &plain).unwrap_err();
            assert_eq!(refused.param.as_deref(), Some("response_format"));
            assert!(
                refused.message.ends_with("What was said: Hi"),
                "{refused:?}"
            );
        }
        let srt =
            "1\n00:00:00,000 --> 00:00:01,250\nHi\n\n2\n01:01:01,500 --> 01:01:02,000\nthere\n";
        assert_eq!(write(TranscriptForm::Srt, &timed).unwrap(), srt);
        let vtt = write(TranscriptForm::Vtt, &timed).unwrap();
        assert!(
            vtt.starts_with("WEBVTT\n\n1\n00:00:00.000 --> 00:00:01.250\nHi\n"),
            "{vtt}"
        );
        let verbose: Value =
            serde_json::from_str(&write(TranscriptForm::VerboseJson, &timed).unwrap()).unwrap();
        assert_eq!(
            (&verbose["duration"], &verbose["segments"][1]["start"]),
            (&json!(3662.0), &json!(3661.5))
        );
    }
}

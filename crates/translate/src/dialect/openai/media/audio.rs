//! `/v1/audio/…`: what is asked for, and transcripts in the forms that clients want.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::dialect::openai::json;
use crate::dialect::request;
use crate::failure::Failure;

/// A request to speak a text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SpeechRequest {
    /// The model.
    pub model: String,
    /// What to say.
    pub input: String,
    /// Whose voice.
    pub voice: Option<String>,
    /// `mp3`, `opus`, `aac`, `flac`, `wav` or `pcm`.
    pub response_format: Option<String>,
    /// From 0.25 to 4.
    pub speed: Option<f64>,
    /// Whether the answer is a stream of events instead of the bytes.
    pub events: bool,
    /// Parameters that have no effect.
    pub ignored: Vec<String>,
}

/// The longest text that is spoken, in characters, as OpenAI has it.
const MAX_INPUT: usize = 4096;

#[derive(Deserialize)]
struct Speech {
    model: Option<String>,
    input: Option<String>,
    voice: Option<Voice>,
    response_format: Option<String>,
    speed: Option<f64>,
    instructions: Option<String>,
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
        events,
        ignored: speech
            .instructions
            .map(|_| "instructions".to_owned())
            .into_iter()
            .collect(),
    })
}

/// The form of a transcript.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TranscriptForm {
    /// `{"text"}`.
    #[default]
    Json,
    /// The bare text.
    Text,
    /// With language, duration and segments.
    VerboseJson,
    /// Subtitles in `SubRip`'s form.
    Srt,
    /// Subtitles for the web.
    Vtt,
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
                    "`{}` is no response_format: use json, text, verbose_json, srt or vtt.",
                    request::echo(other)
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

    /// Whether it tells when something was said.
    #[must_use]
    pub fn is_timed(self) -> bool {
        matches!(self, Self::VerboseJson | Self::Srt | Self::Vtt)
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

    /// Upstream's text in this form. A timed form is what upstream gave in it: times are never made
    /// up.
    ///
    /// # Errors
    /// A timed form, and a text without times.
    pub fn written(self, given: &str, task: &str) -> Result<Vec<u8>, Failure> {
        let untimed = || {
            Failure::invalid(
                "response_format",
                format!(
                    "This model gives no times, so `{}` cannot be made: use json or text, or whisper-1.",
                    self.as_str()
                ),
            )
        };
        match self {
            Self::Json => Ok(json::text(&json!({"text": plain(given)}))),
            Self::Text => Ok(format!("{}\n", plain(given).trim_end()).into_bytes()),
            Self::Srt => given
                .contains(" --> ")
                .then(|| given.as_bytes().to_vec())
                .ok_or_else(untimed),
            Self::Vtt => given
                .trim_start()
                .starts_with("WEBVTT")
                .then(|| given.as_bytes().to_vec())
                .ok_or_else(untimed),
            Self::VerboseJson => {
                let value: Option<Value> = serde_json::from_str(given).ok();
                let mut value = value
                    .filter(|value| value.get("segments").is_some_and(Value::is_array))
                    .ok_or_else(untimed)?;
                if let Some(object) = value.as_object_mut() {
                    object.entry("task").or_insert_with(|| Value::from(task));
                }
                Ok(json::text(&value))
            }
        }
    }
}

/// The words of a transcript that came as JSON with a `text`, or as the text itself.
#[must_use]
pub fn plain(given: &str) -> String {
    let object: Option<Value> = given
        .trim_start()
        .starts_with('{')
        .then(|| serde_json::from_str(given).ok())
        .flatten();
    let inner = object
        .as_ref()
        .and_then(|object| object.get("text")?.as_str());
    inner.unwrap_or(given).to_owned()
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
        for (body, param) in [
            (r"{}", "input"),
            (r#"{"input": " "}"#, "input"),
            (r#"{"input": "x", "speed": 9}"#, "speed"),
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
        let json = |form: TranscriptForm, given: &str| {
            form.written(given, "transcribe")
                .map(|b| String::from_utf8(b).unwrap())
        };
        assert_eq!(
            json(TranscriptForm::Json, "Hi").unwrap(),
            r#"{"text":"Hi"}"#
        );
        assert_eq!(
            json(TranscriptForm::Json, r#"{"text": "Hi"}"#).unwrap(),
            r#"{"text":"Hi"}"#
        );
        assert_eq!(json(TranscriptForm::Text, "Hi\n").unwrap(), "Hi\n");
        let srt = "1\n00:00:00,000 --> 00:00:01,000\nHi\n";
        assert_eq!(json(TranscriptForm::Srt, srt).unwrap(), srt);
        for form in [
            TranscriptForm::Srt,
            TranscriptForm::Vtt,
            TranscriptForm::VerboseJson,
        ] {
            assert_eq!(
                json(form, "Hi").unwrap_err().param.as_deref(),
                Some("response_format")
            );
        }
        let verbose = json(
            TranscriptForm::VerboseJson,
            r#"{"text": "Hi", "segments": []}"#,
        )
        .unwrap();
        assert!(verbose.contains(r#""task":"transcribe""#), "{verbose}");
    }
}

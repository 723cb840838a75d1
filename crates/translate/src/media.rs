//! Requests for media and what becomes of them, in no dialect: images, speech, transcripts, videos.

use serde_json::{Map, Value};

use crate::chat_request::{Attachment, Delivery};

/// What is asked of a model that makes images. What is None is left to the model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ImageRequest {
    /// The model.
    pub model: Option<String>,
    /// What the image shows; empty if nothing is said.
    pub prompt: String,
    /// How many images.
    pub n: Option<u32>,
    /// `WIDTHxHEIGHT` or `auto`.
    pub size: Option<String>,
    /// `WIDTH:HEIGHT`.
    pub aspect_ratio: Option<String>,
    /// The quality, in a word that the model knows.
    pub quality: Option<String>,
    /// The style.
    pub style: Option<String>,
    /// `transparent`, `opaque` or `auto`.
    pub background: Option<String>,
    /// `png`, `jpeg` or `webp`.
    pub output_format: Option<String>,
    /// From 0 to 100.
    pub output_compression: Option<u32>,
    /// `auto` or `low`.
    pub moderation: Option<String>,
    /// What must not be in it.
    pub negative_prompt: Option<String>,
    /// Midjourney's `fast` or `relax` mode.
    pub mode: Option<String>,
    /// The random seed.
    pub seed: Option<i64>,
    /// Inference steps.
    pub steps: Option<u32>,
    /// How closely the prompt is followed.
    pub guidance: Option<f64>,
    /// Whether Midjourney's anime model is used.
    pub niji: Option<bool>,
    /// Images to edit or to vary, where the request names them instead of bringing them.
    pub images: Vec<Attachment>,
    /// An image whose transparent parts are where the first is edited, named likewise.
    pub mask: Option<Attachment>,
    /// Whether bytes are wanted instead of URLs; none where nothing is said.
    pub inline: Option<bool>,
    /// Whether the answer is a stream.
    pub delivery: Delivery,
    /// Whether a parameter without effect is refused.
    pub strict: bool,
    /// Every other parameter, by the client's name: the model may know it.
    pub extra: Map<String, Value>,
    /// Parameters that have no effect.
    pub ignored: Vec<String>,
}

/// An image that was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    /// Where it is.
    pub url: String,
    /// Its bytes in base64, if they are wanted.
    pub b64_json: Option<String>,
}

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
    /// The language of the text, as a tag such as `de` or `de-DE`.
    pub language: Option<String>,
    /// Whether the answer is a stream of events instead of the bytes.
    pub events: bool,
    /// Whether a parameter without effect is refused.
    pub strict: bool,
    /// Every other parameter, by the client's name: the model may know it.
    pub extra: Map<String, Value>,
    /// Parameters that have no effect.
    pub ignored: Vec<String>,
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

/// A request to transcribe audio that upstream has.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TranscriptionRequest {
    /// The audio's path at upstream.
    pub audio: String,
    /// The model.
    pub model: String,
    /// The format of the transcript.
    pub format: TranscriptForm,
    /// Whether the answer is a stream of events.
    pub streamed: bool,
    /// The language that is spoken.
    pub language: Option<String>,
    /// The language to translate into, where it is not English.
    pub target_language: Option<String>,
    /// Whether the times of segments are asked for by name.
    pub wants_segments: bool,
    /// Words to expect.
    pub prompt: Option<String>,
    /// How freely.
    pub temperature: Option<f64>,
    /// Every other parameter, by the client's name: the model may know it.
    pub extra: Map<String, Value>,
    /// Parameters that have no effect.
    pub ignored: Vec<String>,
    /// Whether a parameter without effect is refused.
    pub strict: bool,
}

/// A request for a video.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VideoRequest {
    /// The model.
    pub model: Option<String>,
    /// What to show.
    pub prompt: String,
    /// Length in seconds.
    pub seconds: Option<u32>,
    /// `WIDTHxHEIGHT`.
    pub size: Option<String>,
    /// `WIDTH:HEIGHT`.
    pub aspect_ratio: Option<String>,
    /// A class of height, such as `720p`.
    pub resolution: Option<String>,
    /// Whether there is sound.
    pub generate_audio: Option<bool>,
    /// What must not be in it.
    pub negative_prompt: Option<String>,
    /// The random seed.
    pub seed: Option<i64>,
    /// The image that it begins with.
    pub first_frame: Option<Attachment>,
    /// The image that it ends with.
    pub last_frame: Option<Attachment>,
    /// Images to take things and styles from.
    pub references: Vec<Attachment>,
    /// Every other parameter, by the client's name: the model may know it.
    pub extra: Map<String, Value>,
    /// Parameters that have no effect.
    pub ignored: Vec<String>,
}

/// What was said in a recording.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Transcript {
    /// All of it.
    pub text: String,
    /// Its pieces, where upstream told when they were said.
    pub segments: Vec<Segment>,
    /// The language that was spoken, if it is known.
    pub language: Option<String>,
    /// How long the recording is, in seconds.
    pub duration: Option<f64>,
}

/// A piece of a transcript.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Segment {
    /// When it begins, in seconds.
    pub start: f64,
    /// When it ends, in seconds.
    pub end: f64,
    /// What is said.
    pub text: String,
}

//! Requests for media and what becomes of them, in no dialect: images, speech, transcripts.

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

//! A model and the features it may serve.

use serde_json::Value;

/// The features of 1min.ai whose models are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Feature {
    /// Chat.
    Chat,
    /// Writing code; chat serves the same models.
    CodeGenerator,
    /// Images from text.
    ImageGenerator,
    /// Images from an image.
    ImageVariator,
    /// Images from an image and text.
    ImageEditor,
    /// Speech from text.
    TextToSpeech,
    /// Text from speech.
    SpeechToText,
    /// Text in another language from speech.
    AudioTranslator,
    /// Video from text.
    TextToVideo,
    /// Video from an image.
    ImageToVideo,
    /// Music from text.
    MusicGenerator,
}

impl Feature {
    /// Every feature that is used.
    pub const ALL: [Self; 11] = [
        Self::Chat,
        Self::CodeGenerator,
        Self::ImageGenerator,
        Self::ImageVariator,
        Self::ImageEditor,
        Self::TextToSpeech,
        Self::SpeechToText,
        Self::AudioTranslator,
        Self::TextToVideo,
        Self::ImageToVideo,
        Self::MusicGenerator,
    ];

    /// Upstream's name of it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "UNIFY_CHAT_WITH_AI",
            Self::CodeGenerator => "CODE_GENERATOR",
            Self::ImageGenerator => "IMAGE_GENERATOR",
            Self::ImageVariator => "IMAGE_VARIATOR",
            Self::ImageEditor => "IMAGE_EDITOR",
            Self::TextToSpeech => "TEXT_TO_SPEECH",
            Self::SpeechToText => "SPEECH_TO_TEXT",
            Self::AudioTranslator => "AUDIO_TRANSLATOR",
            Self::TextToVideo => "TEXT_TO_VIDEO",
            Self::ImageToVideo => "IMAGE_TO_VIDEO",
            Self::MusicGenerator => "MUSIC_GENERATOR",
        }
    }
}

/// One model. What upstream does not say is None or empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// What requests name it by. May hold slashes, colons and dots.
    pub id: String,
    /// For people; the id where upstream gives none.
    pub name: String,
    /// Who made or serves it, in varying case.
    pub provider: Option<String>,
    /// Upstream's names of the features it serves.
    pub features: Vec<String>,
    /// What it takes: `text`, `image`, …
    pub inputs: Option<Vec<String>>,
    /// What it gives.
    pub outputs: Option<Vec<String>>,
    /// Tokens of context.
    pub context: Option<u64>,
    /// The most tokens of one answer.
    pub max_output: Option<u64>,
    /// What it costs, as upstream says it; [`crate::prices`] reads it.
    pub credit_metadata: Value,
    /// When it may go, as upstream writes it. Models past this date still answered.
    pub deprecation_date: Option<String>,
    /// Until when it knows the world, as upstream writes it.
    pub cutoff_date: Option<String>,
    /// When it was added, as upstream writes it.
    pub created_at: Option<String>,
}

impl Model {
    /// Whether it can look at images: it says so by its modality, or, where that is missing, by
    /// the feature that is older than modalities.
    #[must_use]
    pub fn sees_images(&self) -> bool {
        match &self.inputs {
            Some(inputs) => inputs
                .iter()
                .any(|input| input.eq_ignore_ascii_case("image")),
            None => self
                .features
                .iter()
                .any(|feature| feature == "CHAT_WITH_IMAGE"),
        }
    }

    /// Whether it says that it serves a feature.
    #[must_use]
    pub fn serves(&self, feature: Feature) -> bool {
        self.features.iter().any(|of| of == feature.as_str())
    }
}

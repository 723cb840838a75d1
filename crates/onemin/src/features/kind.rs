//! The features by upstream's names, and what each gives.

use crate::models::Feature;

/// A feature of `POST /api/features`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Images from text.
    ImageGenerator,
    /// Images like an image.
    ImageVariator,
    /// An image changed as a text says.
    ImageEditor,
    /// An image filled in where a mask shows.
    ImageInpainter,
    /// An image continued beyond its edges.
    ImageExtender,
    /// An image made larger.
    ImageUpscaler,
    /// An image without what a mask shows.
    ImageObjectRemover,
    /// An image in which one thing, named by words, becomes another.
    SearchAndReplace,
    /// An image without its background.
    BackgroundRemover,
    /// An image before another background.
    BackgroundReplacer,
    /// An image without writing.
    TextRemover,
    /// An image with another face.
    FaceSwapper,
    /// Words that describe an image.
    ImageToPrompt,
    /// Speech from text.
    TextToSpeech,
    /// Text from speech.
    SpeechToText,
    /// Text in another language from speech.
    AudioTranslator,
    /// Code from text.
    CodeGenerator,
    /// Video from text.
    TextToVideo,
    /// Video from an image.
    ImageToVideo,
    /// Music from text.
    MusicGenerator,
    /// A sound effect from text.
    TextToSound,
}

impl Kind {
    /// Every feature that is known in full.
    pub const ALL: [Self; 21] = [
        Self::ImageGenerator,
        Self::ImageVariator,
        Self::ImageEditor,
        Self::ImageInpainter,
        Self::ImageExtender,
        Self::ImageUpscaler,
        Self::ImageObjectRemover,
        Self::SearchAndReplace,
        Self::BackgroundRemover,
        Self::BackgroundReplacer,
        Self::TextRemover,
        Self::FaceSwapper,
        Self::ImageToPrompt,
        Self::TextToSpeech,
        Self::SpeechToText,
        Self::AudioTranslator,
        Self::CodeGenerator,
        Self::TextToVideo,
        Self::ImageToVideo,
        Self::MusicGenerator,
        Self::TextToSound,
    ];

    /// Upstream's name of it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ImageGenerator => "IMAGE_GENERATOR",
            Self::ImageVariator => "IMAGE_VARIATOR",
            Self::ImageEditor => "IMAGE_EDITOR",
            Self::ImageInpainter => "IMAGE_INPAINTER",
            Self::ImageExtender => "IMAGE_EXTENDER",
            Self::ImageUpscaler => "IMAGE_UPSCALER",
            Self::ImageObjectRemover => "IMAGE_OBJECT_REMOVER",
            Self::SearchAndReplace => "SEARCH_AND_REPLACE",
            Self::BackgroundRemover => "BACKGROUND_REMOVER",
            Self::BackgroundReplacer => "BACKGROUND_REPLACER",
            Self::TextRemover => "TEXT_REMOVER",
            Self::FaceSwapper => "FACE_SWAPPER",
            Self::ImageToPrompt => "IMAGE_TO_PROMPT",
            Self::TextToSpeech => "TEXT_TO_SPEECH",
            Self::SpeechToText => "SPEECH_TO_TEXT",
            Self::AudioTranslator => "AUDIO_TRANSLATOR",
            Self::CodeGenerator => "CODE_GENERATOR",
            Self::TextToVideo => "TEXT_TO_VIDEO",
            Self::ImageToVideo => "IMAGE_TO_VIDEO",
            Self::MusicGenerator => "MUSIC_GENERATOR",
            Self::TextToSound => "TEXT_TO_SOUND",
        }
    }

    /// The feature of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The feature under which upstream lists its models, if that list is used.
    #[must_use]
    pub fn feature(self) -> Option<Feature> {
        Feature::ALL
            .into_iter()
            .find(|feature| feature.as_str() == self.as_str())
    }

    /// Whether the result is text; else it is files.
    #[must_use]
    pub fn gives_text(self) -> bool {
        matches!(
            self,
            Self::ImageToPrompt | Self::SpeechToText | Self::AudioTranslator | Self::CodeGenerator
        )
    }

    /// Whether an empty text is a result: a recording may be silent.
    pub(crate) fn may_be_empty(self) -> bool {
        matches!(self, Self::SpeechToText | Self::AudioTranslator)
    }
}

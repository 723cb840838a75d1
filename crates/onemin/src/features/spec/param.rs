//! The parameters of requests, by names that mean the same for every model.

/// One parameter. [`Param::name`] is the name that clients of other vendors use for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Param {
    /// The text to draw from, to write code for, or to expect in a recording.
    Prompt,
    /// The number of images.
    Count,
    /// Width and height in pixels.
    Size,
    /// Width to height.
    AspectRatio,
    /// The width's part of the ratio.
    AspectWidth,
    /// The height's part of the ratio.
    AspectHeight,
    /// Width in pixels.
    Width,
    /// Height in pixels.
    Height,
    /// A size class, such as 2K.
    Resolution,
    /// Rendering quality.
    Quality,
    /// Style.
    Style,
    /// Transparent or opaque.
    Background,
    /// File format.
    OutputFormat,
    /// Quality of a lossy format, in percent.
    OutputCompression,
    /// How strictly content is moderated.
    Moderation,
    /// What must not be in the image.
    NegativePrompt,
    /// `fast` or `relax` mode.
    Mode,
    /// Random seed.
    Seed,
    /// Inference steps.
    Steps,
    /// How closely the prompt is followed (guidance scale).
    Guidance,
    /// Midjourney's anime model.
    Niji,
    /// The image to start from.
    Image,
    /// The mask: where the image is to be changed.
    Mask,
    /// The first reference image.
    Reference,
    /// The second reference image.
    SecondReference,
    /// All reference images, as a list.
    References,
    /// The text to speak.
    Input,
    /// The voice.
    Voice,
    /// The speaking rate.
    Speed,
    /// The spoken language.
    Language,
    /// The language to translate into.
    TargetLanguage,
    /// The audio file.
    Audio,
    /// The format of a transcript or of speech.
    ResponseFormat,
    /// Sampling temperature.
    Temperature,
    /// Length in seconds.
    Seconds,
    /// A class of height of a video, such as 720p.
    VideoResolution,
    /// Whether a video has sound.
    GenerateAudio,
    /// The image that a video ends with.
    LastFrame,
    /// Title of a song.
    Title,
    /// Style tags of a song.
    Tags,
    /// Whether a song has no voice.
    Instrumental,
}

impl Param {
    /// The parameter's name in a client's request.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Prompt => "prompt",
            Self::Count => "n",
            Self::Size | Self::Width | Self::Height | Self::Resolution => "size",
            Self::AspectRatio | Self::AspectWidth | Self::AspectHeight => "aspect_ratio",
            Self::Quality => "quality",
            Self::Style => "style",
            Self::Background => "background",
            Self::OutputFormat => "output_format",
            Self::OutputCompression => "output_compression",
            Self::Moderation => "moderation",
            Self::NegativePrompt => "negative_prompt",
            Self::Mode => "mode",
            Self::Seed => "seed",
            Self::Steps => "steps",
            Self::Guidance => "guidance",
            Self::Niji => "niji",
            Self::Image | Self::Reference | Self::SecondReference | Self::References => "image",
            Self::Mask => "mask",
            Self::Input => "input",
            Self::Voice => "voice",
            Self::Speed => "speed",
            Self::Language => "language",
            Self::TargetLanguage => "target_language",
            Self::Audio => "file",
            Self::ResponseFormat => "response_format",
            Self::Temperature => "temperature",
            Self::Seconds => "seconds",
            Self::VideoResolution => "resolution",
            Self::GenerateAudio => "generate_audio",
            Self::LastFrame => "last_frame",
            Self::Title => "title",
            Self::Tags => "tags",
            Self::Instrumental => "instrumental",
        }
    }
}

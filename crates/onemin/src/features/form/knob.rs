//! What can be wished for, whatever the model calls it.

/// One knob. Its name is that of the request's parameter, as clients of other vendors write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Knob {
    /// What to draw, to write, or to expect in a recording.
    Prompt,
    /// How many pictures.
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
    /// A class of size, such as 2K.
    Resolution,
    /// How good.
    Quality,
    /// In which manner.
    Style,
    /// Transparent or opaque.
    Background,
    /// The format of the file.
    OutputFormat,
    /// How good a compressed picture is, in percent.
    OutputCompression,
    /// How strictly the content is judged.
    Moderation,
    /// What must not be in a picture.
    NegativePrompt,
    /// Fast or at leisure.
    Mode,
    /// The beginning of chance.
    Seed,
    /// Steps of the drawing.
    Steps,
    /// How closely the prompt is followed.
    Guidance,
    /// Midjourney's model for drawn figures.
    Niji,
    /// The picture to start from.
    Image,
    /// Where a picture is to be changed.
    Mask,
    /// More pictures to look at, the first.
    Reference,
    /// The second.
    SecondReference,
    /// All of them, in a list.
    References,
    /// What to say.
    Input,
    /// Who says it.
    Voice,
    /// How fast.
    Speed,
    /// The language of what is said.
    Language,
    /// The language to translate into.
    TargetLanguage,
    /// The recording.
    Audio,
    /// The form of a transcript, or the format of speech.
    ResponseFormat,
    /// How freely.
    Temperature,
}

impl Knob {
    /// The parameter's name.
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
        }
    }
}

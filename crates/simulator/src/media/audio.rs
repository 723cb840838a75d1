//! A sound: its format and its length.

use crate::media::{adts, flac, mp3, ogg, wav};

/// Longest sound that is made, in milliseconds.
const MAX_MS: u32 = 30_000;

/// File format of a sound, with what it needs to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AudioFormat {
    /// Thousands of bits a second, and samples a second.
    Mp3 {
        rate: u32,
        hertz: u32,
    },
    Wav {
        hertz: u32,
    },
    /// Samples without a head: 16 bits, little end first, one channel.
    Pcm {
        hertz: u32,
    },
    Opus,
    Aac,
    Flac,
}

impl AudioFormat {
    pub(crate) fn mime(self) -> &'static str {
        match self {
            Self::Mp3 { .. } => "audio/mpeg",
            Self::Wav { .. } => "audio/wav",
            Self::Pcm { .. } => "audio/pcm",
            Self::Opus => "audio/ogg",
            Self::Aac => "audio/aac",
            Self::Flac => "audio/flac",
        }
    }

    /// The ending of its files' names.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Mp3 { .. } => "mp3",
            Self::Wav { .. } => "wav",
            Self::Pcm { .. } => "pcm",
            Self::Opus => "opus",
            Self::Aac => "aac",
            Self::Flac => "flac",
        }
    }
}

/// What is to be heard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Audio {
    pub(crate) format: AudioFormat,
    /// Length in milliseconds.
    pub(crate) ms: u32,
}

impl Audio {
    /// The file.
    pub(crate) fn encode(self) -> Vec<u8> {
        let ms = self.ms.clamp(1, MAX_MS);
        match self.format {
            AudioFormat::Mp3 { rate, hertz } => mp3::encode(ms, rate, hertz),
            AudioFormat::Wav { hertz } => wav::encode(ms, hertz),
            AudioFormat::Pcm { hertz } => wav::samples(ms, hertz),
            AudioFormat::Opus => ogg::encode(ms),
            AudioFormat::Aac => adts::encode(ms),
            AudioFormat::Flac => flac::encode(ms),
        }
    }
}

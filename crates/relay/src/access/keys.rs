//! Access keys: what the operator gives to people and programs, with limits.

pub mod cache;
pub mod format;
pub mod permissions;
pub mod store;

use serde::{Deserialize, Serialize};

use crate::ledger::period::Per;

/// An access key without its secret. Empty lists permit all. Times are milliseconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessKey {
    /// The public part of the key, by which it is called.
    pub id: String,
    /// SHA-256 of the whole key, in hex.
    pub hash: String,
    /// The hash of the key before a rotation, and until when it opens.
    pub previous: Option<(String, i64)>,
    /// For people.
    pub name: String,
    /// When it was made.
    pub created: i64,
    /// When it was changed last.
    pub updated: i64,
    /// When it ends.
    pub expires: Option<i64>,
    /// Whether it is switched off.
    pub disabled: bool,
    /// Models that it may use, as globs.
    pub models: Vec<String>,
    /// What it may be used for.
    pub uses: Vec<Use>,
    /// Requests a minute.
    pub rpm: Option<u32>,
    /// Requests at once, in each process.
    pub parallel: Option<u32>,
    /// What it may spend.
    pub budgets: Vec<Budget>,
    /// Accounts that may pay for it.
    pub accounts: Vec<String>,
}

/// What a paid request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Use {
    /// Text by a chat model.
    Chat,
    /// Images.
    Images,
    /// Speech, transcription, music.
    Audio,
    /// Video.
    Video,
    /// 1min.ai's own API.
    Native,
}

impl Use {
    /// All uses.
    pub const ALL: [Self; 5] = [
        Self::Chat,
        Self::Images,
        Self::Audio,
        Self::Video,
        Self::Native,
    ];

    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Images => "images",
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Native => "native",
        }
    }

    /// The use of a word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|of| of.as_str() == word)
    }
}

/// What may be spent in each period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// The period.
    pub per: Per,
    /// Thousandths of a credit.
    pub credits: i64,
}

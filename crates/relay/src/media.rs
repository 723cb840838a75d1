//! Media that 1min.ai makes and reads: images, speech, transcription.

mod feature;
pub mod image_history;
pub mod images;
pub mod result_url;
pub mod speech;
pub mod transcription;
pub mod video;

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

use lru::LruCache;
use onemin::{Client, Invalid, ResultAsset};
use translate::failure::Failure;
use url::Url;

use crate::access::account_id::AccountId;
use crate::models::Models;
use crate::uploads::Uploads;
use image_history::ImageHistory;

/// Transcripts that are remembered.
const CACHED_TRANSCRIPTS_MAX: NonZeroUsize = NonZeroUsize::new(512).unwrap();

/// Transcripts of audio in conversations, by account and SHA-256 of the audio.
type TranscriptCache = LruCache<(AccountId, [u8; 32]), String>;

/// What the operator sets about media.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where upstream's files are.
    pub asset_url: Url,
    /// The most paid calls that one request may come down to.
    pub max_calls: u32,
    /// The largest file that is taken in, in bytes.
    pub max_file: u64,
}

/// Makes and reads media. Clones are handles of one service.
#[derive(Clone)]
pub struct Media {
    client: Client,
    models: Arc<Models>,
    uploads: Uploads,
    history: ImageHistory,
    transcripts: Arc<Mutex<TranscriptCache>>,
    settings: Arc<Settings>,
}

impl Media {
    /// Media by this client, of these models.
    #[must_use]
    pub fn new(
        client: Client,
        models: Arc<Models>,
        uploads: Uploads,
        history: ImageHistory,
        settings: Settings,
    ) -> Self {
        Self {
            client,
            models,
            uploads,
            history,
            transcripts: Arc::new(Mutex::new(LruCache::new(CACHED_TRANSCRIPTS_MAX))),
            settings: Arc::new(settings),
        }
    }

    /// What uploads attachments of media requests.
    #[must_use]
    pub fn uploads(&self) -> &Uploads {
        &self.uploads
    }

    /// Where a client finds a result.
    #[must_use]
    pub fn url(&self, asset: &ResultAsset) -> String {
        result_url::of_asset(&self.settings.asset_url, asset)
    }
}

/// A parameter that a model does not accept, by the client's name of it.
#[must_use]
fn invalid(error: Invalid) -> Failure {
    let field = match error.field.as_str() {
        "count" => "n".to_owned(),
        _ => error.field,
    };
    let message = format!("`{field}`: {}.", error.message.trim_end_matches('.'));
    Failure::invalid(field, message)
}

#[cfg(test)]
mod tests;

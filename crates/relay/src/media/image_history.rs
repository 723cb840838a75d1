//! The parameters of generated images: what a variation of one repeats, kept for a week by the
//! image's name.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use onemin::ResultAsset;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::access::account_id::AccountId;
use crate::clock;
use crate::observe::throttle::warn_throttled;
use crate::store::build::Stores;
use crate::store::records::{Collection, Record};

/// How long the original relay remembered them, too.
const KEPT_FOR: Duration = Duration::from_hours(7 * 24);

/// The parameters of a generated image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GeneratedImage {
    /// Fields by upstream's names.
    fields: Map<String, Value>,
    /// When they are forgotten, in seconds since 1970.
    expires: u64,
}

impl Record for GeneratedImage {
    const TABLE: &'static str = "image_history";

    fn expires(&self) -> Option<SystemTime> {
        Some(UNIX_EPOCH + Duration::from_secs(self.expires))
    }
}

/// How the images of all accounts were generated. Clones share one store.
#[derive(Clone)]
pub struct ImageHistory(Option<Collection<GeneratedImage>>);

impl ImageHistory {
    /// A history in these stores.
    #[must_use]
    pub fn new(stores: &Stores) -> Self {
        Self(Some(Collection::new(stores.records.clone())))
    }

    /// A history that keeps nothing: a variation repeats nothing then.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// Remembers how images were generated. A store that fails costs the memory, not the images.
    pub async fn remember(
        &self,
        account: AccountId,
        images: &[ResultAsset],
        fields: Map<String, Value>,
    ) {
        let Some(records) = &self.0 else { return };
        if fields.is_empty() {
            return;
        }
        let expires = clock::now() + KEPT_FOR.as_secs();
        let record = GeneratedImage { fields, expires };
        let named = images
            .iter()
            .filter(|image| !image.path.starts_with("data:"));
        for image in named {
            if let Err(error) = records.put(account, &id(&image.path), &record).await {
                warn_throttled!(%error, "the parameters of an image could not be kept");
            }
        }
    }

    /// How an image was generated, by its URL, path or name; empty if that is not known.
    pub async fn lookup(&self, account: AccountId, image: &str) -> Map<String, Value> {
        let Some(records) = &self.0 else {
            return Map::new();
        };
        match records.get(account, &id(image)).await {
            Ok(record) => record.map(|record| record.fields).unwrap_or_default(),
            Err(error) => {
                warn_throttled!(%error, "the parameters of an image could not be looked up");
                Map::new()
            }
        }
    }
}

/// An image has one name, under whatever host, folder or signature.
fn id(image: &str) -> String {
    let path = image.split(['?', '#']).next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    URL_SAFE_NO_PAD.encode(Sha256::digest(name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_the_same_by_path_url_and_signed_url() {
        let name = id("images/2026_11_23_a.png");
        for image in [
            "2026_11_23_a.png",
            "https://asset.1min.ai/images/2026_11_23_a.png",
            "https://s3.example.com/asset/images/2026_11_23_a.png?X-Amz-Signature=1/2#top",
        ] {
            assert_eq!(id(image), name, "{image}");
        }
        assert_ne!(id("images/2026_11_23_b.png"), name);
    }
}

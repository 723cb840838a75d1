//! How pictures were drawn: what a variation of one repeats, kept for a week by the picture's name.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use onemin::ResultAsset;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::access::account_id::AccountId;
use crate::clock;
use crate::store::build::Stores;
use crate::store::state::{Collection, Record};

/// How long the original relay remembered them, too.
const KEPT_FOR: Duration = Duration::from_hours(7 * 24);

/// The parameters of a drawing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drawing {
    /// Fields by upstream's names.
    fields: Map<String, Value>,
    /// When they are forgotten, in seconds since 1970.
    expires: u64,
}

impl Record for Drawing {
    const SPACE: &'static str = "drawing";

    fn expires(&self) -> Option<SystemTime> {
        Some(UNIX_EPOCH + Duration::from_secs(self.expires))
    }
}

/// The drawings of all accounts.
#[derive(Clone)]
pub struct Drawings(Collection<Drawing>);

impl Drawings {
    /// Drawings in these stores.
    #[must_use]
    pub fn new(stores: &Stores) -> Self {
        Self(Collection::new(stores.state.clone()))
    }

    /// Remembers how pictures were drawn. A store that fails costs the memory, not the pictures.
    pub async fn remember(
        &self,
        owner: AccountId,
        pictures: &[ResultAsset],
        fields: Map<String, Value>,
    ) {
        if fields.is_empty() {
            return;
        }
        let expires = clock::now() + KEPT_FOR.as_secs();
        let drawing = Drawing { fields, expires };
        for picture in pictures {
            if let Err(error) = self.0.put(owner, &id(&picture.path), &drawing).await {
                tracing::warn!(%error, "how a picture was drawn could not be kept");
            }
        }
    }

    /// How a picture was drawn, by its URL, path or name; empty if that is not known.
    pub async fn recall(&self, owner: AccountId, picture: &str) -> Map<String, Value> {
        match self.0.get(owner, &id(picture)).await {
            Ok(drawing) => drawing.map(|drawing| drawing.fields).unwrap_or_default(),
            Err(error) => {
                tracing::warn!(%error, "how a picture was drawn could not be looked up");
                Map::new()
            }
        }
    }
}

/// A picture has one name, under whatever host, folder or signature.
fn id(picture: &str) -> String {
    let path = picture.split(['?', '#']).next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    URL_SAFE_NO_PAD.encode(Sha256::digest(name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_the_same_by_path_url_and_signed_url() {
        let name = id("images/2026_11_23_a.png");
        for picture in [
            "2026_11_23_a.png",
            "https://asset.1min.ai/images/2026_11_23_a.png",
            "https://s3.example.com/asset/images/2026_11_23_a.png?X-Amz-Signature=1/2#top",
        ] {
            assert_eq!(id(picture), name, "{picture}");
        }
        assert_ne!(id("images/2026_11_23_b.png"), name);
    }
}

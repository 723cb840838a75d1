//! The operator's own key, `ADMIN_KEY`: it opens the management API and nothing that is paid for.

use http::HeaderMap;
use secrecy::{ExposeSecret as _, SecretString};

use super::constant_time::is_same;
use super::credentials;
use super::keys::format;

/// A shorter key could be guessed.
const SHORTEST: usize = 24;

/// The operator's key, as its hash.
#[derive(Clone)]
pub struct AdminKey(String);

impl AdminKey {
    /// The key of the settings.
    ///
    /// # Errors
    /// It is too short.
    pub fn new(key: &SecretString) -> Result<Self, String> {
        let key = key.expose_secret().trim();
        if key.len() < SHORTEST {
            return Err(format!("ADMIN_KEY needs at least {SHORTEST} characters"));
        }
        Ok(Self(format::hash(key)))
    }

    /// SHA-256 of the key, in hex.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.0
    }

    /// Whether a text is the key.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        is_same(&self.0, &format::hash(text.trim()))
    }

    /// Whether a request carries the key.
    #[must_use]
    pub fn is_in(&self, headers: &HeaderMap) -> bool {
        credentials::text_of(headers).is_some_and(|text| self.is(text))
    }
}

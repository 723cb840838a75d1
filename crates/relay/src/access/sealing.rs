//! Secrets that must lie in a store: encrypted under the relay's own secret.

use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom as _, SystemRandom};
use secrecy::{ExposeSecret as _, SecretString};

/// What separates this use of the relay's secret from others.
const SALT: &[u8] = b"1min-relay sealed secrets";

/// Seals and opens secrets. The relay's secret is fetched when the first is sealed or opened.
#[derive(Clone)]
pub struct Sealer {
    key: Arc<LazyLock<Option<LessSafeKey>, Fetch>>,
}

type Fetch = Box<dyn FnOnce() -> Option<LessSafeKey> + Send>;

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}

/// A secret could not be sealed: the system gives no random numbers.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no random numbers")]
pub struct NotSealed;

impl Sealer {
    /// Seals under a secret that is fetched when it is needed.
    #[must_use]
    pub fn kept(fetch: impl FnOnce() -> SecretString + Send + 'static) -> Self {
        let fetch: Fetch = Box::new(move || derived(&fetch()));
        Self {
            key: Arc::new(LazyLock::new(fetch)),
        }
    }

    /// Encrypts a text. It can be opened only with the same `place`, such as the id of its row: what
    /// was sealed for one place means nothing in another.
    ///
    /// # Errors
    /// [`NotSealed`].
    pub fn seal(&self, place: &str, text: &str) -> Result<String, NotSealed> {
        let key = (**self.key).as_ref().ok_or(NotSealed)?;
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new()
            .fill(&mut nonce)
            .map_err(|_| NotSealed)?;
        let mut bytes = text.as_bytes().to_vec();
        key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(place.as_bytes()),
            &mut bytes,
        )
        .map_err(|_| NotSealed)?;
        Ok(STANDARD.encode([&nonce[..], &bytes].concat()))
    }

    /// The text that was sealed for this place; None if it was sealed for another, under another
    /// secret, or was changed.
    #[must_use]
    pub fn open(&self, place: &str, sealed: &str) -> Option<SecretString> {
        let bytes = STANDARD.decode(sealed).ok()?;
        let (nonce, rest) = bytes.split_first_chunk::<NONCE_LEN>()?;
        let mut rest = rest.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let key = (**self.key).as_ref()?;
        let plain = key.open_in_place(nonce, Aad::from(place.as_bytes()), &mut rest);
        let text = std::str::from_utf8(plain.ok()?).ok()?;
        Some(SecretString::from(text))
    }
}

/// The key of the cipher, derived from the relay's secret.
fn derived(secret: &SecretString) -> Option<LessSafeKey> {
    let secret = Salt::new(HKDF_SHA256, SALT).extract(secret.expose_secret().as_bytes());
    let key = secret.expand(&[b"key"], &CHACHA20_POLY1305).ok()?;
    Some(LessSafeKey::new(UnboundKey::from(key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(secret: &'static str) -> Sealer {
        Sealer::kept(move || secret.into())
    }

    #[test]
    fn what_was_sealed_opens_in_its_place_under_its_secret_and_nowhere_else() {
        let here = sealer("sixteen characters");
        let sealed = here.seal("video_1", "a key").unwrap();
        assert!(!sealed.contains("a key"));
        let opened = here.open("video_1", &sealed).unwrap();
        assert_eq!(opened.expose_secret(), "a key");
        let replica = sealer("sixteen characters");
        assert!(replica.open("video_1", &sealed).is_some());
        assert!(here.open("video_2", &sealed).is_none());
        assert!(sealer("another secret").open("video_1", &sealed).is_none());
        for damaged in ["", "%", "aGk=", &sealed[4..]] {
            assert!(here.open("video_1", damaged).is_none(), "{damaged}");
        }
        assert_ne!(here.seal("video_1", "a key").unwrap(), sealed);
    }
}

//! How an access key is written: `sk-relay-`, 10 letters and digits that name it, 32 that are
//! secret. Only its SHA-256 is kept: 190 random bits need no slow hash, and a hash without a key
//! survives a change of `RELAY_SECRET`.

use ring::rand::{SecureRandom as _, SystemRandom};
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};

/// What every access key begins with, and no key of 1min.ai does.
pub const PREFIX: &str = "sk-relay-";

const ID_LENGTH: usize = 10;
const SECRET_LENGTH: usize = 32;
const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A key that was just made.
pub struct NewKey {
    /// Its public part.
    pub id: String,
    /// The whole key, to be shown once.
    pub text: SecretString,
    /// What is kept of it.
    pub hash: String,
}

/// Whether a credential is meant as an access key, well written or not.
#[must_use]
pub fn is_access_key(text: &str) -> bool {
    text.starts_with(PREFIX)
}

/// The public part of a key; none if it is not written as one.
#[must_use]
pub fn id(text: &str) -> Option<&str> {
    let rest = text.strip_prefix(PREFIX)?;
    let well_written =
        rest.len() == ID_LENGTH + SECRET_LENGTH && rest.bytes().all(|b| b.is_ascii_alphanumeric());
    well_written.then(|| rest.get(..ID_LENGTH)).flatten()
}

/// A new key.
///
/// # Errors
/// The operating system has no random numbers.
pub fn draw() -> Result<NewKey, ring::error::Unspecified> {
    with_id(letters(ID_LENGTH)?)
}

/// Another key of the same id.
///
/// # Errors
/// The operating system has no random numbers.
pub fn with_id(id: String) -> Result<NewKey, ring::error::Unspecified> {
    let text = format!("{PREFIX}{id}{}", letters(SECRET_LENGTH)?);
    Ok(NewKey {
        id,
        hash: hash(&text),
        text: text.into(),
    })
}

/// SHA-256 in hex.
#[must_use]
pub fn hash(text: &str) -> String {
    use std::fmt::Write as _;
    Sha256::digest(text.as_bytes())
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            // Writing into a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

/// How a key is shown: its beginning and nothing of its secret.
#[must_use]
pub fn label(id: &str) -> String {
    format!("{PREFIX}{id}…")
}

fn letters(count: usize) -> Result<String, ring::error::Unspecified> {
    let random = SystemRandom::new();
    let mut text = String::with_capacity(count);
    let mut bytes = [0; 64];
    while text.len() < count {
        random.fill(&mut bytes)?;
        // Of 256 values the last 8 would make some letters likelier than others.
        let fair = bytes.iter().filter(|byte| **byte < 248);
        let drawn = fair.filter_map(|byte| LETTERS.get(usize::from(byte % 62)));
        text.extend(drawn.map(|letter| char::from(*letter)));
    }
    text.truncate(count);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::constant_time::is_same;
    use secrecy::ExposeSecret as _;

    #[test]
    fn a_key_is_known_by_its_id_and_kept_as_its_hash() {
        let key = draw().unwrap();
        let text = key.text.expose_secret();
        assert_eq!(text.len(), PREFIX.len() + 42);
        assert_eq!(id(text), Some(key.id.as_str()));
        assert!(is_same(&hash(text), &key.hash) && key.hash.len() == 64);
        let other = with_id(key.id.clone()).unwrap();
        assert!(!is_same(&other.hash, &key.hash));
        assert!(!label(&key.id).contains(&text[PREFIX.len() + 10..]));
    }

    #[test]
    fn what_is_not_written_as_a_key_has_no_id() {
        for text in [
            "sk-relay-",
            "sk-relay-short",
            "sk-0123456789012345678901234567890123456789012345678",
            "sk-relay-0123456789-1234567890123456789012345678901",
            "sk-relay-0123456789ü12345678901234567890123456789",
        ] {
            assert_eq!(id(text), None, "{text}");
        }
    }
}

//! The secret that a caller of 1min.ai proves itself with.

use std::fmt;

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::error::Error;

/// No key seen is longer than 100 bytes; this leaves room.
const KEY_BYTES_MAX: usize = 512;

/// A 1min.ai API key. It cannot be printed, and is wiped from memory when dropped.
#[derive(Clone)]
pub struct ApiKey(SecretString);

impl ApiKey {
    /// Takes a key as its owner wrote it, spaces around it aside.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it is empty, longer than 512 bytes, or holds what no header may hold.
    /// The error tells nothing of the key.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let key = text.trim();
        if key.is_empty()
            || key.len() > KEY_BYTES_MAX
            || !key.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(Error::Invalid(
                "the API key is empty, too long, or contains invalid characters",
            ));
        }
        Ok(Self(key.into()))
    }

    /// The key itself, for hashing and for the one header that carries it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The key as the value of a header, marked as sensitive.
    pub(crate) fn header(&self) -> Result<HeaderValue, Error> {
        let mut value = HeaderValue::from_str(self.expose())
            .map_err(|_| Error::Invalid("the API key cannot stand in a header"))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::ApiKey;

    #[test]
    fn a_key_never_prints_itself() {
        let key = ApiKey::parse(" secret-1234 \n").unwrap();
        assert_eq!(key.expose(), "secret-1234");
        assert!(!format!("{key:?} {:?}", key.header().unwrap()).contains("secret"));
    }

    #[test]
    fn what_no_header_may_hold_is_no_key() {
        for text in [
            "",
            "  ",
            "a b",
            "a\r\nb: c",
            "schlüssel",
            "a\0",
            &"x".repeat(513),
        ] {
            let error = ApiKey::parse(text).unwrap_err();
            assert!(text.trim().len() < 2 || !error.to_string().contains(text));
        }
    }
}

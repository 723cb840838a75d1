//! Names for accounts and callers, under which records are kept and requests counted.

use sha2::{Digest as _, Sha256};

/// A name for an account, an access key or an address that tells nothing about it: a hash, keyed by
/// the relay's secret for 1min.ai keys and for addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId([u8; 16]);

impl AccountId {
    /// The owner of what belongs to the relay itself. A keyed hash is never all zeros.
    pub const NOBODY: Self = Self([0; 16]);

    /// The owner of what an access key keeps. The key's id is public, so no secret is needed, and
    /// what is kept outlives a rotation of the key and a change of `RELAY_SECRET`.
    #[must_use]
    pub fn of_access_key(id: &str) -> Self {
        Self::hashed(b"access-key:", id)
    }

    /// Another id of the same caller, for a count beside its first.
    #[must_use]
    pub fn apart(self) -> Self {
        Self(self.0.map(|byte| !byte))
    }

    /// The id of these bytes, which are a keyed hash.
    #[must_use]
    pub fn from_bytes(hash: [u8; 16]) -> Self {
        Self(hash)
    }

    fn hashed(kind: &[u8], text: &str) -> Self {
        let hash = Sha256::new()
            .chain_update(kind)
            .chain_update(text)
            .finalize();
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        Self(bytes)
    }
}

impl std::fmt::Display for AccountId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::str::FromStr for AccountId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u128::from_str_radix(text, 16).map(|number| Self(number.to_be_bytes()))
    }
}

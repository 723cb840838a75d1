//! Accounts as the relay tells them apart: by a keyed hash that says nothing about them.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, LazyLock};

use hmac::{Hmac, KeyInit, Mac};
use onemin::ApiKey;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use super::secret;

/// A name for an account or an address that tells nothing about it: a keyed hash.
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

    /// The id of an account of the relay's own, within a process: what lies there is remembered in
    /// memory only.
    #[must_use]
    pub fn of_pooled_key(key: &ApiKey) -> Self {
        Self::hashed(b"pooled-key:", key.expose())
    }

    /// Another id of the same caller, for a count beside its first.
    #[must_use]
    pub fn apart(self) -> Self {
        Self(self.0.map(|byte| !byte))
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

/// Makes account ids. Without the secret nobody can tell whose they are, or test a guess.
///
/// The secret is fetched when the first id is made, and not before: a relay that needs none
/// touches no file.
#[derive(Clone)]
pub struct AccountIds {
    secret: Arc<LazyLock<Hmac<Sha256>, Fetch>>,
}

/// Where a secret comes from.
type Fetch = Box<dyn FnOnce() -> Hmac<Sha256> + Send>;

impl std::fmt::Debug for AccountIds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccountIds")
    }
}

impl AccountIds {
    /// Ids under a secret drawn for this process: they mean nothing after it ends.
    #[must_use]
    pub fn fresh() -> Self {
        Self::kept(secret::draw)
    }

    /// Ids under a secret that the operator gave; the same in every process that has it.
    #[must_use]
    pub fn under(secret: &SecretString) -> Self {
        let secret = secret.clone();
        Self::kept(move || secret)
    }

    /// Ids under a secret that is fetched when it is needed.
    #[must_use]
    pub fn kept(fetch: impl FnOnce() -> SecretString + Send + 'static) -> Self {
        let fetch: Fetch = Box::new(move || keyed(&fetch()));
        Self {
            secret: Arc::new(LazyLock::new(fetch)),
        }
    }

    /// The id of an account.
    #[must_use]
    pub fn of_key(&self, key: &ApiKey) -> AccountId {
        self.of(b"key:", key.expose().as_bytes())
    }

    /// The id of a client's address. Whoever has IPv6 has a whole network of addresses
    /// (`/64`), and is one client under all of them.
    #[must_use]
    pub fn of_address(&self, address: IpAddr) -> AccountId {
        let network = match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(v6) => Ipv6Addr::from(u128::from(v6) & !u128::from(u64::MAX)).into(),
        };
        self.of(b"address:", network.to_string().as_bytes())
    }

    fn of(&self, kind: &[u8], bytes: &[u8]) -> AccountId {
        let mut mac = (**self.secret).clone();
        mac.update(kind);
        mac.update(bytes);
        let hash = mac.finalize().into_bytes();
        let mut id = [0; 16];
        id.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        AccountId(id)
    }
}

fn keyed(secret: &SecretString) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let keyed = Hmac::new_from_slice(secret.expose_secret().as_bytes()).expect("any length");
    keyed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_network_of_the_new_protocol_is_one_client() {
        let account_ids = AccountIds::fresh();
        let of = |address: &str| account_ids.of_address(address.parse().unwrap());
        assert_eq!(of("2606:4700:1:2::1"), of("2606:4700:1:2:ffff::9"));
        assert_ne!(of("2606:4700:1:2::1"), of("2606:4700:1:3::1"));
        assert_ne!(of("1.2.3.4"), of("1.2.3.5"));
    }

    #[test]
    fn identities_are_stable_within_a_process_and_unlinkable_across() {
        let (here, there) = (AccountIds::fresh(), AccountIds::fresh());
        let key = ApiKey::parse("abc").unwrap();
        assert_eq!(here.of_key(&key), here.of_key(&key));
        assert_ne!(here.of_key(&key), there.of_key(&key));
    }

    #[test]
    fn processes_with_one_secret_make_one_id_which_can_be_written_and_read() {
        let secret = SecretString::from("a secret of sixteen or more");
        let key = ApiKey::parse("abc").unwrap();
        let here = AccountIds::under(&secret).of_key(&key);
        assert_eq!(here, AccountIds::under(&secret).of_key(&key));
        assert_eq!(here.to_string().parse(), Ok(here));
        assert_eq!(here.to_string().len(), 32);
    }
}

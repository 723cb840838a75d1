//! Accounts as the relay tells them apart: by a keyed hash that says nothing about them.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, LazyLock};

use hmac::{Hmac, KeyInit, Mac};
use onemin::ApiKey;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

pub use crate::account_id::AccountId;

use super::recent_digests::RecentDigests;
use super::secret;

/// Makes account ids. Without the secret nobody can tell whose they are, or test a guess.
///
/// The secret is fetched when the first id is made, and not before: a relay that needs none
/// touches no file.
#[derive(Clone)]
pub struct AccountIds {
    secret: Arc<LazyLock<Hmac<Sha256>, Fetch>>,
    recent: Arc<RecentDigests<AccountId>>,
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
            recent: Arc::default(),
        }
    }

    /// The id of an account.
    #[must_use]
    pub fn of_key(&self, key: &ApiKey) -> AccountId {
        let key = key.expose();
        self.recent
            .get_or_make(key, || self.of(b"key:", key.as_bytes()))
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

    /// Bytes to sign with, for one purpose; the same in every process that has the secret.
    #[must_use]
    pub fn signing_key(&self, purpose: &str) -> [u8; 64] {
        let mut key = [0; 64];
        for (number, half) in [b"1:", b"2:"].iter().zip(key.chunks_mut(32)) {
            let mut mac = (**self.secret).clone();
            mac.update(b"signing:");
            mac.update(*number);
            mac.update(purpose.as_bytes());
            half.copy_from_slice(&mac.finalize().into_bytes());
        }
        key
    }

    fn of(&self, kind: &[u8], bytes: &[u8]) -> AccountId {
        let mut mac = (**self.secret).clone();
        mac.update(kind);
        mac.update(bytes);
        let hash = mac.finalize().into_bytes();
        let mut id = [0; 16];
        id.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        AccountId::from_bytes(id)
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
        let ids = AccountIds::under(&secret);
        assert_eq!(
            ids.signing_key("a"),
            AccountIds::under(&secret).signing_key("a")
        );
        assert_ne!(ids.signing_key("a"), ids.signing_key("b"));
        assert_ne!(ids.signing_key("a")[..32], ids.signing_key("a")[32..]);
    }
}

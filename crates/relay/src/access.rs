//! Who calls: the 1min.ai key a client sends, and the identity it is counted and cached by.

pub mod known_keys;
pub mod rate_limit;
pub mod secret;

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, LazyLock};

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use ipnet::IpNet;
use onemin::ApiKey;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use translate::failure::{Failure, Kind};

/// The account behind a request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The key, for upstream alone.
    pub key: ApiKey,
}

/// A name for an account or an address that tells nothing about it: a keyed hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity([u8; 16]);

impl Identity {
    /// The owner of what belongs to the relay itself. A keyed hash is never all zeros.
    pub const NOBODY: Self = Self([0; 16]);
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::str::FromStr for Identity {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u128::from_str_radix(text, 16).map(|number| Self(number.to_be_bytes()))
    }
}

/// Makes identities. Without the secret nobody can tell whose they are, or test a guess.
///
/// The secret is fetched when the first identity is made, and not before: a relay that needs none
/// touches no file.
#[derive(Clone)]
pub struct Identities {
    secret: Arc<LazyLock<Hmac<Sha256>, Fetch>>,
}

/// Where a secret comes from.
type Fetch = Box<dyn FnOnce() -> Hmac<Sha256> + Send>;

impl std::fmt::Debug for Identities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identities")
    }
}

impl Identities {
    /// Identities under a secret drawn for this process: they mean nothing after it ends.
    #[must_use]
    pub fn fresh() -> Self {
        Self::kept(secret::draw)
    }

    /// Identities under a secret that the operator gave; the same in every process that has it.
    #[must_use]
    pub fn under(secret: &SecretString) -> Self {
        let secret = secret.clone();
        Self::kept(move || secret)
    }

    /// Identities under a secret that is fetched when it is needed.
    #[must_use]
    pub fn kept(fetch: impl FnOnce() -> SecretString + Send + 'static) -> Self {
        let fetch: Fetch = Box::new(move || keyed(&fetch()));
        Self {
            secret: Arc::new(LazyLock::new(fetch)),
        }
    }

    /// The identity of an account.
    #[must_use]
    pub fn of_key(&self, key: &ApiKey) -> Identity {
        self.of(b"key:", key.expose().as_bytes())
    }

    /// The identity of a client's address. Whoever has IPv6 has a whole network of addresses
    /// (`/64`), and is one client under all of them.
    #[must_use]
    pub fn of_address(&self, address: IpAddr) -> Identity {
        let network = match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(v6) => Ipv6Addr::from(u128::from(v6) & !u128::from(u64::MAX)).into(),
        };
        self.of(b"address:", network.to_string().as_bytes())
    }

    fn of(&self, kind: &[u8], bytes: &[u8]) -> Identity {
        let mut mac = (**self.secret).clone();
        mac.update(kind);
        mac.update(bytes);
        let hash = mac.finalize().into_bytes();
        let mut identity = [0; 16];
        identity
            .iter_mut()
            .zip(hash)
            .for_each(|(to, from)| *to = from);
        Identity(identity)
    }
}

fn keyed(secret: &SecretString) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let keyed = Hmac::new_from_slice(secret.expose_secret().as_bytes()).expect("any length");
    keyed
}

/// The key that a request carries: `Authorization: Bearer`, as OpenAI's clients send it,
/// `x-api-key`, as Anthropic's do, or `api-key`, as Azure's do and 1min.ai itself has it.
///
/// # Errors
/// A [`Kind::Unauthenticated`] failure, without any part of what was sent.
pub fn caller(headers: &HeaderMap) -> Result<Caller, Failure> {
    let places = [
        bearer(headers),
        text(headers, "x-api-key"),
        text(headers, "api-key"),
    ];
    let mut given = places.into_iter().flatten().map(str::trim);
    let key = given.find(|key| !key.is_empty()).ok_or_else(no_key)?;
    let key = ApiKey::parse(key).map_err(|_| bad_key())?;
    Ok(Caller { key })
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = text(headers, "authorization")?.trim();
    match value.split_once(' ') {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => Some(key),
        Some(_) => None,
        // Some clients leave the scheme out.
        None => Some(value).filter(|v| !v.eq_ignore_ascii_case("bearer")),
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn no_key() -> Failure {
    Failure::new(
        Kind::Unauthenticated,
        "No API key: send your 1min.ai key as `Authorization: Bearer <key>` (1021). Keys are made at app.1min.ai, Settings, API.",
    )
    .with_retry(false)
}

fn bad_key() -> Failure {
    Failure::new(
        Kind::Unauthenticated,
        "The API key holds characters that no key has. Send your 1min.ai key as `Authorization: Bearer <key>` (1020).",
    )
    .with_retry(false)
}

/// The client's own address: the peer's, or what a trusted proxy says of it.
#[must_use]
pub fn client_address(peer: SocketAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|net| net.contains(&address));
    let mut address = peer.ip().to_canonical();
    // The list grows to the right; each entry is as true as the proxy that wrote it.
    for line in headers.get_all("x-forwarded-for").iter().rev() {
        for hop in line.to_str().unwrap_or_default().rsplit(',') {
            if !is_trusted(address) {
                return address;
            }
            match forwarded(hop.trim()) {
                Some(hop) => address = hop.to_canonical(),
                None => return address,
            }
        }
    }
    address
}

/// An address as proxies write it: alone, or with the port it was seen at.
fn forwarded(hop: &str) -> Option<IpAddr> {
    let alone = hop.parse().ok();
    alone.or_else(|| {
        hop.parse::<SocketAddr>()
            .ok()
            .map(|with_port| with_port.ip())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn the_key_is_found_where_clients_put_it() {
        type Row = (
            &'static [(&'static str, &'static str)],
            Option<&'static str>,
        );
        let table: &[Row] = &[
            (&[("authorization", "Bearer abc")], Some("abc")),
            (&[("authorization", "bearer  abc ")], Some("abc")),
            (&[("authorization", "abc")], Some("abc")),
            (&[("x-api-key", "abc")], Some("abc")),
            (&[("api-key", "abc")], Some("abc")),
            (
                &[("authorization", "Bearer "), ("x-api-key", "abc")],
                Some("abc"),
            ),
            (
                &[("authorization", "Bearer abc"), ("x-api-key", "other")],
                Some("abc"),
            ),
            (
                &[("authorization", "Basic YTpi"), ("x-api-key", "abc")],
                Some("abc"),
            ),
            (&[("authorization", "Bearer ")], None),
            (&[("authorization", "Basic YTpi")], None),
            (&[], None),
        ];
        for (pairs, expected) in table {
            let pairs: Vec<_> = pairs.iter().map(|(n, v)| (&**n, &**v)).collect();
            let found = caller(&headers(&pairs)).ok();
            assert_eq!(
                found.as_ref().map(|c| c.key.expose()),
                *expected,
                "{pairs:?}"
            );
        }
    }

    #[test]
    fn a_refusal_shows_nothing_of_the_key() {
        let refused = caller(&headers(&[("authorization", "Bearer sec\tret")]));
        assert!(!format!("{refused:?}").contains("sec"));
        let good = caller(&headers(&[("authorization", "Bearer secret")])).unwrap();
        assert!(!format!("{good:?}").contains("secret"));
    }

    #[test]
    fn forwarded_addresses_are_believed_from_trusted_proxies_only() {
        let net = |n: &str| n.parse::<IpNet>().unwrap();
        let trusted = [net("10.0.0.0/8"), net("127.0.0.1/32")];
        let forwarded = headers(&[("x-forwarded-for", "1.1.1.1, 2.2.2.2, 10.0.0.7")]);
        let from = |peer: &str| {
            client_address(
                SocketAddr::new(peer.parse().unwrap(), 1),
                &forwarded,
                &trusted,
            )
            .to_string()
        };
        assert_eq!(from("127.0.0.1"), "2.2.2.2");
        assert_eq!(from("::ffff:127.0.0.1"), "2.2.2.2");
        assert_eq!(from("9.9.9.9"), "9.9.9.9");
        for (written, read) in [
            ("1.1.1.1:4711", "1.1.1.1"),
            ("[2606:4700::1]:443", "2606:4700::1"),
            ("2606:4700::1", "2606:4700::1"),
            ("unknown", "10.0.0.1"),
            ("1.1.1.1, unknown", "10.0.0.1"),
        ] {
            let peer = SocketAddr::new("10.0.0.1".parse().unwrap(), 1);
            let found = client_address(peer, &headers(&[("x-forwarded-for", written)]), &trusted);
            assert_eq!(found.to_string(), read, "{written}");
        }
    }

    #[test]
    fn one_network_of_the_new_protocol_is_one_client() {
        let identities = Identities::fresh();
        let of = |address: &str| identities.of_address(address.parse().unwrap());
        assert_eq!(of("2606:4700:1:2::1"), of("2606:4700:1:2:ffff::9"));
        assert_ne!(of("2606:4700:1:2::1"), of("2606:4700:1:3::1"));
        assert_ne!(of("1.2.3.4"), of("1.2.3.5"));
    }

    #[test]
    fn identities_are_stable_within_a_process_and_unlinkable_across() {
        let (here, there) = (Identities::fresh(), Identities::fresh());
        let key = ApiKey::parse("abc").unwrap();
        assert_eq!(here.of_key(&key), here.of_key(&key));
        assert_ne!(here.of_key(&key), there.of_key(&key));
    }

    #[test]
    fn processes_with_one_secret_make_one_identity_which_can_be_written_and_read() {
        let secret = SecretString::from("a secret of sixteen or more");
        let key = ApiKey::parse("abc").unwrap();
        let here = Identities::under(&secret).of_key(&key);
        assert_eq!(here, Identities::under(&secret).of_key(&key));
        assert_eq!(here.to_string().parse(), Ok(here));
        assert_eq!(here.to_string().len(), 32);
    }
}

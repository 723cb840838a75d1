//! Keys for clients that have no field for one: in the path of the base URL, or held by the relay
//! for callers of named networks. Both are off unless the operator turns them on, and both end as
//! the header that other clients send, before anything looks for it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Uri};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use secrecy::ExposeSecret as _;

use super::client_address::client_address;
use super::settings::Settings;

/// The headers that name a key.
const KEY_HEADERS: [HeaderName; 3] = [
    header::AUTHORIZATION,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("api-key"),
];

/// Headers by which a proxy says that it stands between.
const FORWARDED: [HeaderName; 3] = [
    header::FORWARDED,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-real-ip"),
];

/// What a path begins with that holds a key.
const KEY_PATH: &str = "/key/";

/// Where keys come from besides the headers of requests.
#[derive(Default)]
pub struct SuppliedKeys {
    in_urls: bool,
    by_network: Option<NetworkKey>,
}

/// A key for callers that send none.
struct NetworkKey {
    header: HeaderValue,
    networks: Vec<IpNet>,
    trusted_proxies: Vec<IpNet>,
}

/// What a request's path says about a key.
#[derive(Debug, PartialEq, Eq)]
pub enum InUrl {
    /// Nothing.
    No,
    /// It holds one that was moved to the headers; this is the rest of the URL.
    Moved(Uri),
    /// It holds one where it may not, or something that no header can hold.
    Refused,
}

impl SuppliedKeys {
    /// As the operator wants it; `host` is where the relay listens.
    ///
    /// # Errors
    /// Settings by which strangers could spend the key's credits.
    pub fn of(settings: &Settings, host: IpAddr) -> Result<Self, String> {
        let Some(key) = &settings.default_api_key else {
            return match settings.default_api_key_networks.as_slice() {
                [] => Ok(Self {
                    in_urls: settings.keys_in_urls,
                    by_network: None,
                }),
                _ => Err("DEFAULT_API_KEY_NETWORKS is set and DEFAULT_API_KEY is not".to_owned()),
            };
        };
        if settings
            .default_api_key_networks
            .iter()
            .any(|net| net.prefix_len() == 0)
        {
            return Err(
                "DEFAULT_API_KEY_NETWORKS must not name everybody: strangers would spend the key's credits".to_owned(),
            );
        }
        let networks = match settings.default_api_key_networks.as_slice() {
            [] if host.is_loopback() => loopback(),
            [] => {
                return Err(format!(
                    "DEFAULT_API_KEY needs DEFAULT_API_KEY_NETWORKS where others can reach the relay ({host}): name the networks whose callers may use the key, or listen on 127.0.0.1"
                ));
            }
            networks => networks.to_vec(),
        };
        let header = bearer(key.expose_secret());
        let header = header.ok_or("DEFAULT_API_KEY cannot be sent in a header")?;
        Ok(Self {
            in_urls: settings.keys_in_urls,
            by_network: Some(NetworkKey {
                header,
                networks,
                trusted_proxies: settings.trusted_proxies.clone(),
            }),
        })
    }

    /// Moves a key from the path to the headers. It beats theirs: clients without a field for a key
    /// send words of their own.
    #[must_use]
    pub fn take_from_url(&self, uri: &Uri, headers: &mut HeaderMap) -> InUrl {
        let Some(rest) = uri.path().strip_prefix(KEY_PATH) else {
            return InUrl::No;
        };
        let (key, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let key = percent_encoding::percent_decode_str(key).decode_utf8().ok();
        let header = key.filter(|_| self.in_urls).and_then(|key| bearer(&key));
        let path = if path.is_empty() { "/" } else { path };
        let query = uri.query().map(|query| format!("?{query}"));
        let bare = format!("{path}{}", query.unwrap_or_default()).parse().ok();
        match (header, bare) {
            (Some(header), Some(bare)) => {
                for name in &KEY_HEADERS {
                    headers.remove(name);
                }
                headers.insert(header::AUTHORIZATION, header);
                InUrl::Moved(bare)
            }
            _ => InUrl::Refused,
        }
    }

    /// Gives a request the operator's key, if it has none and its caller is one who may use it.
    pub fn give(&self, peer: SocketAddr, headers: &mut HeaderMap) {
        let Some(key) = &self.by_network else {
            return;
        };
        let has_none = KEY_HEADERS.iter().all(|name| !headers.contains_key(name));
        if has_none && key.is_for(peer, headers) {
            headers.insert(header::AUTHORIZATION, key.header.clone());
        }
    }
}

impl NetworkKey {
    fn is_for(&self, peer: SocketAddr, headers: &HeaderMap) -> bool {
        let within =
            |nets: &[IpNet], address: IpAddr| nets.iter().any(|net| net.contains(&address));
        // A proxy that the settings do not name makes strangers look like neighbours.
        let is_forwarded = FORWARDED.iter().any(|name| headers.contains_key(name));
        if is_forwarded && !within(&self.trusted_proxies, peer.ip().to_canonical()) {
            return false;
        }
        let address = client_address(peer, headers, &self.trusted_proxies);
        within(&self.networks, address) && headers.get(header::ORIGIN).is_none_or(is_local)
    }
}

/// Whether a page that a browser shows is one of this machine or of an application: any page of the
/// web can send requests to a neighbour of its reader.
fn is_local(origin: &HeaderValue) -> bool {
    const APPLICATIONS: [&str; 5] = ["app", "file", "tauri", "vscode-webview", "vscode-file"];
    let Some((scheme, host)) = origin.to_str().ok().and_then(|text| text.split_once("://")) else {
        return false;
    };
    if APPLICATIONS.contains(&scheme) {
        return true;
    }
    let authority: Option<http::uri::Authority> = host.parse().ok();
    let host = authority.as_ref().map(http::uri::Authority::host);
    matches!(scheme, "http" | "https")
        && host.is_some_and(|host| {
            let address = host.trim_start_matches('[').trim_end_matches(']');
            let is_loopback = address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
            host == "localhost" || is_loopback
        })
}

fn bearer(key: &str) -> Option<HeaderValue> {
    let key = Some(key.trim()).filter(|key| !key.is_empty())?;
    let mut value = HeaderValue::try_from(format!("Bearer {key}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn loopback() -> Vec<IpNet> {
    let v4 = Ipv4Net::new(Ipv4Addr::LOCALHOST, 8).map(|net| IpNet::V4(net.trunc()));
    let v6 = Ipv6Net::new(Ipv6Addr::LOCALHOST, 128).map(IpNet::V6);
    v4.into_iter().chain(v6).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::rate_limit::RateLimitBy;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
            .collect()
    }

    fn nets(nets: &[&str]) -> Vec<IpNet> {
        nets.iter().map(|net| net.parse().unwrap()).collect()
    }

    fn settings(key: Option<&str>, networks: &[&str]) -> Settings {
        Settings {
            rate_limit_per_minute: 0,
            rate_limit_by: RateLimitBy::Key,
            trusted_proxies: nets(&["10.0.0.1/32"]),
            keys_in_urls: true,
            default_api_key: key.map(Into::into),
            default_api_key_networks: nets(networks),
        }
    }

    fn keys(networks: &[&str], host: &str) -> Result<SuppliedKeys, String> {
        SuppliedKeys::of(
            &settings(Some("house key"), networks),
            host.parse().unwrap(),
        )
    }

    #[test]
    fn settings_by_which_strangers_could_spend_credits_are_refused() {
        for (networks, host, good) in [
            (&[][..], "127.0.0.1", true),
            (&[], "::1", true),
            (&[], "0.0.0.0", false),
            (&[], "192.168.1.4", false),
            (&["192.168.0.0/16"], "0.0.0.0", true),
            (&["192.168.0.0/16", "0.0.0.0/0"], "0.0.0.0", false),
            (&["::/0"], "127.0.0.1", false),
        ] {
            assert_eq!(keys(networks, host).is_ok(), good, "{networks:?} {host}");
        }
        let without_key = settings(None, &["10.0.0.0/8"]);
        let host = IpAddr::V4(Ipv4Addr::LOCALHOST);
        assert!(SuppliedKeys::of(&without_key, host).is_err());
    }

    #[test]
    fn only_callers_of_the_networks_without_a_key_are_given_one() {
        type Row = (&'static str, &'static [(&'static str, &'static str)], bool);
        const PROXIED: &[(&str, &str)] = &[("x-forwarded-for", "192.168.0.9")];
        const STRANGER: &[(&str, &str)] = &[("x-forwarded-for", "8.8.8.8")];
        let keys = keys(&["127.0.0.0/8", "192.168.0.0/16"], "0.0.0.0").unwrap();
        let table: &[Row] = &[
            ("127.0.0.1", &[], true),
            ("::ffff:192.168.0.7", &[], true),
            ("8.8.8.8", &[], false),
            ("::1", &[], false),
            // A key of the client's own, even one that is wrong.
            ("127.0.0.1", &[("authorization", "Bearer other")], false),
            ("127.0.0.1", &[("x-api-key", "other")], false),
            // Proxies: one that is trusted, and one that is not.
            ("10.0.0.1", PROXIED, true),
            ("10.0.0.1", STRANGER, false),
            ("127.0.0.1", PROXIED, false),
            ("127.0.0.1", &[("forwarded", "for=192.168.0.9")], false),
            // Pages of the web, and pages and applications of this machine.
            ("127.0.0.1", &[("origin", "https://evil.example")], false),
            (
                "127.0.0.1",
                &[("origin", "http://localhost.evil.example")],
                false,
            ),
            ("127.0.0.1", &[("origin", "null")], false),
            ("127.0.0.1", &[("origin", "http://localhost:3000")], true),
            ("127.0.0.1", &[("origin", "http://[::1]:3000")], true),
            ("127.0.0.1", &[("origin", "vscode-webview://1a2b")], true),
        ];
        for (peer, sent, given) in table {
            let mut headers = headers(sent);
            let before = headers.get("authorization").cloned();
            keys.give(SocketAddr::new(peer.parse().unwrap(), 1), &mut headers);
            let after = headers.get("authorization").cloned();
            assert_eq!(after != before, *given, "{peer} {sent:?}");
            assert!(!format!("{headers:?}").contains("house"), "{peer}");
        }
    }

    #[test]
    fn a_key_in_the_path_goes_to_the_headers() {
        let table = [
            ("/v1/models", InUrl::No, None),
            (
                "/key/abc/v1/models?a=b",
                InUrl::Moved("/v1/models?a=b".parse().unwrap()),
                Some("Bearer abc"),
            ),
            (
                "/key/a%2Bc/api/tags",
                InUrl::Moved("/api/tags".parse().unwrap()),
                Some("Bearer a+c"),
            ),
            (
                "/key/abc",
                InUrl::Moved("/".parse().unwrap()),
                Some("Bearer abc"),
            ),
            ("/key/", InUrl::Refused, None),
            ("/key/%0A/v1/models", InUrl::Refused, None),
            ("/key/%ff/v1/models", InUrl::Refused, None),
        ];
        for (url, expected, key) in table {
            let keys = SuppliedKeys {
                in_urls: true,
                by_network: None,
            };
            let mut sent = headers(&[]);
            let taken = keys.take_from_url(&url.parse().unwrap(), &mut sent);
            assert_eq!(taken, expected, "{url}");
            let value = sent.get("authorization").map(|v| v.to_str().unwrap());
            assert_eq!(value, key, "{url}");
        }
        let mut sent = headers(&[("x-api-key", "ollama"), ("authorization", "Bearer none")]);
        let on = SuppliedKeys {
            in_urls: true,
            by_network: None,
        };
        let _ = on.take_from_url(&"/key/abc/v1".parse().unwrap(), &mut sent);
        assert_eq!(sent.get("authorization").unwrap(), "Bearer abc");
        assert!(!sent.contains_key("x-api-key"));
        let off = SuppliedKeys::default();
        let refused = off.take_from_url(&"/key/abc/v1".parse().unwrap(), &mut headers(&[]));
        assert_eq!(refused, InUrl::Refused);
    }
}

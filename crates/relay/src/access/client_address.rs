//! The address of a client, also behind proxies.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use ipnet::IpNet;

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
}

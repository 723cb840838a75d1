//! What the program says of itself at start: where it is, and what is on.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::access::KeyMode;
use crate::access::settings as access;
use crate::config::sharing::SharingSettings;
use crate::config::upstream::UpstreamSettings;
use crate::models::settings as models;
use crate::store::build::Stores;
use crate::uploads::settings as uploads;

/// The sections of the settings that are told.
pub struct Overview<'s> {
    /// Whether upstream is simulated.
    pub is_demo: bool,
    /// Where 1min.ai is.
    pub upstream: &'s UpstreamSettings,
    /// Who may call.
    pub access: &'s access::Settings,
    /// Which models may be used.
    pub models: &'s models::Settings,
    /// What may be fetched.
    pub uploads: &'s uploads::Settings,
    /// What is shared.
    pub sharing: &'s SharingSettings,
    /// Whose keys clients send; none if that depends on a database which was not read.
    pub keys: Option<KeyMode>,
    /// Where things are stored.
    pub stores: &'s Stores,
}

/// The text for a server that listens. `page` says how to sign in to its page, if that is known.
#[must_use]
pub fn started(overview: &Overview<'_>, address: SocketAddr, page: Option<&str>) -> String {
    let base = format!("http://{}/v1", reachable(address));
    let mut text = format!(
        "1min-relay {} listens on {address}\n\n",
        env!("CARGO_PKG_VERSION")
    );
    let _ = writeln!(text, "  base URL   {base}");
    let how = match page {
        Some(how) => format!(" ({how})"),
        None if overview.sharing.admin_key().is_some() => " (sign in with ADMIN_KEY)".to_owned(),
        None => String::new(),
    };
    let _ = writeln!(text, "  page       http://{}/{how}", reachable(address));
    text.push_str(&settings_lines(overview));
    let key = match overview.keys {
        _ if overview.is_demo => "demo",
        Some(KeyMode::On) => "$ACCESS_KEY",
        Some(KeyMode::Off | KeyMode::Both) | None => "$ONEMIN_API_KEY",
    };
    let quote = if overview.is_demo { '\'' } else { '"' };
    let _ = writeln!(
        text,
        "\nTry it:\n  curl -N {base}/chat/completions -H {quote}Authorization: Bearer {key}{quote} -H 'Content-Type: application/json' \\\n    \
         -d '{{\"model\":\"gpt-4o-mini\",\"stream\":true,\"messages\":[{{\"role\":\"user\",\"content\":\"Say hello\"}}]}}'\n"
    );
    text
}

/// The text for `--check`.
#[must_use]
pub fn settings(overview: &Overview<'_>, host: IpAddr, port: u16) -> String {
    format!(
        "1min-relay {}: the settings are good.\n\n  address    {host}:{port}\n{}",
        env!("CARGO_PKG_VERSION"),
        settings_lines(overview)
    )
}

fn settings_lines(overview: &Overview<'_>) -> String {
    let upstream = if overview.is_demo {
        format!(
            "embedded simulator at {} (any key will do)",
            overview.upstream.onemin_base_url
        )
    } else {
        overview.upstream.onemin_base_url.to_string()
    };
    let limit = match overview.access.rate_limit_per_minute {
        0 => "off".to_owned(),
        n => format!(
            "{n} a minute by {}, counted {}",
            overview.access.rate_limit_by,
            overview.stores.counters.name()
        ),
    };
    let models = match overview.models.permitted_models() {
        None => "all of 1min.ai's".to_owned(),
        Some(models) => models.join(", "),
    };
    let private = if overview.uploads.allow_private_urls {
        "also private addresses"
    } else {
        "public addresses only"
    };
    [
        ("upstream", upstream),
        ("keys", keys_in_force(overview)),
        ("rate limit", limit),
        ("models", models),
        ("fetches", private.to_owned()),
        ("state", overview.stores.records.name()),
        ("files", overview.stores.blobs.name()),
    ]
    .iter()
    .fold(String::new(), |mut text, (name, value)| {
        let _ = writeln!(text, "  {name:<10} {value}");
        text
    })
}

/// Whose keys clients send, as far as that is known, and the ways that are on beside sending one.
fn keys_in_force(overview: &Overview<'_>) -> String {
    let access = overview.access;
    let admin = overview.sharing.admin_key().is_some();
    let keys = match overview.keys {
        Some(KeyMode::Off) => "clients send their own of 1min.ai (pass-through)",
        Some(KeyMode::On) => "access keys of this relay",
        Some(KeyMode::Both) => "access keys of this relay, or clients' own of 1min.ai",
        None => "clients' own of 1min.ai, or access keys if the database has any or accounts",
    };
    let managed = if admin {
        ", managed with ADMIN_KEY"
    } else {
        ""
    };
    let mut text = format!("{keys}{managed}");
    if access.default_api_key.is_some() {
        let networks = match access.default_api_key_networks.as_slice() {
            [] => "this machine".to_owned(),
            networks => {
                let networks: Vec<String> = networks.iter().map(ToString::to_string).collect();
                networks.join(", ")
            }
        };
        let _ = write!(
            text,
            "{NEXT_LINE}none needed from {networks}: the relay uses DEFAULT_API_KEY"
        );
    }
    if access.keys_in_urls {
        let _ = write!(
            text,
            "{NEXT_LINE}or in the base URL: http://HOST:PORT/key/KEY (KEYS_IN_URLS)"
        );
    }
    text
}

/// Between two lines of one setting.
const NEXT_LINE: &str = "\n             ";

/// An address that works in a URL on this machine.
fn reachable(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), address.port())
    } else {
        address
    }
}

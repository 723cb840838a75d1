//! Who may call, how often, and where keys come from besides the headers of requests.

use clap::{ArgAction, Args};
use ipnet::IpNet;
use secrecy::SecretString;

use crate::access::rate_limit::RateLimitBy;
use crate::setting_values::{boolean, network};

/// Access, as the operator sets it.
#[derive(Debug, Clone, Args)]
// Sections of settings have one name, and clap would take it for a group of each.
#[group(skip)]
pub struct Settings {
    /// Requests a minute that one key may make; 0 is no limit (1min.ai itself allows 180).
    #[arg(
        long,
        env = "RATE_LIMIT_PER_MINUTE",
        default_value_t = 0,
        value_name = "N"
    )]
    pub rate_limit_per_minute: u32,

    /// What the rate limit counts by.
    #[arg(long, env = "RATE_LIMIT_BY", default_value = "key", value_enum)]
    pub rate_limit_by: RateLimitBy,

    /// Proxies whose X-Forwarded-For is believed, as addresses or networks, separated by commas.
    #[arg(long, env = "TRUSTED_PROXIES", value_delimiter = ',', value_name = "NET,…", value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,

    /// Whether a base URL may hold the key, for clients without a field for one:
    /// `http://HOST:PORT/key/KEY`, before whatever the client would write otherwise. The relay logs
    /// no URLs; proxies in front of it may.
    #[arg(long, env = "KEYS_IN_URLS", value_name = "BOOL", default_value = "false",
          default_missing_value = "true", num_args = 0..=1, action = ArgAction::Set, value_parser = boolean)]
    pub keys_in_urls: bool,

    /// The key for requests that have none, for clients without a field for one. It is used for
    /// clients in `DEFAULT_API_KEY_NETWORKS` only, and not for web pages of other machines.
    #[arg(
        long,
        env = "DEFAULT_API_KEY",
        hide_env_values = true,
        value_name = "KEY"
    )]
    pub default_api_key: Option<SecretString>,

    /// The networks whose callers use the default key, as addresses or networks, separated by
    /// commas. Without it only those of this machine do, and only if the relay listens on 127.0.0.1.
    #[arg(long, env = "DEFAULT_API_KEY_NETWORKS", value_delimiter = ',', value_name = "NET,…", value_parser = network)]
    pub default_api_key_networks: Vec<IpNet>,
}

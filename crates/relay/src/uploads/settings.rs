//! What may be fetched for a request.

use clap::{ArgAction, Args};

use crate::setting_values::boolean;

/// Fetching, as the operator sets it.
#[derive(Debug, Clone, Args)]
// Sections of settings have one name, and clap would take it for a group of each.
#[group(skip)]
pub struct Settings {
    /// Whether image and file URLs in requests may point to private addresses.
    #[arg(long, env = "ALLOW_PRIVATE_URLS", value_name = "BOOL", default_value = "false",
          default_missing_value = "true", num_args = 0..=1, action = ArgAction::Set, value_parser = boolean)]
    pub allow_private_urls: bool,

    /// The largest file that is fetched from a URL in a request, in MiB.
    #[arg(long, env = "MAX_FETCH_MB", default_value_t = 32, value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub max_fetch_mb: u32,
}

impl Settings {
    /// The largest fetched file in bytes.
    #[must_use]
    pub fn max_fetch(&self) -> usize {
        self.max_fetch_mb as usize * 1024 * 1024
    }
}

//! Where 1min.ai is, and how long it is waited for.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{ArgAction, Args};
use onemin::Authorities;
use url::Url;

use crate::setting_values::{boolean, http_url, seconds};

/// 1min.ai, as the operator sets it.
#[derive(Debug, Clone, Args)]
// Sections of settings have one name, and clap would take it for a group of each.
#[group(skip)]
pub struct UpstreamSettings {
    /// Where 1min.ai's API is.
    #[arg(long, env = "ONEMIN_BASE_URL", default_value = onemin::DEFAULT_BASE_URL, value_name = "URL", value_parser = http_url)]
    pub onemin_base_url: Url,

    /// Where 1min.ai's files are.
    #[arg(long, env = "ONEMIN_ASSET_URL", default_value = onemin::DEFAULT_ASSET_URL, value_name = "URL", value_parser = http_url)]
    pub onemin_asset_url: Url,

    /// A PEM file of certificate authorities that are trusted for 1min.ai besides those that
    /// browsers trust: for a proxy on the way that decrypts TLS.
    #[arg(long, env = "ONEMIN_CA_FILE", value_name = "FILE")]
    pub onemin_ca_file: Option<PathBuf>,

    /// Seconds to wait for a connection to 1min.ai.
    #[arg(long, env = "CONNECT_TIMEOUT", default_value = "10", value_name = "SECONDS", value_parser = seconds)]
    pub connect_timeout: Duration,

    /// Seconds to wait for the first byte of an answer.
    #[arg(long, env = "FIRST_BYTE_TIMEOUT", default_value = "180", value_name = "SECONDS", value_parser = seconds)]
    pub first_byte_timeout: Duration,

    /// Seconds that a stream may be silent.
    #[arg(long, env = "IDLE_TIMEOUT", default_value = "120", value_name = "SECONDS", value_parser = seconds)]
    pub idle_timeout: Duration,

    /// Seconds that one answer may take in all.
    #[arg(long, env = "REQUEST_TIMEOUT", default_value = "900", value_name = "SECONDS", value_parser = seconds)]
    pub request_timeout: Duration,

    /// Seconds that an image, speech or a transcript may take, and that an answer waits for a job
    /// (a video, music, an image of a request that is recorded).
    #[arg(long, env = "MEDIA_TIMEOUT", default_value = "900", value_name = "SECONDS", value_parser = seconds)]
    pub media_timeout: Duration,

    /// Whether 1min.ai's own API is passed on below `/1min`, with the relay's keys, budgets and
    /// ledger: `/1min/api/features`, `/1min/api/chat-with-ai` and the other paths that an API key may
    /// use.
    #[arg(long, env = "NATIVE", value_name = "BOOL", default_value = "false",
          default_missing_value = "true", num_args = 0..=1, action = ArgAction::Set, value_parser = boolean)]
    pub native: bool,

    /// Seconds before 1min.ai is asked what became of a long job such as a video; later it is asked
    /// more rarely, at most five times.
    #[arg(long, env = "JOB_POLL", default_value = "2", value_name = "SECONDS", value_parser = seconds)]
    pub job_poll: Duration,
}

impl UpstreamSettings {
    /// The options of the 1min.ai client.
    ///
    /// # Errors
    /// `ONEMIN_CA_FILE` cannot be read or holds no certificates; in words for the operator.
    pub fn client_options(&self) -> Result<onemin::Options, String> {
        let authorities = self
            .onemin_ca_file
            .as_deref()
            .map(authorities)
            .transpose()?;
        Ok(onemin::Options {
            authorities: authorities.unwrap_or_default(),
            base_url: self.onemin_base_url.clone(),
            asset_url: self.onemin_asset_url.clone(),
            timeouts: self.timeouts(),
            ..onemin::Options::default()
        })
    }

    fn timeouts(&self) -> onemin::Timeouts {
        let usual = onemin::Timeouts::default();
        onemin::Timeouts {
            connect: self.connect_timeout,
            first_byte: self.first_byte_timeout,
            idle: self.idle_timeout,
            whole: self.request_timeout,
            feature: self.media_timeout,
            download: self.first_byte_timeout.min(usual.download),
            ..usual
        }
    }

    /// The longest that a request may take.
    #[must_use]
    pub fn longest_request(&self) -> Duration {
        self.request_timeout.max(self.media_timeout)
    }
}

fn authorities(file: &Path) -> Result<Authorities, String> {
    let because = |why: &dyn Display| format!("ONEMIN_CA_FILE `{}`: {why}", file.display());
    let pem = std::fs::read(file).map_err(|error| because(&error))?;
    Authorities::from_pem(&pem).map_err(|error| because(&error))
}

//! What a client is made of: addresses, name, time limits.

use std::time::Duration;

use url::Url;

use crate::features::FIRST_POLL;
use crate::transport::Authorities;

/// Where the API is.
pub const DEFAULT_BASE_URL: &str = "https://api.1min.ai";

/// Where stored files are.
pub const DEFAULT_ASSET_URL: &str = "https://asset.1min.ai";

/// How this client names itself. Upstream's edge refuses the names of some libraries.
pub const USER_AGENT: &str = concat!(
    "1min-relay/",
    env!("CARGO_PKG_VERSION"),
    " (+",
    env!("CARGO_PKG_REPOSITORY"),
    ")"
);

/// What a client is made of.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the API is, https or http.
    pub base_url: Url,
    /// Where stored files are.
    pub asset_url: Url,
    /// The `user-agent` header.
    pub user_agent: String,
    /// The time limits.
    pub timeouts: Timeouts,
    /// Send small packets at once.
    pub tcp_nodelay: bool,
    /// Trusted besides the authorities that browsers trust.
    pub authorities: Authorities,
}

impl Default for Options {
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "constants, and a test parses them")]
        let url = |text| Url::parse(text).expect("a URL");
        Self {
            base_url: url(DEFAULT_BASE_URL),
            asset_url: url(DEFAULT_ASSET_URL),
            user_agent: USER_AGENT.to_owned(),
            timeouts: Timeouts::default(),
            tcp_nodelay: true,
            authorities: Authorities::default(),
        }
    }
}

/// Time limits; each is told apart in the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection, TLS included.
    pub connect: Duration,
    /// From sending a chat request to the head of the response. Without streaming the head comes
    /// when the answer is complete.
    pub first_byte: Duration,
    /// Between two reads of a streamed answer.
    pub idle: Duration,
    /// For a whole chat call, streamed or not.
    pub whole: Duration,
    /// For a list of models.
    pub models: Duration,
    /// For an upload.
    pub upload: Duration,
    /// For a feature (images, speech, transcripts, code) until its result is there, held or
    /// polled.
    pub feature: Duration,
    /// Before a job is polled for the first time. Later polls come more rarely, at most five times
    /// as rarely.
    pub poll: Duration,
    /// For a small request that costs nothing: one poll of a job, a conversation, a deletion.
    pub small: Duration,
    /// From asking for a stored file to the head of the response. Its bytes may then be waited for as
    /// long as a feature, `idle` at a time.
    pub download: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_mins(3),
            idle: Duration::from_mins(2),
            whole: Duration::from_mins(15),
            models: Duration::from_secs(5),
            upload: Duration::from_mins(3),
            feature: Duration::from_mins(15),
            poll: FIRST_POLL,
            small: Duration::from_secs(30),
            download: Duration::from_secs(30),
        }
    }
}

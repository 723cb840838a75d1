//! Who calls, and how often: the credentials of a request, the caller and the account that they
//! stand for, rate limits.

pub mod account_id;
pub mod caller;
pub mod client_address;
pub mod credentials;
pub mod known_keys;
pub mod rate_limit;
pub mod sealing;
pub mod secret;

use std::net::SocketAddr;
use std::sync::Arc;

use http::HeaderMap;
use ipnet::IpNet;
use translate::failure::Failure;

use crate::accounts::Lease;
use crate::config::RateLimitBy;
use crate::http::event_stream::Heartbeat;
use crate::ledger::Payer;
use crate::observe::metrics::Metrics;
use account_id::AccountIds;
use caller::Caller;
use client_address::client_address;
use known_keys::KnownKeys;
use rate_limit::{RateLimit, RateLimitSlot};

/// What the operator settles about access.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What the rate limit counts by.
    pub rate_limit_by: RateLimitBy,
    /// Proxies whose word for a client's address is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether parameters without effect are refused, whatever a request says.
    pub strict: bool,
    /// The largest request body, in bytes.
    pub max_body: usize,
    /// When a silent stream shows that it is alive.
    pub heartbeat: Heartbeat,
}

/// What the front door asks: who calls, who pays, whether there is room for the request.
pub struct Access {
    account_ids: AccountIds,
    known_keys: KnownKeys,
    rate_limit: RateLimit,
    metrics: Option<Arc<Metrics>>,
    settings: Settings,
}

impl Access {
    /// Access by these ids, known keys and limits. `metrics` are counted if anybody wants them.
    #[must_use]
    pub fn new(
        account_ids: AccountIds,
        known_keys: KnownKeys,
        rate_limit: RateLimit,
        metrics: Option<Arc<Metrics>>,
        settings: Settings,
    ) -> Self {
        Self {
            account_ids,
            known_keys,
            rate_limit,
            metrics,
            settings,
        }
    }

    /// Who calls by the credentials of a request, and which account pays.
    ///
    /// # Errors
    /// No key, or one that cannot be one.
    pub fn authenticate(&self, headers: &HeaderMap) -> Result<Payer, Failure> {
        let key = credentials::key(headers)?;
        // Whoever sends a key of 1min.ai's is the account behind it, and pays with it.
        let account = self.account_ids.of_key(&key);
        let caller = Caller {
            id: account,
            name: None,
        };
        let lease = Lease {
            key,
            account,
            name: None,
        };
        Ok(Payer::new(caller, lease))
    }

    /// Counts a request against its caller's limit, if there is one.
    ///
    /// # Errors
    /// The limit is reached.
    pub async fn count(
        &self,
        caller: &Caller,
        peer: SocketAddr,
        headers: &HeaderMap,
        slot: &RateLimitSlot,
    ) -> Result<(), Failure> {
        if !self.rate_limit.is_on() {
            return Ok(());
        }
        let who = match self.settings.rate_limit_by {
            RateLimitBy::Key => caller.id,
            RateLimitBy::Address => {
                let address = client_address(peer, headers, &self.settings.trusted_proxies);
                self.account_ids.of_address(address)
            }
        };
        self.rate_limit.admit(who, slot).await
    }

    /// Refuses a caller that nobody knows, where a request costs no credits and so would be served
    /// to an invented key.
    ///
    /// # Errors
    /// Upstream does not know the key.
    pub async fn require_known(&self, payer: &Payer) -> Result<(), Failure> {
        let lease = payer.lease();
        self.known_keys.check(&lease.key, lease.account).await
    }

    /// Whether parameters without effect are refused: the operator's word, which a request can make
    /// stricter for itself.
    #[must_use]
    pub fn is_strict(&self, headers: &HeaderMap) -> bool {
        let asked = headers.get("x-relay-strict");
        let asked = asked.is_some_and(|value| matches!(value.as_bytes(), b"1" | b"true"));
        self.settings.strict || asked
    }

    /// The largest request body, in bytes.
    #[must_use]
    pub fn max_body(&self) -> usize {
        self.settings.max_body
    }

    /// When a silent stream shows that it is alive.
    #[must_use]
    pub fn heartbeat(&self) -> Heartbeat {
        self.settings.heartbeat
    }

    /// What is counted for Prometheus, if anybody wants it.
    #[must_use]
    pub fn metrics(&self) -> Option<&Arc<Metrics>> {
        self.metrics.as_ref()
    }

    /// Begins to look for the service that counts, if there is a limit and a service.
    pub fn warm(&self) {
        self.rate_limit.warm();
    }
}

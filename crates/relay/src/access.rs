//! Who calls, and how often: the credentials of a request, the caller and the account that they
//! stand for, rate limits.

pub mod account_id;
pub mod admin;
pub mod caller;
pub mod client_address;
pub mod constant_time;
pub mod credentials;
pub mod keys;
pub mod known_keys;
pub mod rate_limit;
pub mod recent_digests;
pub mod sealing;
pub mod secret;
pub mod session;
pub mod settings;
pub mod sign_in;
pub mod sign_in_limit;
pub mod supplied_key;
pub mod visitor;

use std::net::SocketAddr;
use std::sync::Arc;

use clap::ValueEnum;
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use translate::failure::{Failure, Kind};

use crate::accounts::Lease;
use crate::clock;
use crate::http::context::RequestContext;
use crate::http::event_stream::Heartbeat;
use crate::ledger::Payer;
use crate::ledger::gate::Gate;
use crate::ledger::request_entry::RequestEntry;
use crate::observe::metrics::Metrics;
use crate::observe::throttle::warn_throttled;
use account_id::{AccountId, AccountIds};
use admin::AdminKey;
use caller::Caller;
use client_address::client_address;
use keys::cache::{AccessKeys, KnownKey, unread};
use keys::format;
use known_keys::KnownKeys;
use rate_limit::{RateLimit, RateLimitBy, RateLimitSlot};
use visitor::Visitor;

/// What the operator sets about every request.
#[derive(Debug, Clone)]
pub struct RequestRules {
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

/// Whose keys clients send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KeyMode {
    /// Their own 1min.ai keys.
    Off,
    /// Access keys of this relay.
    On,
    /// Both kinds.
    Both,
}

impl KeyMode {
    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::On => "on",
            Self::Both => "both",
        }
    }
}

/// What access keys need; a relay of 1min.ai keys alone uses none of it.
#[derive(Clone)]
pub struct KeyAccess {
    /// The keys.
    pub keys: Arc<AccessKeys>,
    /// Holds, accounts, prices.
    pub gate: Arc<Gate>,
    /// Whose keys clients send; none lets it depend on whether there are accounts or access keys.
    pub mode: Option<KeyMode>,
    /// Whether the settings name accounts or a file of them, even one that is empty now.
    pub names_accounts: bool,
    /// Whether requests are recorded as soon as there are accounts or access keys.
    pub records_by_itself: bool,
    /// The operator's key; none if nothing can be managed.
    pub admin: Option<AdminKey>,
    /// Dollars that a credit counts for, for clients that show dollars; 1 shows credits.
    pub dollars: f64,
}

impl KeyAccess {
    /// Whether there are accounts or access keys, as far as is known. Accounts that were named and
    /// are gone count, too: a relay that has lost them serves its holders badly, but no strangers.
    #[must_use]
    pub fn has_accounts_or_keys(&self) -> bool {
        self.names_accounts || self.gate.pool.has_stored() || self.keys.has_any()
    }

    /// Whose keys clients send now.
    #[must_use]
    pub fn mode(&self) -> KeyMode {
        let usual = || {
            if self.has_accounts_or_keys() {
                KeyMode::On
            } else {
                KeyMode::Off
            }
        };
        self.mode.unwrap_or_else(usual)
    }

    /// Whether [`Self::mode`] may be another once the database could be read.
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        let pool = &self.gate.pool;
        self.mode.is_none()
            && !self.has_accounts_or_keys()
            && !(self.keys.revision().is_some() && pool.was_read())
            && pool.store().database().is_in_use()
    }
}

const STRICT: HeaderName = HeaderName::from_static("x-relay-strict");

/// What the front door asks: who calls, who pays, whether there is room for the request.
pub struct Access {
    account_ids: AccountIds,
    known_keys: KnownKeys,
    rate_limit: RateLimit,
    metrics: Option<Arc<Metrics>>,
    sharing: KeyAccess,
    rules: RequestRules,
}

impl Access {
    /// Access by these ids, known keys and limits. `metrics` are counted if anybody wants them.
    #[must_use]
    pub fn new(
        account_ids: AccountIds,
        known_keys: KnownKeys,
        rate_limit: RateLimit,
        metrics: Option<Arc<Metrics>>,
        sharing: KeyAccess,
        rules: RequestRules,
    ) -> Self {
        Self {
            account_ids,
            known_keys,
            rate_limit,
            metrics,
            sharing,
            rules,
        }
    }

    /// Who calls by the credentials of a request, and which account pays. `api` is the endpoint's
    /// name.
    ///
    /// # Errors
    /// No key, one that cannot be one or does not open, or as many requests under way as it may
    /// have.
    pub fn authenticate(
        &self,
        headers: &HeaderMap,
        context: &RequestContext,
        api: &'static str,
    ) -> Result<Payer, Failure> {
        let mode = self.sharing.mode();
        let given = credentials::text_of(headers);
        if let Some(credential) = given.filter(|text| format::is_access_key(text)) {
            // Whatever the mode, such a key never goes to 1min.ai.
            if mode == KeyMode::Off {
                if self.sharing.is_undecided() {
                    return Err(unread());
                }
                return Err(refused(
                    "This relay does not accept access keys (RELAY_KEYS): send a 1min.ai key.",
                ));
            }
            let now = clock::now_ms();
            let known = self.sharing.keys.authenticate(credential, now)?;
            return self.holder(known, context, api);
        }
        if mode == KeyMode::On {
            return Err(refused(match given {
                None => {
                    "No API key: send your access key as `Authorization: Bearer sk-relay-…` (1021). Ask the operator of this relay for one."
                }
                Some(_) => {
                    "This relay accepts only access keys, which begin with `sk-relay-` (1020). Ask its operator for one."
                }
            }));
        }
        if mode == KeyMode::Off && self.sharing.admin.is_some() && self.sharing.is_undecided() {
            return Err(undecided());
        }
        let key = credentials::key(given)?;
        // Whoever sends a key of 1min.ai's is the account behind it, and pays with it.
        let account = self.account_ids.of_key(&key);
        let caller = Caller {
            id: account,
            name: None,
        };
        let lease = Lease {
            key,
            account,
            pooled: None,
        };
        let gate = &self.sharing.gate;
        let entry = self.entry(context, api, None);
        Ok(Payer::of(
            caller,
            Some(lease),
            Some(gate.clone()),
            None,
            entry,
            context.costs.clone(),
            None,
        ))
    }

    /// As [`Access::authenticate`], for whoever is signed in to the page.
    ///
    /// # Errors
    /// The operator has no access key, or the holder's may not be used now.
    pub fn authenticate_visitor(
        &self,
        visitor: &Visitor,
        context: &RequestContext,
        api: &'static str,
    ) -> Result<Payer, Failure> {
        match visitor {
            Visitor::Holder(known) if self.is_shared() => self.holder(known.clone(), context, api),
            Visitor::Holder(_) => Err(refused(
                "This relay does not accept access keys (RELAY_KEYS).",
            )),
            Visitor::Admin => {
                let message = "The admin key cannot be used for model requests: use an access key.";
                Err(Failure::new(Kind::Forbidden, message).with_retry(false))
            }
        }
    }

    /// The payer of a request with an access key.
    fn holder(
        &self,
        known: Arc<KnownKey>,
        context: &RequestContext,
        api: &'static str,
    ) -> Result<Payer, Failure> {
        self.require_ledger(&known)?;
        let running = known.begin()?;
        let caller = Caller {
            id: known.owner,
            name: Some(known.key.name.as_str().into()),
        };
        let entry = self.entry(context, api, Some(known.clone()));
        Ok(Payer::of(
            caller,
            None,
            Some(self.sharing.gate.clone()),
            Some(known),
            entry,
            context.costs.clone(),
            Some(running),
        ))
    }

    /// Sees to it that what a key spends is recorded where its budgets need that.
    fn require_ledger(&self, known: &KnownKey) -> Result<(), Failure> {
        let ledger = &self.sharing.gate.ledger;
        if ledger.is_on() {
            return Ok(());
        }
        if self.sharing.records_by_itself {
            // The key was found in the database a moment ago, and the ledger is about to be on.
            ledger.turn_on();
            return Ok(());
        }
        if known.key.budgets.is_empty() {
            return Ok(());
        }
        let key = &known.key.name;
        warn_throttled!(
            key,
            "access keys with budgets are refused, since budgets need the ledger (LEDGER=off)"
        );
        let message = "This access key has a budget, which cannot be checked: this relay records no requests (LEDGER=off). Ask its operator.";
        Err(Failure::new(Kind::Overloaded, message).with_retry(false))
    }

    fn entry(
        &self,
        context: &RequestContext,
        api: &'static str,
        known: Option<Arc<KnownKey>>,
    ) -> Option<Arc<RequestEntry>> {
        let ledger = &self.sharing.gate.ledger;
        if !ledger.is_on() {
            return None;
        }
        ledger.begin(context.id.to_string(), api, known, clock::now_ms())
    }

    /// Whether the credential of a request, if it has one, is for this relay to judge.
    #[must_use]
    pub fn knows_keys(&self, headers: &HeaderMap) -> bool {
        credentials::text_of(headers)
            .is_some_and(|text| format::is_access_key(text) || self.sharing.mode() == KeyMode::On)
    }

    /// Whether access keys are taken.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.sharing.mode() != KeyMode::Off
    }

    /// What access keys need.
    #[must_use]
    pub fn key_access(&self) -> &KeyAccess {
        &self.sharing
    }

    /// Counts a request against the limits of its access key and of its caller, if there is one.
    ///
    /// # Errors
    /// The limit is reached.
    pub async fn count(
        &self,
        payer: &Payer,
        peer: SocketAddr,
        headers: &HeaderMap,
        slot: &RateLimitSlot,
    ) -> Result<(), Failure> {
        let caller = payer.caller();
        if let Some(rpm) = payer.key().and_then(|known| known.key.rpm) {
            self.rate_limit.admit_within(rpm, caller.id, slot).await?;
        }
        if !self.rate_limit.is_on() {
            return Ok(());
        }
        let who = match self.rules.rate_limit_by {
            RateLimitBy::Key => caller.id,
            RateLimitBy::Address => self.address(peer, headers),
        };
        self.rate_limit.admit(who, slot).await
    }

    /// The name of the address from which a request comes.
    #[must_use]
    pub fn address(&self, peer: SocketAddr, headers: &HeaderMap) -> AccountId {
        let address = client_address(peer, headers, &self.rules.trusted_proxies);
        self.account_ids.of_address(address)
    }

    /// Refuses a caller that nobody knows, where a request costs no credits and so would be served
    /// to an invented key.
    ///
    /// # Errors
    /// Upstream does not know the key.
    pub async fn require_known(&self, payer: &Payer) -> Result<(), Failure> {
        if payer.key().is_some() {
            return Ok(());
        }
        let lease = payer.lease()?;
        self.known_keys.check(&lease.key, lease.account).await
    }

    /// Whether parameters without effect are refused: the operator's word, which a request can make
    /// stricter for itself.
    #[must_use]
    pub fn is_strict(&self, headers: &HeaderMap) -> bool {
        let asked = headers.get(STRICT);
        let asked = asked.is_some_and(|value| matches!(value.as_bytes(), b"1" | b"true"));
        self.rules.strict || asked
    }

    /// The largest request body, in bytes.
    #[must_use]
    pub fn max_body(&self) -> usize {
        self.rules.max_body
    }

    /// When a silent stream shows that it is alive.
    #[must_use]
    pub fn heartbeat(&self) -> Heartbeat {
        self.rules.heartbeat
    }

    /// What is counted for Prometheus, if anybody wants it.
    #[must_use]
    pub fn metrics(&self) -> Option<&Arc<Metrics>> {
        self.metrics.as_ref()
    }

    /// Begins to look for the service that counts, if there is one and anything may be limited: all
    /// requests, or those of an access key.
    pub fn warm(&self) {
        let has_keys = self.sharing.admin.is_some() || self.is_shared();
        if has_keys || self.rate_limit.is_on() {
            self.rate_limit.warm();
        }
    }
}

/// The refusal of a client's own key while it is not known whether there are access keys.
fn undecided() -> Failure {
    let message = "The relay's database does not answer, so the relay does not know yet whose keys it accepts. Try again in a moment.";
    Failure::new(Kind::Overloaded, message).with_retry_after(Some(5))
}

fn refused(message: &str) -> Failure {
    Failure::new(Kind::Unauthenticated, message).with_retry(false)
}

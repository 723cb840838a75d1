//! Access keys, accounts and the ledger, built from the settings, and their life: they are read at
//! the start, looked after while the relay runs, and written to the end.

use std::future::Future;
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

use onemin::Client;
use secrecy::ExposeSecret as _;

use crate::access::admin::AdminKey;
use crate::access::keys::cache::AccessKeys;
use crate::access::keys::store::KeyStore;
use crate::access::{KeyAccess, KeyMode};
use crate::accounts::configured;
use crate::accounts::pool::{Pool, Sources};
use crate::accounts::store::AccountStore;
use crate::config::sharing::{LedgerMode, SharingSettings};
use crate::ledger::counters::Scopes;
use crate::ledger::estimate::Estimator;
use crate::ledger::gate::Gate;
use crate::ledger::period::Calendar;
use crate::ledger::service::{Ledger, LedgerSettings};
use crate::models::Models;
use crate::observe::throttle::warn_throttled;
use crate::store::StoreError;
use crate::store::build::Stores;
use crate::task;

/// How often changes of other processes are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How often accounts are looked after.
const LOOK_AFTER_EVERY: u32 = 5;

/// The longest that the start waits for the database.
const START_PATIENCE: Duration = Duration::from_secs(3);

/// What longer than a request is charged after it has ended.
const GRACE: Duration = Duration::from_mins(1);

/// Everything that sharing accounts needs.
#[derive(Clone)]
pub struct Sharing {
    /// Access keys.
    pub keys: Arc<AccessKeys>,
    /// Holds, accounts, prices.
    pub gate: Arc<Gate>,
    key_access: KeyAccess,
    /// Whether the settings want any of it, so that the database may be opened.
    is_wanted: bool,
    /// Begins the ledger's work, once.
    ledger_run: Arc<Once>,
    /// Held while the database is read.
    reading: Arc<tokio::sync::Mutex<()>>,
    accounts: Arc<ReadUpTo>,
    resets: Arc<ReadUpTo>,
}

/// The revision up to which something was read from the database. A read that fails, or is cut off, is
/// owed until one succeeds.
#[derive(Default)]
struct ReadUpTo(Mutex<Option<i64>>);

impl ReadUpTo {
    async fn catch_up<E>(
        &self,
        revision: Option<i64>,
        read: impl Future<Output = Result<(), E>>,
    ) -> Result<(), E> {
        let done = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if revision.is_some() && *done() == revision {
            return Ok(());
        }
        read.await?;
        *done() = revision;
        Ok(())
    }
}

impl Sharing {
    /// The services, as the settings want them; `longest_request` is how long a request may take.
    /// Opens nothing.
    ///
    /// # Errors
    /// Which setting makes no sense, without any secret.
    pub fn new(
        sharing: &SharingSettings,
        longest_request: Duration,
        client: &Client,
        stores: &Stores,
        models: Arc<Models>,
    ) -> Result<Self, String> {
        let admin = sharing.admin_key().map(AdminKey::new).transpose()?;
        let named = sharing.onemin_api_keys.as_ref();
        let named = named.map_or("", |keys| keys.expose_secret());
        let named =
            configured::parse(named).map_err(|error| format!("ONEMIN_API_KEYS: {error}"))?;
        let sources = Sources {
            named,
            file: sharing.onemin_api_keys_file.clone(),
            sealer: stores.sealer.clone(),
            account_ids: stores.account_ids.clone(),
        };
        let accounts = AccountStore::new(stores.database.clone());
        let pool = Pool::new(client.clone(), sharing.pool, sources, accounts);
        pool.load_configured()
            .map_err(|error| format!("ONEMIN_API_KEYS_FILE: {error}"))?;
        let calendar = Calendar::of_zone(&sharing.budget_timezone)
            .map_err(|error| format!("BUDGET_TIMEZONE: {error}"))?;
        let wants_keys = sharing
            .relay_keys
            .is_some_and(|mode| mode.as_str() != "off");
        let names_accounts = sharing.names_accounts();
        let is_wanted = names_accounts || admin.is_some() || wants_keys;
        let needs_ledger = names_accounts || wants_keys;
        if sharing.ledger == LedgerMode::Off && (needs_ledger || !sharing.budgets.is_empty()) {
            return Err(
                "LEDGER=off does not go with access keys or BUDGETS: budgets need the ledger"
                    .to_owned(),
            );
        }
        let is_on = match sharing.ledger {
            LedgerMode::On => true,
            LedgerMode::Off => false,
            LedgerMode::Auto => needs_ledger || admin.is_some(),
        };
        let ledger = Ledger::new(
            stores.database.clone(),
            stores.folder.clone(),
            calendar,
            LedgerSettings {
                is_on,
                budgets: sharing.budgets.clone(),
                // Beside access keys, who brings a key of 1min.ai's spends other people's credits.
                scopes: Scopes {
                    own_keys_count: sharing.relay_keys != Some(KeyMode::Both),
                },
                on_outage: sharing.budget_on_outage,
                hold_for: longest_request + GRACE,
                retention: sharing.retention(),
            },
        );
        let keys = Arc::new(AccessKeys::new(KeyStore::new(stores.database.clone())));
        let gate = Arc::new(Gate {
            ledger,
            estimator: Estimator::new(sharing.credit_estimates.clone()),
            models,
            pool: Arc::new(pool),
        });
        Ok(Self {
            key_access: KeyAccess {
                keys: keys.clone(),
                gate: gate.clone(),
                mode: sharing.relay_keys,
                names_accounts,
                records_by_itself: sharing.ledger == LedgerMode::Auto,
                admin,
                dollars: sharing.credits_per_usd.map_or(1.0, |credits| 1.0 / credits),
            },
            keys,
            gate,
            is_wanted: is_wanted || is_on,
            reading: Arc::default(),
            accounts: Arc::default(),
            resets: Arc::default(),
            ledger_run: Arc::new(Once::new()),
        })
    }

    /// Whether there may be keys, accounts or a ledger: the settings want them, or they may be in a
    /// database that is there. Commands and other processes may make one while the relay runs.
    #[must_use]
    pub fn is_used(&self) -> bool {
        self.is_wanted || self.gate.ledger.database().is_in_use()
    }

    /// What the front door needs of it.
    #[must_use]
    pub fn key_access(&self) -> &KeyAccess {
        &self.key_access
    }

    /// Reads keys and accounts, and begins to look after them. A database that is away is asked
    /// again later; one that is not there yet is looked for.
    pub async fn start(&self) {
        if self.is_used()
            && tokio::time::timeout(START_PATIENCE, self.refresh())
                .await
                .is_err()
        {
            tracing::warn!(
                "the database does not answer yet; access keys are refused until it does"
            );
        }
        self.run_ledger();
        let ledger = &self.gate.ledger;
        if ledger.is_on()
            && tokio::time::timeout(START_PATIENCE, ledger.loaded())
                .await
                .is_err()
        {
            tracing::warn!(
                "the ledger cannot be read yet; keys with budgets are refused until it can"
            );
        }
        task::spawn(self.clone().look_after());
    }

    /// Waits for the ledger's last rows.
    pub async fn close(&self) {
        if self.gate.ledger.is_on() {
            self.gate.ledger.close().await;
        }
    }

    /// Reads from the database what has changed of keys and accounts, and what could not be read
    /// before.
    pub async fn refresh(&self) {
        let _reading = self.reading.lock().await;
        if let Err(error) = self.keys.refresh().await {
            self.unread("access keys", &error);
            return;
        }
        let revision = self.keys.revision();
        let accounts = self.gate.pool.load_stored();
        if let Err(error) = self.accounts.catch_up(revision, accounts).await {
            self.unread("accounts", &error);
        }
        let resets = self.gate.ledger.refresh();
        if let Err(error) = self.resets.catch_up(revision, resets).await {
            self.unread("resets of budgets", &error);
        }
        if self.key_access.records_by_itself && self.key_access.has_accounts_or_keys() {
            self.gate.ledger.turn_on();
        }
    }

    fn unread(&self, what: &str, error: &StoreError) {
        if self.is_wanted || self.key_access.has_accounts_or_keys() {
            warn_throttled!(%error, what, "the database cannot be read; it is tried again");
        } else {
            tracing::debug!(%error, what, "the database cannot be read; it is tried again");
        }
    }

    fn run_ledger(&self) {
        let ledger = &self.gate.ledger;
        if ledger.is_on() {
            self.ledger_run
                .call_once(|| drop(task::spawn(ledger.clone().run())));
        }
    }

    async fn look_after(self) {
        let mut mode = self.key_access.mode();
        let mut rounds = 0_u32;
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            if self.is_used() {
                self.refresh().await;
                self.run_ledger();
            }
            rounds = rounds.wrapping_add(1);
            if rounds.is_multiple_of(LOOK_AFTER_EVERY) {
                self.gate.pool.look_after().await;
            }
            let before = std::mem::replace(&mut mode, self.key_access.mode());
            if mode != before {
                let (before, now) = (before.as_str(), mode.as_str());
                tracing::warn!(
                    before,
                    now,
                    "whose keys clients send has changed with the accounts and access keys (RELAY_KEYS)"
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_read_that_failed_is_owed_and_one_that_was_done_is_not_repeated() {
        let read_up_to = ReadUpTo::default();
        let table = [
            (None, Ok(()), true),
            (Some(1), Err("away"), true),
            (Some(1), Ok(()), true),
            (Some(1), Ok(()), false),
            (Some(2), Err("away"), true),
            (Some(2), Ok(()), true),
        ];
        for (revision, outcome, is_read) in table {
            let mut was_read = false;
            let reading = async {
                was_read = true;
                outcome
            };
            let caught_up = read_up_to.catch_up(revision, reading).await;
            assert_eq!(was_read, is_read, "{revision:?} {outcome:?}");
            assert_eq!(caught_up.is_err(), outcome.is_err());
        }
    }
}

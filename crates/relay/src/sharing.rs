//! Access keys, accounts and the ledger, built from the settings, and their life: they are read at
//! the start, looked after while the relay runs, and written to the end.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
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
    admin: Option<AdminKey>,
    /// Whether anything of it is used, so that the database may be opened.
    is_used: bool,
    /// Whether requests are recorded as soon as there are accounts.
    records_by_itself: bool,
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
        // A relay that had accounts or keys before has them in its database.
        let had_any = stores.database.is_in_use() && !stores.database.is_shared();
        let is_used = sharing.names_accounts() || admin.is_some() || wants_keys || had_any;
        let needs_ledger = sharing.names_accounts() || wants_keys;
        if sharing.ledger == LedgerMode::Off && needs_ledger {
            return Err(
                "LEDGER=off does not go with access keys: budgets need the ledger".to_owned(),
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
        Ok(Self {
            keys: Arc::new(AccessKeys::new(KeyStore::new(stores.database.clone()))),
            gate: Arc::new(Gate {
                ledger,
                estimator: Estimator::new(sharing.credit_estimates.clone()),
                models,
                pool: Arc::new(pool),
            }),
            admin,
            is_used: is_used || is_on,
            records_by_itself: sharing.ledger == LedgerMode::Auto,
            accounts: Arc::default(),
            resets: Arc::default(),
        })
    }

    /// Whether there may be keys, accounts or a ledger.
    #[must_use]
    pub fn is_used(&self) -> bool {
        self.is_used
    }

    /// What the front door needs of it.
    #[must_use]
    pub fn key_access(&self, settings: &SharingSettings) -> KeyAccess {
        KeyAccess {
            keys: self.keys.clone(),
            gate: self.gate.clone(),
            mode: settings.relay_keys,
            admin: self.admin.clone(),
            dollars: settings
                .credits_per_usd
                .map_or(1.0, |credits| 1.0 / credits),
        }
    }

    /// Reads keys and accounts, and begins to look after them. A database that is away is asked
    /// again later.
    pub async fn start(&self) {
        if !self.is_used {
            return;
        }
        if tokio::time::timeout(START_PATIENCE, self.refresh())
            .await
            .is_err()
        {
            tracing::warn!(
                "the database does not answer yet; access keys are refused until it does"
            );
        }
        let ledger = &self.gate.ledger;
        task::spawn(ledger.clone().run());
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

    /// Reads keys and accounts from the database, if they have changed since they were read.
    pub async fn refresh(&self) {
        if let Err(error) = self.keys.refresh().await {
            tracing::debug!(%error, "access keys cannot be read");
            return;
        }
        let reading = self.gate.pool.load_stored();
        if let Err(error) = self.accounts.catch_up(self.keys.revision(), reading).await {
            tracing::debug!(%error, "accounts cannot be read");
        }
        if self.records_by_itself && !self.gate.pool.is_empty() {
            self.gate.ledger.turn_on();
        }
    }

    async fn look_after(self) {
        let mut rounds = 0_u32;
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            self.refresh().await;
            let reading = self.gate.ledger.refresh();
            if let Err(error) = self.resets.catch_up(self.keys.revision(), reading).await {
                tracing::debug!(%error, "resets of budgets cannot be read");
            }
            rounds = rounds.wrapping_add(1);
            if rounds.is_multiple_of(LOOK_AFTER_EVERY) {
                self.gate.pool.look_after().await;
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

//! The pool of accounts in this process: leases for calls, what refusals say of an account, and the
//! accounts' keys from settings, file and database.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::SystemTime;

use onemin::{ApiKey, Client, Error};
use secrecy::ExposeSecret as _;
use translate::failure::Failure;

use super::account::{Account, Lease};
use super::balance::Balance;
use super::choice::{Availability, Policy, Unavailable, choose, why_refused};
use super::configured;
use super::refusal::unavailable;
use super::store::{AccountRecord, AccountStore};
use crate::access::account_id::AccountIds;
use crate::access::keys::AccessKey;
use crate::access::sealing::{NotSealed, Sealer};
use crate::clock;
use crate::observe::throttle::warn_throttled;
use crate::store::StoreError;

/// How often a parked account's key is looked at.
const LOOK_AGAIN_AFTER: i64 = 10 * 60 * 1000;

/// Where accounts come from.
pub struct Sources {
    /// Those that the settings name.
    pub named: Vec<(String, ApiKey)>,
    /// A file with more of them.
    pub file: Option<PathBuf>,
    /// Opens sealed keys.
    pub sealer: Sealer,
    /// Names accounts where records say what lies at which.
    pub account_ids: AccountIds,
}

/// The accounts that can pay.
pub struct Pool {
    client: Client,
    policy: Policy,
    sources: Sources,
    store: AccountStore,
    accounts: RwLock<Arc<[Arc<Account>]>>,
    /// Whether the database has any, even if none of them can be opened.
    has_stored: AtomicBool,
    /// What the list is made of. Locked while it is made: of two that are made at once the one of
    /// the older contents could be put last.
    contents: Mutex<Contents>,
}

/// What was read last of accounts that may change.
#[derive(Default)]
struct Contents {
    file: FileContents,
    /// The database's; none before it was read.
    stored: Option<Vec<AccountRecord>>,
}

/// What was read from the file of accounts.
#[derive(Default)]
struct FileContents {
    /// When the file was changed last.
    changed: Option<SystemTime>,
    accounts: Vec<(String, ApiKey)>,
}

/// An account for people to look at. Credits in thousandths, times in milliseconds since 1970.
#[derive(Debug, Clone)]
pub struct AccountStatus {
    /// Its name.
    pub name: String,
    /// Whether the settings name it; else it is in the database.
    pub is_configured: bool,
    /// How it stands.
    pub availability: Availability,
    /// What 1min.ai said last of its credits.
    pub balance: Option<Balance>,
}

impl Pool {
    /// A pool of no accounts yet.
    #[must_use]
    pub fn new(client: Client, policy: Policy, sources: Sources, store: AccountStore) -> Self {
        Self {
            client,
            policy,
            sources,
            store,
            accounts: RwLock::new(Arc::new([])),
            has_stored: AtomicBool::new(false),
            contents: Mutex::default(),
        }
    }

    /// Whether the database had any account when it was read last. One whose key cannot be opened
    /// counts: it cannot pay, but shows whom the relay serves.
    #[must_use]
    pub fn has_stored(&self) -> bool {
        self.has_stored.load(Ordering::Relaxed)
    }

    /// Whether the database could be read since the start.
    #[must_use]
    pub fn was_read(&self) -> bool {
        self.contents().stored.is_some()
    }

    /// Takes in what the settings and the file name.
    ///
    /// # Errors
    /// What is wrong with the file, without any key. The accounts known before stay.
    pub fn load_configured(&self) -> Result<(), String> {
        self.read_file()?;
        self.rebuild(&self.contents());
        Ok(())
    }

    /// Takes in what the database has.
    ///
    /// # Errors
    /// [`StoreError`]; the accounts known before stay.
    pub async fn load_stored(&self) -> Result<(), StoreError> {
        let records = self.store.list().await?;
        let mut contents = self.contents();
        let is_kept = |record: &AccountRecord| record.sealed.is_some();
        self.has_stored
            .store(records.iter().any(is_kept), Ordering::Relaxed);
        let records = contents.stored.insert(records).clone();
        self.rebuild(&contents);
        drop(contents);
        for account in self.accounts().iter() {
            let record = records.iter().find(|known| *known.name == *account.name);
            let seen = record.and_then(|record| {
                Some(Balance {
                    limit: record.credit_limit,
                    used: record.used_credit?,
                    at: record.seen?,
                })
            });
            if let Some(balance) = seen {
                account.state().balance.get_or_insert(balance);
            }
        }
        Ok(())
    }

    /// Where accounts are kept.
    #[must_use]
    pub fn store(&self) -> &AccountStore {
        &self.store
    }

    /// Seals a key for the database.
    ///
    /// # Errors
    /// [`NotSealed`].
    pub fn seal(&self, name: &str, key: &ApiKey) -> Result<String, NotSealed> {
        self.sources.sealer.seal(&place(name), key.expose())
    }

    fn open(&self, name: &str, sealed: &str) -> Option<ApiKey> {
        let key = self.sources.sealer.open(&place(name), sealed)?;
        ApiKey::parse(key.expose_secret()).ok()
    }

    /// An account that can pay for a call of `model`. `estimate` is in thousandths of a credit;
    /// `tried` are accounts that have refused the call.
    ///
    /// # Errors
    /// All are rate limited, short of credits, or out of order.
    pub fn lease(
        &self,
        key: Option<&AccessKey>,
        model: &str,
        estimate: i64,
        tried: &[Arc<str>],
    ) -> Result<Lease, Failure> {
        let accounts = self.accounts();
        let now = clock::now_ms();
        let permitted =
            |account: &&Arc<Account>| key.is_none_or(|key| key.permits_account(&account.name));
        let permitted: Vec<&Arc<Account>> = accounts.iter().filter(permitted).collect();
        let availabilities: Vec<Availability> = permitted
            .iter()
            .map(|account| account.state().availability.clone())
            .collect();
        let was_tried = |number: usize| {
            permitted
                .get(number)
                .is_some_and(|account| tried.contains(&account.name))
        };
        let chosen = choose(
            self.policy,
            availabilities.iter().enumerate(),
            was_tried,
            model,
            estimate,
            now,
        );
        let account = chosen.map(|number| permitted.get(number).copied());
        match account {
            Ok(Some(account)) => {
                account.state().availability.used(now);
                Ok(self.lease_at(account))
            }
            Ok(None) => Err(unavailable(Unavailable::None, now)),
            Err(reason) => Err(unavailable(reason, now)),
        }
    }

    /// The failure of a call that these accounts have refused.
    #[must_use]
    pub fn refusal(&self, model: &str, estimate: i64, tried: &[Arc<str>]) -> Failure {
        let accounts = self.accounts();
        let tried = accounts.iter().filter(|of| tried.contains(&of.name));
        let tried: Vec<Availability> = tried.map(|of| of.state().availability.clone()).collect();
        let now = clock::now_ms();
        unavailable(why_refused(tried.iter(), model, estimate, now), now)
    }

    /// The account of a name, however it stands: for what lies there.
    #[must_use]
    pub fn lease_of(&self, name: &str) -> Option<Lease> {
        let accounts = self.accounts();
        let account = accounts.iter().find(|account| &*account.name == name)?;
        Some(self.lease_at(account))
    }

    fn lease_at(&self, account: &Arc<Account>) -> Lease {
        Lease {
            key: account.key.clone(),
            account: self.sources.account_ids.of_key(&account.key),
            pooled: Some(account.clone()),
        }
    }

    /// How all accounts stand.
    #[must_use]
    pub fn statuses(&self) -> Vec<AccountStatus> {
        let accounts = self.accounts();
        let status = accounts.iter().map(|account| {
            let state = account.state();
            AccountStatus {
                name: account.name.to_string(),
                is_configured: account.is_configured.load(Ordering::Relaxed),
                availability: state.availability.clone(),
                balance: state.balance,
            }
        });
        status.collect()
    }

    /// Forgets what stands against an account, and tells whether there is one of this name.
    pub fn wake(&self, name: &str) -> bool {
        let accounts = self.accounts();
        let account = accounts.iter().find(|account| &*account.name == name);
        if let Some(account) = account {
            account.state().availability = Availability::default();
        }
        account.is_some()
    }

    /// Asks 1min.ai about each account's key, which costs nothing: `None` for a good one.
    pub async fn check_keys(&self) -> Vec<(String, Option<Error>)> {
        let accounts = self.accounts();
        let looks = accounts.iter().map(async |account| {
            let looked = self.client.check_key(&account.key).await;
            (account.name.to_string(), looked.err())
        });
        futures_util::future::join_all(looks).await
    }

    /// Looks at accounts that are parked, and at the file of accounts. To be called now and then.
    pub async fn look_after(&self) {
        if let Err(error) = self.read_file() {
            warn_throttled!(
                error,
                "the file of accounts cannot be used (ONEMIN_API_KEYS_FILE)"
            );
        }
        let now = clock::now_ms();
        for account in self.accounts().iter() {
            let is_due = {
                let mut state = account.state();
                let due = state
                    .availability
                    .parked
                    .is_some_and(|since| state.looked_at.max(since) + LOOK_AGAIN_AFTER <= now);
                if due {
                    state.looked_at = now;
                }
                due
            };
            if is_due && self.client.check_key(&account.key).await.is_ok() {
                account.state().availability.parked = None;
                tracing::info!(
                    account = &*account.name,
                    "1min.ai accepts the account's key again"
                );
            }
        }
    }

    fn read_file(&self) -> Result<(), String> {
        let Some(path) = &self.sources.file else {
            return Ok(());
        };
        let changed = std::fs::metadata(path).and_then(|found| found.modified());
        let changed = changed.map_err(|error| format!("{}: {error}", path.display()))?;
        let mut contents = self.contents();
        if contents.file.changed == Some(changed) {
            return Ok(());
        }
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|error| format!("{}: {error}", path.display()))?;
        contents.file = FileContents {
            changed: Some(changed),
            accounts: configured::parse(&text)?,
        };
        self.rebuild(&contents);
        Ok(())
    }

    /// Makes the list of accounts anew: the settings' first, then the file's, then the database's.
    /// One whose key is the same keeps its availability.
    fn rebuild(&self, contents: &Contents) {
        let before = self.accounts();
        let mut accounts: Vec<Arc<Account>> = Vec::new();
        let mut add = |name: &str, key: &ApiKey, is_configured: bool| {
            if accounts.iter().any(|known| &*known.name == name) {
                return;
            }
            let same =
                |known: &&Arc<Account>| &*known.name == name && known.key.expose() == key.expose();
            let account = before.iter().find(same).cloned();
            let account =
                account.unwrap_or_else(|| Arc::new(Account::new(name, key, is_configured)));
            // It may have moved from the file into the database.
            account
                .is_configured
                .store(is_configured, Ordering::Relaxed);
            accounts.push(account);
        };
        for (name, key) in self.sources.named.iter().chain(&contents.file.accounts) {
            add(name, key, true);
        }
        for record in contents.stored.iter().flatten() {
            let Some(sealed) = &record.sealed else {
                continue;
            };
            if let Some(key) = self.open(&record.name, sealed) {
                add(&record.name, &key, false);
            } else {
                let account = &record.name;
                tracing::error!(
                    account,
                    "an account's key cannot be opened: it was sealed under another RELAY_SECRET"
                );
            }
        }
        *self
            .accounts
            .write()
            .unwrap_or_else(PoisonError::into_inner) = accounts.into();
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accounts(&self) -> Arc<[Arc<Account>]> {
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        accounts.clone()
    }
}

/// Where an account's key is sealed for.
fn place(name: &str) -> String {
    format!("account:{name}")
}

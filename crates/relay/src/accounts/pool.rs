//! The pool of accounts in this process: leases for calls, what refusals say of an account, and the
//! accounts' keys from settings, file and database.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use onemin::{ApiKey, Client, Error};
use secrecy::ExposeSecret as _;
use translate::failure::{Failure, Kind};

use super::account::{Account, Lease};
use super::balance::Balance;
use super::choice::{Availability, Policy, Unavailable, choose};
use super::configured;
use super::store::{AccountRecord, AccountStore};
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
}

/// The accounts that can pay.
pub struct Pool {
    client: Client,
    policy: Policy,
    sources: Sources,
    store: AccountStore,
    accounts: RwLock<Arc<[Arc<Account>]>>,
    file: Mutex<FileContents>,
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
            file: Mutex::default(),
        }
    }

    /// Whether there is any account.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.accounts().is_empty()
    }

    /// Takes in what the settings and the file name.
    ///
    /// # Errors
    /// What is wrong with the file, without any key. The accounts known before stay.
    pub fn load_configured(&self) -> Result<(), String> {
        self.read_file()?;
        self.rebuild(None);
        Ok(())
    }

    /// Takes in what the database has.
    ///
    /// # Errors
    /// [`StoreError`]; the accounts known before stay.
    pub async fn load_stored(&self) -> Result<(), StoreError> {
        let records = self.store.list().await?;
        self.rebuild(Some(&records));
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
                Ok(Lease {
                    key: account.key.clone(),
                    account: account.id,
                    pooled: Some(account.clone()),
                })
            }
            Ok(None) => Err(unavailable(Unavailable::None, now)),
            Err(reason) => Err(unavailable(reason, now)),
        }
    }

    /// The account of a name, however it stands: for what lies there.
    #[must_use]
    pub fn lease_of(&self, name: &str) -> Option<Lease> {
        let accounts = self.accounts();
        let account = accounts.iter().find(|account| &*account.name == name)?;
        Some(Lease {
            key: account.key.clone(),
            account: account.id,
            pooled: Some(account.clone()),
        })
    }

    /// How all accounts stand.
    #[must_use]
    pub fn statuses(&self) -> Vec<AccountStatus> {
        let accounts = self.accounts();
        let status = accounts.iter().map(|account| {
            let state = account.state();
            AccountStatus {
                name: account.name.to_string(),
                is_configured: account.is_configured,
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
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if file.changed == Some(changed) {
            return Ok(());
        }
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|error| format!("{}: {error}", path.display()))?;
        *file = FileContents {
            changed: Some(changed),
            accounts: configured::parse(&text)?,
        };
        drop(file);
        self.rebuild(None);
        Ok(())
    }

    /// Makes the list of accounts anew: the settings' first, then the file's, then the database's.
    /// One whose key is the same keeps its availability.
    fn rebuild(&self, stored: Option<&[AccountRecord]>) {
        let before = self.accounts();
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let configured = self.sources.named.iter().chain(&file.accounts);
        let mut accounts: Vec<Arc<Account>> = Vec::new();
        let mut add = |name: &str, key: &ApiKey, is_configured: bool| {
            if accounts.iter().any(|known| &*known.name == name) {
                return;
            }
            let same =
                |known: &&Arc<Account>| &*known.name == name && known.key.expose() == key.expose();
            accounts.push(
                before
                    .iter()
                    .find(same)
                    .cloned()
                    .unwrap_or_else(|| Arc::new(Account::new(name, key, is_configured))),
            );
        };
        for (name, key) in configured {
            add(name, key, true);
        }
        match stored {
            Some(records) => {
                for record in records {
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
            }
            None => {
                for account in before.iter().filter(|account| !account.is_configured) {
                    add(&account.name, &account.key, false);
                }
            }
        }
        drop(file);
        for record in stored.unwrap_or_default() {
            let account = accounts.iter().find(|known| *known.name == *record.name);
            if let (Some(account), Some(used), Some(at)) =
                (account, record.used_credit, record.seen)
            {
                let limit = record.credit_limit;
                let mut state = account.state();
                state.balance.get_or_insert(Balance { limit, used, at });
            }
        }
        *self
            .accounts
            .write()
            .unwrap_or_else(PoisonError::into_inner) = accounts.into();
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

fn unavailable(reason: Unavailable, now: i64) -> Failure {
    match reason {
        Unavailable::None => Failure::new(
            Kind::Overloaded,
            "No 1min.ai account is available to this access key. Contact the operator of this relay.",
        )
        .with_retry(false),
        Unavailable::Limited(until) => {
            let seconds = u64::try_from((until - now).max(0))
                .unwrap_or(0)
                .div_ceil(1000);
            let message = format!(
                "1min.ai's rate limit is reached for all accounts of this relay. Try again in {seconds} s."
            );
            Failure::new(Kind::RateLimited, message).with_retry_after(Some(seconds.max(1)))
        }
        Unavailable::Short => Failure::new(
            Kind::OutOfCredits,
            "No 1min.ai account of this relay has the credits for this request.",
        )
        .with_retry(false),
        Unavailable::Forbidden => Failure::new(
            Kind::Forbidden,
            "No 1min.ai account of this relay may use this model.",
        )
        .with_retry(false),
        Unavailable::Parked => Failure::new(
            Kind::Overloaded,
            "1min.ai rejects the API keys of all accounts of this relay. Contact its operator.",
        )
        .with_retry_after(Some(600)),
    }
}

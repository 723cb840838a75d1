//! Access keys for people and programs, in `OpenRouter`'s shape. Amounts are credits.

use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::{Map, Value};
use translate::failure::{Failure, Kind};

use super::key_changes::{apply, reset_of_per};
use crate::access::keys::cache::AccessKeys;
use crate::access::keys::{AccessKey, Budget, format};
use crate::clock;
use crate::ledger::counters::Counter;
use crate::ledger::period::{Per, Periods};
use crate::ledger::service::Ledger;
use crate::ledger::usage::{credits, moment};

/// The longest that an old secret may open after a rotation, in seconds.
const GRACE_MAX: u64 = 30 * 24 * 60 * 60;

/// A key as it is told.
#[derive(Debug, Clone, Serialize)]
pub struct KeyEntry {
    /// What it is called in URLs: the public part of the key, which a rotation keeps.
    pub hash: String,
    /// For people.
    pub name: String,
    /// Its beginning.
    pub label: String,
    /// Whether it is switched off.
    pub disabled: bool,
    /// The budget of which the least is left; none without budgets.
    pub limit: Option<f64>,
    /// What is left of it.
    pub limit_remaining: Option<f64>,
    /// How often it begins anew: `daily`, `weekly`, `monthly`.
    pub limit_reset: Option<&'static str>,
    /// What was spent in all.
    pub usage: f64,
    /// What was spent today.
    pub usage_daily: f64,
    /// What was spent this week.
    pub usage_weekly: f64,
    /// What was spent this month.
    pub usage_monthly: f64,
    /// When it was made.
    pub created_at: String,
    /// When it was changed last.
    pub updated_at: String,
    /// When it ends.
    pub expires_at: Option<String>,
    /// Models that it may use.
    pub models: Vec<String>,
    /// What it may be used for.
    pub uses: Vec<&'static str>,
    /// Requests a minute.
    pub rpm: Option<u32>,
    /// Requests at once.
    pub parallel: Option<u32>,
    /// Accounts that may pay for it.
    pub accounts: Vec<String>,
    /// What it may spend.
    pub budgets: Vec<BudgetEntry>,
}

/// A budget as it is told.
#[derive(Debug, Clone, Serialize)]
pub struct BudgetEntry {
    /// Its period.
    pub per: &'static str,
    /// What it allows.
    pub credits: f64,
    /// What counts against it.
    pub used: f64,
    /// What requests under way hold.
    pub held: f64,
    /// When it begins anew.
    pub resets_at: Option<String>,
}

/// A key that was made or rotated: its secret is told this once.
pub struct MadeKey {
    /// What is told of it from now on.
    pub entry: KeyEntry,
    /// The whole key.
    pub text: SecretString,
}

/// Keys, and what they have spent.
pub struct Keys<'a> {
    /// The keys.
    pub keys: &'a AccessKeys,
    /// What they have spent.
    pub ledger: &'a Ledger,
}

impl Keys<'_> {
    /// All keys, the oldest first.
    ///
    /// # Errors
    /// The database is away.
    pub async fn list(&self) -> Result<Vec<KeyEntry>, Failure> {
        let snapshot = self.keys.store().snapshot().await?;
        let mut entries = Vec::with_capacity(snapshot.keys.len());
        for key in snapshot.keys {
            entries.push(self.entry(key).await?);
        }
        Ok(entries)
    }

    /// A key by its id or its name.
    ///
    /// # Errors
    /// There is none, or more than one; or the database is away.
    pub async fn find(&self, word: &str) -> Result<AccessKey, Failure> {
        let keys = self.keys.store().snapshot().await?.keys;
        if let Some(key) = keys.iter().find(|key| key.id == word) {
            return Ok(key.clone());
        }
        let mut named = keys.iter().filter(|key| key.name == word);
        match (named.next(), named.next()) {
            (Some(key), None) => Ok(key.clone()),
            (Some(_), Some(_)) => Err(Failure::new(
                Kind::Conflict,
                "More than one key has this name; use its id.",
            )),
            _ => Err(no_such_key()),
        }
    }

    /// What is told of a key.
    ///
    /// # Errors
    /// The database is away.
    pub async fn entry(&self, key: AccessKey) -> Result<KeyEntry, Failure> {
        let (counters, periods) = self.ledger.counters_of(&key.id).await?;
        let budgets = budget_entries(&key.budgets, &counters, &periods);
        let left = |budget: &BudgetEntry| (budget.credits - budget.used - budget.held).max(0.0);
        let tightest = budgets.iter().min_by(|a, b| left(a).total_cmp(&left(b)));
        let spent = |per: Per| {
            let counter = counters.get(per.index()).copied().unwrap_or_default();
            credits(counter.settled)
        };
        Ok(KeyEntry {
            label: format::label(&key.id),
            limit: tightest.map(|budget| budget.credits),
            limit_remaining: tightest.map(left),
            limit_reset: tightest.and_then(|budget| reset_of_per(Per::of_word(budget.per)?)),
            usage: spent(Per::Total),
            usage_daily: spent(Per::Day),
            usage_weekly: spent(Per::Week),
            usage_monthly: spent(Per::Month),
            created_at: moment(key.created),
            updated_at: moment(key.updated),
            expires_at: key.expires.map(moment),
            uses: key.uses.iter().map(|of| of.as_str()).collect(),
            hash: key.id,
            name: key.name,
            disabled: key.disabled,
            models: key.models,
            rpm: key.rpm,
            parallel: key.parallel,
            accounts: key.accounts,
            budgets,
        })
    }

    /// Makes a key.
    ///
    /// # Errors
    /// A wrong field, or the database is away.
    pub async fn create(&self, fields: &Map<String, Value>) -> Result<MadeKey, Failure> {
        let drawn = format::draw().map_err(|_| no_random())?;
        let now = clock::now_ms();
        let mut key = AccessKey {
            id: drawn.id,
            hash: drawn.hash,
            created: now,
            updated: now,
            ..AccessKey::default()
        };
        if !fields.contains_key("name") {
            return Err(Failure::invalid(
                "name",
                "`name` is missing: say who or what uses the key.",
            ));
        }
        apply(&mut key, fields)?;
        self.keys.store().add(key.clone()).await?;
        self.seen().await;
        Ok(MadeKey {
            entry: self.entry(key).await?,
            text: drawn.text,
        })
    }

    /// Changes a key.
    ///
    /// # Errors
    /// There is none, a wrong field, or the database is away.
    pub async fn update(&self, id: &str, fields: &Map<String, Value>) -> Result<KeyEntry, Failure> {
        let id = self.find(id).await?.id;
        let fields = fields.clone();
        let key = self
            .change(&id, "key changed", move |key| apply(key, &fields))
            .await?;
        self.entry(key).await
    }

    /// Gives a key another secret; the old one opens for some time yet.
    ///
    /// # Errors
    /// There is none, or the database is away.
    pub async fn rotate(&self, id: &str, grace_seconds: u64) -> Result<MadeKey, Failure> {
        if grace_seconds > GRACE_MAX {
            let message = format!("`grace_seconds` may be at most {GRACE_MAX}.");
            return Err(Failure::invalid("grace_seconds", message));
        }
        let id = self.find(id).await?.id;
        let format::NewKey { hash, text, .. } =
            format::with_id(id.clone()).map_err(|_| no_random())?;
        let grace = i64::try_from(grace_seconds)
            .unwrap_or(0)
            .saturating_mul(1000);
        let rotate = move |key: &mut AccessKey| {
            let before = std::mem::replace(&mut key.hash, hash);
            key.previous = (grace > 0).then(|| (before, clock::now_ms() + grace));
            Ok(())
        };
        let key = self.change(&id, "key rotated", rotate).await?;
        Ok(MadeKey {
            entry: self.entry(key).await?,
            text,
        })
    }

    /// Takes what a key has spent in the current period off its budget.
    ///
    /// # Errors
    /// There is no such key or period, or the database is away.
    pub async fn reset(&self, id: &str, per: &str) -> Result<KeyEntry, Failure> {
        let per = Per::of_word(per)
            .ok_or_else(|| Failure::invalid("per", "`per` must be day, week, month or total."))?;
        let key = self.find(id).await?;
        self.ledger.reset(&key.id, per).await?;
        self.keys.store().note(&key.id, "budget reset").await?;
        self.seen().await;
        self.entry(key).await
    }

    /// Deletes a key. What it has spent stays in the ledger.
    ///
    /// # Errors
    /// There is none, or the database is away.
    pub async fn remove(&self, id: &str) -> Result<(), Failure> {
        let key = self.find(id).await?;
        if !self.keys.store().remove(&key.id).await? {
            return Err(no_such_key());
        }
        self.seen().await;
        Ok(())
    }

    /// Changes a key, and gives it as it is afterwards.
    async fn change(
        &self,
        id: &str,
        note: &'static str,
        change: impl FnOnce(&mut AccessKey) -> Result<(), Failure> + Send + 'static,
    ) -> Result<AccessKey, Failure> {
        let store = self.keys.store();
        let changed = store.update(id, note, move |key| {
            key.updated = clock::now_ms();
            change(key)
        });
        let key = changed.await?.unwrap_or_else(|| Err(no_such_key()))?;
        self.seen().await;
        Ok(key)
    }

    /// This process sees its own changes at once.
    async fn seen(&self) {
        if let Err(error) = self.keys.refresh().await {
            tracing::debug!(%error, "access keys cannot be read");
        }
    }
}

impl MadeKey {
    /// As the API tells it.
    #[must_use]
    pub fn document(&self) -> Value {
        serde_json::json!({"data": self.entry, "key": self.text.expose_secret()})
    }
}

/// How budgets stand.
#[must_use]
pub fn budget_entries(
    budgets: &[Budget],
    counters: &[Counter],
    periods: &Periods,
) -> Vec<BudgetEntry> {
    let entries = budgets.iter().map(|budget| {
        let counter = counters.get(budget.per.index());
        let counter = counter.copied().unwrap_or_default();
        BudgetEntry {
            per: budget.per.as_str(),
            credits: credits(budget.credits),
            used: credits(counter.used()),
            held: credits(counter.held),
            resets_at: periods.end(budget.per).map(moment),
        }
    });
    entries.collect()
}

fn no_such_key() -> Failure {
    Failure::new(Kind::NotFound, "There is no such access key.")
}

fn no_random() -> Failure {
    Failure::new(
        Kind::Internal,
        "The operating system has no random numbers.",
    )
}

//! Budgets: whether a call fits into them, how they stand, and what a refusal says.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use translate::failure::{Failure, Kind};

use super::{Ledger, OnOutage, milliseconds};
use crate::access::keys::cache::KnownKey;
use crate::access::keys::{AccessKey, Budget};
use crate::clock;
use crate::ledger::counters::{CallKind, Counter, Exceeded, RELAY, fits};
use crate::ledger::hold::Hold;
use crate::ledger::period::{Per, Periods};
use crate::ledger::queue::Message;
use crate::ledger::request_entry::RequestEntry;
use crate::ledger::row::HoldRow;
use crate::ledger::shared::{self, Wanted};
use crate::store::StoreError;
use crate::store::database::Param;

/// The longest that a job holds its estimate.
const JOB_HOLD: Duration = Duration::from_hours(25);

/// How a budget stands. Thousandths of a credit; times in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetStanding {
    /// The budget.
    pub budget: Budget,
    /// What counts against it.
    pub counter: Counter,
    /// When it begins anew.
    pub resets_at: Option<i64>,
}

/// A call that is about to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewCall<'a> {
    /// Its request.
    pub entry: &'a Arc<RequestEntry>,
    /// The model.
    pub model: &'a str,
    /// The account that will pay; empty if the caller's own.
    pub account: &'a str,
    /// What it will cost, in thousandths of a credit.
    pub estimate: i64,
    /// Whether that is certain.
    pub kind: CallKind,
    /// The id of its job, if it outlives the process.
    pub job: Option<&'a str>,
}

impl Ledger {
    /// Holds the estimate of a call, if it fits into the budgets of the key and of the relay.
    ///
    /// # Errors
    /// A [`Kind::OutOfCredits`] failure that says how the budget stands, or [`Kind::Overloaded`]
    /// while the database that a budget needs is away.
    pub async fn reserve(&self, call: NewCall<'_>) -> Result<Hold, Failure> {
        let inner = &self.0;
        let entry = call.entry;
        let at = entry.at();
        let periods = inner.calendar.at(at);
        let key = entry.key().map(|known| &known.key);
        let key_id = key.map_or("", |key| key.id.as_str());
        let key_budgets = key.map_or(&[][..], |key| &key.budgets);
        let scopes = self.scopes(key);
        let is_budgeted = is_budgeted(&scopes);
        let (request, api) = entry.names();
        let hold_for = if call.job.is_some() {
            JOB_HOLD
        } else {
            inner.settings.hold_for
        };
        let mut row = HoldRow {
            id: call.job.map_or_else(|| entry.hold_id(), str::to_owned),
            request,
            key_id: key_id.to_owned(),
            account: call.account.to_owned(),
            api,
            model: call.model.to_owned(),
            credits: call.estimate,
            at,
            expires: clock::now_ms().saturating_add(milliseconds(hold_for)),
            counted: false,
            job: call.job.is_some(),
        };
        let mut left = None;
        let shared = inner.database.is_shared() && is_budgeted;
        if shared {
            row.counted = true;
            let scopes = scopes.iter();
            let scopes = scopes.map(|(scope, budgets)| ((*scope).to_owned(), budgets.to_vec()));
            let scopes = scopes.collect();
            let reserving = inner.shared.reserve(Wanted {
                periods: periods.clone(),
                scopes,
                hold: row.clone(),
                kind: call.kind,
            });
            match reserving.await {
                Ok(held) => left = held.map_err(|exceeded| self.refusal(&exceeded))?,
                Err(_) if inner.settings.on_outage == OnOutage::Allow => row.counted = false,
                Err(error) => return Err(away().with_detail(format!("store: {error}"))),
            }
        } else {
            if is_budgeted && self.must_wait_for_counters() {
                return Err(away());
            }
            let mut counters = self.counters();
            let reserved = counters.reserve(&periods, &scopes, call.estimate, call.kind);
            left = counters.left(&periods, key_id, key_budgets);
            drop(counters);
            reserved.map_err(|exceeded| self.refusal(&exceeded))?;
        }
        let (id, counted) = (row.id.clone(), row.counted);
        if !counted {
            inner.queue.push(Message::Hold(Box::new(row)));
        }
        entry.paid_by(call.account);
        let hold = Hold::new(
            entry.clone(),
            id,
            call.estimate,
            counted,
            periods,
            inner.counters.clone(),
            inner.settings.scopes,
        );
        Ok(hold.with_left(left))
    }

    /// Whether the estimate of a call that a request is about to make fits into the budgets as they
    /// stand. Nothing is held.
    ///
    /// # Errors
    /// As [`Self::reserve`].
    pub async fn check(
        &self,
        entry: &RequestEntry,
        estimate: i64,
        kind: CallKind,
    ) -> Result<(), Failure> {
        let inner = &self.0;
        let periods = inner.calendar.at(entry.at());
        let scopes = self.scopes(entry.key().map(|known| &known.key));
        if !is_budgeted(&scopes) {
            return Ok(());
        }
        let allows = inner.settings.on_outage == OnOutage::Allow;
        if !inner.database.is_shared() {
            if self.must_wait_for_counters() {
                return Err(away());
            }
            let fits = self.counters().check(&periods, &scopes, estimate, kind);
            return fits.map_err(|exceeded| self.refusal(&exceeded));
        }
        for (scope, budgets) in scopes {
            match shared::counters_of(&inner.database, &periods, scope).await {
                Ok(counters) => fits(&periods, (scope, budgets), &counters, estimate, kind)
                    .map_err(|exceeded| self.refusal(&exceeded))?,
                Err(_) if allows => {}
                Err(error) => return Err(away().with_detail(format!("store: {error}"))),
            }
        }
        Ok(())
    }

    /// The scopes that a call counts in, with their budgets.
    fn scopes<'a>(&'a self, key: Option<&'a AccessKey>) -> Vec<(&'a str, &'a [Budget])> {
        let settings = &self.0.settings;
        let scopes = settings.scopes.of(key.map_or("", |key| &key.id));
        let scopes = scopes.map(|scope| match key {
            Some(key) if scope != RELAY => (scope, key.budgets.as_slice()),
            _ => (scope, settings.budgets.as_slice()),
        });
        scopes.collect()
    }

    /// Whether the counters are not read yet, and nobody may go on without them.
    fn must_wait_for_counters(&self) -> bool {
        let inner = &self.0;
        !inner.is_loaded.load(Ordering::Acquire) && inner.settings.on_outage == OnOutage::Refuse
    }

    /// How the budgets of a scope stand, each period's counter included.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn counters_of(
        &self,
        scope: &str,
    ) -> Result<([Counter; 4], Arc<Periods>), StoreError> {
        let periods = self.0.calendar.at(clock::now_ms());
        let counters = if self.0.database.is_shared() || !self.0.is_loaded.load(Ordering::Acquire) {
            shared::counters_of(&self.0.database, &periods, scope).await?
        } else {
            self.counters().counters_of(&periods, scope)
        };
        Ok((counters, periods))
    }

    /// Refuses a key of whose budgets one is used up, before anything is done for it.
    ///
    /// # Errors
    /// A [`Kind::OutOfCredits`] failure that says how the budget stands.
    pub async fn check_room(&self, known: &KnownKey) -> Result<(), Failure> {
        if known.key.budgets.is_empty() {
            return Ok(());
        }
        let Ok((counters, periods)) = self.counters_of(&known.key.id).await else {
            // The hold will say that the database is away.
            return Ok(());
        };
        for budget in &known.key.budgets {
            let counter = counters
                .get(budget.per.index())
                .copied()
                .unwrap_or_default();
            if counter.used() >= budget.credits {
                return Err(self.refusal(&Exceeded {
                    scope: known.key.id.clone(),
                    per: budget.per,
                    limit: budget.credits,
                    counter,
                    needed: 0,
                    resets_at: periods.end(budget.per),
                }));
            }
        }
        Ok(())
    }

    /// Takes in what other processes have taken off budgets of the current periods.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn refresh(&self) -> Result<(), StoreError> {
        let inner = &self.0;
        if inner.database.is_shared() || !inner.is_loaded.load(Ordering::Acquire) {
            return Ok(());
        }
        let periods = inner.calendar.at(clock::now_ms());
        let [day, week, month, total] = &periods.names;
        let sql = "SELECT scope, period, forgiven FROM budget_counters \
                   WHERE forgiven <> 0 AND period IN ($1, $2, $3, $4)";
        let names = [day, week, month, total];
        let names = names.map(|name| Param::from(name.as_str())).to_vec();
        let rows = inner.database.rows(sql.to_owned(), names).await?;
        let mut counters = self.counters();
        for row in &rows {
            let period = row.text(1)?;
            let per = Per::ALL
                .into_iter()
                .find(|per| periods.name(*per) == period);
            if let Some(per) = per {
                counters.forgive(&periods, &row.text(0)?, per, row.integer(2)?);
            }
        }
        Ok(())
    }

    /// What is left of the tightest budget of a key, if that is known without asking anybody.
    #[must_use]
    pub fn left(&self, key: &KnownKey) -> Option<i64> {
        if self.0.database.is_shared() {
            return None;
        }
        let periods = self.0.calendar.at(clock::now_ms());
        self.counters()
            .left(&periods, &key.key.id, &key.key.budgets)
    }

    /// Budgets of the whole relay.
    #[must_use]
    pub fn relay_budgets(&self) -> &[Budget] {
        &self.0.settings.budgets
    }

    /// Takes what was spent in the current period off its budget.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn reset(&self, scope: &str, per: Per) -> Result<(), StoreError> {
        self.written().await;
        let periods = self.0.calendar.at(clock::now_ms());
        let (counters, _) = self.counters_of(scope).await?;
        let settled = counters
            .get(per.index())
            .map_or(0, |counter| counter.settled);
        let sql = "INSERT INTO budget_counters (scope, period, forgiven) VALUES ($1, $2, $3) \
                   ON CONFLICT (scope, period) DO UPDATE SET forgiven = $3";
        let params = vec![scope.into(), periods.name(per).into(), settled.into()];
        self.0.database.execute(sql.to_owned(), params).await?;
        self.counters().forgive(&periods, scope, per, settled);
        Ok(())
    }

    fn refusal(&self, exceeded: &Exceeded) -> Failure {
        let Exceeded {
            per,
            limit,
            counter,
            needed,
            ..
        } = exceeded;
        let owner = if exceeded.scope == RELAY {
            "this relay"
        } else {
            "this access key"
        };
        let period = match per {
            Per::Day => "today",
            Per::Week => "this week",
            Per::Month => "this month",
            Per::Total => "in all",
        };
        let reset = exceeded.resets_at.and_then(|at| {
            let at = jiff::Timestamp::from_millisecond(at).ok()?;
            Some(format!(
                " The budget resets at {at} ({}).",
                self.0.calendar.zone()
            ))
        });
        let message = format!(
            "The budget of {owner} is used up: {} of {} credits were used {period}, {} are held by requests under way, and this request needs about {}.{}",
            whole(counter.used()),
            whole(*limit),
            whole(counter.held),
            whole(*needed),
            reset.unwrap_or_default()
        );
        Failure::new(Kind::OutOfCredits, message).with_retry(false)
    }
}

fn is_budgeted(scopes: &[(&str, &[Budget])]) -> bool {
    scopes.iter().any(|(_, budgets)| !budgets.is_empty())
}

/// Whole credits, for people.
#[must_use]
pub fn whole(thousandths: i64) -> i64 {
    (thousandths + 500).div_euclid(1000)
}

fn away() -> Failure {
    let message = "The relay's database does not answer, so the budget cannot be checked. The request was not sent; try again in a moment.";
    Failure::new(Kind::Overloaded, message)
        .with_retry_after(Some(5))
        .with_retry(true)
}

//! The ledger as requests and the page use it: entries, holds, how budgets stand.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clap::ValueEnum;
use tokio::time::timeout;
use translate::failure::{Failure, Kind};

use super::booking::{Booked, Booking, OpenRows, Repeats};
use super::counters::{CallKind, Counter, Counters, Exceeded, RELAY};
use super::hold::Hold;
use super::hold_rows::{find_hold, jobs_query, read_hold};
use super::period::{Calendar, Per, Periods};
use super::queue::{Message, Queue};
use super::request_entry::RequestEntry;
use super::row::{CostSource, HoldRow, LedgerRow, SettledHold};
use super::shared::{self, SharedBudgets, Wanted};
use super::spool::Spool;
use super::writer::Writer;
use crate::access::keys::Budget;
use crate::access::keys::cache::KnownKey;
use crate::accounts::balance::Balance;
use crate::clock;
use crate::observe::throttle::warn_throttled;
use crate::store::StoreError;
use crate::store::database::{Database, Param};
use crate::store::folder::DataFolder;

/// The longest that the relay's end waits for the last rows.
const LAST_WRITES: Duration = Duration::from_secs(5);

/// The longest that anybody waits for rows to be written.
const WRITTEN_PATIENCE: Duration = Duration::from_secs(2);

/// The longest that a job holds its estimate.
const JOB_HOLD: Duration = Duration::from_hours(25);

/// What becomes of requests of budgeted keys while the database is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnOutage {
    /// They are refused.
    Refuse,
    /// They go on; budgets may be overrun.
    Allow,
}

/// What the owner settles about the ledger.
#[derive(Debug, Clone)]
pub struct LedgerSettings {
    /// Whether requests are recorded from the start.
    pub is_on: bool,
    /// Budgets of the whole relay.
    pub budgets: Vec<Budget>,
    /// What happens while the database is away.
    pub on_outage: OnOutage,
    /// How long a call may last.
    pub hold_for: Duration,
    /// For how long rows are kept; none is for ever.
    pub retention: Option<Duration>,
}

/// The ledger; clones are handles of one.
#[derive(Clone)]
pub struct Ledger(Arc<Inner>);

struct Inner {
    database: Database,
    calendar: Calendar,
    settings: LedgerSettings,
    queue: Arc<Queue>,
    counters: Arc<Mutex<Counters>>,
    spool: Spool,
    /// Whether the counters in memory are those of the database.
    is_loaded: AtomicBool,
    is_on: AtomicBool,
    /// Budgets in PostgreSQL.
    shared: SharedBudgets,
}

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

impl Ledger {
    /// A ledger in this database. Nothing is opened yet.
    #[must_use]
    pub fn new(
        database: Database,
        folder: DataFolder,
        calendar: Calendar,
        settings: LedgerSettings,
    ) -> Self {
        Self(Arc::new(Inner {
            is_on: AtomicBool::new(settings.is_on),
            shared: SharedBudgets::new(database.clone()),
            database,
            calendar,
            settings,
            queue: Arc::default(),
            counters: Arc::default(),
            spool: Spool::new(folder),
            is_loaded: AtomicBool::new(false),
        }))
    }

    /// Whether requests are recorded.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.is_on.load(Ordering::Relaxed)
    }

    /// From now on requests are recorded.
    pub fn turn_on(&self) {
        self.0.is_on.store(true, Ordering::Relaxed);
    }

    /// The owner's calendar.
    #[must_use]
    pub fn calendar(&self) -> &Calendar {
        &self.0.calendar
    }

    /// Where it is kept.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.0.database
    }

    /// Messages that wait to be written.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.queue.waiting()
    }

    /// The entry of a request that has come in; none if requests are not recorded.
    #[must_use]
    pub fn begin(
        &self,
        id: String,
        api: &str,
        key: Option<Arc<KnownKey>>,
        at: i64,
    ) -> Option<Arc<RequestEntry>> {
        let queue = self.0.queue.clone();
        self.is_on()
            .then(|| Arc::new(RequestEntry::new(queue, id, api, key, at)))
    }

    /// Works as the writer, from when requests are recorded. Calls that were under way when the relay died are booked first, and the
    /// budgets' counters are read; until that has worked, budgeted keys are refused.
    pub async fn run(self) {
        while !self.is_on() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let mut pause = Duration::from_millis(100);
        let open = loop {
            match self.recover().await {
                Ok(open) => break open,
                Err(error) => {
                    warn_throttled!(%error, "the ledger cannot be read; it is tried again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(5));
                }
            }
        };
        let inner = &self.0;
        let retention = inner.settings.retention;
        let writer = Writer {
            database: inner.database.clone(),
            calendar: inner.calendar.clone(),
            queue: inner.queue.clone(),
            spool: inner.spool.clone(),
            counters: inner.counters.clone(),
            retention: retention.map(milliseconds),
            open,
        };
        writer.run().await;
    }

    /// Waits until budgets can be checked.
    pub async fn loaded(&self) {
        while !self.0.is_loaded.load(Ordering::Acquire) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits for the last rows; what the database does not take by then goes to the spool file.
    pub async fn close(&self) {
        if timeout(LAST_WRITES, self.0.queue.written()).await.is_ok() {
            return;
        }
        let left = self.0.queue.take(usize::MAX);
        let (kept, count) = (self.0.spool.append(&left), left.len());
        match kept {
            Ok(()) => tracing::warn!(
                count,
                "the database does not answer; records wait in the spool file"
            ),
            Err(error) => {
                tracing::error!(%error, count, "the database does not answer; records are lost");
            }
        }
    }

    async fn recover(&self) -> Result<OpenRows, StoreError> {
        let inner = &self.0;
        let spooled = inner.spool.is_filled().then(|| inner.spool.read());
        let spooled = spooled.transpose()?.unwrap_or_default();
        let had_spool = !spooled.is_empty();
        let calendar = inner.calendar.clone();
        // Of replicas others may live; what theirs hold expires.
        let before = inner.database.is_shared().then(clock::now_ms);
        let recovering = inner.database.transaction(move |transaction| {
            Box::pin(async move {
                let mut booking =
                    Booking::new(transaction, calendar, OpenRows::new(), Repeats::Possible);
                booking.load_open().await?;
                booking.book(&spooled).await?;
                while booking.give_up_holds(before).await? > 0 {}
                booking.finish().await
            })
        });
        let Booked { open, .. } = recovering.await?;
        if had_spool {
            inner.spool.clear()?;
        }
        if !inner.database.is_shared() {
            self.load_counters().await?;
        }
        inner.is_loaded.store(true, Ordering::Release);
        Ok(open)
    }

    async fn load_counters(&self) -> Result<(), StoreError> {
        let inner = &self.0;
        let now = inner.calendar.at(clock::now_ms());
        let [day, week, month, total] = &now.names;
        let sql = "SELECT scope, period, settled, forgiven FROM budget_counters \
                   WHERE period IN ($1, $2, $3, $4)";
        let names = [day, week, month, total];
        let names = names.map(|name| Param::from(name.as_str())).to_vec();
        let rows = inner.database.rows(sql.to_owned(), names).await?;
        let jobs = inner.database.rows(jobs_query(), Vec::new()).await?;
        let mut counters = self.counters();
        for row in &rows {
            let counter = Counter {
                settled: row.integer(2)?,
                held: 0,
                forgiven: row.integer(3)?,
            };
            counters.load(&now, &row.text(0)?, &row.text(1)?, counter);
        }
        for row in &jobs {
            let job = read_hold(row)?;
            let scopes = [(job.key_id.as_str(), &[][..]), (RELAY, &[])];
            let periods = inner.calendar.at(job.at);
            // Without budgets nothing is refused.
            let _ = counters.reserve(&periods, &scopes, job.credits, CallKind::Media);
        }
        Ok(())
    }

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
        let is_budgeted = !key_budgets.is_empty() || !inner.settings.budgets.is_empty();
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
            let mut scopes = vec![(RELAY.to_owned(), inner.settings.budgets.clone())];
            if !key_id.is_empty() {
                scopes.push((key_id.to_owned(), key_budgets.to_vec()));
            }
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
            if is_budgeted
                && !inner.is_loaded.load(Ordering::Acquire)
                && inner.settings.on_outage == OnOutage::Refuse
            {
                return Err(away());
            }
            let scopes = [
                (RELAY, inner.settings.budgets.as_slice()),
                (key_id, key_budgets),
            ];
            let scopes = if key_id.is_empty() {
                scopes.get(..1)
            } else {
                Some(&scopes[..])
            };
            let mut counters = self.counters();
            let reserved = counters.reserve(
                &periods,
                scopes.unwrap_or_default(),
                call.estimate,
                call.kind,
            );
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
        );
        Ok(hold.with_left(left))
    }

    /// Waits until what was left so far is written, not longer than a moment.
    pub async fn written(&self) {
        let _ = timeout(WRITTEN_PATIENCE, self.0.queue.written()).await;
    }

    /// Notes that another account pays for a job, before it is submitted there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn move_job(&self, id: &str, account: &str) -> Result<(), StoreError> {
        if !self.is_on() {
            return Ok(());
        }
        // The hold itself may still wait to be written.
        self.written().await;
        let sql = "UPDATE holds SET account = $2 WHERE id = $1".to_owned();
        let params: Vec<Param> = vec![id.into(), account.into()];
        self.0.database.execute(sql, params).await.map(drop)
    }

    /// Settles what [`crate::ledger::Hold::leave_to_job`] has left, once: tells whether it was
    /// still held. `credits` are thousandths; none if the cost is not known. `outcome` is as in the
    /// ledger's rows.
    ///
    /// # Errors
    /// [`StoreError`]; it is still held.
    pub async fn settle_job(
        &self,
        id: &str,
        credits: Option<i64>,
        outcome: &str,
    ) -> Result<bool, StoreError> {
        let inner = &self.0;
        if !self.is_on() {
            return Ok(false);
        }
        // The hold itself may still wait to be written.
        self.written().await;
        let (id, outcome) = (id.to_owned(), outcome.to_owned());
        let calendar = inner.calendar.clone();
        let settling = inner.database.transaction(move |transaction| {
            Box::pin(async move {
                let Some(hold) = find_hold(transaction, &id).await? else {
                    return Ok(None);
                };
                let row = settled_job(hold.clone(), credits, outcome);
                let cost = row.credits;
                let mut booking =
                    Booking::new(transaction, calendar, OpenRows::new(), Repeats::Possible);
                booking.book(&[Message::Row(Box::new(row))]).await?;
                booking.finish().await?;
                Ok(Some((hold, cost)))
            })
        });
        let Some((hold, cost)) = settling.await? else {
            return Ok(false);
        };
        let in_memory = if hold.counted { 0 } else { hold.credits };
        let scopes = [hold.key_id.as_str(), RELAY];
        let scopes = scopes.get(usize::from(hold.key_id.is_empty())..);
        let periods = inner.calendar.at(hold.at);
        self.counters()
            .settle(&periods, scopes.unwrap_or_default(), in_memory, cost);
        Ok(true)
    }

    /// Notes what 1min.ai said of an account to a call that began at a time; none if other calls of
    /// the account were under way.
    pub fn balance(&self, account: &str, balance: Balance, began: Option<i64>) {
        if self.is_on() {
            let account = account.to_owned();
            self.0.queue.push(Message::Balance {
                account,
                balance,
                began,
            });
        }
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

    fn counters(&self) -> MutexGuard<'_, Counters> {
        self.0
            .counters
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
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

/// Whole credits, for people.
#[must_use]
pub fn whole(thousandths: i64) -> i64 {
    (thousandths + 500).div_euclid(1000)
}

/// The row of a job that is over.
fn settled_job(hold: HoldRow, credits: Option<i64>, outcome: String) -> LedgerRow {
    let (cost, source) = match credits {
        None => (hold.credits, CostSource::Estimated),
        Some(0) => (0, CostSource::None),
        Some(credits) => (credits, CostSource::Reported),
    };
    LedgerRow {
        at: hold.at,
        key_id: hold.key_id,
        account: hold.account,
        api: hold.api,
        model: hold.model,
        outcome,
        credits: cost,
        source,
        calls: 1,
        settles: vec![SettledHold {
            id: hold.id.clone(),
            credits: hold.credits,
            counted: hold.counted,
        }],
        id: hold.id,
        ..LedgerRow::default()
    }
}

fn away() -> Failure {
    let message = "The relay's database does not answer, so the budget of this access key cannot be checked. The request was not sent; try again in a moment.";
    Failure::new(Kind::Overloaded, message)
        .with_retry_after(Some(5))
        .with_retry(true)
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

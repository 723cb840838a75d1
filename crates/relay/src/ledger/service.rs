//! The ledger as requests and the page use it: entries, the writer's life, what is loaded at the start.

mod budgets;
mod job_holds;

pub use budgets::{BudgetStanding, NewCall, whole};

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clap::ValueEnum;
use tokio::time::timeout;

use super::booking::{Booked, Booking, OpenRows, Repeats};
use super::counters::{CallKind, Counter, Counters, Scopes};
use super::hold_rows::{jobs_query, read_hold};
use super::period::Calendar;
use super::queue::{LoneCall, Message, Queue};
use super::request_entry::RequestEntry;
use super::shared::SharedBudgets;
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

/// The longest that the writer may take to give up.
const GIVING_UP: Duration = Duration::from_secs(3);

/// The longest that anybody waits for rows to be written.
const WRITTEN_PATIENCE: Duration = Duration::from_secs(2);

/// What becomes of requests of budgeted keys while the database is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnOutage {
    /// They are refused.
    Refuse,
    /// They go on; budgets may be overrun.
    Allow,
}

/// What the operator sets about the ledger.
#[derive(Debug, Clone)]
pub struct LedgerSettings {
    /// Whether requests are recorded from the start.
    pub is_on: bool,
    /// Budgets of the whole relay.
    pub budgets: Vec<Budget>,
    /// Who counts in them.
    pub scopes: Scopes,
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

    /// The operator's calendar.
    #[must_use]
    pub fn calendar(&self) -> &Calendar {
        &self.0.calendar
    }

    /// In which budgets a call counts.
    #[must_use]
    pub fn scopes_rule(&self) -> Scopes {
        self.0.settings.scopes
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
            scopes: inner.settings.scopes,
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
        // The writer keeps what it has in hand.
        self.0.queue.give_up();
        let _ = timeout(GIVING_UP, self.0.queue.written()).await;
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
        let (calendar, scopes) = (inner.calendar.clone(), inner.settings.scopes);
        let is_shared = inner.database.is_shared();
        // Of replicas others may live; what theirs hold expires.
        let before = is_shared.then(clock::now_ms);
        let recovering = inner.database.transaction(move |transaction| {
            Box::pin(async move {
                let (open, repeats) = (OpenRows::of(is_shared), Repeats::Possible);
                let mut booking = Booking::new(transaction, calendar, scopes, open, repeats);
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
            let scopes = inner.settings.scopes.of(&job.key_id);
            let scopes: Vec<_> = scopes.map(|scope| (scope, &[][..])).collect();
            let periods = inner.calendar.at(job.at);
            // Without budgets nothing is refused.
            let _ = counters.reserve(&periods, &scopes, job.credits, CallKind::Media);
        }
        Ok(())
    }

    /// Waits until what was left so far is written, or kept elsewhere, not longer than a moment; tells
    /// whether it is.
    pub async fn written(&self) -> bool {
        let writing = timeout(WRITTEN_PATIENCE, self.0.queue.written());
        writing.await.is_ok()
    }

    /// Notes what 1min.ai said of an account to a call by the key of this digest; `alone` is none if other calls of the account were under
    /// way.
    pub fn balance(&self, account: &str, key: String, balance: Balance, alone: Option<LoneCall>) {
        if self.is_on() {
            self.0.queue.push(Message::Balance {
                account: account.to_owned(),
                key,
                balance,
                alone,
            });
        }
    }

    fn counters(&self) -> MutexGuard<'_, Counters> {
        self.0
            .counters
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

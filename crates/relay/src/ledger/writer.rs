//! The one writer of the ledger: it writes what waits in groups, tries again while the database is
//! away, and keeps what is too much in a file.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::booking::{Booked, Booking, OpenRows, Repeats};
use super::counters::{Counters, Scopes};
use super::period::Calendar;
use super::queue::{Message, Queue};
use super::spool::Spool;
use crate::clock;
use crate::store::StoreError;
use crate::store::database::Database;

/// The least time between the beginnings of two transactions: what comes meanwhile is gathered.
const GATHERED_FOR: Duration = Duration::from_millis(200);

/// The most messages of one transaction.
const GROUP_MAX: usize = 512;

/// Messages that wait in memory; what is more goes to the spool file.
const WAITING_MAX: usize = 20_000;

/// The pause before a failed transaction is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// How often holds are looked at that may have expired, and old rows are deleted.
const SWEEP_EVERY: Duration = Duration::from_mins(1);

/// Writes what waits in a queue.
pub struct Writer {
    /// Where to.
    pub database: Database,
    /// Which day it is.
    pub calendar: Calendar,
    /// What waits.
    pub queue: Arc<Queue>,
    /// The file for what is too much.
    pub spool: Spool,
    /// Budgets in memory, which follow corrections.
    pub counters: Arc<Mutex<Counters>>,
    /// In which of them a call counts.
    pub scopes: Scopes,
    /// For how long rows are kept, in milliseconds; none is for ever.
    pub retention: Option<i64>,
    /// Rows whose cost may still become known.
    pub open: OpenRows,
}

impl Writer {
    /// Works until the process ends.
    pub async fn run(mut self) {
        let mut sweep = Instant::now();
        let mut next_group = Instant::now();
        loop {
            tokio::select! {
                () = self.queue.filled() => {}
                () = sleep_until(sweep) => {
                    self.sweep().await;
                    sweep = Instant::now() + SWEEP_EVERY;
                    continue;
                }
            }
            // What comes after a rest is written at once: a call that has just begun is on the disk long
            // before it is answered.
            if self.queue.waiting() < GROUP_MAX {
                sleep_until(next_group).await;
            }
            next_group = Instant::now() + GATHERED_FOR;
            self.write_group().await;
        }
    }

    async fn write_group(&mut self) {
        let group = Arc::new(self.queue.take(GROUP_MAX));
        let mut failures = 0_u32;
        let mut repeats = Repeats::None;
        while let Err(error) = self.book(group.clone(), repeats).await {
            // Whether it was committed after all is not known.
            repeats = Repeats::Possible;
            if failures.is_multiple_of(60) {
                tracing::warn!(%error, "the ledger cannot be written; it is tried again");
            }
            failures += 1;
            if self.queue.waiting() > WAITING_MAX {
                let more = self.queue.take(usize::MAX);
                self.keep(&group);
                self.keep(&more);
                self.queue.done();
                return;
            }
            tokio::select! {
                () = sleep(PAUSE) => {}
                () = self.queue.given_up() => {
                    self.keep(&group);
                    self.queue.done();
                    return;
                }
            }
        }
        if failures > 0 {
            tracing::info!("the ledger is written again");
        }
        self.queue.done();
        self.replay().await;
    }

    /// Books what the spool file has, if anything.
    async fn replay(&mut self) {
        if !self.spool.is_filled() {
            return;
        }
        let messages = match self.spool.read() {
            Ok(messages) => messages,
            Err(error) => {
                tracing::error!(%error, "the ledger's spool file cannot be read");
                return;
            }
        };
        for group in messages.chunks(GROUP_MAX) {
            // What was booked already is recognised by its id.
            if self
                .book(Arc::new(group.to_vec()), Repeats::Possible)
                .await
                .is_err()
            {
                return;
            }
        }
        if let Err(error) = self.spool.clear() {
            tracing::error!(%error, "the ledger's spool file cannot be deleted");
        }
    }

    async fn book(&mut self, group: Arc<Vec<Message>>, repeats: Repeats) -> Result<(), StoreError> {
        let (calendar, open) = (self.calendar.clone(), self.open.clone());
        let scopes = self.scopes;
        let writing = self.database.transaction(move |transaction| {
            Box::pin(async move {
                let mut booking = Booking::new(transaction, calendar, scopes, open, repeats);
                booking.book(&group).await?;
                booking.finish().await
            })
        });
        let booked = writing.await?;
        self.booked(booked);
        Ok(())
    }

    /// Books calls whose time is over, and deletes rows that are too old.
    async fn sweep(&mut self) {
        self.replay().await;
        let now = clock::now_ms();
        let (calendar, open) = (self.calendar.clone(), self.open.clone());
        let scopes = self.scopes;
        let expired = self.database.transaction(move |transaction| {
            Box::pin(async move {
                let repeats = Repeats::Possible;
                let mut booking = Booking::new(transaction, calendar, scopes, open, repeats);
                booking.give_up_holds(Some(now)).await?;
                booking.finish().await
            })
        });
        match expired.await {
            Ok(booked) => self.booked(booked),
            Err(error) => tracing::debug!(%error, "the ledger cannot be swept"),
        }
        if let Some(retention) = self.retention {
            let first = self.calendar.start_of(self.calendar.date(now - retention));
            for sql in [
                "DELETE FROM ledger WHERE at < $1",
                "DELETE FROM usage_hours WHERE hour < $1",
            ] {
                let deleting = self.database.delete(sql.to_owned(), vec![first.into()]);
                if let Err(error) = deleting.await {
                    tracing::debug!(%error, "old rows of the ledger cannot be deleted");
                }
            }
        }
    }

    fn booked(&mut self, booked: Booked) {
        self.open = booked.open;
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        for correction in booked.corrections {
            let periods = self.calendar.at(correction.at);
            let scopes = self.scopes.of(&correction.key_id);
            counters.settle(&periods, scopes, 0, correction.difference);
        }
    }

    fn keep(&self, messages: &[Message]) {
        if let Err(error) = self.spool.append(messages) {
            let lost = messages.len();
            tracing::error!(%error, lost, "the ledger's spool file cannot be written; records are lost");
        }
    }
}

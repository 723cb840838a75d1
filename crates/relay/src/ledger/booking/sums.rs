//! Sums of the ledger by hour and by day, gathered over a group of rows.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::ledger::period::Periods;
use crate::ledger::row::LedgerRow;
use crate::store::StoreError;
use crate::store::database::{ManyRows, Param, Transaction};

const HOUR: i64 = 60 * 60 * 1000;

const SUMS: &str = "requests, failed, input_tokens, output_tokens, credits";

const ADD: &str = "requests = t.requests + excluded.requests, \
     failed = t.failed + excluded.failed, \
     input_tokens = t.input_tokens + excluded.input_tokens, \
     output_tokens = t.output_tokens + excluded.output_tokens, \
     credits = t.credits + excluded.credits";

const COLUMNS: &str = "day, kind, key_id, account, api, model, outcome";

/// What a group of rows adds to the sums.
#[derive(Debug, Default)]
pub(super) struct Sums(Vec<(Of, Sum)>);

/// What a sum is of.
#[derive(Debug, Clone)]
struct Of {
    hour: i64,
    periods: Arc<Periods>,
    kind: &'static str,
    key_id: String,
    account: String,
    api: String,
    model: String,
    outcome: String,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    requests: i64,
    failed: i64,
    input_tokens: i64,
    output_tokens: i64,
    credits: i64,
}

impl Sums {
    /// Counts a row, which began in these periods.
    pub(super) fn count(&mut self, row: &LedgerRow, periods: &Arc<Periods>) {
        let number = |tokens: u64| i64::try_from(tokens).unwrap_or(i64::MAX);
        let sum = self.sum(row, periods);
        sum.requests += 1;
        sum.failed += i64::from(row.is_failed());
        sum.input_tokens += number(row.input_tokens);
        sum.output_tokens += number(row.output_tokens);
        sum.credits += row.credits;
    }

    /// Adds to the cost of a row that was counted before.
    pub(super) fn correct(&mut self, row: &LedgerRow, periods: &Arc<Periods>, difference: i64) {
        self.sum(row, periods).credits += difference;
    }

    fn sum(&mut self, row: &LedgerRow, periods: &Arc<Periods>) -> &mut Sum {
        let hour = row.at.div_euclid(HOUR) * HOUR;
        // Of a group most rows are alike.
        let known = self
            .0
            .iter()
            .rposition(|(of, _)| of.is_of(row, hour, periods));
        let place = known.unwrap_or_else(|| {
            let of = Of {
                hour,
                periods: periods.clone(),
                kind: row.kind.as_str(),
                key_id: row.key_id.clone(),
                account: row.account.clone(),
                api: row.api.clone(),
                model: row.model.clone(),
                outcome: row.outcome.clone(),
            };
            self.0.push((of, Sum::default()));
            self.0.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "the place was found or made above")]
        &mut self.0[place].1
    }

    /// Writes them, in one order, so that processes that write the same sums wait for each other and
    /// not in a circle.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) async fn write(mut self, transaction: &mut Transaction) -> Result<(), StoreError> {
        self.0.sort_by(|(one, _), (other, _)| one.order(other));
        let mut days: Vec<(Of, Sum)> = Vec::new();
        for (of, sum) in &self.0 {
            match days.last_mut().filter(|(last, _)| last.is_same_day(of)) {
                Some((_, day)) => day.add(sum),
                None => days.push((of.clone(), *sum)),
            }
        }
        let head = format!("INSERT INTO usage_days AS t ({COLUMNS}, {SUMS}) VALUES");
        let tail = format!("ON CONFLICT ({COLUMNS}) DO UPDATE SET {ADD}");
        let many = ManyRows {
            head: &head,
            width: 12,
            tail: &tail,
        };
        let values = days.iter().flat_map(|(of, sum)| of.values(sum)).collect();
        transaction.execute_many(many, values).await?;
        let head = format!("INSERT INTO usage_hours AS t ({COLUMNS}, {SUMS}, hour) VALUES");
        let tail = format!("ON CONFLICT (hour, {COLUMNS}) DO UPDATE SET {ADD}");
        let many = ManyRows {
            head: &head,
            width: 13,
            tail: &tail,
        };
        let values = self.0.iter().flat_map(|(of, sum)| {
            let hour = Param::from(of.hour);
            of.values(sum).into_iter().chain([hour])
        });
        let values = values.collect();
        transaction.execute_many(many, values).await.map(drop)
    }
}

impl Of {
    fn is_of(&self, row: &LedgerRow, hour: i64, periods: &Arc<Periods>) -> bool {
        let same_day = Arc::ptr_eq(&self.periods, periods) || self.periods.day == periods.day;
        self.hour == hour
            && same_day
            && self.key_id == row.key_id
            && self.model == row.model
            && self.api == row.api
            && self.outcome == row.outcome
            && self.account == row.account
            && self.kind == row.kind.as_str()
    }

    fn texts(&self) -> [&str; 7] {
        [
            &self.periods.day,
            self.kind,
            &self.key_id,
            &self.account,
            &self.api,
            &self.model,
            &self.outcome,
        ]
    }

    fn order(&self, other: &Self) -> Ordering {
        let hours = self.hour.cmp(&other.hour);
        self.texts().cmp(&other.texts()).then(hours)
    }

    fn is_same_day(&self, other: &Self) -> bool {
        self.texts() == other.texts()
    }

    fn values(&self, sum: &Sum) -> Vec<Param> {
        let texts = self.texts().into_iter().map(Param::from);
        let sums = [
            sum.requests,
            sum.failed,
            sum.input_tokens,
            sum.output_tokens,
            sum.credits,
        ];
        texts.chain(sums.map(Param::from)).collect()
    }
}

impl Sum {
    fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.failed += other.failed;
        self.input_tokens += other.input_tokens;
        self.output_tokens += other.output_tokens;
        self.credits += other.credits;
    }
}

//! What a group of rows adds to the budgets' counters.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ledger::counters::Scopes;
use crate::ledger::period::Periods;
use crate::store::StoreError;
use crate::store::database::{ManyRows, Param, Transaction};

/// Amounts by access key and periods, in thousandths of a credit.
#[derive(Debug)]
pub(super) struct Counted {
    scopes: Scopes,
    amounts: Vec<Amounts>,
}

#[derive(Debug)]
struct Amounts {
    key_id: String,
    periods: Arc<Periods>,
    settled: i64,
    held: i64,
}

impl Counted {
    /// Nothing yet; `scopes` says in which counters an amount counts.
    pub(super) fn new(scopes: Scopes) -> Self {
        let amounts = Vec::new();
        Self { scopes, amounts }
    }

    /// Adds to what a key has spent and holds in these periods; the key's id is empty without one.
    pub(super) fn add(&mut self, key_id: &str, periods: &Arc<Periods>, settled: i64, held: i64) {
        let is_of =
            |known: &&mut Amounts| known.key_id == key_id && Arc::ptr_eq(&known.periods, periods);
        match self.amounts.iter_mut().rev().find(is_of) {
            Some(known) => {
                known.settled += settled;
                known.held += held;
            }
            None => self.amounts.push(Amounts {
                key_id: key_id.to_owned(),
                periods: periods.clone(),
                settled,
                held,
            }),
        }
    }

    /// Writes them for the keys and for the whole relay, in one order for all processes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) async fn write(self, transaction: &mut Transaction) -> Result<(), StoreError> {
        let mut counters: BTreeMap<(&str, &str), (i64, i64)> = BTreeMap::new();
        for amounts in &self.amounts {
            for scope in self.scopes.of(&amounts.key_id) {
                for period in &amounts.periods.names {
                    let counter = counters.entry((scope, period)).or_default();
                    counter.0 += amounts.settled;
                    counter.1 += amounts.held;
                }
            }
        }
        let changed = counters.into_iter().filter(|(_, added)| *added != (0, 0));
        let values = changed.flat_map(|((scope, period), (settled, held))| {
            [
                Param::from(scope),
                period.into(),
                settled.into(),
                held.into(),
            ]
        });
        let many = ManyRows {
            head: "INSERT INTO budget_counters AS t (scope, period, settled, held) VALUES",
            width: 4,
            tail: "ON CONFLICT (scope, period) DO UPDATE SET \
                   settled = t.settled + excluded.settled, held = t.held + excluded.held",
        };
        let values = values.collect();
        transaction.execute_many(many, values).await.map(drop)
    }
}

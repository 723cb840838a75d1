//! Numbers of accounts and budgets for Prometheus, as they stand when they are asked for. Amounts
//! are credits.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::accounts;
use super::keys::Keys;
use crate::access::KeyAccess;
use crate::ledger::counters::RELAY;
use crate::ledger::usage::credits;

type Gauges<L> = Family<L, Gauge<f64, AtomicU64>>;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfAccount {
    account: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InState {
    account: String,
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfBudget {
    key: String,
    per: &'static str,
}

/// The numbers; none where nothing is shared, or the database is away.
pub async fn registry(access: &KeyAccess) -> Registry {
    let mut registry = Registry::with_prefix("relay");
    let ledger = &access.gate.ledger;
    if !ledger.is_on() {
        return registry;
    }
    let waiting: Gauge<f64, AtomicU64> = Gauge::default();
    waiting.set(f64::from(
        u32::try_from(ledger.waiting()).unwrap_or(u32::MAX),
    ));
    registry.register("ledger_waiting", "Records that wait to be written", waiting);
    if let Ok((counters, _)) = ledger.counters_of(RELAY).await {
        let held: Gauge<f64, AtomicU64> = Gauge::default();
        held.set(counters.last().map_or(0.0, |total| credits(total.held)));
        registry.register("held_credits", "Credits held by calls under way", held);
    }
    let balances: Gauges<OfAccount> = Family::default();
    let states: Gauges<InState> = Family::default();
    if let Ok(accounts) = accounts::list(&access.gate.pool, ledger).await {
        for account in accounts {
            let state = account.state;
            let name = || account.name.clone();
            states
                .get_or_create(&InState {
                    account: name(),
                    state,
                })
                .set(1.0);
            if let Some(balance) = account.balance {
                balances
                    .get_or_create(&OfAccount { account: name() })
                    .set(balance);
            }
        }
    }
    registry.register(
        "account_credits",
        "Credits left, as 1min.ai last reported them",
        balances,
    );
    registry.register(
        "account_state",
        "State of each account: ready, cooling, short, parked",
        states,
    );
    let used: Gauges<OfBudget> = Family::default();
    let limits: Gauges<OfBudget> = Family::default();
    let keys = Keys {
        keys: &access.keys,
        ledger,
    };
    for key in keys.list().await.unwrap_or_default() {
        for budget in key.budgets {
            let place = OfBudget {
                key: key.hash.clone(),
                per: budget.per,
            };
            used.get_or_create(&place).set(budget.used);
            limits.get_or_create(&place).set(budget.credits);
        }
    }
    registry.register(
        "budget_used_credits",
        "What counts against each budget",
        used,
    );
    registry.register("budget_credits", "What each budget allows", limits);
    registry
}

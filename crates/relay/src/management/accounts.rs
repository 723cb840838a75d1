//! 1min.ai accounts for the operator to look at. Amounts are credits.

use serde::Serialize;
use translate::failure::{Failure, Kind};

use crate::accounts::choice::Availability;
use crate::accounts::pool::Pool;
use crate::clock;
use crate::ledger::service::Ledger;
use crate::ledger::usage::{By, UsageQuery, credits, moment, summed};

/// An account as it is told.
#[derive(Debug, Clone, Serialize)]
pub struct AccountEntry {
    /// Its name.
    pub name: String,
    /// `ready`, `cooling` (rate limited), `short` (of credits), `parked` (its key is refused).
    pub state: &'static str,
    /// When that ends, if it does by itself.
    pub until: Option<String>,
    /// Why, for people.
    pub reason: Option<&'static str>,
    /// Whether the settings name it; else it is in the database.
    pub configured: bool,
    /// What 1min.ai reported last that is left.
    pub balance: Option<f64>,
    /// When that was reported.
    pub balance_at: Option<String>,
    /// What was spent through this relay.
    pub credits: f64,
    /// What was spent elsewhere, as far as this relay can tell.
    pub outside: f64,
}

/// All accounts, in the order in which they are configured.
///
/// # Errors
/// The database is away.
pub async fn list(pool: &Pool, ledger: &Ledger) -> Result<Vec<AccountEntry>, Failure> {
    let query = UsageQuery {
        from: 0,
        to: clock::now_ms() + 1,
        by: vec![By::Account, By::Kind],
        key_id: None,
        model: None,
        outside: true,
    };
    let sums = if ledger.is_on() {
        summed(ledger.database(), ledger.calendar(), &query).await?
    } else {
        Vec::new()
    };
    let spent = |name: &str, kind: &str| {
        let of = sums.iter().find(|sum| sum.values == [name, kind]);
        credits(of.map_or(0, |sum| sum.credits))
    };
    let now = clock::now_ms();
    let entries = pool.statuses().into_iter().map(|status| {
        let (state, until, reason) = state(&status.availability, now);
        let left = status.availability.left;
        let reported = status
            .balance
            .and_then(|balance| Some((balance.left()?, balance.at)));
        let balance = left.or(reported);
        AccountEntry {
            state,
            until: until.map(moment),
            reason,
            configured: status.is_configured,
            balance: balance.map(|(left, _)| credits(left)),
            balance_at: balance.map(|(_, at)| moment(at)),
            credits: spent(&status.name, "request"),
            outside: spent(&status.name, "outside"),
            name: status.name,
        }
    });
    Ok(entries.collect())
}

/// Forgets what stands against an account.
///
/// # Errors
/// There is no such account.
pub fn wake(pool: &Pool, name: &str) -> Result<(), Failure> {
    if pool.wake(name) {
        return Ok(());
    }
    Err(Failure::new(Kind::NotFound, "There is no such account."))
}

fn state(
    availability: &Availability,
    now: i64,
) -> (&'static str, Option<i64>, Option<&'static str>) {
    if availability.parked.is_some() {
        ("parked", None, Some("1min.ai refuses its key"))
    } else if availability.limited_until > now {
        (
            "cooling",
            Some(availability.limited_until),
            Some("1min.ai's rate limit is reached"),
        )
    } else if availability.short_until > now {
        (
            "short",
            Some(availability.short_until),
            Some("it has refused a call for lack of credits"),
        )
    } else if availability.left.is_some_and(|(left, _)| left <= 0) {
        ("short", None, Some("it has no credits left"))
    } else {
        ("ready", None, None)
    }
}

//! Budgets that replicas share, in PostgreSQL: a call is held in one conditional statement.

use std::collections::HashMap;

use super::booking::hold_params;
use super::counters::{CallKind, Counter, Exceeded};
use super::period::{Per, Periods};
use super::row::HoldRow;
use crate::access::keys::Budget;
use crate::store::StoreError;
use crate::store::database::{Database, Param};

/// Holds a call in all its counters, if it fits into all budgets. `hold` is written along with it.
///
/// # Errors
/// [`StoreError`]; the inner error is the first budget that it does not fit into.
pub async fn reserve(
    database: &Database,
    periods: &Periods,
    scopes: &[(String, Vec<Budget>)],
    hold: &HoldRow,
    kind: CallKind,
) -> Result<Result<(), Exceeded>, StoreError> {
    let mut counters: Vec<(&str, Per, Option<i64>)> = Vec::new();
    for (scope, budgets) in scopes {
        for per in Per::ALL {
            let budget = budgets.iter().find(|budget| budget.per == per);
            counters.push((scope, per, budget.map(|budget| budget.credits)));
        }
    }
    if hold_all(database, periods, &counters, hold, kind).await? {
        return Ok(Ok(()));
    }
    // The counters of a new period are not there yet, or it does not fit.
    make(database, periods, &counters).await?;
    if hold_all(database, periods, &counters, hold, kind).await? {
        return Ok(Ok(()));
    }
    for (scope, budgets) in scopes {
        let standing = standing(database, periods, scope).await?;
        for budget in budgets {
            let counter = standing.get(budget.per.index()).copied();
            let counter = counter.unwrap_or_default();
            if !counter.admits(budget.credits, hold.credits, kind) {
                return Ok(Err(Exceeded {
                    scope: scope.clone(),
                    per: budget.per,
                    limit: budget.credits,
                    counter,
                    needed: hold.credits,
                    resets_at: periods.end(budget.per),
                }));
            }
        }
    }
    // It would fit by now: what was in its way has just ended.
    if hold_all(database, periods, &counters, hold, kind).await? {
        return Ok(Ok(()));
    }
    Err(StoreError::Timeout)
}

/// How a scope stands now, in the order of [`Per::ALL`].
///
/// # Errors
/// [`StoreError`].
pub async fn standing(
    database: &Database,
    periods: &Periods,
    scope: &str,
) -> Result<[Counter; 4], StoreError> {
    let [day, week, month, total] = &periods.names;
    let sql = "SELECT period, settled, held, forgiven FROM budget_counters \
               WHERE scope = $1 AND period IN ($2, $3, $4, $5)";
    let names = [scope, day, week, month, total];
    let params = names.iter().map(|name| Param::from(*name)).collect();
    let rows = database.rows(sql.to_owned(), params).await?;
    let mut found = HashMap::new();
    for row in &rows {
        let counter = Counter {
            settled: row.integer(1)?,
            held: row.integer(2)?,
            forgiven: row.integer(3)?,
        };
        found.insert(row.text(0)?, counter);
    }
    Ok(Per::ALL.map(|per| found.get(periods.name(per)).copied().unwrap_or_default()))
}

/// One statement: locks the counters in their order, adds to all if the call fits into each, and
/// writes the hold. Tells whether it did.
async fn hold_all(
    database: &Database,
    periods: &Periods,
    counters: &[(&str, Per, Option<i64>)],
    hold: &HoldRow,
    kind: CallKind,
) -> Result<bool, StoreError> {
    let mut params = hold_params(hold);
    params.push(i64::from(kind == CallKind::Chat).into());
    let mut wanted = Vec::new();
    for (scope, per, limit) in counters {
        let first = params.len() + 1;
        wanted.push(format!(
            "(${first}::text, ${}::text, ${}::bigint)",
            first + 1,
            first + 2
        ));
        params.extend([
            Param::from(*scope),
            periods.name(*per).into(),
            (*limit).into(),
        ]);
    }
    let count = counters.len();
    let wanted = wanted.join(", ");
    let sql = format!(
        "WITH wanted (scope, period, most) AS (VALUES {wanted}), \
         locked AS (SELECT c.scope, c.period, c.settled - c.forgiven AS used, c.held, w.most \
           FROM budget_counters c JOIN wanted w ON c.scope = w.scope AND c.period = w.period \
           ORDER BY c.scope, c.period FOR UPDATE OF c), \
         fits AS (SELECT count(*) = {count} AND bool_and(most IS NULL OR used < most AND \
           (used + held + $7 <= most OR $12 = 1 AND held = 0)) AS yes FROM locked), \
         added AS (UPDATE budget_counters c SET held = c.held + $7 FROM locked l, fits \
           WHERE fits.yes AND c.scope = l.scope AND c.period = l.period RETURNING 1) \
         INSERT INTO holds (id, request, key_id, account, api, model, credits, at, expires, \
           counted, job) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 FROM fits \
           WHERE fits.yes AND (SELECT count(*) FROM added) = {count}"
    );
    Ok(database.execute(sql, params).await? > 0)
}

async fn make(
    database: &Database,
    periods: &Periods,
    counters: &[(&str, Per, Option<i64>)],
) -> Result<(), StoreError> {
    for (scope, per, _) in counters {
        let sql = "INSERT INTO budget_counters (scope, period) VALUES ($1, $2) \
                   ON CONFLICT (scope, period) DO NOTHING";
        let params = vec![Param::from(*scope), periods.name(*per).into()];
        database.execute(sql.to_owned(), params).await?;
    }
    Ok(())
}

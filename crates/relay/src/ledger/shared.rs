//! Budgets that replicas share, in PostgreSQL. Calls that want to begin at the same time are held
//! together in one transaction: it locks their counters in their order, lets each call in that
//! still fits, and writes the holds.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::json;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::counters::{self, CallKind, Counter, Exceeded, RELAY};
use super::period::{Per, Periods};
use super::row::HoldRow;
use crate::access::keys::Budget;
use crate::store::StoreError;
use crate::store::database::{Database, Param, Transaction};
use crate::task;

/// The longest that one group may take, once the database has answered before.
const GROUP_TIMEOUT: Duration = Duration::from_millis(200);

/// The same before that: the connection may have to be made.
const FIRST_GROUP_TIMEOUT: Duration = Duration::from_secs(2);

/// The most calls of one group.
const GROUP_MAX: usize = 64;

/// Calls that wait for their group.
const WAITING_MAX: usize = 4096;

/// A call that wants to begin.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The periods in which it begins.
    pub periods: Arc<Periods>,
    /// The scopes that it counts in, with their budgets.
    pub scopes: Vec<(String, Vec<Budget>)>,
    /// What is written if it may.
    pub hold: HoldRow,
    /// Whether its cost is certain.
    pub kind: CallKind,
}

/// What is left of the key's tightest budget with the call held, if it has any; or the budget that
/// the call does not fit into.
pub type Held = Result<Option<i64>, Exceeded>;

type Verdict = Result<Held, StoreError>;

struct Waiting {
    wanted: Wanted,
    answer: oneshot::Sender<Verdict>,
}

/// The counters that replicas share.
pub struct SharedBudgets {
    database: Database,
    queue: OnceLock<mpsc::Sender<Waiting>>,
}

impl SharedBudgets {
    /// Counters in this database. Opens nothing.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self {
            database,
            queue: OnceLock::new(),
        }
    }

    /// Holds a call in all its counters, if it fits into all budgets.
    ///
    /// # Errors
    /// [`StoreError`], in little more than 200 ms.
    pub async fn reserve(&self, wanted: Wanted) -> Verdict {
        let queue = self.queue.get_or_init(|| {
            let (sender, receiver) = mpsc::channel(WAITING_MAX);
            task::spawn(work(self.database.clone(), receiver));
            sender
        });
        let (answer, verdict) = oneshot::channel();
        queue
            .try_send(Waiting { wanted, answer })
            .map_err(|_| StoreError::Timeout)?;
        verdict.await.unwrap_or(Err(StoreError::Timeout))
    }
}

async fn work(database: Database, mut queue: mpsc::Receiver<Waiting>) {
    let mut limit = FIRST_GROUP_TIMEOUT;
    while let Some(first) = queue.recv().await {
        let mut group = vec![first];
        while group.len() < GROUP_MAX
            && let Ok(more) = queue.try_recv()
        {
            group.push(more);
        }
        let wanted: Vec<Wanted> = group.iter().map(|waiting| waiting.wanted.clone()).collect();
        let asked = database.clone();
        let mut holding = task::spawn(async move {
            let calls = wanted.clone();
            let holding = asked.transaction(move |transaction| {
                Box::pin(async move { hold_group(transaction, calls).await })
            });
            holding.await.map(|verdicts| (wanted, verdicts))
        });
        match timeout(limit, &mut holding).await {
            Ok(Ok(Ok((_, verdicts)))) => {
                limit = GROUP_TIMEOUT;
                tell(&database, group, verdicts);
            }
            failed => {
                if failed.is_err() {
                    // What is held after all is given back.
                    let database = database.clone();
                    task::spawn(async move {
                        if let Ok(Ok((wanted, verdicts))) = holding.await {
                            let held = wanted.into_iter().zip(verdicts);
                            let held = held.filter(|(_, verdict)| verdict.is_ok());
                            give_back(&database, held.map(|(wanted, _)| wanted).collect()).await;
                        }
                    });
                }
                // Whoever waits behind them would wait as long for nothing.
                while let Ok(more) = queue.try_recv() {
                    group.push(more);
                }
                for waiting in group {
                    let _ = waiting.answer.send(Err(StoreError::Timeout));
                }
            }
        }
    }
}

fn tell(database: &Database, group: Vec<Waiting>, verdicts: Vec<Held>) {
    let mut abandoned = Vec::new();
    for (waiting, verdict) in group.into_iter().zip(verdicts) {
        let held = verdict.is_ok();
        if waiting.answer.send(Ok(verdict)).is_err() && held {
            abandoned.push(waiting.wanted);
        }
    }
    if !abandoned.is_empty() {
        // Their clients have left meanwhile.
        let database = database.clone();
        task::spawn(async move { give_back(&database, abandoned).await });
    }
}

/// Gives back what nobody will settle. Should this fail, it expires.
async fn give_back(database: &Database, calls: Vec<Wanted>) {
    let giving_back = database.transaction(move |transaction| {
        Box::pin(async move {
            for wanted in &calls {
                let sql = "DELETE FROM holds WHERE id = $1";
                let params = vec![wanted.hold.id.as_str().into()];
                transaction.execute(sql, params).await?;
            }
            add(transaction, &sums(&calls, -1)).await
        })
    });
    if let Err(error) = giving_back.await {
        tracing::debug!(%error, "holds of cancelled requests cannot be released");
    }
}

type Place = (String, String);

/// What the calls hold in each counter.
fn sums(calls: &[Wanted], sign: i64) -> BTreeMap<Place, i64> {
    let mut sums = BTreeMap::new();
    for wanted in calls {
        for (scope, _) in &wanted.scopes {
            for period in &wanted.periods.names {
                let place = (scope.clone(), period.clone());
                *sums.entry(place).or_default() += sign * wanted.hold.credits;
            }
        }
    }
    sums
}

async fn hold_group(
    transaction: &mut Transaction,
    calls: Vec<Wanted>,
) -> Result<Vec<Held>, StoreError> {
    let places = sums(&calls, 1);
    let mut counters = lock(transaction, &places).await?;
    let mut verdicts = Vec::with_capacity(calls.len());
    let mut admitted: Vec<Wanted> = Vec::new();
    for wanted in calls {
        if let Err(exceeded) = fits(&counters, &wanted) {
            verdicts.push(Err(exceeded));
            continue;
        }
        for (place, held) in sums(std::slice::from_ref(&wanted), 1) {
            counters.entry(place).or_default().held += held;
        }
        verdicts.push(Ok(left(&counters, &wanted)));
        admitted.push(wanted);
    }
    if !admitted.is_empty() {
        add(transaction, &sums(&admitted, 1)).await?;
        insert(transaction, &admitted).await?;
    }
    Ok(verdicts)
}

fn fits(counters: &HashMap<Place, Counter>, wanted: &Wanted) -> Result<(), Exceeded> {
    let Wanted { periods, hold, .. } = wanted;
    for (scope, budgets) in &wanted.scopes {
        let counters = of_scope(counters, periods, scope);
        let budgets = (scope.as_str(), budgets.as_slice());
        counters::fits(periods, budgets, &counters, hold.credits, wanted.kind)?;
    }
    Ok(())
}

/// What is left of the tightest budget of the key.
fn left(counters: &HashMap<Place, Counter>, wanted: &Wanted) -> Option<i64> {
    let keys = wanted.scopes.iter().filter(|(scope, _)| scope != RELAY);
    let left = keys.filter_map(|(scope, budgets)| {
        let counters = of_scope(counters, &wanted.periods, scope);
        counters::left(budgets, &counters)
    });
    left.min()
}

/// The counters of a scope, in the order of [`Per::ALL`].
fn of_scope(counters: &HashMap<Place, Counter>, periods: &Periods, scope: &str) -> [Counter; 4] {
    Per::ALL.map(|per| {
        let place = (scope.to_owned(), periods.name(per).to_owned());
        counters.get(&place).copied().unwrap_or_default()
    })
}

/// Locks counters until the transaction ends; those that are missing are made.
async fn lock(
    transaction: &mut Transaction,
    places: &BTreeMap<Place, i64>,
) -> Result<HashMap<Place, Counter>, StoreError> {
    let list = list(places);
    let sql = "INSERT INTO budget_counters (scope, period) \
               SELECT scope, period FROM json_to_recordset($1::json) AS w(scope text, period text) \
               ON CONFLICT (scope, period) DO NOTHING";
    transaction.execute(sql, vec![list.as_str().into()]).await?;
    let sql = "SELECT c.scope, c.period, c.settled, c.held, c.forgiven \
               FROM json_to_recordset($1::json) AS w(scope text, period text) \
               JOIN budget_counters c ON c.scope = w.scope AND c.period = w.period \
               ORDER BY c.scope, c.period FOR UPDATE OF c";
    let rows = transaction.rows(sql, vec![list.into()]).await?;
    let mut counters = HashMap::new();
    for row in &rows {
        let counter = Counter {
            settled: row.integer(2)?,
            held: row.integer(3)?,
            forgiven: row.integer(4)?,
        };
        counters.insert((row.text(0)?, row.text(1)?), counter);
    }
    Ok(counters)
}

async fn add(transaction: &mut Transaction, held: &BTreeMap<Place, i64>) -> Result<(), StoreError> {
    let sql = "UPDATE budget_counters c SET held = c.held + w.held \
               FROM json_to_recordset($1::json) AS w(scope text, period text, held bigint) \
               WHERE c.scope = w.scope AND c.period = w.period";
    let params = vec![list(held).into()];
    transaction.execute(sql, params).await.map(drop)
}

async fn insert(transaction: &mut Transaction, calls: &[Wanted]) -> Result<(), StoreError> {
    let holds = calls.iter().map(|wanted| {
        let hold = &wanted.hold;
        json!({
            "id": hold.id, "request": hold.request, "key_id": hold.key_id,
            "account": hold.account, "api": hold.api, "model": hold.model,
            "credits": hold.credits, "at": hold.at, "expires": hold.expires,
            "job": i64::from(hold.job),
        })
    });
    let holds = serde_json::Value::Array(holds.collect()).to_string();
    let sql = "INSERT INTO holds (id, request, key_id, account, api, model, credits, at, expires, \
               counted, job) SELECT id, request, key_id, account, api, model, credits, at, \
               expires, 1, job FROM json_to_recordset($1::json) AS w(id text, request text, \
               key_id text, account text, api text, model text, credits bigint, at bigint, \
               expires bigint, job bigint)";
    transaction.execute(sql, vec![holds.into()]).await.map(drop)
}

fn list(places: &BTreeMap<Place, i64>) -> String {
    let list = places
        .iter()
        .map(|((scope, period), held)| json!({"scope": scope, "period": period, "held": held}));
    serde_json::Value::Array(list.collect()).to_string()
}

/// How a scope stands now, in the order of [`Per::ALL`].
///
/// # Errors
/// [`StoreError`].
pub async fn counters_of(
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

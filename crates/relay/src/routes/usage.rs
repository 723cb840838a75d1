//! What was used: `/v1/usage`, `/v1/usage/requests`, and what clients ask in other vendors' words
//! (`/v1/key`, `/v1/credits`, `/dashboard/billing/…`). A key sees its own figures, the operator all.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{Request, Uri};
use serde_json::{Value, json};
use translate::failure::{Failure, Kind};

use crate::access::credentials;
use crate::access::keys::cache::KnownKey;
use crate::access::visitor::Visitor;
use crate::access::{Access, KeyAccess};
use crate::http::admit;
use crate::http::context::RequestContext;
use crate::http::reply;
use crate::ledger::counters::RELAY;
use crate::ledger::period::Per;
use crate::ledger::usage::credits;
use crate::management::keys::{KeyEntry, Keys};
use crate::management::report::{Query, Report, Reports, Viewer};
use crate::observe::RequestLog;

/// A subscription that ends in so many years is without end.
const YEARS: i64 = 10;

/// Who asks.
enum Requester {
    Owner,
    Holder(Arc<KnownKey>),
}

impl Requester {
    fn viewer(&self) -> Viewer {
        match self {
            Self::Owner => Viewer::Owner,
            Self::Holder(known) => Viewer::Key(known.key.id.clone()),
        }
    }
}

/// `GET /v1/usage`.
pub async fn usage(State(access): State<Arc<Access>>, request: Request<Body>) -> Response {
    asked(&access, "usage", request, async |requester, uri| {
        let reports = reports(access.key_access());
        Ok(report(
            reports.usage(&requester.viewer(), &query(&uri)).await?,
        ))
    })
    .await
}

/// `GET /v1/usage/requests`.
pub async fn requests(State(access): State<Arc<Access>>, request: Request<Body>) -> Response {
    asked(
        &access,
        "usage.requests",
        request,
        async |requester, uri| {
            let reports = reports(access.key_access());
            Ok(report(
                reports.requests(&requester.viewer(), &query(&uri)).await?,
            ))
        },
    )
    .await
}

/// `GET /v1/key`: `OpenRouter`'s.
pub async fn key(State(access): State<Arc<Access>>, request: Request<Body>) -> Response {
    asked(&access, "key", request, async |requester, _| {
        let budget = budget_status(access.key_access(), &requester).await?;
        let mut data = match &budget.entry {
            Some(entry) => json!(entry),
            None => json!({"label": "owner", "name": "owner"}),
        };
        if let Value::Object(fields) = &mut data {
            fields.insert("limit".to_owned(), json!(budget.limit));
            fields.insert("limit_remaining".to_owned(), json!(budget.left));
            fields.insert("usage".to_owned(), json!(budget.used));
            fields.insert("is_free_tier".to_owned(), json!(false));
            fields.insert(
                "is_management_key".to_owned(),
                json!(budget.entry.is_none()),
            );
            let requests = budget.entry.as_ref().and_then(|entry| entry.rpm);
            let requests = requests.map_or(-1, i64::from);
            fields.insert(
                "rate_limit".to_owned(),
                json!({"requests": requests, "interval": "1m"}),
            );
        }
        Ok(admit::json(&json!({"data": data})))
    })
    .await
}

/// `GET /v1/credits`: `OpenRouter`'s.
pub async fn credits_left(State(access): State<Arc<Access>>, request: Request<Body>) -> Response {
    asked(&access, "credits", request, async |requester, _| {
        let budget = budget_status(access.key_access(), &requester).await?;
        let total = budget.left.unwrap_or(UNLIMITED) + budget.counted;
        Ok(admit::json(&json!({
            "data": {"total_credits": total, "total_usage": budget.counted},
        })))
    })
    .await
}

/// `GET /dashboard/billing/subscription`: OpenAI's of old, as `NextChat` and new-api ask.
pub async fn subscription(State(access): State<Arc<Access>>, request: Request<Body>) -> Response {
    asked(
        &access,
        "billing.subscription",
        request,
        async |requester, _| {
            let budget = budget_status(access.key_access(), &requester).await?;
            let limit = budget.limit.unwrap_or(UNLIMITED) * access.key_access().dollars;
            let until = jiff::Timestamp::now().as_second() + YEARS * 365 * 24 * 60 * 60;
            Ok(admit::json(&json!({
                "object": "billing_subscription",
                "has_payment_method": true,
                "canceled": false,
                "soft_limit_usd": limit,
                "hard_limit_usd": limit,
                "system_hard_limit_usd": limit,
                "access_until": until,
                "plan": {"title": "1min-relay", "id": "1min-relay"},
            })))
        },
    )
    .await
}

/// `GET /dashboard/billing/usage?start_date&end_date`: in hundredths.
pub async fn billing_usage(State(access): State<Arc<Access>>, request: Request<Body>) -> Response {
    asked(&access, "billing.usage", request, async |requester, uri| {
        let key_access = access.key_access();
        let given = query(&uri);
        let mut wanted = Query::new();
        for (theirs, ours) in [("start_date", "from"), ("end_date", "to")] {
            if let Some(value) = given.get(theirs) {
                wanted.insert(ours.to_owned(), value.clone());
            }
        }
        wanted.insert("by".to_owned(), "day".to_owned());
        let report = reports(key_access)
            .usage(&requester.viewer(), &wanted)
            .await?;
        let report: Value = serde_json::from_slice(&report.body).unwrap_or_default();
        let days = report.get("data").and_then(Value::as_array);
        let days = days.cloned().unwrap_or_default();
        let cents = |day: &Value| {
            let credits = day.get("credits").and_then(Value::as_f64);
            credits.unwrap_or(0.0) * key_access.dollars * 100.0
        };
        // An empty sum of floating-point numbers is -0.
        let total = days.iter().map(cents).sum::<f64>() + 0.0;
        let daily: Vec<Value> = days
            .iter()
            .map(|day| {
                let date = day.get("day").and_then(Value::as_str).unwrap_or_default();
                let at = format!("{date}T00:00:00Z").parse::<jiff::Timestamp>();
                json!({
                    "timestamp": at.map_or(0, jiff::Timestamp::as_second),
                    "line_items": [{"name": "1min.ai", "cost": cents(day)}],
                })
            })
            .collect();
        Ok(admit::json(&json!({
            "object": "list",
            "daily_costs": daily,
            "total_usage": total,
        })))
    })
    .await
}

/// `GET /dashboard/billing/credit_grants`.
pub async fn credit_grants(State(access): State<Arc<Access>>, request: Request<Body>) -> Response {
    asked(
        &access,
        "billing.credit_grants",
        request,
        async |requester, _| {
            let key_access = access.key_access();
            let budget = budget_status(key_access, &requester).await?;
            let left = budget.left.unwrap_or(UNLIMITED);
            let dollars = |credits: f64| credits * key_access.dollars;
            Ok(admit::json(&json!({
                "object": "credit_summary",
                "total_granted": dollars(left + budget.counted),
                "total_used": dollars(budget.counted),
                "total_available": dollars(left),
                "grants": {"object": "list", "data": []},
            })))
        },
    )
    .await
}

/// What is told where there is no limit: clients show a number.
const UNLIMITED: f64 = 100_000_000.0;

/// How whoever asks stands, in credits.
struct BudgetStatus {
    entry: Option<KeyEntry>,
    limit: Option<f64>,
    left: Option<f64>,
    /// What counts against the limit, or was spent in all.
    counted: f64,
    /// What was spent in all.
    used: f64,
}

async fn budget_status(access: &KeyAccess, requester: &Requester) -> Result<BudgetStatus, Failure> {
    let ledger = &access.gate.ledger;
    match requester {
        Requester::Holder(known) => {
            let keys = Keys {
                keys: &access.keys,
                ledger,
            };
            let entry = keys.entry(known.key.clone()).await?;
            let counted = entry.limit.zip(entry.limit_remaining);
            Ok(BudgetStatus {
                limit: entry.limit,
                left: entry.limit_remaining,
                counted: counted.map_or(entry.usage, |(limit, left)| limit - left),
                used: entry.usage,
                entry: Some(entry),
            })
        }
        Requester::Owner => {
            let (counters, _) = ledger.counters_of(RELAY).await?;
            let total = counters
                .get(Per::Total.index())
                .copied()
                .unwrap_or_default();
            let used = credits(total.settled);
            let balances = access.gate.pool.statuses();
            let left = balances.iter().filter_map(|account| {
                let reported = account.balance.and_then(|balance| balance.left());
                account.availability.left.map(|(left, _)| left).or(reported)
            });
            let left: Vec<i64> = left.collect();
            let left = (!left.is_empty()).then(|| credits(left.iter().sum()));
            Ok(BudgetStatus {
                entry: None,
                limit: left.map(|left| left + used),
                left,
                counted: used,
                used,
            })
        }
    }
}

async fn asked<W>(access: &Access, api: &'static str, request: Request<Body>, work: W) -> Response
where
    W: AsyncFnOnce(Requester, Uri) -> Result<Response, Failure>,
{
    let (head, _) = request.into_parts();
    let context = RequestContext::of(&head.extensions);
    let mut log = RequestLog::begin(access.metrics().cloned(), context.id, api);
    let outcome = async {
        let requester = requester(access, &head, &context).await?;
        work(requester, head.uri.clone()).await
    };
    match outcome.await {
        Ok(response) => {
            log.done();
            response
        }
        Err(failure) => {
            log.failed(&failure);
            reply::failure(admit::dialect(&head.headers), &failure, context.id)
        }
    }
}

async fn requester(
    access: &Access,
    head: &Parts,
    context: &RequestContext,
) -> Result<Requester, Failure> {
    let headers = &head.headers;
    match head.extensions.get::<Visitor>() {
        Some(Visitor::Admin) => return Ok(Requester::Owner),
        Some(Visitor::Holder(known)) => return Ok(Requester::Holder(known.clone())),
        None => {}
    }
    let key_access = access.key_access();
    if key_access
        .admin
        .as_ref()
        .is_some_and(|admin| admin.is_in(headers))
    {
        return Ok(Requester::Owner);
    }
    if credentials::text_of(headers).is_none() && !access.is_shared() {
        let message = "No usage is recorded here: this relay passes 1min.ai keys through.";
        return Err(Failure::new(Kind::NotFound, message).with_retry(false));
    }
    let payer = access.authenticate(headers, context, "usage")?;
    access
        .count(&payer, context.peer, headers, &context.rate_limit)
        .await?;
    let none = || {
        let message =
            "Usage is recorded by access key, and this is a 1min.ai key: see app.1min.ai.";
        Failure::new(Kind::NotFound, message).with_retry(false)
    };
    let known = payer.key().ok_or_else(none)?;
    Ok(Requester::Holder(known.clone()))
}

fn reports(access: &KeyAccess) -> Reports<'_> {
    Reports {
        ledger: &access.gate.ledger,
        keys: &access.keys,
    }
}

fn query(uri: &Uri) -> Query {
    let query = uri.query().unwrap_or_default();
    let query = url::form_urlencoded::parse(query.as_bytes());
    query.into_owned().collect()
}

/// A report as an answer.
#[must_use]
pub fn report(report: Report) -> Response {
    let mut response = Response::new(Body::from(report.body));
    let kind = HeaderValue::from_static(report.format.content_type());
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

//! The way of a turn, whole: decode, admit, plan, attach, compose, call, interpret, encode.

pub mod call;
pub mod stream;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, Request};
use onemin::chat::{self, WebSearch};
use translate::compose::compose;
use translate::dialect::{self, Dialect};
use translate::failure::Failure;
use translate::plan::{self, Exchange, Policy};
use translate::reply::{Reply, Stamp};
use translate::turn::{Delivery, Turn};

use crate::account;
use crate::app::Relay;
use crate::attach::Attached;
use crate::observe::{Record, RequestId};
use crate::respond;
use call::Answers;

/// Answers one request for a turn, in the client's dialect.
pub async fn run(relay: &Arc<Relay>, dialect: &Dialect, id: RequestId, peer: SocketAddr, request: Request<Body>) -> Response {
    let mut record = Record::begin(id);
    match answer(relay, dialect, &mut record, peer, request).await {
        Ok(response) => response,
        Err(failure) => {
            record.failed(&failure);
            respond::failure(dialect, &failure)
        }
    }
}

async fn answer(
    relay: &Arc<Relay>,
    dialect: &Dialect,
    record: &mut Record,
    peer: SocketAddr,
    request: Request<Body>,
) -> Result<Response, Failure> {
    let (head, body) = request.into_parts();
    let caller = account::caller(&head.headers)?;
    let standing = relay.admit(&caller, peer, &head.headers).await?;
    let body = respond::read(body, &head.headers, relay.max_body).await?;

    let dialect::Request { turn, encoder } = (dialect.decode)(&body)?;
    drop(body);
    record.asks(&turn);
    let abilities = relay.catalogue.admit(&turn.model).await?;
    let plan = plan::plan(&turn, abilities, relay.policy(&head.headers))?;
    let attached = relay.attacher.attach(&caller.key, &turn).await?;
    let prompt = compose(&turn);
    let request = upstream_request(&turn, prompt.text.clone(), attached);
    let answers = Answers::call(relay, caller.key, request, plan.exchange, &turn, &prompt);

    let stamp = stamp(record);
    let mut response = match turn.delivery {
        Delivery::Streamed => {
            let encoder = encoder.stream(stamp, turn.choices);
            stream::begin(answers, encoder, record.take(), relay.heartbeat).await?
        }
        Delivery::Whole => {
            let (replies, usage) = whole(answers, record).await?;
            record.finished(usage);
            respond::document(encoder.document(&stamp, &replies, usage), usage)
        }
    };
    respond::turn_headers(response.headers_mut(), &turn, standing);
    Ok(response)
}

async fn whole(mut answers: Answers, record: &mut Record) -> Result<(Vec<Reply>, translate::reply::Usage), Failure> {
    let mut replies = vec![Reply::default(); answers.count()];
    let mut collect = |choice: usize, event: translate::reply::Event<'_>| {
        if let Some(reply) = replies.get_mut(choice) {
            reply.collect(event);
        }
    };
    while std::future::poll_fn(|cx| answers.poll(cx, &mut collect)).await? == call::Progress::More {
        record.first_byte();
    }
    Ok((replies, answers.usage()))
}

fn upstream_request(turn: &Turn, prompt: String, attached: Attached) -> chat::Request {
    chat::Request {
        model: turn.model.clone(),
        prompt,
        images: attached.images,
        files: attached.files,
        web_search: turn.search.map(|search| WebSearch {
            num_of_site: search.sites,
            max_word: search.words,
        }),
    }
}

fn stamp(record: &Record) -> Stamp {
    Stamp {
        id: record.id().unguessable(),
        created: record.created(),
    }
}

impl Relay {
    /// The operator's policy, which a request can make stricter for itself.
    fn policy(&self, headers: &HeaderMap) -> Policy {
        let asked = headers.get("x-relay-strict").is_some_and(|v| matches!(v.as_bytes(), b"1" | b"true"));
        Policy {
            strict: self.policy.strict || asked,
            ..self.policy
        }
    }
}

/// How upstream is asked, for the log.
#[must_use]
pub fn exchange_name(exchange: Exchange) -> &'static str {
    match exchange {
        Exchange::Whole => "whole",
        Exchange::Streamed => "streamed",
    }
}

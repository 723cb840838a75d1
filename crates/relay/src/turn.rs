//! The way of a turn, whole: decode, admit, plan, attach, compose, call, interpret, encode.

pub mod call;
pub mod file_words;
pub mod media;
pub mod persona;
pub mod stream;

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, Request};
use onemin::ApiKey;
use onemin::chat::{self, WebSearch};
use translate::compose::compose;
use translate::compose::tags::Tags;
use translate::dialect::{self, Dialect};
use translate::failure::{Failure, Kind};
use translate::interpret::Attempt;
use translate::plan::{self, Exchange, Plan, Policy};
use translate::reply::{Reply, Stamp};
use translate::turn::{Delivery, Turn};

use crate::account::{self, Identity};
use crate::app::Relay;
use crate::attach::Attached;
use crate::observe::Record;
use crate::respond;
use crate::router::Arrival;
use call::{Answers, Call};

/// An API that asks for turns.
pub struct Api {
    /// What its clients speak.
    pub dialect: Dialect,
    /// Its name in the log.
    pub name: &'static str,
    /// How its clients name models.
    pub names: Names,
}

/// How clients name models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// By the catalogue's ids.
    Exact,
    /// Also by family, version and date, as Anthropic's clients do.
    Families,
}

/// Answers one request for a turn, in the client's dialect.
pub async fn run(relay: &Arc<Relay>, api: &Api, request: Request<Body>) -> Response {
    let decode = api.dialect.decode;
    run_with(relay, api, request, async |_, _, body: Bytes, _| {
        decode(&body)
    })
    .await
}

/// As [`run`], for a dialect whose requests refer to what is kept: `decode` is given whose request
/// it is, and the stamp that its answer will bear.
pub async fn run_with<D>(
    relay: &Arc<Relay>,
    api: &Api,
    request: Request<Body>,
    decode: D,
) -> Response
where
    D: AsyncFnOnce(Arc<Relay>, Identity, Bytes, Stamp) -> Result<dialect::Request, Failure>,
{
    let dialect = &api.dialect;
    let (head, body) = request.into_parts();
    let Some(&arrival) = head.extensions.get::<Arrival>() else {
        return respond::failure(
            dialect,
            &Failure::new(
                Kind::Internal,
                "The request did not come through the router.",
            ),
        );
    };
    let mut record = Record::begin(arrival.id, api.name);
    match answer(
        relay,
        api,
        &mut record,
        arrival,
        &head.headers,
        body,
        decode,
    )
    .await
    {
        Ok(response) => response,
        Err(failure) => {
            record.failed(&failure);
            respond::failure(dialect, &failure)
        }
    }
}

async fn answer<D>(
    relay: &Arc<Relay>,
    api: &Api,
    record: &mut Record,
    arrival: Arrival,
    headers: &HeaderMap,
    body: Body,
    decode: D,
) -> Result<Response, Failure>
where
    D: AsyncFnOnce(Arc<Relay>, Identity, Bytes, Stamp) -> Result<dialect::Request, Failure>,
{
    let dialect = &api.dialect;
    let caller = account::caller(headers)?;
    let standing = relay.admit(&caller, arrival.peer, headers).await?;
    let body = respond::read(body, headers, relay.max_body).await?;

    let stamp = Stamp {
        id: arrival.id.unguessable(),
        created: record.created(),
    };
    let owner = relay.identities.of_key(&caller.key);
    let decoded = decode(relay.clone(), owner, body, stamp.clone()).await?;
    let dialect::Request { mut turn, encoder } = decoded;
    persona::apply(relay, owner, &mut turn).await?;
    let deletes = file_words::ask_to_delete(relay.file_words, &turn);
    if !deletes {
        file_words::attach(relay, owner, &mut turn).await?;
    }
    turn.model = relay.catalogue.resolve(&turn.model, api.names).await;
    record.asks(&turn);
    let job = relay.catalogue.admit(&turn.model).await?;
    if let Some(work) = job.work() {
        media::prepare(work, &mut turn);
    }
    let plan = plan::plan(
        &turn,
        job.abilities(),
        relay.policy(headers),
        dialect.schemas,
    )?;
    if turn.code && plan.exchange != Exchange::Code {
        turn.ignored.push("code_interpreter".to_owned());
    }
    if job.work().is_none() {
        media::hear(relay, &caller.key, owner, &mut turn).await?;
    }
    let turn = Arc::new(turn);
    let answers = match job.work() {
        _ if deletes => {
            let deleting = file_words::delete(relay.clone(), owner);
            Answers::made(call(relay, caller.key, &turn, plan, None), deleting)
        }
        None => converse(relay, caller.key, &turn, plan, arrival).await?,
        Some(work) => {
            let making = media::answer(relay.clone(), caller.key.clone(), turn.clone(), work);
            Answers::made(call(relay, caller.key, &turn, plan, None), making)
        }
    };

    let mut response = match turn.delivery {
        Delivery::Streamed => {
            let encoder = encoder.stream(stamp, turn.choices);
            stream::begin(answers, encoder, record, relay.heartbeat).await?
        }
        Delivery::Whole => {
            let (replies, answers) = whole(answers, record).await?;
            let usage = answers.usage();
            record.finished(usage);
            respond::answer(
                encoder.document(&stamp, &replies, usage),
                usage,
                answers.in_form(),
            )
        }
    };
    respond::turn_headers(response.headers_mut(), &turn, standing);
    Ok(response)
}

/// Asks a chat model: the turn's pictures and documents go ahead of its prompt.
async fn converse(
    relay: &Relay,
    key: ApiKey,
    turn: &Arc<Turn>,
    plan: Plan,
    arrival: Arrival,
) -> Result<Answers, Failure> {
    let attached = relay.attacher.attach(&key, turn).await?;
    let prompt = compose(turn, &relay.wording, arrival.id.lot());
    let attempt = Attempt {
        left: plan.corrections,
        thoughts: relay.thoughts,
        ..Attempt::default()
    };
    let request = upstream_request(turn, prompt.text, attached);
    Ok(Answers::call(
        call(relay, key, turn, plan, prompt.tags),
        request,
        attempt,
    ))
}

fn call(relay: &Relay, key: ApiKey, turn: &Arc<Turn>, plan: Plan, tags: Option<Tags>) -> Call {
    Call {
        client: relay.client.clone(),
        key,
        exchange: plan.exchange,
        turn: turn.clone(),
        tags,
        wording: relay.wording.clone(),
    }
}

async fn whole(
    mut answers: Answers,
    record: &mut Record,
) -> Result<(Vec<Reply>, Answers), Failure> {
    let mut replies = vec![Reply::default(); answers.count()];
    let mut collect = |choice: usize, event: translate::reply::Event<'_>| {
        if let Some(reply) = replies.get_mut(choice) {
            reply.collect(event);
        }
    };
    while std::future::poll_fn(|cx| answers.poll(cx, &mut collect)).await? == call::Progress::More {
        record.first_byte();
    }
    Ok((replies, answers))
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

impl Relay {
    /// The operator's policy, which a request can make stricter for itself.
    fn policy(&self, headers: &HeaderMap) -> Policy {
        let asked = headers
            .get("x-relay-strict")
            .is_some_and(|v| matches!(v.as_bytes(), b"1" | b"true"));
        Policy {
            strict: self.policy.strict || asked,
            ..self.policy
        }
    }
}

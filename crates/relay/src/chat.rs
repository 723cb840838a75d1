//! The way of a turn: admit, decode, plan, transcribe, compose, attach, reserve, call, interpret,
//! encode, settle.

pub mod answers;
pub mod assistant;
pub mod file_keywords;
pub mod media;
mod prepare;
pub mod settings;
mod stream;
pub mod upstream;

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::Request;
use onemin::Client;
use onemin::chat::{self, WebSearch};
use translate::chat_request::{ChatRequest, Delivery};
use translate::compose::{Wording, compose};
use translate::dialect::{DecodedRequest, Dialect};
use translate::failure::Failure;
use translate::interpret::Attempt;
use translate::plan::{self, DialectRules, PlanSettings};
use translate::reply::{Completion, Event, Reply, ResponseMeta, Usage};

use crate::access::Access;
use crate::access::account_id::AccountId;
use crate::clock;
use crate::http::admit::{self, Admitted, Entrance, KeyNeed};
use crate::http::body;
use crate::http::deployment::Deployment;
use crate::http::event_stream;
use crate::http::long_work;
use crate::http::reply;
use crate::jobs::LongJobs;
use crate::ledger::{PaidCall, Payer};
use crate::media::Media;
use crate::models::{Models, NameStyle};
use crate::objects::Objects;
use crate::observe::RequestLog;
use crate::uploads::{self, OtherAccounts};
use answers::{Answers, Call, Progress};
use prepare::{AnswerBy, Prepared, TurnContext};
use settings::Settings;
use stream::ChatEvents;
use upstream::{Attachments, Upstream};

/// An API that asks for turns.
pub struct Api {
    /// What its clients speak.
    pub dialect: Dialect,
    /// Its name in the log.
    pub name: &'static str,
    /// How its clients name models.
    pub names: NameStyle,
}

/// What a request comes to once it is decoded.
pub enum Decoded {
    /// It asks a model.
    Chat(Box<DecodedRequest>),
    /// It is answered without one.
    Answered(Response),
}

/// Answers requests for a turn of a conversation.
pub struct Chat {
    client: Client,
    models: Arc<Models>,
    media: Media,
    long_jobs: LongJobs,
    objects: Objects,
    wording: Arc<Wording>,
    settings: Settings,
}

impl Chat {
    /// Chat with these models by this client. Media asked for in a conversation are made by
    /// `media` and by `long_jobs`, and what a request names by id is found in `objects`.
    #[must_use]
    pub fn new(
        client: Client,
        models: Arc<Models>,
        media: Media,
        long_jobs: LongJobs,
        objects: Objects,
        settings: Settings,
    ) -> Self {
        Self {
            client,
            models,
            media,
            long_jobs,
            objects,
            wording: Arc::new(settings.wording()),
            settings,
        }
    }

    /// Answers one request for a turn, in the client's dialect. The future is boxed here, once:
    /// what is around it is moved several times, and would be moved with it.
    pub fn run<'a>(
        &'a self,
        access: &'a Access,
        api: &'static Api,
        request: Request<Body>,
    ) -> BoxFuture<'a, Response> {
        let decode = api.dialect.decode;
        Box::pin(
            self.run_with(access, api, request, async move |_, body: Bytes, _| {
                let decoding = || decode(&body).map(|request| Decoded::Chat(Box::new(request)));
                long_work::run(body.len(), decoding).await
            }),
        )
    }

    /// As [`Chat::run`], for a dialect whose requests refer to what is stored: `decode` is given
    /// whose request it is, and the ids and times that its answer will bear.
    pub async fn run_with<D>(
        &self,
        access: &Access,
        api: &'static Api,
        request: Request<Body>,
        decode: D,
    ) -> Response
    where
        D: AsyncFnOnce(AccountId, Bytes, ResponseMeta) -> Result<Decoded, Failure>,
    {
        let (head, body) = request.into_parts();
        let entrance = Entrance {
            api: api.name,
            dialect: &api.dialect,
        };
        // admit
        let mut admitted = match admit::admit(access, entrance, KeyNeed::Required, &head).await {
            Ok(admitted) => admitted,
            Err(refusal) => return *refusal,
        };
        let reading = async {
            let body = body::read(body, &head.headers, access.max_body()).await?;
            Ok::<_, Failure>(match head.extensions.get::<Deployment>() {
                Some(deployment) => deployment.put_into(body),
                None => body,
            })
        };
        match self.answer(api, &mut admitted, reading, decode).await {
            Ok(response) => response,
            Err(failure) => admitted.fail(&named(failure, api.dialect.fields)),
        }
    }

    /// The steps after `admit`, in their order. Nothing is paid for before all of a request is
    /// planned.
    async fn answer<D>(
        &self,
        api: &'static Api,
        admitted: &mut Admitted,
        reading: impl Future<Output = Result<Bytes, Failure>>,
        decode: D,
    ) -> Result<Response, Failure>
    where
        D: AsyncFnOnce(AccountId, Bytes, ResponseMeta) -> Result<Decoded, Failure>,
    {
        let payer = admitted.require_payer()?;
        let meta = ResponseMeta {
            id: admitted.context.id.hex(),
            created: admitted.log.created(),
        };
        // decode
        let body = reading.await?;
        let body_bytes = body.len();
        let decoded = match decode(payer.caller().id, body, meta.clone()).await? {
            Decoded::Chat(decoded) => *decoded,
            Decoded::Answered(response) => {
                admitted.log.done();
                return Ok(response);
            }
        };
        admitted.log.asks(&decoded.chat);
        // plan
        let turn = TurnContext {
            models: &self.models,
            media: &self.media,
            objects: &self.objects,
            payer: &payer,
            names: api.names,
            rules: api.dialect.fields,
            policy: PlanSettings {
                strict: admitted.strict,
                ..self.settings.plan()
            },
            file_keywords: self.settings.file_keywords,
            body_bytes,
        };
        plan::check_choices(&decoded.chat, &decoded.further, turn.policy)?;
        let first = turn.prepare(decoded.chat).await?;
        let mut further = Vec::with_capacity(decoded.further.len());
        for chat in decoded.further {
            further.push(turn.prepare(chat).await?);
        }
        let (delivery, ignored) = (first.chat.delivery, first.chat.ignored.clone());
        admitted.log.asks(&first.chat);
        // transcribe, compose, attach, call
        let seed = admitted.context.id.tag_seed();
        let mut answers = self.start(first, &payer, seed, body_bytes).await?;
        for prepared in further {
            answers.add(self.start(prepared, &payer, seed, body_bytes).await?);
        }
        // interpret, encode
        match delivery {
            Delivery::Streamed => {
                let encoder = decoded.encoder.stream(meta, answers.count());
                let events = ChatEvents::new(answers, encoder, ignored);
                event_stream::begin(events, admitted.log.take(), admitted.heartbeat).await
            }
            Delivery::Whole => {
                let (replies, usage, in_form) = collect(answers, &mut admitted.log).await?;
                let completion = Completion {
                    usage,
                    at: clock::now(),
                    timing: admitted.log.timing(),
                };
                admitted.log.finished(usage);
                let document = decoded.encoder.document(&meta, &replies, completion);
                let mut response = reply::answer(document, usage, in_form);
                reply::ignored_header(response.headers_mut(), &ignored);
                Ok(response)
            }
        }
    }

    /// Starts a prepared request: its answers are asked for when they are polled. Audio is
    /// transcribed first, since the prompt needs its text.
    async fn start(
        &self,
        prepared: Prepared,
        payer: &Payer,
        seed: u32,
        body_bytes: usize,
    ) -> Result<Answers, Failure> {
        let Prepared {
            mut chat,
            plan,
            answer,
        } = prepared;
        let work = match answer {
            AnswerBy::Model => {
                media::transcribe_audio_parts(&self.media, payer, &mut chat).await?;
                let uploads = self.media.uploads();
                uploads.name_documents(payer.caller().id, &mut chat).await?;
                let chat = Arc::new(chat);
                // compose
                let composing = || compose(&chat, &self.wording, seed);
                let prompt = long_work::run(body_bytes, composing).await;
                let mut request = upstream_request(&chat, prompt.text);
                // attach
                let attachments = self.attach(&chat, payer, &mut request).await?;
                // call
                let attempt = Attempt {
                    left: plan.corrections,
                    thoughts: self.settings.reasoning.into(),
                    ..Attempt::default()
                };
                let call = Call {
                    upstream: Upstream {
                        client: self.client.clone(),
                        payer: payer.clone(),
                        exchange: plan.exchange,
                        attachments,
                    },
                    chat,
                    tags: prompt.tags,
                    wording: self.wording.clone(),
                };
                return Ok(Answers::call(call, request, attempt));
            }
            AnswerBy::Media(prepared) => {
                let (media, long) = (self.media.clone(), self.long_jobs.clone());
                prepared.run(media, long, payer.clone()).boxed()
            }
            AnswerBy::Deletion => {
                let files = self.objects.files.clone();
                file_keywords::delete(files, payer.caller().id).boxed()
            }
        };
        Ok(Answers::made(&chat, work))
    }

    /// Uploads what a conversation has attached, if the budget leaves room for its call.
    async fn attach(
        &self,
        chat: &Arc<ChatRequest>,
        payer: &Payer,
        request: &mut chat::Request,
    ) -> Result<Option<Attachments>, Failure> {
        let uploads = self.media.uploads();
        if !uploads::has_attachments(chat) {
            return Ok(None);
        }
        let images = uploads::images(chat);
        let call = PaidCall::Chat { request, images };
        Box::pin(payer.check(call)).await?;
        let mut others = OtherAccounts::default();
        let (uploaded, account) = loop {
            let lease = payer.lease()?;
            match Box::pin(uploads.upload_all(payer, &lease, chat)).await {
                Ok(uploaded) => break (uploaded, lease.account),
                Err(failure) => others.change(payer, failure)?,
            }
        };
        request.images = uploaded.images;
        request.files = uploaded.files;
        Ok(Some(Attachments {
            account,
            uploads: uploads.clone(),
            chat: chat.clone(),
        }))
    }
}

/// Puts the dialect's name of the conversation in the place of ours.
fn named(failure: Failure, fields: DialectRules) -> Failure {
    if failure.param.as_deref() == Some("messages") {
        return failure.with_param(fields.conversation);
    }
    failure
}

/// Whole answers from their events: what they say, what they cost, and whether all have the format
/// that was asked for.
async fn collect(
    mut answers: Answers,
    log: &mut RequestLog,
) -> Result<(Vec<Reply>, Usage, bool), Failure> {
    let mut replies = vec![Reply::default(); answers.count() as usize];
    let mut collect = |choice: usize, event: Event<'_>| {
        if let Some(reply) = replies.get_mut(choice) {
            reply.collect(event);
        }
    };
    while std::future::poll_fn(|cx| answers.poll(cx, &mut collect)).await? == Progress::More {
        log.first_byte();
    }
    Ok((replies, answers.usage(), answers.in_form()))
}

fn upstream_request(chat: &ChatRequest, prompt: String) -> chat::Request {
    chat::Request {
        model: chat.model.clone(),
        prompt,
        images: Vec::new(),
        files: Vec::new(),
        web_search: chat.search.map(|search| WebSearch {
            num_of_site: search.sites,
            max_word: search.words,
        }),
    }
}

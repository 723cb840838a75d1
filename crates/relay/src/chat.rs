//! The way of a turn, whole: decode, admit, plan, attach, compose, call, interpret, encode.

pub mod assistant;
pub mod file_keywords;
pub mod media;
pub mod stream;
pub mod upstream;

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::FutureExt as _;
use http::Request;
use onemin::Client;
use onemin::chat::{self, WebSearch};
use translate::chat_request::{ChatRequest, Delivery};
use translate::compose::{Wording, compose};
use translate::dialect::{self, Dialect};
use translate::failure::Failure;
use translate::interpret::Attempt;
use translate::interpret::thinking::Thoughts;
use translate::plan::{self, DialectRules, Plan, PlanSettings};
use translate::reply::{Completion, Reply, ResponseMeta};

use crate::access::Access;
use crate::access::account_id::AccountId;
use crate::clock;
use crate::config::FileKeywords;
use crate::http::admit::{self, Admitted, Entrance, KeyNeed};
use crate::http::body;
use crate::http::context::RequestContext;
use crate::http::event_stream;
use crate::http::reply;
use crate::ledger::Payer;
use crate::media::Media;
use crate::models::{Models, NameStyle};
use crate::objects::Objects;
use crate::observe::RequestLog;
use crate::uploads::UploadedParts;
use media::PreparedMedia;
use stream::ChatEvents;
use upstream::{Answers, Call, Way};

/// An API that asks for turns.
pub struct Api {
    /// What its clients speak.
    pub dialect: Dialect,
    /// Its name in the log.
    pub name: &'static str,
    /// How its clients name models.
    pub names: NameStyle,
}

/// What the operator settles about chat.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What is permitted, and how often an answer is corrected.
    pub plan: PlanSettings,
    /// How prompts are worded.
    pub wording: Wording,
    /// What becomes of the thoughts that a model shows.
    pub thoughts: Thoughts,
    /// Whether words about files in a message have an effect.
    pub file_keywords: FileKeywords,
}

/// Answers requests for a turn of a conversation.
pub struct Chat {
    client: Client,
    models: Arc<Models>,
    media: Media,
    objects: Objects,
    wording: Arc<Wording>,
    settings: Settings,
}

impl Chat {
    /// Chat with these models by this client. Media asked for in a conversation are made by
    /// `media`, and what a request names by id is found in `objects`.
    #[must_use]
    pub fn new(
        client: Client,
        models: Arc<Models>,
        media: Media,
        objects: Objects,
        settings: Settings,
    ) -> Self {
        Self {
            client,
            models,
            media,
            objects,
            wording: Arc::new(settings.wording.clone()),
            settings,
        }
    }

    /// Answers one request for a turn, in the client's dialect.
    pub async fn run(
        &self,
        access: &Access,
        api: &'static Api,
        request: Request<Body>,
    ) -> Response {
        let decode = api.dialect.decode;
        self.run_with(access, api, request, async |_, body: Bytes, _| {
            decode(&body)
        })
        .await
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
        D: AsyncFnOnce(AccountId, Bytes, ResponseMeta) -> Result<dialect::DecodedRequest, Failure>,
    {
        let (head, body) = request.into_parts();
        let entrance = Entrance {
            api: api.name,
            dialect: &api.dialect,
        };
        let mut admitted = match admit::admit(access, entrance, KeyNeed::Required, &head).await {
            Ok(admitted) => admitted,
            Err(refusal) => return *refusal,
        };
        let reading = body::read(body, &head.headers, access.max_body());
        match self.answer(api, &mut admitted, reading, decode).await {
            Ok(response) => response,
            Err(failure) => admitted.fail(&named(failure, api.dialect.fields)),
        }
    }

    async fn answer<D>(
        &self,
        api: &'static Api,
        admitted: &mut Admitted,
        reading: impl Future<Output = Result<Bytes, Failure>>,
        decode: D,
    ) -> Result<Response, Failure>
    where
        D: AsyncFnOnce(AccountId, Bytes, ResponseMeta) -> Result<dialect::DecodedRequest, Failure>,
    {
        let payer = admitted.require_payer()?;
        let context = admitted.context.clone();
        let policy = PlanSettings {
            strict: admitted.strict,
            ..self.settings.plan
        };
        let record = &mut admitted.log;
        let body = reading.await?;

        let stamp = ResponseMeta {
            id: context.id.hex(),
            created: record.created(),
        };
        let decoded = decode(payer.caller().id, body, stamp.clone()).await?;
        let dialect::DecodedRequest {
            chat,
            further,
            encoder,
        } = decoded;
        let asker = Asker {
            chat: self,
            api,
            payer,
            context,
            policy,
        };
        record.asks(&chat);
        plan::check_choices(&chat, &further, asker.policy)?;
        let first = asker.prepare(chat).await?;
        let mut others = Vec::with_capacity(further.len());
        for chat in further {
            others.push(asker.prepare(chat).await?);
        }
        let (chat, mut answers) = asker.start(first).await?;
        for prepared in others {
            answers.add(asker.start(prepared).await?.1);
        }
        // By now it may be another model's name.
        record.asks(&chat);

        match chat.delivery {
            Delivery::Streamed => {
                let encoder = encoder.stream(stamp, answers.count());
                let events = ChatEvents::new(answers, encoder, chat.ignored.clone());
                event_stream::begin(events, record.take(), admitted.heartbeat).await
            }
            Delivery::Whole => {
                let (replies, answers) = whole(answers, record).await?;
                let usage = answers.usage();
                record.finished(usage);
                let at = clock::now();
                let completed = Completion { usage, at };
                let mut response = reply::answer(
                    encoder.document(&stamp, &replies, completed),
                    usage,
                    answers.in_form(),
                );
                reply::ignored_header(response.headers_mut(), &chat.ignored);
                Ok(response)
            }
        }
    }
}

/// Puts the dialect's name of the conversation in the place of ours.
fn named(failure: Failure, fields: DialectRules) -> Failure {
    if failure.param.as_deref() == Some("messages") {
        return failure.with_param(fields.conversation);
    }
    failure
}

/// Who asks, and under which terms.
struct Asker<'r> {
    chat: &'r Chat,
    api: &'static Api,
    payer: Payer,
    context: RequestContext,
    policy: PlanSettings,
}

/// A request that is planned: what is paid for comes when it is started.
struct Prepared {
    chat: ChatRequest,
    plan: Plan,
    answer: AnswerBy,
}

/// What answers a request.
enum AnswerBy {
    /// A chat model.
    Model,
    /// A model of media.
    Media(Box<PreparedMedia>),
    /// The deletion of the account's files.
    Deletion,
}

impl Asker<'_> {
    /// Makes a request what it means here, and plans it. Nothing is paid for.
    async fn prepare(&self, mut chat: ChatRequest) -> Result<Prepared, Failure> {
        let service = self.chat;
        let (objects, owner) = (&service.objects, self.payer.caller().id);
        assistant::apply(&objects.assistants, owner, &mut chat).await?;
        let keywords = service.settings.file_keywords;
        let deletes = file_keywords::ask_to_delete(keywords, &chat);
        if !deletes {
            file_keywords::attach(keywords, &objects.files, owner, &mut chat).await?;
        }
        chat.model = service.models.resolve(&chat.model, self.api.names).await;
        let job = service.models.admit(&chat.model).await?;
        let mut answer = AnswerBy::Model;
        if let Some(task) = job.media_task() {
            let preparing = media::prepare(&service.media, &self.payer, task, &mut chat);
            answer = AnswerBy::Media(Box::new(preparing.await?));
        }
        let fields = self.api.dialect.fields;
        let plan = plan::plan(&chat, job.abilities(), self.policy, fields)?;
        chat.ignored.extend(plan.ignored.map(str::to_owned));
        if deletes {
            answer = AnswerBy::Deletion;
        }
        Ok(Prepared { chat, plan, answer })
    }

    /// Starts a prepared request: its answers are asked for when they are polled. Audio is
    /// transcribed first, since the prompt needs its text.
    async fn start(&self, prepared: Prepared) -> Result<(Arc<ChatRequest>, Answers), Failure> {
        let service = self.chat;
        let Prepared {
            mut chat,
            plan,
            answer,
        } = prepared;
        let (chat, work) = match answer {
            AnswerBy::Model => {
                let transcribing =
                    media::transcribe_audio_parts(&service.media, &self.payer, &mut chat);
                transcribing.await?;
                let chat = Arc::new(chat);
                let answers = self.converse(&chat, plan).await?;
                return Ok((chat, answers));
            }
            AnswerBy::Media(prepared) => {
                let running = prepared.run(service.media.clone(), self.payer.clone());
                (Arc::new(chat), running.boxed())
            }
            AnswerBy::Deletion => {
                let deleting =
                    file_keywords::delete(service.objects.files.clone(), self.payer.caller().id);
                (Arc::new(chat), deleting.boxed())
            }
        };
        let answers = Answers::made(&chat, work);
        Ok((chat, answers))
    }

    /// Asks a chat model: the images and documents of the request go ahead of its prompt.
    async fn converse(&self, chat: &Arc<ChatRequest>, plan: Plan) -> Result<Answers, Failure> {
        let service = self.chat;
        let uploads = service.media.uploads();
        let attached = uploads.upload_all(&self.payer, chat).await?;
        let prompt = compose(chat, &service.wording, self.context.id.tag_seed());
        let attempt = Attempt {
            left: plan.corrections,
            thoughts: service.settings.thoughts,
            ..Attempt::default()
        };
        let request = upstream_request(chat, prompt.text, attached);
        let call = Call {
            way: Way {
                client: service.client.clone(),
                payer: self.payer.clone(),
                exchange: plan.exchange,
            },
            chat: chat.clone(),
            tags: prompt.tags,
            wording: service.wording.clone(),
        };
        Ok(Answers::call(call, request, attempt))
    }
}

async fn whole(
    mut answers: Answers,
    record: &mut RequestLog,
) -> Result<(Vec<Reply>, Answers), Failure> {
    let mut replies = vec![Reply::default(); answers.count() as usize];
    let mut collect = |choice: usize, event: translate::reply::Event<'_>| {
        if let Some(reply) = replies.get_mut(choice) {
            reply.collect(event);
        }
    };
    while std::future::poll_fn(|cx| answers.poll(cx, &mut collect)).await?
        == upstream::Progress::More
    {
        record.first_byte();
    }
    Ok((replies, answers))
}

fn upstream_request(chat: &ChatRequest, prompt: String, attached: UploadedParts) -> chat::Request {
    chat::Request {
        model: chat.model.clone(),
        prompt,
        images: attached.images,
        files: attached.files,
        web_search: chat.search.map(|search| WebSearch {
            num_of_site: search.sites,
            max_word: search.words,
        }),
    }
}

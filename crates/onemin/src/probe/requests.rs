//! The requests of a probe, and what came back.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method};
use serde_json::{Value, json};

use crate::api_key::ApiKey;
use crate::client::{Client, NativeBody, NativeRequest};
use crate::error::Error;
use crate::features::ResultAsset;
use crate::models::Feature;
use crate::native::NativePath;
use crate::prices::{self, ChatPrice};

/// A cheap chat model that has been there for long.
const CHAT_MODEL: &str = "gpt-4o-mini";

/// A model that there is not.
const NO_MODEL: &str = "no-such-model-1min-relay-probe";

/// What is spoken: a few characters, since each costs.
const SPOKEN: &str = "Hi.";

/// A cheap model of speech.
const SPEECH_MODEL: &str = "tts-1";

/// The id of a result that nobody has.
const NO_RESULT: &str = "00000000-0000-4000-8000-000000000000";

/// A key that nobody has.
const NO_KEY: &str = "invalid-key-of-1min-relay-probe";

/// What a tiny chat is taken to cost at most, in thousandths of a credit.
const CHAT_COST: u64 = 100_000;

/// What the speech costs by the list.
const SPEECH_COST: u64 = 45_000;

/// The largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Looks at the job, a second apart.
const LOOKS: u32 = 60;

/// What came back from one request.
#[derive(Debug, Clone, Default)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Reply {
    /// The body as JSON; null if it is none.
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The code of an error, in any of its shapes.
    pub(super) fn code(&self) -> String {
        let body = self.json();
        let code = body
            .get("errorCode")
            .or_else(|| body.pointer("/error/code"));
        code.and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// The names and data of the events of a stream.
    pub(super) fn events(&self) -> Vec<(String, Value)> {
        let text = String::from_utf8_lossy(&self.body).replace("\r\n", "\n");
        let frames = text.split("\n\n").filter(|frame| !frame.trim().is_empty());
        let events = frames.filter_map(|frame| {
            let field = |name: &str| {
                let mut lines = frame.lines().filter_map(|line| line.strip_prefix(name));
                lines.next().map(|value| value.trim_start().to_owned())
            };
            let data = field("data:");
            let data = data.and_then(|data| serde_json::from_str(&data).ok());
            let name = field("event:");
            (name.is_some() || data.is_some())
                .then(|| (name.unwrap_or_default(), data.unwrap_or_default()))
        });
        events.collect()
    }
}

/// A reply, or why there is none.
pub(super) type Answer = Result<Reply, String>;

/// Everything that was asked.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) models: Answer,
    pub(super) models_without_key: Result<usize, String>,
    pub(super) models_of_none: Answer,
    pub(super) wrong_key: Answer,
    pub(super) no_result: Answer,
    pub(super) no_model: Answer,
    pub(super) no_model_streamed: Answer,
    pub(super) no_prompt: Answer,
    pub(super) no_feature: Answer,
    pub(super) upload: Answer,
    pub(super) upload_without_extension: Answer,
    pub(super) profile: Answer,
    pub(super) chat: Answer,
    pub(super) chat_again: Answer,
    pub(super) streamed: Answer,
    pub(super) empty_prompt: Answer,
    pub(super) job: Answer,
    pub(super) result: Answer,
    pub(super) file_without_signature: Result<(), String>,
    /// What chat with the model costs by the list.
    pub(super) price: Option<ChatPrice>,
    /// Thousandths of a credit.
    pub(super) spent: u64,
}

struct Sender<'a> {
    client: &'a Client,
    key: &'a ApiKey,
    /// What may still be spent.
    left: Option<u64>,
    spent: u64,
}

impl Asked {
    pub(super) async fn ask(client: &Client, key: &ApiKey, spend: Option<u64>) -> Self {
        let mut sender = Sender {
            client,
            key,
            left: spend,
            spent: 0,
        };
        let models = sender.get("/models?feature=UNIFY_CHAT_WITH_AI").await;
        let price = models.as_ref().ok().and_then(|reply| price(&reply.json()));
        let unkeyed = client.models(Feature::Chat).await;
        let wrong_key = match ApiKey::parse(NO_KEY) {
            Ok(key) => {
                let path = format!("/api/results/{NO_RESULT}");
                sender
                    .send(&key, Method::GET, &path, Vec::new(), None)
                    .await
            }
            Err(error) => Err(error.to_string()),
        };
        let prompt = |prompt: &str| json!({"prompt": prompt});
        let no_model = chat_body(NO_MODEL, &prompt("Hi"));
        let no_prompt = chat_body(CHAT_MODEL, &json!({}));
        let no_feature =
            json!({"type": "NO_SUCH_FEATURE", "model": CHAT_MODEL, "promptObject": {}});
        let question = chat_body(CHAT_MODEL, &prompt("Name the largest planet in one word."));
        // It must cost otherwise than the first, to tell whose cost a number shows.
        let longer = "Name the largest planet in one word. ".repeat(12);
        let longer = chat_body(CHAT_MODEL, &prompt(&longer));
        let speech = json!({
            "type": "TEXT_TO_SPEECH", "model": SPEECH_MODEL, "async": true,
            "conversationId": "TEXT_TO_SPEECH",
            "promptObject": {"text": SPOKEN, "voice": "alloy", "response_format": "mp3"},
        });
        let chat = "/api/chat-with-ai";
        let streamed = "/api/chat-with-ai?isStreaming=true";
        let mut asked = Self {
            models_without_key: unkeyed
                .map(|models| models.len())
                .map_err(|error| error.to_string()),
            models_of_none: sender.get("/models").await,
            wrong_key,
            no_result: sender.get(&format!("/api/results/{NO_RESULT}")).await,
            no_model: sender.post(chat, &no_model).await,
            no_model_streamed: sender.post(streamed, &no_model).await,
            no_prompt: sender.post(chat, &no_prompt).await,
            no_feature: sender.post("/api/features", &no_feature).await,
            upload: sender.upload("probe.png").await,
            upload_without_extension: sender.upload("probe").await,
            profile: sender.get("/api/profile").await,
            chat: sender.pay(CHAT_COST, chat, &question).await,
            chat_again: sender.pay(CHAT_COST, chat, &longer).await,
            streamed: sender.pay(CHAT_COST, streamed, &question).await,
            empty_prompt: sender
                .pay(CHAT_COST, chat, &chat_body(CHAT_MODEL, &prompt("")))
                .await,
            job: sender.pay(SPEECH_COST, "/api/features", &speech).await,
            result: Err("there is no job".to_owned()),
            file_without_signature: Err("there is no file".to_owned()),
            models,
            price,
            spent: 0,
        };
        let uuid = asked.job.as_ref().map(Reply::json);
        if let Ok(job) = uuid
            && let Some(uuid) = job.pointer("/aiRecord/uuid").and_then(Value::as_str)
        {
            asked.result = sender.result(uuid).await;
            asked.file_without_signature = sender.file(&asked.result).await;
        }
        asked.spent = sender.spent;
        asked
    }
}

fn chat_body(model: &str, prompt_object: &Value) -> Value {
    json!({"type": "UNIFY_CHAT_WITH_AI", "model": model, "promptObject": prompt_object})
}

fn price(models: &Value) -> Option<ChatPrice> {
    let mut models = models.get("models")?.as_array()?.iter();
    let model = models.find(|model| model.get("modelId").is_some_and(|id| id == CHAT_MODEL))?;
    ChatPrice::of(model.get("creditMetadata")?)
}

impl Sender<'_> {
    async fn get(&self, target: &str) -> Answer {
        self.send(self.key, Method::GET, target, Vec::new(), None)
            .await
    }

    async fn post(&self, target: &str, body: &Value) -> Answer {
        let json = HeaderValue::from_static("application/json");
        let body = body.to_string().into_bytes();
        self.send(self.key, Method::POST, target, body, Some(json))
            .await
    }

    /// A request that costs credits, if it may.
    async fn pay(&mut self, cost: u64, target: &str, body: &Value) -> Answer {
        let Some(left) = self.left else {
            return Err("it costs credits: give --spend".to_owned());
        };
        if left < cost {
            return Err(format!(
                "it may cost {} credits, and --spend leaves {}",
                cost / 1000,
                left / 1000
            ));
        }
        let reply = self.post(target, body).await?;
        let said = reply.json();
        let streamed = reply.events().into_iter().map(|(_, data)| data);
        let mut records = std::iter::once(said).chain(streamed);
        let credits = records.find_map(|of| of.pointer("/aiRecord/metadata/credit")?.as_f64());
        let cost = match credits {
            Some(credits) => prices::from_credits(credits),
            None if reply.status >= 400 => 0,
            None => cost,
        };
        self.spent += cost;
        self.left = Some(left.saturating_sub(cost));
        Ok(reply)
    }

    /// A form with a small image under this name.
    async fn upload(&self, name: &str) -> Answer {
        const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\x05\x02\0_\xc8\xf1\xd2\0\0\0\0IEND\xaeB`\x82";
        const BOUNDARY: &str = "1min-relay-probe-3f1c";
        let mut body = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"asset\"; filename=\"{name}\"\r\nContent-Type: image/png\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(PNG);
        body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        let kind = HeaderValue::try_from(format!("multipart/form-data; boundary={BOUNDARY}"));
        self.send(self.key, Method::POST, "/api/assets", body, kind.ok())
            .await
    }

    /// The result of a job once it has ended, as far as it does soon.
    async fn result(&self, uuid: &str) -> Answer {
        let target = format!("/api/results/{uuid}");
        for _ in 0..LOOKS {
            let reply = self.get(&target).await?;
            let status = reply.json();
            let status = status.pointer("/aiRecord/status").and_then(Value::as_str);
            if matches!(status, Some("SUCCESS" | "FAILURE" | "FAILED")) {
                return Ok(reply);
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Err("the job did not end in time".to_owned())
    }

    /// Whether the file of a result can be had by its path alone.
    async fn file(&self, result: &Answer) -> Result<(), String> {
        let record = result.as_ref().map_err(Clone::clone)?.json();
        let path = record.pointer("/aiRecord/aiRecordDetail/resultObject/0");
        let path = path.and_then(Value::as_str).ok_or("there is no file")?;
        let asset = ResultAsset::of_path(path);
        let download = self.client.download(&asset).await;
        download.map(drop).map_err(|error| match error {
            Error::Refused(refusal) => {
                let status = refusal.status.unwrap_or_default();
                format!("status {status}")
            }
            _ => "it cannot be reached".to_owned(),
        })
    }

    async fn send(
        &self,
        key: &ApiKey,
        method: Method,
        target: &str,
        body: Vec<u8>,
        content_type: Option<HeaderValue>,
    ) -> Answer {
        let path = match (&method, target) {
            (&Method::POST, "/api/features") => NativePath::Features,
            (&Method::POST, "/api/assets") => NativePath::Assets,
            (&Method::POST, _) => NativePath::Chat,
            _ => NativePath::List,
        };
        let request = NativeRequest {
            method,
            path,
            target: target.to_owned(),
            content_type,
            accept: None,
            body: if body.is_empty() {
                NativeBody::Empty
            } else {
                NativeBody::Bytes(body.into())
            },
        };
        let unreachable = |error: Error| format!("no answer: {error}");
        let response = self.client.native(key, request).await;
        let response = response.map_err(unreachable)?;
        let (status, headers) = (response.body.status, response.headers);
        let body = response.body.bytes(ANSWER_BYTES_MAX).await;
        Ok(Reply {
            status,
            headers,
            body: body.map_err(unreachable)?.to_vec(),
        })
    }
}

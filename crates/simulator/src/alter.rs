//! Switches that make the simulator differ from what is taken for true about 1min.ai, one a fact, so
//! that a probe can be shown to find exactly those. Answers are altered on their way out.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method};
use serde_json::{Value, json};

use crate::answer::{Answer, JSON};
use crate::playback::Step;

/// What is altered, and how.
struct Alteration {
    id: &'static str,
    explanation: &'static str,
    apply: fn(&Seen<'_>, &mut Altered),
}

/// What was asked.
struct Seen<'r> {
    method: &'r Method,
    /// Without a slash at its end.
    path: &'r str,
    query: &'r str,
}

/// An answer that can be altered.
struct Altered {
    status: u16,
    headers: http::HeaderMap,
    body: Vec<u8>,
}

impl Altered {
    /// Alters the body if it is JSON.
    fn json(&mut self, change: impl FnOnce(&mut Value)) {
        if let Ok(mut value) = serde_json::from_slice(&self.body) {
            change(&mut value);
            self.body = value.to_string().into_bytes();
        }
    }

    fn field(&self, pointer: &str) -> Value {
        let value: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        value.pointer(pointer).cloned().unwrap_or_default()
    }

    fn refuse(&mut self, status: u16, code: &str) {
        self.status = status;
        self.replace(&json!({"errorCode": code, "message": "altered"}));
    }

    fn replace(&mut self, body: &Value) {
        self.headers
            .insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        self.body = body.to_string().into_bytes();
    }

    fn text(&mut self, from: &str, to: &str) {
        self.body = String::from_utf8_lossy(&self.body)
            .replace(from, to)
            .into_bytes();
    }

    fn is_stream(&self) -> bool {
        let kind = self.headers.get(CONTENT_TYPE);
        kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
    }

    /// Alters the record, whole or in the event of a stream.
    fn record(&mut self, change: impl Fn(&mut Value)) {
        if !self.is_stream() {
            return self.json(|body| {
                if let Some(record) = body.get_mut("aiRecord").filter(|r| r.is_object()) {
                    change(record);
                }
            });
        }
        let text = String::from_utf8_lossy(&self.body).into_owned();
        let lines = text.split_inclusive('\n').map(|line| {
            let data = line.strip_prefix("data: ").map(str::trim_end);
            let parsed = data.and_then(|data| serde_json::from_str::<Value>(data).ok());
            match parsed {
                Some(mut event) if event.get("aiRecord").is_some_and(Value::is_object) => {
                    if let Some(record) = event.get_mut("aiRecord") {
                        change(record);
                    }
                    format!("data: {event}\n")
                }
                _ => line.to_owned(),
            }
        });
        self.body = lines.collect::<String>().into_bytes();
    }
}

impl Seen<'_> {
    fn is(&self, method: &Method, path: &str) -> bool {
        self.method == method && self.path == path
    }

    fn is_chat(&self) -> bool {
        self.is(&Method::POST, "/api/chat-with-ai")
    }

    fn is_streamed(&self) -> bool {
        self.is_chat() && self.query.contains("isStreaming=true")
    }

    fn is_feature(&self) -> bool {
        self.is(&Method::POST, "/api/features")
    }

    fn is_result(&self) -> bool {
        self.path.starts_with("/api/results/")
    }
}

fn code(answer: &Altered) -> String {
    let code = answer.field("/errorCode");
    code.as_str().unwrap_or_default().to_owned()
}

fn scale(record: &mut Value, name: &str, factor: u64) {
    if let Some(value) = record.pointer_mut(&format!("/metadata/{name}")) {
        *value = json!(value.as_u64().unwrap_or_default() * factor);
    }
}

fn remove(value: &mut Value, name: &str) {
    if let Some(object) = value.as_object_mut() {
        object.remove(name);
    }
}

const ALL: &[Alteration] = &[
    Alteration {
        id: "models-listed",
        explanation: "models are listed by `id` instead of `modelId`",
        apply: |seen, answer| {
            if seen.is(&Method::GET, "/models") {
                answer.text("\"modelId\"", "\"id\"");
            }
        },
    },
    Alteration {
        id: "models-need-feature",
        explanation: "the list of models without a feature has one",
        apply: |seen, answer| {
            if seen.is(&Method::GET, "/models") && !seen.query.contains("feature=") {
                answer.replace(
                    &json!({"models": [{"modelId": "m", "status": "ACTIVE"}], "total": 1}),
                );
            }
        },
    },
    Alteration {
        id: "models-priced",
        explanation: "models have no `creditMetadata`",
        apply: |seen, answer| {
            if seen.is(&Method::GET, "/models") {
                answer.text("\"creditMetadata\"", "\"pricing\"");
            }
        },
    },
    Alteration {
        id: "key-refused",
        explanation: "a wrong key gets 403 instead of 401",
        apply: |_, answer| {
            if answer.status == 401 {
                answer.status = 403;
            }
        },
    },
    Alteration {
        id: "errors-flat",
        explanation: "errors are nested: {success:false,error:{code,message}}",
        apply: |_, answer| {
            let (code, message) = (answer.field("/errorCode"), answer.field("/message"));
            if code.is_string() {
                answer.replace(
                    &json!({"success": false, "error": {"code": code, "message": message}}),
                );
            }
        },
    },
    Alteration {
        id: "result-unknown",
        explanation: "an unknown result is 404",
        apply: |seen, answer| {
            if seen.is_result() && answer.status == 200 && answer.field("/aiRecord").is_null() {
                answer.refuse(404, "NOT_FOUND");
            }
        },
    },
    Alteration {
        id: "model-refused",
        explanation: "an unknown chat model is 404 `MODEL_NOT_FOUND`",
        apply: |seen, answer| {
            if seen.is_chat() && code(answer) == "UNSUPPORTED_MODEL" {
                answer.refuse(404, "MODEL_NOT_FOUND");
            }
        },
    },
    Alteration {
        id: "stream-error-in-band",
        explanation: "a stream that fails at once is 400 with JSON",
        apply: |seen, answer| {
            if seen.is_streamed() && answer.body.starts_with(b"event: error") {
                answer.refuse(400, "UNSUPPORTED_MODEL");
            }
        },
    },
    Alteration {
        id: "prompt-validated",
        explanation: "a chat without a prompt is refused as `BAD_PROMPT`",
        apply: |_, answer| answer.text("PROMPT_OBJECT_VALIDATION_FAILED", "BAD_PROMPT"),
    },
    Alteration {
        id: "feature-refused",
        explanation: "an unknown feature is 422 `UNKNOWN_FEATURE`",
        apply: |seen, answer| {
            if seen.is_feature() && code(answer) == "UNKNOWN_ERROR" {
                answer.refuse(422, "UNKNOWN_FEATURE");
            }
        },
    },
    Alteration {
        id: "asset-names",
        explanation: "an upload answers with `file` instead of `fileContent`",
        apply: |seen, answer| {
            if seen.is(&Method::POST, "/api/assets") {
                answer.text("\"fileContent\"", "\"file\"");
            }
        },
    },
    Alteration {
        id: "asset-extension",
        explanation: "a file name without an extension is refused as `BAD_FILE`",
        apply: |seen, answer| {
            if seen.is(&Method::POST, "/api/assets") {
                answer.text("UNSUPPORTED_FILE_TYPE", "BAD_FILE");
            }
        },
    },
    Alteration {
        id: "no-balance",
        explanation: "`/api/profile` tells a balance",
        apply: |seen, answer| {
            if seen.path == "/api/profile" {
                answer.status = 200;
                answer.replace(&json!({"credit": 1000}));
            }
        },
    },
    Alteration {
        id: "no-rate-headers",
        explanation: "every answer has `x-ratelimit-remaining`",
        apply: |_, answer| {
            let value = HeaderValue::from_static("179");
            answer.headers.insert("x-ratelimit-remaining", value);
        },
    },
    Alteration {
        id: "chat-text-place",
        explanation: "`resultObject` of a chat is a bare string",
        apply: |seen, answer| {
            if seen.is_chat() && !seen.is_streamed() {
                answer.record(|record| {
                    if let Some(result) = record.pointer_mut("/aiRecordDetail/resultObject") {
                        let first = result.get(0).cloned();
                        *result = first.unwrap_or_default();
                    }
                });
            }
        },
    },
    Alteration {
        id: "chat-usage",
        explanation: "`metadata` counts as `promptTokens` and `completionTokens`",
        apply: |seen, answer| {
            if seen.is_chat() && !seen.is_streamed() {
                answer.text("\"inputToken\"", "\"promptTokens\"");
                answer.text("\"outputToken\"", "\"completionTokens\"");
            }
        },
    },
    Alteration {
        id: "chat-price-rule",
        explanation: "chat costs twice as much",
        apply: |seen, answer| {
            if seen.is_chat() {
                answer.record(|record| {
                    for name in ["credit", "inputCredit", "outputCredit"] {
                        scale(record, name, 2);
                    }
                });
            }
        },
    },
    Alteration {
        id: "chat-overhead",
        explanation: "`promptToken` is as large as `inputToken`",
        apply: |seen, answer| {
            if seen.is_chat() {
                answer.record(|record| {
                    let input = record.pointer("/metadata/inputToken").cloned();
                    if let (Some(input), Some(prompt)) =
                        (input, record.pointer_mut("/metadata/promptToken"))
                    {
                        *prompt = input;
                    }
                });
            }
        },
    },
    Alteration {
        id: "used-credit-lags",
        explanation: "`usedCredit` of a chat includes the chat itself",
        apply: |seen, answer| {
            if seen.is_chat() {
                answer.record(|record| {
                    let own = record.pointer("/metadata/credit").and_then(Value::as_u64);
                    if let Some(used) = record.pointer_mut("/teamUser/usedCredit") {
                        *used = json!(used.as_u64().unwrap_or_default() + own.unwrap_or_default());
                    }
                });
            }
        },
    },
    Alteration {
        id: "finish-reason",
        explanation: "`finishReason` of a complete answer is `end_turn`",
        apply: |seen, answer| {
            if seen.is_chat() {
                answer.text("\"finishReason\":\"stop\"", "\"finishReason\":\"end_turn\"");
            }
        },
    },
    Alteration {
        id: "empty-prompt",
        explanation: "an empty prompt is refused by 422",
        apply: |seen, answer| {
            let prompt = answer.field("/aiRecord/aiRecordDetail/promptObject/prompt");
            if seen.is_chat()
                && prompt
                    .as_str()
                    .is_some_and(|prompt| prompt.trim().is_empty())
            {
                answer.refuse(422, "EMPTY_PROMPT");
            }
        },
    },
    Alteration {
        id: "stream-events",
        explanation: "the last event of a stream is `end` instead of `done`",
        apply: |seen, answer| {
            if seen.is_streamed() {
                answer.text("event: done", "event: end");
            }
        },
    },
    Alteration {
        id: "stream-usage",
        explanation: "the record in a stream has no `metadata`",
        apply: |seen, answer| {
            if seen.is_streamed() {
                answer.record(|record| remove(record, "metadata"));
            }
        },
    },
    Alteration {
        id: "async-processing",
        explanation: "a job is `QUEUED` instead of `PROCESSING`",
        apply: |_, answer| answer.text("\"PROCESSING\"", "\"QUEUED\""),
    },
    Alteration {
        id: "media-no-credits",
        explanation: "records of files have `credit` in `metadata`",
        apply: |seen, answer| {
            if seen.is_feature() || seen.is_result() {
                answer.record(|record| {
                    if let Some(record) = record.as_object_mut() {
                        record.insert("metadata".to_owned(), json!({"credit": 7}));
                    }
                });
            }
        },
    },
    Alteration {
        id: "result-used-credit",
        explanation: "the result of a job shows more used credits than its submission",
        apply: |seen, answer| {
            if seen.is_result() {
                answer.record(|record| {
                    if let Some(used) = record.pointer_mut("/teamUser/usedCredit") {
                        *used = json!(used.as_u64().unwrap_or_default() + 45);
                    }
                });
            }
        },
    },
    Alteration {
        id: "signed-url",
        explanation: "`temporaryUrl` is good for an hour",
        apply: |_, answer| answer.text("X-Amz-Expires=604800", "X-Amz-Expires=3600"),
    },
    Alteration {
        id: "asset-host",
        explanation: "files cannot be fetched without a signature",
        apply: |seen, answer| {
            let folders = ["/images/", "/audios/", "/videos/", "/documents/"];
            if folders.iter().any(|folder| seen.path.starts_with(folder)) {
                answer.refuse(403, "AccessDenied");
            }
        },
    },
];

/// The ids of all alterations, each with what it changes.
pub fn alterations() -> impl Iterator<Item = (&'static str, &'static str)> {
    ALL.iter().map(|of| (of.id, of.explanation))
}

/// Whether there is such an alteration.
pub(crate) fn is_known(id: &str) -> bool {
    ALL.iter().any(|of| of.id == id)
}

/// The answer as it is under these alterations.
pub(crate) fn apply(ids: &BTreeSet<String>, head: &Parts, answer: Answer) -> Answer {
    if ids.is_empty() {
        return answer;
    }
    let seen = Seen {
        method: &head.method,
        path: head.uri.path().trim_end_matches('/'),
        query: head.uri.query().unwrap_or_default(),
    };
    let mut body = Vec::new();
    for step in &answer.steps {
        if let Step::Send { bytes, .. } = step {
            body.extend_from_slice(bytes);
        }
    }
    let mut altered = Altered {
        status: answer.status,
        headers: answer.headers.clone(),
        body,
    };
    for alteration in ALL.iter().filter(|of| ids.contains(of.id)) {
        (alteration.apply)(&seen, &mut altered);
    }
    let Altered {
        status,
        mut headers,
        body,
    } = altered;
    if headers.contains_key(CONTENT_LENGTH) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
    let bytes = Bytes::from(body);
    Answer {
        status,
        headers,
        steps: vec![Step::Send { bytes, deltas: 0 }],
        ..answer
    }
}

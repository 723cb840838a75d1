//! What an operator sees: one log line a request, without secrets and without prompts, and its
//! numbers where they are wanted.

pub mod drift;
pub mod line_time;
pub mod lines;
pub mod metrics;
pub mod plain_fields;
pub mod throttle;

use std::io::Stderr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{ArgAction, Args, ValueEnum};
use http::HeaderValue;
use translate::chat_request::{ChatRequest, Delivery};
use translate::failure::{Failure, Kind};
use translate::quote::quote;
use translate::reply::{Timing, Usage};
use uuid::Uuid;

use crate::clock;
use crate::http::shutdown;
use crate::ledger::request_entry::{RequestEnd, RequestEntry};
use crate::setting_values::boolean;
use line_time::LineTime;
use lines::Lines;
use metrics::{End, Metrics};
use plain_fields::PlainFields;

/// What is logged and how, as the operator sets it.
#[derive(Debug, Clone, Args)]
// Sections of settings have one name, and clap would take it for a group of each.
#[group(skip)]
pub struct Settings {
    /// What is logged: error, warn, info, debug, or a tracing filter such as `info,relay=debug`.
    #[arg(long, env = "RUST_LOG", default_value = "info", value_name = "FILTER")]
    pub rust_log: String,

    /// How it is logged.
    #[arg(long, env = "LOG_FORMAT", default_value = "pretty", value_enum)]
    pub log_format: LogFormat,

    /// Whether `GET /metrics` gives numbers for Prometheus: requests, times, tokens and credits by
    /// model. Whoever can reach the port can read them.
    #[arg(long, env = "METRICS", value_name = "BOOL", default_value = "false",
          default_missing_value = "true", num_args = 0..=1, action = ArgAction::Set, value_parser = boolean)]
    pub metrics: bool,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// Writes what of the log still waits when it goes.
#[must_use]
pub struct Log(Lines<Stderr>);

impl Drop for Log {
    fn drop(&mut self) {
        self.0.write_all_now();
    }
}

/// Begins to log.
///
/// # Errors
/// A filter that cannot be read, or no thread to be had.
pub fn init(settings: &Settings) -> Result<Log, String> {
    let lines = Lines::to(std::io::stderr()).map_err(|e| e.to_string())?;
    let log = Log(lines.clone());
    let filter = tracing_subscriber::EnvFilter::try_new(&settings.rust_log)
        .map_err(|e| format!("RUST_LOG: {e}"))?;
    let builder = tracing_subscriber::fmt()
        .with_timer(LineTime)
        .with_env_filter(filter)
        .with_writer(move || lines.clone());
    let result = match settings.log_format {
        LogFormat::Pretty if std::io::IsTerminal::is_terminal(&std::io::stderr()) => {
            builder.with_ansi(true).with_target(false).try_init()
        }
        LogFormat::Pretty => builder
            .with_ansi(false)
            .with_target(false)
            .fmt_fields(PlainFields)
            .try_init(),
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .try_init(),
    };
    result.map(|()| log).map_err(|e| e.to_string())
}

/// A request's id: unguessable, unique, and the root of every id in its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestId(Uuid);

impl RequestId {
    /// A new one.
    #[must_use]
    pub fn draw() -> Self {
        Self(Uuid::new_v4())
    }

    /// Its letters and digits.
    #[must_use]
    pub fn hex(self) -> String {
        self.0.simple().to_string()
    }

    /// A number that nobody can guess before the answer is there.
    #[must_use]
    pub fn tag_seed(self) -> u32 {
        self.0.as_fields().0
    }

    /// As a header's value.
    #[must_use]
    pub fn header(self) -> HeaderValue {
        let mut room = [0; ID_BYTES];
        HeaderValue::from_str(self.text(&mut room)).unwrap_or(HeaderValue::from_static("req_"))
    }

    fn text(self, room: &mut [u8; ID_BYTES]) -> &str {
        let (before, hex) = room.split_at_mut(ID_PREFIX.len());
        before.copy_from_slice(ID_PREFIX.as_bytes());
        self.0.simple().encode_lower(hex);
        str::from_utf8(room).unwrap_or(ID_PREFIX)
    }
}

/// What stands before the letters and digits of an id.
const ID_PREFIX: &str = "req_";

const ID_BYTES: usize = ID_PREFIX.len() + uuid::fmt::Simple::LENGTH;

impl std::fmt::Display for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text(&mut [0; ID_BYTES]))
    }
}

/// What is told of one request. Dropped without an end, it says that the client left, or that the
/// relay stopped.
#[derive(Debug)]
pub struct RequestLog(Option<Box<Line>>);

#[derive(Debug)]
struct Line {
    metrics: Option<Arc<Metrics>>,
    id: RequestId,
    api: &'static str,
    started: Instant,
    created: u64,
    model: String,
    stream: bool,
    choices: u32,
    first_byte: Option<Duration>,
    outcome: Option<Outcome>,
    /// The ledger's, if the request is recorded.
    entry: Option<Arc<RequestEntry>>,
}

#[derive(Debug)]
enum Outcome {
    Finished(Usage),
    Done,
    Failed(Kind, String),
}

impl RequestLog {
    /// Begins with a request's arrival. `metrics` count it, if there are any.
    #[must_use]
    pub fn begin(metrics: Option<Arc<Metrics>>, id: RequestId, api: &'static str) -> Self {
        if let Some(metrics) = &metrics {
            metrics.begun(api);
        }
        Self(Some(Box::new(Line {
            metrics,
            id,
            api,
            started: Instant::now(),
            created: clock::now(),
            model: String::new(),
            stream: false,
            choices: 0,
            first_byte: None,
            outcome: None,
            entry: None,
        })))
    }

    /// Tells the ledger's entry of the request, which learns how it ended.
    pub fn is_entered_as(&mut self, entry: Option<Arc<RequestEntry>>) {
        if let Some(line) = &mut self.0 {
            line.entry = entry;
        }
    }

    /// Notes what is asked.
    pub fn asks(&mut self, chat: &ChatRequest) {
        if let Some(line) = &mut self.0 {
            line.model = quote(&chat.model).into_owned();
            line.stream = chat.delivery == Delivery::Streamed;
            line.choices = chat.choices;
        }
    }

    /// Notes that upstream has begun to answer; only the first time counts.
    pub fn first_byte(&mut self) {
        if let Some(line) = &mut self.0 {
            line.first_byte
                .get_or_insert_with(|| line.started.elapsed());
        }
    }

    /// How long the request has taken so far.
    #[must_use]
    pub fn timing(&self) -> Timing {
        let total = self.0.as_ref().map(|line| line.started.elapsed());
        let total = total.unwrap_or_default();
        let first = self.0.as_ref().and_then(|line| line.first_byte);
        Timing {
            first: first.unwrap_or(total),
            total,
        }
    }

    /// The answer is complete.
    pub fn finished(&mut self, usage: Usage) {
        self.end(Outcome::Finished(usage));
    }

    /// A request that is no turn was answered.
    pub fn done(&mut self) {
        self.end(Outcome::Done);
    }

    /// The request failed.
    pub fn failed(&mut self, failure: &Failure) {
        let detail = failure.detail.as_ref().unwrap_or(&failure.message);
        self.end(Outcome::Failed(failure.kind, detail.clone()));
    }

    fn end(&mut self, outcome: Outcome) {
        if let Some(mut line) = self.0.take() {
            line.outcome = Some(outcome);
            line.end();
        }
    }

    /// When the request came, in seconds since 1970.
    #[must_use]
    pub fn created(&self) -> u64 {
        self.0.as_ref().map_or(0, |line| line.created)
    }

    /// Hands the record over; what is left logs nothing.
    #[must_use]
    pub fn take(&mut self) -> Self {
        Self(self.0.take())
    }
}

impl Drop for RequestLog {
    fn drop(&mut self) {
        if let Some(mut line) = self.0.take() {
            if shutdown::is_ending() {
                // It was the relay that left.
                let failure = shutdown::failure();
                line.outcome = Some(Outcome::Failed(failure.kind, failure.message));
            }
            line.end();
        }
    }
}

impl Line {
    fn end(&self) {
        let after = self.started.elapsed();
        if let Some(metrics) = &self.metrics {
            self.count(metrics, after);
        }
        if let Some(entry) = &self.entry {
            self.enter(entry, after);
        }
        self.log(after);
    }

    fn enter(&self, entry: &RequestEntry, after: Duration) {
        let (end, usage) = match &self.outcome {
            Some(Outcome::Finished(usage)) => (RequestEnd::Answered, Some(*usage)),
            Some(Outcome::Done) => (RequestEnd::Answered, None),
            Some(Outcome::Failed(kind, _)) => (RequestEnd::Failed(*kind), None),
            None => (RequestEnd::Left, None),
        };
        let first = self.first_byte.map(milliseconds);
        let ms = milliseconds(after);
        entry.ended(end, &self.model, self.stream, usage, ms, first);
    }

    fn count(&self, metrics: &Metrics, after: Duration) {
        if let Some(first_byte) = self.first_byte {
            metrics.first_byte(self.api, first_byte);
        }
        let end = match &self.outcome {
            Some(Outcome::Finished(usage)) => {
                metrics.spent(&self.model, *usage);
                End::Answered
            }
            Some(Outcome::Done) => End::Answered,
            Some(Outcome::Failed(kind, _)) => End::Failed(*kind),
            None => End::Left,
        };
        metrics.ended(self.api, end, after);
    }

    fn log(&self, after: Duration) {
        let ms = milliseconds(after);
        let first_ms = self.first_byte.map(milliseconds);
        let Self {
            id,
            api,
            model,
            stream,
            choices,
            ..
        } = self;
        match &self.outcome {
            Some(Outcome::Finished(usage)) => tracing::info!(
                %id, api, model, stream, choices, ms, first_ms,
                input_tokens = usage.input_tokens,
                output_tokens = usage.output_tokens,
                usage = usage.source.as_str(),
                credits = usage.credits,
                "answered"
            ),
            Some(Outcome::Done) => tracing::info!(%id, api, ms, "answered"),
            Some(Outcome::Failed(kind, detail)) if is_ours(*kind) => {
                tracing::error!(%id, api, model, stream, ms, first_ms, ?kind, detail, "failed");
            }
            Some(Outcome::Failed(kind, detail)) if is_upstreams(*kind) => {
                tracing::warn!(%id, api, model, stream, ms, first_ms, ?kind, detail, "failed");
            }
            Some(Outcome::Failed(kind, detail)) => {
                tracing::info!(%id, api, model, stream, ms, first_ms, ?kind, detail, "refused");
            }
            None => tracing::info!(%id, api, model, stream, ms, first_ms, "client left"),
        }
    }
}

fn is_ours(kind: Kind) -> bool {
    matches!(kind, Kind::Internal)
}

fn is_upstreams(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Upstream
            | Kind::UpstreamTimeout
            | Kind::Overloaded
            | Kind::Unmet
            | Kind::OutOfCredits
            | Kind::RateLimited
    )
}

#[expect(
    clippy::cast_precision_loss,
    reason = "microseconds of a request are far below 2^52"
)]
fn milliseconds(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1000.0
}

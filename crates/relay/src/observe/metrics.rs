//! Numbers for a Prometheus server: how many requests, how they ended, how long they took, what they cost.
//!
//! Labels come from short lists only: the names of our APIs, the kinds of ends, and models that have answered. What
//! a client invents never becomes a label.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use translate::failure::Kind;
use translate::reply::Usage;

use super::drift::DriftCollector;

/// The type of what [`Metrics::text`] gives.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Bounds of the histograms in seconds: a refusal takes milliseconds, a film a quarter of an hour.
const SECONDS: [f64; 12] = [
    0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 900.0,
];

/// Everything that is counted; shared by all requests.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Ended, Counter>,
    open: Family<OfApi, Gauge>,
    duration: Family<OfApi, Histogram, fn() -> Histogram>,
    first_byte: Family<OfApi, Histogram, fn() -> Histogram>,
    tokens: Family<Tokens, Counter>,
    credits: Family<OfModel, Counter<f64, AtomicU64>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfApi {
    api: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfModel {
    model: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    api: &'static str,
    end: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Tokens {
    model: String,
    direction: Direction,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[expect(
    non_camel_case_types,
    reason = "the derived label values are the names as they stand here"
)]
enum Direction {
    input,
    output,
}

impl Default for Metrics {
    fn default() -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(SECONDS);
        let metrics = Self {
            registry: Registry::with_prefix("relay"),
            requests: Family::default(),
            open: Family::default(),
            duration: Family::new_with_constructor(histogram),
            first_byte: Family::new_with_constructor(histogram),
            tokens: Family::default(),
            credits: Family::default(),
        };
        metrics.registered()
    }
}

impl Metrics {
    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program", build);
        let requests = self.requests.clone();
        registry.register("requests", "Requests that have ended, and how", requests);
        registry.register("requests_open", "Requests under way", self.open.clone());
        let (name, help) = ("request_duration", "Time from arrival to the last byte");
        registry.register_with_unit(name, help, Unit::Seconds, self.duration.clone());
        let (name, help) = ("first_byte", "Time from arrival to the model's first word");
        registry.register_with_unit(name, help, Unit::Seconds, self.first_byte.clone());
        let (name, help) = ("tokens", "Tokens, reported by 1min.ai or estimated");
        registry.register(name, help, self.tokens.clone());
        let (name, help) = ("credits", "Credits, where 1min.ai says what an answer cost");
        registry.register(name, help, self.credits.clone());
        registry.register_collector(Box::new(DriftCollector));
        self
    }

    /// A request has come.
    pub fn begun(&self, api: &'static str) {
        self.open.get_or_create(&OfApi { api }).inc();
    }

    /// A request has ended in this way, so long after it came.
    pub fn ended(&self, api: &'static str, end: End, after: Duration) {
        let of_api = OfApi { api };
        self.open.get_or_create(&of_api).dec();
        let duration = self.duration.get_or_create(&of_api);
        duration.observe(after.as_secs_f64());
        drop(duration);
        let end = end.as_str();
        self.requests.get_or_create(&Ended { api, end }).inc();
    }

    /// An answer began so long after its request came.
    pub fn first_byte(&self, api: &'static str, after: Duration) {
        let histogram = self.first_byte.get_or_create(&OfApi { api });
        histogram.observe(after.as_secs_f64());
    }

    /// What a model's answer took.
    pub fn spent(&self, model: &str, usage: Usage) {
        for (direction, count) in [
            (Direction::input, usage.input_tokens),
            (Direction::output, usage.output_tokens),
        ] {
            let model = model.to_owned();
            let tokens = Tokens { model, direction };
            self.tokens.get_or_create(&tokens).inc_by(count);
        }
        if let Some(credits) = usage.credits.filter(|credits| *credits > 0.0) {
            let model = model.to_owned();
            let counter = self.credits.get_or_create(&OfModel { model });
            counter.inc_by(credits);
        }
    }

    /// All numbers in the text format that Prometheus reads.
    #[must_use]
    pub fn text(&self) -> String {
        self.text_with(&Registry::default())
    }

    /// As [`Metrics::text`], with those of another registry.
    #[must_use]
    pub fn text_with(&self, more: &Registry) -> String {
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = encode_registry(&mut text, &self.registry);
        let _ = encode_registry(&mut text, more);
        let _ = encode_eof(&mut text);
        text
    }
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It was answered.
    Answered,
    /// The client went before the end.
    Left,
    /// It failed.
    Failed(Kind),
}

impl End {
    fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Left => "client_left",
            Self::Failed(kind) => kind.name(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use translate::reply::UsageSource;

    #[test]
    fn numbers_stand_in_the_text_that_prometheus_reads() {
        let metrics = Metrics::default();
        metrics.begun("chat");
        metrics.begun("chat");
        metrics.first_byte("chat", Duration::from_millis(20));
        metrics.ended("chat", End::Answered, Duration::from_millis(40));
        let usage = Usage {
            input_tokens: 98,
            output_tokens: 3,
            source: UsageSource::Reported,
            credits: Some(45.5),
        };
        metrics.spent("gpt-4o-mini", usage);
        metrics.begun("images");
        metrics.ended("images", End::Failed(Kind::OutOfCredits), Duration::ZERO);
        onemin::drift::count(onemin::facts::Fact::ContextTooLong);
        let text = metrics.text();
        for line in [
            r#"relay_requests_total{api="chat",end="answered"} 1"#,
            r#"relay_requests_total{api="images",end="out_of_credits"} 1"#,
            r#"relay_requests_open{api="chat"} 1"#,
            r#"relay_request_duration_seconds_bucket{le="0.1",api="chat"} 1"#,
            r#"relay_first_byte_seconds_count{api="chat"} 1"#,
            r#"relay_tokens_total{model="gpt-4o-mini",direction="input"} 98"#,
            r#"relay_credits_total{model="gpt-4o-mini"} 45.5"#,
            r#"relay_upstream_drift_total{fact="context-too-long"} 1"#,
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }
}

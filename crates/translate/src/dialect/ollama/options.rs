//! What requests of both APIs share: `model`, `options`, `format`, `think`, `keep_alive`, `stream`.

use serde_json::{Map, Value};

use crate::bounds::note_ignored;
use crate::chat_request::{
    Attachment, ChatRequest, Delivery, OutputFormat, OutputLimits, Part, Source, WebSearch,
};
use crate::dialect::request::{self, model};
use crate::failure::{Failure, FieldPath, echo};

/// The most stop strings a request may give; a model's template seldom has more than four.
const MAX_STOPS: usize = 16;

/// The longest option that is kept for models of other work, in bytes of JSON.
const EXTRA_PARAM_BYTES_MAX: usize = 4096;

/// Options that tell a server how to load and run a model, and change nothing in an answer.
const OF_THE_RUNNER: [&str; 15] = [
    "num_ctx",
    "num_keep",
    "num_batch",
    "num_gpu",
    "main_gpu",
    "num_thread",
    "numa",
    "low_vram",
    "f16_kv",
    "logits_all",
    "vocab_only",
    "use_mmap",
    "use_mlock",
    "embedding_only",
    "num_gqa",
];

/// The fields that both APIs have. They are listed by each API's own request, too: serde's
/// `flatten` would lose the place of what is wrong.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) model: Option<String>,
    pub(super) stream: Option<bool>,
    pub(super) format: Option<Value>,
    pub(super) think: Option<Value>,
    pub(super) options: Option<Map<String, Value>>,
    pub(super) keep_alive: Option<Value>,
    pub(super) logprobs: Option<bool>,
}

impl Shared {
    /// The request without its messages and tools, and whether thoughts are to be shown.
    ///
    /// # Errors
    /// A failure that names the field at fault.
    pub(super) fn decode(self) -> Result<(ChatRequest, bool), Failure> {
        let (model, search) = model(self.model)?;
        let mut chat = ChatRequest {
            model,
            search,
            choices: 1,
            output: output(self.format)?,
            // Ollama streams unless it is told not to.
            delivery: if self.stream == Some(false) {
                Delivery::Whole
            } else {
                Delivery::Streamed
            },
            ..ChatRequest::default()
        };
        options(self.options.unwrap_or_default(), &mut chat)?;
        if self.logprobs == Some(true) {
            chat.ignored.push("logprobs".to_owned());
        }
        let show_thinking = think(self.think, &mut chat)?;
        Ok((chat, show_thinking))
    }

    /// Whether a request that asks nothing wants the model out of memory, not into it.
    pub(super) fn unloads(&self) -> bool {
        let text = match &self.keep_alive {
            Some(Value::Number(number)) => return number.as_f64() == Some(0.0),
            Some(Value::String(text)) => text.trim(),
            _ => return false,
        };
        text.trim_end_matches(|c: char| c.is_ascii_alphabetic())
            .parse::<f64>()
            .is_ok_and(|length| length == 0.0)
    }

    /// Whether the answer is wanted line by line.
    pub(super) fn is_streamed(&self) -> bool {
        self.stream != Some(false)
    }
}

/// Refuses a request that lacks its own `field` and has that of another endpoint: it was meant for
/// that one, and not to load a model.
///
/// # Errors
/// One of the fields is there and not empty; each comes with its value and its endpoint.
pub(super) fn refuse_of_others(
    field: &str,
    of_others: [(&str, Option<Value>, &str); 2],
) -> Result<(), Failure> {
    let asks = |value: &Value| match value {
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => false,
    };
    for (name, value, endpoint) in of_others {
        if value.as_ref().is_some_and(asks) {
            let message = format!("`{field}` is missing or empty. `{name}` is for {endpoint}.");
            return Err(Failure::invalid(field, message));
        }
    }
    Ok(())
}

/// The model's name less the suffix that asks for web search, which may stand before the tag
/// `latest` that clients add.
///
/// # Errors
/// No name.
pub(super) fn model(name: Option<String>) -> Result<(String, Option<WebSearch>), Failure> {
    let untagged = name
        .as_deref()
        .and_then(|name| name.strip_suffix(":latest"))
        .map(str::to_owned);
    if let (model, true) = model::model_and_search(untagged.unwrap_or_default()) {
        return Ok((model, Some(WebSearch::default())));
    }
    let (model, online) = model::required(name, "those that GET /api/tags")?;
    Ok((model, online.then(WebSearch::default)))
}

fn output(format: Option<Value>) -> Result<OutputFormat, Failure> {
    match format {
        None | Some(Value::Null) => Ok(OutputFormat::Text),
        Some(Value::String(word)) if word.is_empty() => Ok(OutputFormat::Text),
        Some(Value::String(word)) if word == "json" => Ok(OutputFormat::Json),
        Some(Value::Object(schema)) if schema.is_empty() => Ok(OutputFormat::Json),
        // Ollama holds the model to a schema; a client counts on that.
        Some(schema @ Value::Object(_)) => Ok(OutputFormat::Schema {
            name: "format".to_owned(),
            schema: schema.into(),
            strict: true,
        }),
        Some(other) => {
            let given = other.as_str().map(|word| format!(" `{}`", echo(word)));
            let given = given.unwrap_or_default();
            Err(Failure::invalid(
                "format",
                format!("Invalid format{given}: use \"json\" or a JSON Schema."),
            ))
        }
    }
}

/// Whether thoughts are to be shown. How hard a model thinks cannot be told to upstream.
fn think(think: Option<Value>, chat: &mut ChatRequest) -> Result<bool, Failure> {
    match think {
        None | Some(Value::Null | Value::Bool(true)) => Ok(true),
        Some(Value::Bool(false)) => {
            chat.effort = Some("none".to_owned());
            Ok(false)
        }
        Some(Value::String(word)) if matches!(word.as_str(), "low" | "medium" | "high" | "max") => {
            chat.effort = Some(word);
            chat.ignored.push("think".to_owned());
            Ok(true)
        }
        Some(_) => Err(Failure::invalid(
            "think",
            "Invalid `think`: use true, false, \"low\", \"medium\", \"high\" or \"max\".",
        )),
    }
}

fn options(options: Map<String, Value>, chat: &mut ChatRequest) -> Result<(), Failure> {
    for (name, value) in options {
        match name.as_str() {
            _ if value.is_null() || OF_THE_RUNNER.contains(&name.as_str()) => {}
            "num_predict" => chat.limits.max_tokens = max_tokens(&value)?,
            "stop" => stop(value, &mut chat.limits)?,
            _ => {
                let is_simple = !value.is_object() && !value.is_array();
                if is_simple && value.to_string().len() <= EXTRA_PARAM_BYTES_MAX {
                    chat.extra_params.insert(name.clone(), value);
                }
                note_ignored(&mut chat.ignored, name);
            }
        }
    }
    Ok(())
}

/// The most tokens of an answer. Zero and less are Ollama's words for "as many as it takes".
fn max_tokens(value: &Value) -> Result<Option<u64>, Failure> {
    let number = value.as_f64().filter(|number| number.fract() == 0.0);
    let Some(number) = number else {
        let message = "`options.num_predict` must be a whole number.";
        return Err(Failure::invalid("options.num_predict", message));
    };
    if number <= 0.0 {
        return Ok(None);
    }
    let most = value.as_u64().unwrap_or(u64::MAX);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float that is whole and positive; casts saturate"
    )]
    let written_as_float = number as u64;
    Ok(Some(most.min(written_as_float)))
}

fn stop(value: Value, limits: &mut OutputLimits) -> Result<(), Failure> {
    let stops = match value {
        Value::Array(stops) => stops,
        stop => vec![stop],
    };
    if stops.len() > MAX_STOPS {
        let message = format!("`options.stop` takes at most {MAX_STOPS} strings.");
        return Err(Failure::invalid("options.stop", message));
    }
    for stop in stops {
        let Value::String(stop) = stop else {
            let message = "`options.stop` must be a string or an array of strings.";
            return Err(Failure::invalid("options.stop", message));
        };
        // An empty string comes before every answer; nobody means that.
        if !stop.is_empty() {
            limits.stop.push(stop);
        }
    }
    Ok(())
}

/// The images of a message or a prompt: base64, or what other APIs take, a data URI or an address.
///
/// # Errors
/// What is neither.
pub(super) fn images(
    images: Option<Vec<String>>,
    path: FieldPath<'_>,
) -> Result<Vec<Part>, Failure> {
    let numbered = images.unwrap_or_default().into_iter().enumerate();
    numbered
        .map(|(at, image)| self::image(image, &format_args!("{path}[{at}]")).map(Part::Image))
        .collect()
}

fn image(image: String, path: FieldPath<'_>) -> Result<Attachment, Failure> {
    let head = image.trim_start().get(..8).unwrap_or_default();
    if head.to_ascii_lowercase().starts_with("http") && image.contains("://") {
        return request::picture(image, path);
    }
    let data = request::inline(&image).ok_or_else(|| {
        Failure::invalid(path.to_string(), "The image is empty or not valid base64.")
    })?;
    Ok(Attachment {
        source: Source::Inline(data.bytes),
        name: None,
        mime: data.mime,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn decoded(body: &Value) -> Result<(ChatRequest, bool), Failure> {
        Shared {
            model: Some("m".to_owned()),
            format: body.get("format").cloned(),
            think: body.get("think").cloned(),
            options: body.get("options").and_then(Value::as_object).cloned(),
            ..Shared::default()
        }
        .decode()
    }

    #[test]
    fn a_format_is_absent_json_or_a_schema() {
        let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}}});
        let by_schema = OutputFormat::Schema {
            name: "format".to_owned(),
            schema: schema.clone().into(),
            strict: true,
        };
        for (format, expected) in [
            (json!(null), OutputFormat::Text),
            (json!(""), OutputFormat::Text),
            (json!("json"), OutputFormat::Json),
            (json!({}), OutputFormat::Json),
            (schema, by_schema),
        ] {
            let (chat, _) = decoded(&json!({"format": format})).unwrap();
            assert_eq!(chat.output, expected, "{format}");
        }
        for format in [json!("yaml"), json!(1), json!([])] {
            let failure = decoded(&json!({"format": format})).unwrap_err();
            assert_eq!(failure.param.as_deref(), Some("format"), "{format}");
        }
    }

    #[test]
    fn limits_are_read_as_ollama_means_them() {
        let most = |value: Value| {
            let decoded = decoded(&json!({"options": {"num_predict": value}}));
            decoded.map(|(chat, _)| chat.limits.max_tokens)
        };
        for (value, expected) in [
            (json!(128), Some(128)),
            (json!(128.0), Some(128)),
            (json!(0), None),
            (json!(-1), None),
            (json!(-2), None),
            (json!(null), None),
        ] {
            assert_eq!(most(value.clone()), Ok(expected), "{value}");
        }
        for value in [json!("many"), json!(1.5), json!(true)] {
            let failure = most(value.clone()).unwrap_err();
            assert_eq!(
                failure.param.as_deref(),
                Some("options.num_predict"),
                "{value}"
            );
        }
        let stops = |value: Value| {
            let decoded = decoded(&json!({"options": {"stop": value}}));
            decoded.map(|(chat, _)| chat.limits.stop)
        };
        assert_eq!(stops(json!("END")), Ok(vec!["END".to_owned()]));
        assert_eq!(
            stops(json!(["a", "", "b"])),
            Ok(vec!["a".to_owned(), "b".to_owned()])
        );
        assert_eq!(stops(json!([])), Ok(Vec::new()));
        assert!(stops(json!([1])).is_err());
        assert!(stops(json!(vec!["x"; 17])).is_err());
    }

    #[test]
    fn options_of_the_runner_pass_in_silence_and_the_others_are_named() {
        let options =
            json!({"num_ctx": 8192, "num_gpu": 1, "temperature": 0.5, "seed": 7, "top_k": null});
        let (chat, _) = decoded(&json!({"options": options})).unwrap();
        assert_eq!(chat.ignored, ["temperature", "seed"]);
        assert_eq!(chat.extra_params.get("seed"), Some(&json!(7)));
    }

    #[test]
    fn thoughts_are_hidden_on_request_only() {
        for (think, shown) in [
            (json!(null), Some(true)),
            (json!(true), Some(true)),
            (json!(false), Some(false)),
            (json!("high"), Some(true)),
            (json!("hard"), None),
            (json!(3), None),
        ] {
            let decoded = decoded(&json!({"think": think})).ok();
            assert_eq!(decoded.map(|(_, shown)| shown), shown, "{think}");
        }
    }

    #[test]
    fn a_model_that_is_kept_for_no_time_is_unloaded() {
        for (keep, unloads) in [
            (json!(0), true),
            (json!("0"), true),
            (json!("0s"), true),
            (json!("5m"), false),
            (json!(-1), false),
            (json!("-1"), false),
            (json!(null), false),
        ] {
            let shared = Shared {
                keep_alive: Some(keep.clone()),
                ..Shared::default()
            };
            assert_eq!(shared.unloads(), unloads, "{keep}");
        }
    }

    #[test]
    fn the_suffix_for_web_search_may_stand_before_a_tag() {
        for (name, expected, searches) in [
            ("gpt-4o-mini", "gpt-4o-mini", false),
            ("gpt-4o-mini:latest", "gpt-4o-mini:latest", false),
            ("gpt-4o-mini:online", "gpt-4o-mini", true),
            ("gpt-4o-mini:online:latest", "gpt-4o-mini", true),
        ] {
            let (read, search) = model(Some(name.to_owned())).unwrap();
            assert_eq!((read.as_str(), search.is_some()), (expected, searches));
        }
        assert!(model(Some(" ".to_owned())).is_err());
    }
}

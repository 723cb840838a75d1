//! What requests cost, by the prices of `fixtures/onemin/prices.tsv`.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

const TABLE: &str = include_str!("../../../fixtures/onemin/prices.tsv");

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| TABLE.lines().filter_map(Row::read).collect());

/// The feature of chat.
pub(crate) const CHAT: &str = "UNIFY_CHAT_WITH_AI";

/// Output tokens that the check before a request reckons with. Upstream's number is not known; with
/// this one a tiny request of a cheap model is estimated at about what was seen.
const ESTIMATED_OUTPUT_TOKENS: u64 = 1000;

/// Credits of a media request whose price is not in the table: that of the refusal captured.
const UNKNOWN_MEDIA_CREDITS: u64 = 4800;

struct Row {
    feature: &'static str,
    model: &'static str,
    unit: &'static str,
    metadata: Value,
}

impl Row {
    fn read(line: &'static str) -> Option<Self> {
        let cells: Vec<&str> = line.split('\t').collect();
        match cells.as_slice() {
            [feature, model, unit, metadata] => Some(Self {
                feature,
                model,
                unit,
                metadata: serde_json::from_str(metadata).ok()?,
            }),
            _ => None,
        }
    }

    fn find(feature: &str, model: &str) -> Option<&'static Self> {
        let is_model = |pattern: &str| {
            let start = pattern.strip_suffix('*');
            start.map_or(pattern == model, |start| model.starts_with(start))
        };
        ROWS.iter().find(|row| {
            let here = row.feature == feature || row.feature == "*";
            here && is_model(row.model)
        })
    }
}

/// `creditMetadata` of a model in the list of a feature. A chat model that is not in the table has
/// a price too, so that every chat is charged.
pub(crate) fn metadata(feature: &str, model: &str) -> Value {
    match Row::find(feature, model) {
        Some(row) => row.metadata.clone(),
        None if feature == CHAT => json!({"INPUT": 1, "OUTPUT": 4}),
        None => json!({}),
    }
}

/// Credits of the tokens in and out of a chat model.
pub(crate) fn tokens(model: &str, input: u64, output: u64) -> (u64, u64) {
    let prices = metadata(CHAT, model);
    let price = |name: &str| prices.get(name).and_then(Value::as_f64).unwrap_or(0.0);
    (
        credits(3.0 * float(input) * price("INPUT")),
        credits(3.0 * float(output) * price("OUTPUT")),
    )
}

/// What the check before a chat request takes it to cost.
pub(crate) fn estimate(model: &str, input: u64) -> u64 {
    let (input, output) = tokens(model, input, ESTIMATED_OUTPUT_TOKENS);
    input + output
}

/// Credits of a media request: `made` files of it, or `seconds` of sound.
pub(crate) fn media(feature: &str, model: &str, fields: &Map<String, Value>, seconds: f64) -> u64 {
    let Some(row) = Row::find(feature, model) else {
        return UNKNOWN_MEDIA_CREDITS;
    };
    let Some(price) = select(&row.metadata, fields) else {
        return UNKNOWN_MEDIA_CREDITS;
    };
    let number = |names: &[&str]| {
        let found = names.iter().find_map(|name| fields.get(*name));
        found.and_then(|value| match value {
            Value::String(text) => text.trim_end_matches('s').parse().ok(),
            value => value.as_f64(),
        })
    };
    let text = ["text", "prompt"]
        .iter()
        .find_map(|name| fields.get(*name)?.as_str());
    let length = number(&["seconds", "duration", "length", "veo3_duration"]).unwrap_or(seconds);
    let units = match row.unit {
        "image" => number(&["n", "num_outputs", "num_images", "samples"]).unwrap_or(1.0),
        "character" => float(u64::try_from(text.unwrap_or_default().chars().count()).unwrap_or(0)),
        "second" => length.ceil(),
        "minute" => (length / 60.0).ceil(),
        _ => 1.0,
    };
    credits(price * units)
}

/// The price whose keys are values of the request, else that of `ALL`, else the highest.
fn select(metadata: &Value, fields: &Map<String, Value>) -> Option<f64> {
    let Value::Object(prices) = metadata else {
        return metadata.as_f64();
    };
    let asked = |key: &str| {
        fields.iter().any(|(name, value)| match value {
            Value::String(text) => {
                text.eq_ignore_ascii_case(key)
                    || text
                        .split(['-', '_'])
                        .any(|part| part.eq_ignore_ascii_case(key))
            }
            Value::Number(number) => number.to_string() == key,
            Value::Bool(flag) => *flag && name.rsplit('_').next() == Some(key),
            _ => false,
        })
    };
    let fitting = prices.iter().filter(|(key, _)| asked(key));
    let fitting = fitting.max_by(|one, other| {
        let price = |value: &Value| select(value, fields).unwrap_or(0.0);
        let longer = one.0.len().cmp(&other.0.len());
        longer.then(price(one.1).total_cmp(&price(other.1)))
    });
    let chosen = fitting
        .map(|(_, value)| value)
        .or_else(|| prices.get("ALL"));
    match chosen {
        Some(value) => select(value, fields),
        None => prices
            .values()
            .filter_map(|value| select(value, fields))
            .reduce(f64::max),
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are small")]
fn float(number: u64) -> f64 {
    number as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates"
)]
fn credits(number: f64) -> u64 {
    number.round() as u64
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{ROWS, TABLE, media, tokens};

    #[test]
    fn every_row_can_be_read() {
        assert_eq!(
            TABLE.lines().filter(|line| !line.starts_with('#')).count(),
            ROWS.len()
        );
    }

    #[test]
    fn captured_answers_cost_what_they_cost() {
        assert_eq!(tokens("open-mistral-nemo", 98, 3), (44, 1));
        assert_eq!(tokens("gpt-4o-mini", 98, 3), (44, 5));
        assert_eq!(tokens("qwen3-8b", 98, 3), (0, 0));
    }

    #[test]
    fn media_cost_by_parameters() {
        let cost = |feature: &str, model: &str, fields: Value| {
            let fields = fields.as_object().cloned().expect("an object");
            media(feature, model, &fields, 2.5)
        };
        let image = json!({"quality": "high", "size": "1536x1024", "n": 2});
        assert_eq!(cost("IMAGE_GENERATOR", "gpt-image-1", image), 500_000);
        let speech = json!({"text": "grüße"});
        assert_eq!(cost("TEXT_TO_SPEECH", "tts-1", speech), 75);
        assert_eq!(cost("SPEECH_TO_TEXT", "whisper-1", json!({})), 300);
        let video =
            json!({"task_type": "veo3-video-fast", "generate_audio": true, "veo3_duration": "8s"});
        assert_eq!(cost("TEXT_TO_VIDEO", "veo3", video), 720_000);
        assert_eq!(cost("IMAGE_GENERATOR", "unheard-of", json!({})), 4800);
    }
}

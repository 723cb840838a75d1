//! Prices in credits, of chat by tokens and of media by their parameters. No I/O.
//!
//! Prices come with the list of models (`creditMetadata`), whose shape differs from model to model
//! and is read in any; [`builtin`] has those of a list of 2026 for when upstream cannot be asked.
//! Amounts are whole thousandths of a credit, so that sums are exact.

mod builtin;
mod lookup;
mod unit;

use serde_json::{Map, Value};

pub use builtin::builtin;
pub use unit::Unit;

use crate::features::{Kind, Payload};
use lookup::Found;

/// Thousandths of a credit.
pub type MilliCredits = u64;

/// Credits, as records give them, in thousandths; negative and endless amounts are none.
#[must_use]
pub fn from_credits(credits: f64) -> MilliCredits {
    rounded(credits * 1000.0)
}

/// Thousandths of a credit in credits.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    reason = "what a request costs is far below 2^52"
)]
pub fn to_credits(amount: MilliCredits) -> f64 {
    amount as f64 / 1000.0
}

/// What a chat model costs. One credit is a third of a millionth of a list dollar: a token costs
/// three times the list price of a million tokens, in credits. Found by comparing several captured
/// answers with the list; nobody has documented it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChatPrice {
    input_per_1k: MilliCredits,
    output_per_1k: MilliCredits,
    per_image: MilliCredits,
    /// Whether the list names charges besides tokens: searches, citations, reasoning.
    has_more: bool,
}

/// How far a charge may be from the rule, in credits: each of its two sides is rounded.
const RULE_TOLERANCE: f64 = 1.5;

impl ChatPrice {
    /// Reads `creditMetadata`; None if it has no price of text tokens.
    #[must_use]
    pub fn of(metadata: &Value) -> Option<Self> {
        let per_1k = |name: &str| {
            let price = metadata.get(name)?;
            let text = match price {
                Value::Object(kinds) => kinds.get("TEXT").or_else(|| kinds.get("ALL"))?,
                price => price,
            };
            lookup::number(text).map(|dollars| rounded(dollars * 3_000_000.0))
        };
        let image = metadata.get("LOW_IMAGE").and_then(lookup::number);
        Some(Self {
            input_per_1k: per_1k("INPUT")?,
            output_per_1k: per_1k("OUTPUT")?,
            per_image: image.map_or(0, |tokens| rounded(tokens * 3_000.0)),
            has_more: ["SEARCH", "CITATION", "REASONING"]
                .iter()
                .any(|name| metadata.get(*name).is_some()),
        })
    }

    /// What 1,000 tokens cost: in, and out.
    #[must_use]
    pub fn per_1k_tokens(self) -> (MilliCredits, MilliCredits) {
        (self.input_per_1k, self.output_per_1k)
    }

    /// The list price of a million tokens in dollars: in, and out.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "prices are far below 2^53")]
    pub fn dollars_per_million_tokens(self) -> (f64, f64) {
        let dollars = |per_1k: MilliCredits| per_1k as f64 / 3_000_000.0;
        (dollars(self.input_per_1k), dollars(self.output_per_1k))
    }

    /// What an attached image adds at least; 0 where the list says nothing.
    #[must_use]
    pub fn per_image(self) -> MilliCredits {
        self.per_image
    }

    /// What upstream charges for these billed tokens: each side is rounded to whole credits.
    #[must_use]
    pub fn cost(self, input_tokens: u64, output_tokens: u64) -> MilliCredits {
        let input = side(input_tokens, self.input_per_1k);
        input.saturating_add(side(output_tokens, self.output_per_1k))
    }

    /// Whether a charge, in credits, is that of the rule for these billed tokens. Where the list
    /// names more than tokens, whatever is not less.
    #[must_use]
    pub fn explains(self, input_tokens: u64, output_tokens: u64, credits: f64) -> bool {
        let more = credits - to_credits(self.cost(input_tokens, output_tokens));
        more.abs() <= RULE_TOLERANCE || (self.has_more && more > 0.0)
    }

    /// What a request will cost about, before its tokens were counted by upstream.
    #[must_use]
    pub fn estimate(
        self,
        input_tokens: u64,
        images: usize,
        expected_output_tokens: u64,
    ) -> MilliCredits {
        let images = u64::try_from(images).unwrap_or(u64::MAX);
        let images = images.saturating_mul(self.per_image);
        self.cost(input_tokens, expected_output_tokens)
            .saturating_add(images)
    }
}

fn side(tokens: u64, per_1k: MilliCredits) -> MilliCredits {
    let exact = u128::from(tokens) * u128::from(per_1k) / 1000;
    let whole = (exact + 500) / 1000 * 1000;
    u64::try_from(whole).unwrap_or(u64::MAX)
}

/// What a media request will cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    /// The cost of the whole request.
    pub cost: MilliCredits,
    /// Whether the price is the list's for exactly these parameters. Else it is the dearest that
    /// may be meant, or the length of the audio was not known.
    pub is_exact: bool,
}

/// The price of a media request by its parameters. `metadata` is `creditMetadata` of the live list;
/// where it says nothing, the built-in price is taken. `audio_seconds` is the length of the file
/// that is transcribed, where that is known. None if nobody knows a price.
#[must_use]
pub fn media(
    metadata: Option<&Value>,
    payload: &Payload,
    audio_seconds: Option<f64>,
) -> Option<Quote> {
    let feature = payload.kind.as_str();
    let known = builtin(feature, &payload.model);
    let unit = known.map_or_else(|| usual_unit(payload.kind), |(unit, _)| unit);
    let found = metadata
        .and_then(|live| lookup::price(live, &payload.prompt_object))
        .or_else(|| lookup::price(known?.1, &payload.prompt_object))?;
    let Found { credits, is_exact } = found;
    let (units, is_counted) = units(unit, payload, audio_seconds);
    Some(Quote {
        cost: rounded(credits * units * 1000.0),
        is_exact: is_exact && is_counted,
    })
}

/// The prices of a model for a list: a label of parameter values (empty where there is one price)
/// and what one unit costs. Empty for chat models, see [`ChatPrice`].
#[must_use]
pub fn listed(
    metadata: Option<&Value>,
    feature: &str,
    model: &str,
) -> Option<(Unit, Vec<(String, MilliCredits)>)> {
    let known = builtin(feature, model);
    let unit = known.map_or(Unit::Request, |(unit, _)| unit);
    let live = metadata.map(lookup::leaves).filter(|list| !list.is_empty());
    let list = live.or_else(|| Some(lookup::leaves(known?.1)))?;
    let list = list
        .into_iter()
        .map(|(label, credits)| (label, from_credits(credits)));
    Some((unit, list.collect()))
}

/// The unit of a model that is in no table.
fn usual_unit(kind: Kind) -> Unit {
    match kind {
        Kind::TextToSpeech => Unit::Character,
        Kind::SpeechToText | Kind::AudioTranslator => Unit::Second,
        Kind::ImageGenerator | Kind::ImageEditor | Kind::ImageVariator => Unit::Image,
        _ => Unit::Request,
    }
}

/// How many units a request takes, and whether that is certain.
#[expect(clippy::cast_precision_loss, reason = "counts are small")]
fn units(unit: Unit, payload: &Payload, audio_seconds: Option<f64>) -> (f64, bool) {
    const COUNTS: [&str; 4] = ["n", "num_outputs", "num_images", "samples"];
    const LENGTHS: [&str; 4] = ["seconds", "duration", "length", "veo3_duration"];
    let fields = &payload.prompt_object;
    let first = |names: &[&str]| names.iter().find_map(|name| leading(fields, name));
    match unit {
        Unit::Request | Unit::Token => (1.0, unit == Unit::Request),
        Unit::Image => (first(&COUNTS).unwrap_or(1.0), true),
        Unit::Character => {
            let text = ["text", "prompt"]
                .iter()
                .find_map(|name| fields.get(*name)?.as_str());
            (text.map_or(0.0, |text| text.chars().count() as f64), true)
        }
        Unit::Second | Unit::Minute => {
            let seconds = audio_seconds.filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
            let seconds = first(&LENGTHS).or(seconds);
            let known = seconds.unwrap_or(60.0);
            let units = if unit == Unit::Minute {
                (known / 60.0).ceil()
            } else {
                known.ceil()
            };
            (units, seconds.is_some())
        }
    }
}

/// The number that a field is or begins with (`"8s"`).
fn leading(fields: &Map<String, Value>, name: &str) -> Option<f64> {
    match fields.get(name)? {
        Value::String(text) => {
            let digits = text.trim();
            let end = digits.find(|c: char| !c.is_ascii_digit() && c != '.');
            digits.get(..end.unwrap_or(digits.len()))?.parse().ok()
        }
        value => lookup::number(value),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and NaN becomes zero"
)]
fn rounded(number: f64) -> u64 {
    number.round() as u64
}

#[cfg(test)]
mod tests;

//! What models cost in credits, as far as 1min.ai's list says it.

use onemin::models::Model;
use onemin::prices::{self, ChatPrice, MilliCredits};
use serde::Serialize;
use serde_json::Value;

/// What 1,000 tokens of a chat model cost.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct TokenPrices {
    input: f64,
    output: f64,
}

/// The list price of one token in dollars, as `OpenRouter` has it: decimal numbers as text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct TokenDollars {
    prompt: String,
    completion: String,
}

/// What one unit of a media model costs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct UnitPrices {
    /// `image`, `request`, `second`, `minute`, `character`.
    unit: &'static str,
    prices: Vec<UnitPrice>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct UnitPrice {
    /// The values of parameters that have this price; empty if all have.
    parameters: String,
    credits: f64,
}

/// The prices of a model that is paid by tokens.
#[must_use]
pub(super) fn by_token(model: &Model) -> Option<TokenPrices> {
    let (input, output) = ChatPrice::of(&model.credit_metadata)?.per_1k_tokens();
    Some(TokenPrices {
        input: credits(input),
        output: credits(output),
    })
}

/// The list prices in dollars of a model that is paid by tokens.
#[must_use]
pub(super) fn in_dollars(model: &Model) -> Option<TokenDollars> {
    let (prompt, completion) = ChatPrice::of(&model.credit_metadata)?.dollars_per_million_tokens();
    Some(TokenDollars {
        prompt: decimal(prompt),
        completion: decimal(completion),
    })
}

/// A millionth of a number, without an exponent.
fn decimal(million: f64) -> String {
    let text = format!("{:.12}", million / 1_000_000.0);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    text.to_owned()
}

/// The prices of a model that is paid by what it makes or reads.
#[must_use]
pub(super) fn by_unit(model: &Model) -> Option<UnitPrices> {
    let live = Some(&model.credit_metadata).filter(|metadata| **metadata != Value::Null);
    let mut features = model.features.iter();
    let (unit, list) = features.find_map(|of| prices::listed(live, of, &model.id))?;
    let prices = list.into_iter().map(|(parameters, price)| UnitPrice {
        parameters,
        credits: credits(price),
    });
    Some(UnitPrices {
        unit: unit.name(),
        prices: prices.collect(),
    })
}

#[expect(clippy::cast_precision_loss, reason = "prices are far below 2^53")]
fn credits(thousandths: MilliCredits) -> f64 {
    thousandths as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn dollars_of_a_token_are_decimal_numbers() {
        for (million, text) in [(0.15, "0.00000015"), (15.0, "0.000015"), (0.0, "0")] {
            assert_eq!(decimal(million), text);
        }
    }
}

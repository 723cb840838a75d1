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

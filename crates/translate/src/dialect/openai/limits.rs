//! How many answers, and where they end early: alike in chat completions and in completions.

use crate::chat_request::OutputLimits;
use crate::dialect::request::forms::{Count, OneOrMany};
use crate::failure::Failure;

/// The most stop strings a request may give, as OpenAI has it.
const MAX_STOPS: usize = 4;

/// How many answers `n` asks for.
///
/// # Errors
/// None at all, or too many to count.
pub fn choices(n: Option<Count>) -> Result<u32, Failure> {
    match n {
        None => Ok(1),
        Some(Count(0)) => Err(Failure::invalid("n", "`n` must be at least 1.")),
        Some(Count(n)) => u32::try_from(n).map_err(|_| Failure::invalid("n", "`n` is too large.")),
    }
}

/// The limits of an answer. `field` is where `max_tokens` stood.
///
/// # Errors
/// An answer without a token, or too many stop strings.
pub fn limits(
    max_tokens: Option<Count>,
    field: &str,
    stop: Option<OneOrMany>,
) -> Result<OutputLimits, Failure> {
    if max_tokens == Some(Count(0)) {
        let message = format!("`{field}` must be at least 1.");
        return Err(Failure::invalid(field, message));
    }
    let stop = match stop {
        None => Vec::new(),
        Some(OneOrMany::One(stop)) => vec![stop],
        Some(OneOrMany::Many(stops)) => stops,
    };
    if stop.len() > MAX_STOPS {
        let message = format!("`stop` takes at most {MAX_STOPS} strings.");
        return Err(Failure::invalid("stop", message));
    }
    Ok(OutputLimits {
        max_tokens: max_tokens.map(|count| count.0),
        // An empty string comes before every answer; nobody means that.
        stop: stop.into_iter().filter(|stop| !stop.is_empty()).collect(),
    })
}

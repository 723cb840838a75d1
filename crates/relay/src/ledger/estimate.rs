//! What a call will cost, before it is made: 1min.ai's own prices, corrected by what calls have
//! really cost. Amounts are thousandths of a credit.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use onemin::Payload;
use onemin::prices::{self, ChatPrice};
use serde_json::{Value, json};
use translate::reply::Usage;

use crate::access::keys::permissions::matches;

/// Output tokens that are expected of a model that was not asked yet.
const USUAL_OUTPUT: u64 = 1000;

/// The last answers that are remembered of a model.
const REMEMBERED: usize = 100;

/// Models that are remembered.
const MODELS_MAX: usize = 1000;

/// What a media request is taken to cost whose price nobody knows.
const UNKNOWN_MEDIA: i64 = 50_000_000;

/// Calls in a row that must differ from the price rule before another is believed.
const EVIDENCE: u32 = 5;

/// No call costs more, in thousandths of a credit: a request whose numbers say so is refused.
pub const ESTIMATE_MAX: i64 = 1_000_000_000_000;

/// Estimates, and what was learned of prices.
#[derive(Debug)]
pub struct Estimator {
    /// The operator's own estimates, by globs of models.
    fixed: Vec<(String, i64)>,
    learned: Mutex<HashMap<String, Learned>>,
}

#[derive(Debug)]
struct Learned {
    outputs: VecDeque<u64>,
    /// The output that nine of ten answers do not exceed.
    expected_output: u64,
    /// Real cost by cost of the rule.
    ratio: f64,
    /// Answers in a row whose cost is not that of the rule.
    surprises: u32,
}

impl Default for Learned {
    fn default() -> Self {
        Self {
            outputs: VecDeque::new(),
            expected_output: USUAL_OUTPUT,
            ratio: 1.0,
            surprises: 0,
        }
    }
}

impl Estimator {
    /// With the operator's own estimates: globs of models, and thousandths of a credit.
    #[must_use]
    pub fn new(fixed: Vec<(String, i64)>) -> Self {
        Self {
            fixed,
            learned: Mutex::default(),
        }
    }

    /// What a call of a chat model will cost. The client's bound on output tokens does not count: 1min.ai
    /// does not know it, and charges what the model has written.
    #[must_use]
    pub fn chat(&self, model: &str, price: ChatPrice, input_tokens: u64, images: usize) -> i64 {
        if let Some(fixed) = self.fixed(model) {
            return fixed;
        }
        let learned = self.lock();
        let known = learned.get(model);
        let expected = known.map_or(USUAL_OUTPUT, |known| known.expected_output);
        let ratio = known.map_or(1.0, |known| known.ratio);
        drop(learned);
        scaled(price.estimate(input_tokens, images, expected), ratio)
    }

    /// What a media request will cost.
    #[must_use]
    pub fn media(&self, metadata: Option<&Value>, payload: &Payload, seconds: Option<f64>) -> i64 {
        if let Some(fixed) = self.fixed(&payload.model) {
            return fixed;
        }
        let quote = prices::media(metadata, payload, seconds);
        quote.map_or(UNKNOWN_MEDIA, |quote| signed(quote.cost))
    }

    /// What a request is taken to cost of which no price is known.
    #[must_use]
    pub fn unknown_media(&self, model: &str) -> i64 {
        self.fixed(model).unwrap_or(UNKNOWN_MEDIA)
    }

    /// Takes in what an answer of a chat model has really cost.
    pub fn observe(&self, model: &str, price: ChatPrice, usage: &Usage) {
        let mut all = self.lock();
        if all.len() >= MODELS_MAX && !all.contains_key(model) {
            return;
        }
        let learned = all.entry(model.to_owned()).or_default();
        learned.answered(usage.output_tokens);
        let rule = price.cost(usage.input_tokens, usage.output_tokens);
        if let Some(credits) = usage.credits
            && learned.charged(rule, credits)
        {
            tracing::warn!(
                model,
                ratio = learned.ratio,
                "1min.ai's charges differ from its listed prices; estimates follow the charges"
            );
        }
    }

    fn fixed(&self, model: &str) -> Option<i64> {
        let fixed = self.fixed.iter().find(|(glob, _)| matches(glob, model));
        fixed.map(|(_, credits)| *credits)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Learned>> {
        // A panic while the lock was held can at worst have lost an answer's length.
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Learned {
    fn answered(&mut self, output: u64) {
        if self.outputs.len() == REMEMBERED {
            self.outputs.pop_front();
        }
        self.outputs.push_back(output);
        let count = self.outputs.len();
        // Sorting for each answer would cost more than it tells.
        if count <= 10 || output.is_multiple_of(8) {
            let mut sorted: Vec<u64> = self.outputs.iter().copied().collect();
            sorted.sort_unstable();
            let place = (count * 9).div_ceil(10).saturating_sub(1);
            self.expected_output = sorted.get(place).copied().unwrap_or(USUAL_OUTPUT);
        }
    }

    /// Compares a charge with the rule, and tells whether the rule has just been given up.
    #[expect(
        clippy::cast_precision_loss,
        reason = "credits of a call are far below 2^52"
    )]
    fn charged(&mut self, rule: u64, credits: f64) -> bool {
        let rule = rule as f64 / 1000.0;
        // Rounding alone makes a difference of a credit on each side.
        if rule <= 0.0 || (credits - self.ratio * rule).abs() <= 2.0 + 0.02 * rule * self.ratio {
            self.surprises = 0;
            return false;
        }
        self.surprises += 1;
        if self.surprises < EVIDENCE {
            return false;
        }
        self.surprises = 0;
        self.ratio = (credits / rule).clamp(0.01, 100.0);
        true
    }
}

/// The price of a chat model of which nobody knows one: that of a dear one.
#[must_use]
pub fn unknown_chat_price() -> Option<ChatPrice> {
    ChatPrice::of(&json!({"INPUT": 2.5, "OUTPUT": 10}))
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "credits of a call are far below 2^52, and the cast saturates"
)]
fn scaled(credits: u64, ratio: f64) -> i64 {
    (credits as f64 * ratio).round() as i64
}

fn signed(credits: u64) -> i64 {
    i64::try_from(credits).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use translate::reply::UsageSource;

    fn price() -> ChatPrice {
        ChatPrice::of(&json!({"INPUT": 1, "OUTPUT": 10})).unwrap()
    }

    fn usage(output_tokens: u64, credits: Option<f64>) -> Usage {
        Usage {
            input_tokens: 100,
            output_tokens,
            source: UsageSource::Reported,
            credits,
        }
    }

    #[test]
    fn output_is_expected_as_nine_of_ten_answers_were() {
        let estimator = Estimator::new(Vec::new());
        let ask = || estimator.chat("m", price(), 100, 0);
        assert_eq!(ask(), 300_000 + 30_000_000);
        for output in (8..=800).step_by(8) {
            estimator.observe("m", price(), &usage(output, None));
        }
        assert_eq!(ask(), 300_000 + 720 * 30_000);
    }

    #[test]
    fn estimates_follow_charges_that_differ_from_the_list() {
        let estimator = Estimator::new(Vec::new());
        estimator.observe("m", price(), &usage(10, None));
        let before = estimator.chat("m", price(), 1000, 0);
        for _ in 0..EVIDENCE {
            // The rule says 600.
            estimator.observe("m", price(), &usage(10, Some(1200.0)));
        }
        let after = estimator.chat("m", price(), 1000, 0);
        assert_eq!(after, before * 2);
    }

    #[test]
    fn the_owners_estimates_come_first() {
        let estimator = Estimator::new(vec![("gpt-*".to_owned(), 7000)]);
        assert_eq!(estimator.chat("gpt-5", price(), 1, 0), 7000);
        assert_ne!(estimator.chat("o3", price(), 1, 0), 7000);
    }
}

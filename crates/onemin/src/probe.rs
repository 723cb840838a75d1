//! Asking 1min.ai, by the cheapest requests that tell, whether each of [`crate::facts`] is so. What
//! costs credits is asked only within an amount that is given.

mod checks;
mod requests;
mod verdict;

use crate::api_key::ApiKey;
use crate::client::Client;
use crate::facts::{Fact, Probe};
use crate::prices::MilliCredits;
use requests::Asked;
pub use verdict::Verdict;

/// What a probe has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    /// Every fact with its verdict.
    pub facts: Vec<(Fact, Verdict)>,
    /// What was spent, as far as 1min.ai said so; the rest is estimated.
    pub spent: MilliCredits,
}

impl Findings {
    /// The facts that are otherwise.
    #[must_use]
    pub fn differing(&self) -> Vec<Fact> {
        let differing = self.facts.iter();
        let differing = differing.filter(|(_, verdict)| matches!(verdict, Verdict::Differs(_)));
        differing.map(|(fact, _)| *fact).collect()
    }
}

/// Asks about every fact. `spend` is the most that may be spent; none asks only what is free.
pub async fn run(client: &Client, key: &ApiKey, spend: Option<MilliCredits>) -> Findings {
    let asked = Asked::ask(client, key, spend).await;
    let facts = Fact::ALL.iter().map(|fact| {
        let verdict = match fact.probe() {
            Probe::Never => Verdict::Unclear("it shows only when it happens".to_owned()),
            Probe::Free | Probe::Paid => checks::verdict(*fact, &asked),
        };
        (*fact, verdict)
    });
    Findings {
        facts: facts.collect(),
        spent: asked.spent,
    }
}

//! `probe`: asks 1min.ai, by the cheapest requests that tell, whether what the client takes for true
//! about it is so. What costs credits is asked only within an amount that is given.

mod checks;
mod requests;
mod verdict;

use std::fmt::Write as _;

use onemin::facts::{Fact, Probe};
use onemin::{ApiKey, Client};
use serde_json::json;

use requests::Asked;
pub use verdict::Verdict;

/// What a probe has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    /// Every fact with its verdict.
    pub facts: Vec<(Fact, Verdict)>,
    /// Thousandths of a credit that were spent, as far as 1min.ai said so; the rest is estimated.
    pub spent: u64,
}

impl Findings {
    /// The facts that are otherwise.
    #[must_use]
    pub fn differing(&self) -> Vec<Fact> {
        let differing = self.facts.iter();
        let differing = differing.filter(|(_, verdict)| matches!(verdict, Verdict::Differs(_)));
        differing.map(|(fact, _)| *fact).collect()
    }

    /// A table for people.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = String::new();
        for (fact, verdict) in &self.facts {
            let _ = writeln!(
                text,
                "  {:<14} {:<20} {}",
                verdict.word(),
                fact.id(),
                fact.claim()
            );
            if !verdict.reason().is_empty() {
                let _ = writeln!(text, "  {:<35}  {}", "", verdict.reason());
            }
        }
        let count = |word| {
            self.facts
                .iter()
                .filter(|(_, of)| of.word() == word)
                .count()
        };
        let _ = writeln!(
            text,
            "\n{} hold, {} differ, {} could not be checked; about {} credits spent.",
            count("holds"),
            count("DIFFERS"),
            count("could not tell"),
            self.spent.div_ceil(1000)
        );
        text
    }

    /// A report that can be shown to anybody: no key, no account, no text of an answer.
    #[must_use]
    pub fn report(&self, day: &str) -> String {
        let facts = self.facts.iter().map(|(fact, verdict)| {
            json!({"fact": fact.id(), "verdict": verdict.word(), "seen": verdict.reason()})
        });
        let report = json!({
            "relay": env!("CARGO_PKG_VERSION"),
            "day": day,
            "credits": self.spent.div_ceil(1000),
            "facts": facts.collect::<Vec<_>>(),
        });
        let text = serde_json::to_string_pretty(&report);
        text.unwrap_or_default() + "\n"
    }
}

/// Asks about every fact. `spend` is the most thousandths of a credit that may be spent; none asks
/// only what is free.
pub async fn run(client: &Client, key: &ApiKey, spend: Option<u64>) -> Findings {
    let asked = Asked::ask(client, key, spend).await;
    let facts = Fact::ALL.iter().map(|fact| {
        let verdict = match fact.probe() {
            Probe::Never => Verdict::Unclear(
                "it shows only when it happens; relay_upstream_drift_total counts that".to_owned(),
            ),
            Probe::Free | Probe::Paid => checks::verdict(*fact, &asked),
        };
        (*fact, verdict)
    });
    Findings {
        facts: facts.collect(),
        spent: asked.spent,
    }
}

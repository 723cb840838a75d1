//! What a probe of 1min.ai has found, as a table for people and as a report for an issue.

use std::fmt::Write as _;

use onemin::probe::Findings;
use serde_json::json;

/// A table for people.
#[must_use]
pub fn table(findings: &Findings) -> String {
    let mut text = String::new();
    for (fact, verdict) in &findings.facts {
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
        let facts = findings.facts.iter();
        facts.filter(|(_, verdict)| verdict.word() == word).count()
    };
    let _ = writeln!(
        text,
        "\n{} hold, {} differ, {} could not be checked; about {} credits spent.",
        count("holds"),
        count("DIFFERS"),
        count("could not tell"),
        findings.spent.div_ceil(1000)
    );
    text
}

/// A report that can be shown to anybody: no key, no account, no text of an answer.
#[must_use]
pub fn report(findings: &Findings, day: &str) -> String {
    let facts = findings.facts.iter().map(|(fact, verdict)| {
        json!({"fact": fact.id(), "verdict": verdict.word(), "seen": verdict.reason()})
    });
    let report = json!({
        "relay": env!("CARGO_PKG_VERSION"),
        "day": day,
        "credits": findings.spent.div_ceil(1000),
        "facts": facts.collect::<Vec<_>>(),
    });
    let text = serde_json::to_string_pretty(&report);
    text.unwrap_or_default() + "\n"
}

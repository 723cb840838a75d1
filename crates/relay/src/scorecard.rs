//! `probe --models`: how well real models keep to the prompts of this relay. Each model gets the same
//! small tasks, whole and streamed, in both styles in which tools can be described; rules score the
//! answers.

pub mod tasks;
pub mod trial;

use std::fmt::Write as _;
use std::sync::Arc;

use onemin::models::Feature;
use onemin::prices::{self, ChatPrice};
use onemin::{Client, Model};
use serde_json::{Value, json};
use translate::compose::Wording;
use translate::compose::tools::Style;
use translate::quote::quote;
use translate::tokens;

use crate::ledger::estimate::unknown_chat_price;
use tasks::TASKS;
use trial::{Pipeline, Score, Trial};

/// The styles that are compared.
const STYLES: [Style; 2] = [Style::Signatures, Style::JsonSchema];

/// Tokens that an answer to a task has about.
const ANSWER_TOKENS: u64 = 150;

/// Tokens that 1min.ai adds to a prompt about.
const OVERHEAD_TOKENS: u64 = 100;

/// Tasks in a row without an answer after which a model is not asked any more.
const UNANSWERED_MAX: usize = 3;

/// How one model did in one style.
#[derive(Debug, Clone)]
pub struct StyleCard {
    /// How tools were described.
    pub style: Style,
    /// Every task that was asked.
    pub trials: Vec<Trial>,
}

/// How one model did.
#[derive(Debug, Clone)]
pub struct ModelCard {
    /// The model.
    pub model: String,
    /// By style.
    pub styles: Vec<StyleCard>,
}

/// How all did.
#[derive(Debug, Clone, Default)]
pub struct Scorecard {
    /// By model, in the order in which they were named.
    pub models: Vec<ModelCard>,
    /// Thousandths of a credit that were spent, as far as 1min.ai said so.
    pub spent: u64,
    /// Whether it ended early, since more might have cost more than was permitted.
    pub is_cut: bool,
}

/// The word of a style, as `--tool-style` takes it.
#[must_use]
pub fn style_name(style: Style) -> &'static str {
    match style {
        Style::Signatures => "signatures",
        Style::JsonSchema => "json-schema",
    }
}

/// Asks every task of these models, for at most `spend` thousandths of a credit by the estimate of
/// each next one.
pub async fn run(pipeline: &Pipeline<'_>, models: &[String], spend: u64) -> Scorecard {
    let listed = listed(pipeline.client).await;
    let mut card = Scorecard::default();
    for model in models {
        let price = listed.iter().find(|of| of.id == *model);
        let price = price.and_then(|of| ChatPrice::of(&of.credit_metadata));
        let price = price.or_else(unknown_chat_price);
        let mut of_model = ModelCard {
            model: model.clone(),
            styles: Vec::new(),
        };
        for style in STYLES {
            let wording = Arc::new(Wording {
                styles: vec![(model.clone(), style)],
            });
            let mut trials: Vec<Trial> = Vec::new();
            for (streamed, task) in [false, true]
                .into_iter()
                .flat_map(|streamed| TASKS.iter().map(move |task| (streamed, task)))
            {
                if is_dead(&trials) {
                    break;
                }
                let (answers, length) = match pipeline.prepare(task, model, &wording, streamed) {
                    Ok(prepared) => prepared,
                    Err(failure) => {
                        trials.push(Trial {
                            task: task.id,
                            streamed,
                            score: Score::Unanswered,
                            credits: 0.0,
                            reason: Some(failure.message),
                        });
                        continue;
                    }
                };
                let input = tokens::from_bytes(length as u64) + OVERHEAD_TOKENS;
                let estimate = price.map_or(0, |price| price.cost(input, ANSWER_TOKENS));
                if card.spent.saturating_add(estimate) > spend {
                    card.is_cut = true;
                    break;
                }
                let trial = trial::score(task, streamed, answers).await;
                card.spent = card
                    .spent
                    .saturating_add(prices::from_credits(trial.credits));
                trials.push(trial);
            }
            of_model.styles.push(StyleCard { style, trials });
        }
        card.models.push(of_model);
    }
    card
}

/// Whether the last tasks had no answer at all: the model or the account is at fault, and the rest
/// would have none either.
fn is_dead(trials: &[Trial]) -> bool {
    let last = trials.iter().rev().take(UNANSWERED_MAX);
    trials.len() >= UNANSWERED_MAX && last.into_iter().all(|of| of.score == Score::Unanswered)
}

async fn listed(client: &Client) -> Vec<Model> {
    client.models(Feature::Chat).await.unwrap_or_default()
}

impl StyleCard {
    /// How many tasks had this score, whole or streamed.
    #[must_use]
    pub fn count(&self, score: Score, streamed: bool) -> usize {
        let trials = self.trials.iter();
        trials
            .filter(|trial| trial.score == score && trial.streamed == streamed)
            .count()
    }

    /// What its tasks cost, in credits.
    #[must_use]
    pub fn credits(&self) -> f64 {
        self.trials.iter().map(|trial| trial.credits).sum()
    }

    fn total(&self, score: Score) -> usize {
        self.count(score, false) + self.count(score, true)
    }

    /// Tasks that were right at the end, those right at once counted twice: a correction is paid.
    fn points(&self) -> usize {
        2 * self.total(Score::Right) + self.total(Score::Corrected)
    }

    fn answered(&self) -> usize {
        self.trials.len() - self.total(Score::Unanswered)
    }
}

impl ModelCard {
    /// The better style: the one with more right; of equals the cheaper one. None unless both were
    /// asked wholly.
    #[must_use]
    pub fn better_style(&self) -> Option<Style> {
        let whole = 2 * TASKS.len();
        let is_told = self.styles.iter().all(|card| card.answered() == whole);
        if self.styles.len() < STYLES.len() || !is_told {
            return None;
        }
        let best = self.styles.iter().max_by(|a, b| {
            let cheaper = b.credits().total_cmp(&a.credits());
            a.points().cmp(&b.points()).then(cheaper)
        });
        best.map(|card| card.style)
    }
}

impl Scorecard {
    /// A table for people, and the row for `--tool-style`.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(
            text,
            "  {:<28} {:<12} {:<9} {:>5} {:>9} {:>5} {:>6} {:>10} {:>9}",
            "model",
            "tools as",
            "",
            "right",
            "corrected",
            "wrong",
            "leaked",
            "unanswered",
            "credits"
        );
        for of_model in &self.models {
            for card in &of_model.styles {
                for streamed in [false, true] {
                    let count = |score| card.count(score, streamed);
                    let trials = card
                        .trials
                        .iter()
                        .filter(|trial| trial.streamed == streamed);
                    let credits: f64 = trials.map(|trial| trial.credits).sum();
                    let _ = writeln!(
                        text,
                        "  {:<28} {:<12} {:<9} {:>5} {:>9} {:>5} {:>6} {:>10} {:>9.0}",
                        of_model.model,
                        style_name(card.style),
                        if streamed { "streamed" } else { "whole" },
                        count(Score::Right),
                        count(Score::Corrected),
                        count(Score::Wrong),
                        count(Score::Leaked),
                        count(Score::Unanswered),
                        credits
                    );
                }
            }
        }
        self.explain(&mut text);
        text
    }

    /// What was not right, why nothing was answered, and which style to take.
    fn explain(&self, text: &mut String) {
        for of_model in &self.models {
            for card in &of_model.styles {
                let failed = card
                    .trials
                    .iter()
                    .filter(|trial| trial.score > Score::Corrected);
                for trial in failed {
                    let mode = if trial.streamed { "streamed" } else { "whole" };
                    let reason = trial.reason.as_deref().unwrap_or_default();
                    let reason = quote(reason);
                    let _ = writeln!(
                        text,
                        "  {} {} {mode}: {} {} {reason}",
                        of_model.model,
                        style_name(card.style),
                        trial.task,
                        trial.score.word()
                    );
                }
            }
        }
        let better = self
            .models
            .iter()
            .filter_map(|of| Some((of, of.better_style()?)));
        let rows = better.map(|(of, style)| format!("{}={}", of.model, style_name(style)));
        let rows: Vec<String> = rows.collect();
        if !rows.is_empty() {
            let _ = writeln!(text, "\n  --tool-style {}", rows.join(","));
        }
        if self.is_cut {
            let _ = writeln!(text, "\n  --spend was not enough for all tasks.");
        }
        let _ = writeln!(text, "\nabout {} credits spent.", self.spent.div_ceil(1000));
    }

    /// A report that can be shown to anybody: names of models and tasks, scores and credits.
    #[must_use]
    pub fn report(&self, day: &str) -> String {
        let models = self.models.iter().map(|of_model| {
            let styles = of_model.styles.iter().map(|card| {
                let trials = card.trials.iter().map(|trial| {
                    json!({"task": trial.task, "streamed": trial.streamed,
                        "score": trial.score.word(), "credits": trial.credits})
                });
                json!({"style": style_name(card.style), "tasks": trials.collect::<Vec<Value>>()})
            });
            json!({"model": of_model.model, "styles": styles.collect::<Vec<Value>>(),
                "better": of_model.better_style().map(style_name)})
        });
        let report = json!({
            "relay": env!("CARGO_PKG_VERSION"),
            "day": day,
            "credits": self.spent.div_ceil(1000),
            "models": models.collect::<Vec<Value>>(),
        });
        let text = serde_json::to_string_pretty(&report);
        text.unwrap_or_default() + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(style: Style, right: usize, credits: f64) -> StyleCard {
        let trials = [false, true].into_iter().flat_map(|streamed| {
            TASKS.iter().enumerate().map(move |(at, task)| Trial {
                task: task.id,
                streamed,
                score: if at < right {
                    Score::Right
                } else {
                    Score::Wrong
                },
                credits,
                reason: None,
            })
        });
        StyleCard {
            style,
            trials: trials.collect(),
        }
    }

    #[test]
    fn the_better_style_is_that_with_more_right_then_the_cheaper_one() {
        let of = |signatures: StyleCard, schemas: StyleCard| ModelCard {
            model: "m".to_owned(),
            styles: vec![signatures, schemas],
        };
        let (by, schema) = (Style::Signatures, Style::JsonSchema);
        let rows = [
            (card(by, 20, 9.0), card(schema, 19, 5.0), by),
            (card(by, 18, 5.0), card(schema, 19, 9.0), schema),
            (card(by, 19, 5.0), card(schema, 19, 9.0), by),
            (card(by, 19, 9.0), card(schema, 19, 5.0), schema),
        ];
        for (signatures, schemas, better) in rows {
            assert_eq!(of(signatures, schemas).better_style(), Some(better));
        }
        let mut cut = card(schema, 20, 1.0);
        cut.trials.pop();
        assert_eq!(of(card(by, 20, 1.0), cut).better_style(), None);
    }
}

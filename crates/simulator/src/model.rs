//! The scripted model: answers as a model of some family would in a loop of tool calls.
//!
//! It sees only the prompt, so it is as stateless as the real one: which step of a plan comes next
//! is counted from the rounds of calls and results that stand in the transcript. Without a plan it
//! follows a policy of its own: it makes the calls that the user spells out, quotes their results,
//! and fills in a JSON Schema that it is asked to.

mod call;
mod dialect;
mod instance;
pub(crate) mod plan;
mod prompt;
mod section;
mod signature;
mod spelled_calls;

use serde_json::Value;

use crate::directive;

pub use call::Call;
pub use dialect::Dialect;
pub(crate) use dialect::spaced;
pub use plan::{Plan, Step};
use prompt::{Demand, Prompt};
use spelled_calls::SpelledCall;

/// Characters of a tool's result that the unscripted answer quotes.
const QUOTED_CHARS_MAX: usize = 4000;

/// What stands in a text of a plan for the results of the last round.
const RESULTS_PLACEHOLDER: &str = "{{results}}";

/// The model's answer; `None` if there is neither a plan nor anything in the prompt that asks for
/// calls, results or JSON.
pub(crate) fn answer(prompt: &str, plan: Option<&Plan>) -> Option<String> {
    let prompt = Prompt::read(prompt);
    let usual = Plan::default();
    let followed = plan.unwrap_or(&usual);
    if let Some(step) = followed.steps.get(prompt.rounds()) {
        let corrected = step.corrected.as_deref().filter(|_| prompt.corrects());
        return Some(write(corrected.unwrap_or(step), followed, &prompt));
    }
    policy(&prompt, followed.chatter).map(|step| write(&step, followed, &prompt))
}

/// What the model does of its own accord.
fn policy(prompt: &Prompt<'_>, chatter: bool) -> Option<Step> {
    let calls = requested_calls(prompt);
    if !calls.is_empty() {
        return Some(Step {
            calls,
            ..Step::default()
        });
    }
    if let Some(schema) = prompt.requested_schema() {
        return Some(Step {
            json: Some(instance::minimal(&schema)),
            ..Step::default()
        });
    }
    let quoted = quoted(prompt)?;
    let text = if chatter {
        format!("All tools have answered.\n\n{quoted}")
    } else {
        quoted
    };
    Some(Step {
        text: Some(text),
        ..Step::default()
    })
}

/// The calls that the user spells out for this round, or the one that the relay insists on.
fn requested_calls(prompt: &Prompt<'_>) -> Vec<Call> {
    let tools = prompt.tools();
    if tools.is_empty() {
        return Vec::new();
    }
    let said = directive::without(prompt.last_user_text());
    let fill = |spelled: SpelledCall| {
        let tool = tools.iter().find(|tool| tool.name == spelled.name)?;
        let arguments = spelled.arguments.unwrap_or_else(|| tool.arguments());
        Some(Call {
            name: tool.name.clone(),
            arguments,
        })
    };
    let rounds = spelled_calls::rounds(&said, prompt.one_at_a_time());
    let round = rounds.into_iter().nth(prompt.rounds()).unwrap_or_default();
    let demand = prompt.demand();
    let mut calls: Vec<Call> = round.into_iter().filter_map(fill).collect();
    if let Demand::Tool(name) = demand {
        calls.retain(|call| call.name == name);
    }
    let forced = match demand {
        _ if !calls.is_empty() => None,
        Demand::Tool(name) => tools.iter().find(|tool| tool.name == name),
        Demand::AnyTool => tools.first(),
        Demand::Nothing => None,
    };
    calls.extend(forced.map(|tool| Call {
        name: tool.name.clone(),
        arguments: tool.arguments(),
    }));
    calls
}

fn quoted(prompt: &Prompt<'_>) -> Option<String> {
    let lines = prompt.results().into_iter().map(|result| {
        let verb = if result.error { "failed" } else { "returned" };
        let name = result.name.unwrap_or("The tool");
        let text: String = result.text.chars().take(QUOTED_CHARS_MAX).collect();
        format!("{name} {verb}: {text}")
    });
    let lines: Vec<String> = lines.collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn write(step: &Step, plan: &Plan, prompt: &Prompt<'_>) -> String {
    let mut parts = Vec::new();
    if let Some(thought) = &step.think {
        parts.push(format!("<think>\n{thought}\n</think>"));
    }
    let results = prompt.last_results();
    let fallback = (plan.chatter && !step.calls.is_empty()).then_some("Let me look that up.");
    if let Some(text) = step.text.as_deref().or(fallback) {
        parts.push(text.replace(RESULTS_PLACEHOLDER, &results));
    }
    if let Some(value) = &step.json {
        parts.push(json_answer(value, plan.chatter));
    }
    if !step.calls.is_empty() {
        let filled: Vec<Call> = step.calls.iter().map(|call| fill(call, &results)).collect();
        parts.push(plan.family.render(&filled, prompt.asked_tag()));
    }
    parts.join("\n\n")
}

fn json_answer(value: &Value, chatter: bool) -> String {
    if !chatter {
        return spaced(value);
    }
    let pretty = serde_json::to_string_pretty(value).unwrap_or_default();
    format!("Here is the JSON:\n\n```json\n{pretty}\n```\n\nTell me if anything should be changed.")
}

/// The call with the results in the place of their name.
fn fill(call: &Call, results: &str) -> Call {
    Call {
        name: call.name.clone(),
        arguments: filled(&call.arguments, results),
    }
}

fn filled(value: &Value, results: &str) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace(RESULTS_PLACEHOLDER, results)),
        Value::Array(items) => items.iter().map(|item| filled(item, results)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), filled(value, results)))
            .collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests;

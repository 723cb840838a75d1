//! How the scripted model behaves, as data.

use serde::Deserialize;
use serde_json::Value;

use super::call::Call;
use super::dialect::Dialect;

/// How the model behaves, as data.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Plan {
    /// In whose dialect calls are written: a family (`claude`) or the dialect itself (`fenced`).
    pub family: Dialect,
    /// Whether prose stands around calls, and a fence around JSON.
    pub chatter: bool,
    /// One for each round since the last user message; behind the last one the policy decides.
    pub steps: Vec<Step>,
}

/// One assistant message of a plan. Its parts come in this order.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// Thoughts, between `<think>` tags.
    pub think: Option<String>,
    /// The text; `{{results}}` stands for the results of the last round.
    pub text: Option<String>,
    /// A value, as the answer to a request for JSON.
    pub json: Option<Value>,
    /// The calls, all in one message.
    pub calls: Vec<Call>,
    /// What is said in its place once the prompt tells that this step could not be used.
    pub corrected: Option<Box<Self>>,
}

//! A call that a plan makes.

use serde::Deserialize;
use serde_json::{Map, Value};

/// A call of a plan. `{"call": …, "with": …}` says the same without looking like a call.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The tool's name, whether it is offered or not.
    #[serde(alias = "call")]
    pub name: String,
    /// The arguments; a string is written as it is, so that they can be broken.
    #[serde(alias = "with", default = "no_arguments")]
    pub arguments: Value,
}

fn no_arguments() -> Value {
    Value::Object(Map::new())
}

//! Ollama's dialect: JSON objects by POST, answered by one object or by one a line.

pub mod chat;
pub mod embed;
pub mod encode;
pub mod error;
pub mod generate;
pub mod load;
pub mod models;
mod options;

use crate::plan::{DialectRules, StrictRules};

/// How requests of both APIs name what can be at fault.
const fn rules(conversation: &'static str) -> DialectRules {
    DialectRules {
        conversation,
        output_schema: "format",
        tool_schema: "function.parameters",
        strict_schemas: StrictRules::None,
    }
}

//! The one tool that must be called. Where nothing else may be called, models leave its name out
//! and write the bare arguments.

use super::json::candidates;
use crate::chat_request::{ToolInput, Tools};
use crate::schema::Definition;

/// The only tool that may be called, and must be.
#[derive(Debug)]
pub struct ForcedTool {
    /// Its name.
    pub name: String,
    schema: Definition,
}

impl ForcedTool {
    /// The tool that the choice leaves; none if there are several, or it takes no JSON.
    #[must_use]
    pub fn of(tools: &Tools) -> Option<Self> {
        let only = tools.forced()?;
        match &only.input {
            ToolInput::Json(schema) => Some(Self {
                name: only.name.clone(),
                schema: schema.clone(),
            }),
            ToolInput::Text => None,
        }
    }

    /// The arguments that an answer without a call consists of, or ends with in a fence: one object,
    /// every key of which is a parameter, and which fits.
    #[must_use]
    pub fn arguments(&self, answer: &str) -> Option<String> {
        let properties = self.schema.get("properties")?.as_object()?;
        let value = candidates::conclusion(answer)?.value;
        let given = value.as_object()?;
        if given.is_empty() || !given.keys().all(|key| properties.contains_key(key)) {
            return None;
        }
        let fitted = self.schema.compiled().ok()?.fitted(&value)?;
        Some(fitted.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat_request::{Tool, ToolChoice};
    use serde_json::json;

    fn offering(names: &[&str], choice: ToolChoice) -> Tools {
        let parameters = json!({"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}, "required": ["city"]});
        let tool = |name: &&str| Tool {
            name: (*name).to_owned(),
            description: None,
            input: ToolInput::Json(parameters.clone().into()),
            strict: false,
        };
        Tools {
            offered: names.iter().map(tool).collect(),
            choice,
            ..Tools::default()
        }
    }

    #[test]
    fn bare_arguments_are_those_of_the_one_tool_that_must_be_called() {
        let demanded =
            ForcedTool::of(&offering(&["a", "b"], ToolChoice::Named("b".into()))).unwrap();
        assert_eq!(demanded.name, "b");
        for (answer, arguments) in [
            (r#"{"city": "Paris"}"#, Some(r#"{"city":"Paris"}"#)),
            (
                "```json\n{\"days\": \"3\", \"city\": \"Paris\",}\n```",
                Some(r#"{"city":"Paris","days":3}"#),
            ),
            (r#"{"days": 3}"#, None),
            (r#"{"city": "Paris", "mood": "good"}"#, None),
            (
                "Like this:\n```json\n{\"city\": \"Paris\"}\n```",
                Some(r#"{"city":"Paris"}"#),
            ),
            (
                "Which city? Like this:\n```json\n{\"city\": \"Paris\"}\n```\nThen I can look.",
                None,
            ),
            (r#"Which city? For example {"city": "Paris"}."#, None),
            (
                "```\n{\"city\": \"Paris\"}\n```\n```\n{\"city\": \"Rome\"}\n```",
                None,
            ),
            (r#"{"city": "Paris", "city": "Rome"}"#, None),
            (r#"{"city": "Par"#, None),
            ("{}", None),
            ("It rains.", None),
            (r#"["Paris"]"#, None),
        ] {
            let found = demanded.arguments(answer);
            assert_eq!(found.as_deref(), arguments, "{answer}");
        }
    }

    #[test]
    fn one_of_several_must_be_named_by_the_model() {
        assert!(ForcedTool::of(&offering(&["a"], ToolChoice::Required)).is_some());
        assert!(ForcedTool::of(&offering(&["a", "b"], ToolChoice::Required)).is_none());
        assert!(ForcedTool::of(&offering(&["a"], ToolChoice::Auto)).is_none());
    }
}

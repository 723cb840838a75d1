//! The forms in which a call stands on the wire. The model knows but one: a name and a JSON object.

use serde_json::{Map, Value, json};

use crate::chat_request::ToolInput;

/// A tool that may be called, as the model knows it and as the client does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callable {
    /// The name the model is given.
    pub offered: String,
    /// The name in the client's declaration.
    pub name: String,
    /// The namespace in which the client declared it.
    pub namespace: Option<String>,
    /// How its calls are written.
    pub form: Form,
}

/// How calls of a tool are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `function_call`.
    Function,
    /// `custom_tool_call`: free text.
    Custom,
    /// `local_shell_call`: one command for the client's shell.
    LocalShell,
    /// `shell_call`: several commands for the client's shell.
    Shell,
    /// `apply_patch_call`: one change of one file.
    ApplyPatch,
    /// `tool_search_call`: the client looks for further tools.
    ToolSearch,
}

/// The namespace that is none: tools in it are called by their bare names.
const DEFAULT_NAMESPACE: &str = "functions";

/// The name by which the model knows a tool in a namespace.
#[must_use]
pub fn offered_name(namespace: Option<&str>, name: &str) -> String {
    match namespace {
        None | Some("" | DEFAULT_NAMESPACE) => name.to_owned(),
        Some(namespace) => format!("{namespace}.{name}"),
    }
}

impl Form {
    /// The form of a tool that OpenAI defines and the client carries out, by the tool's type.
    #[must_use]
    pub fn of_tool(kind: &str) -> Option<Self> {
        match kind {
            "local_shell" => Some(Self::LocalShell),
            "shell" => Some(Self::Shell),
            "apply_patch" => Some(Self::ApplyPatch),
            "tool_search" => Some(Self::ToolSearch),
            _ => None,
        }
    }

    /// The form of a call in the history, by the item's type.
    #[must_use]
    pub fn of_item(kind: &str) -> Option<Self> {
        match kind {
            "function_call" => Some(Self::Function),
            "custom_tool_call" => Some(Self::Custom),
            "local_shell_call" => Some(Self::LocalShell),
            "shell_call" => Some(Self::Shell),
            "apply_patch_call" => Some(Self::ApplyPatch),
            "tool_search_call" => Some(Self::ToolSearch),
            _ => None,
        }
    }

    /// Whether the arguments are told as they come, and not only when they are complete.
    #[must_use]
    pub fn is_told_in_pieces(self) -> bool {
        matches!(self, Self::Function | Self::Custom)
    }

    /// The name of a tool that has none of its own.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Function | Self::Custom => "",
            Self::LocalShell => "local_shell",
            Self::Shell => "shell",
            Self::ApplyPatch => "apply_patch",
            Self::ToolSearch => "tool_search",
        }
    }

    /// What ids of such items begin with.
    #[must_use]
    pub fn id_prefix(self) -> &'static str {
        match self {
            Self::Function => "fc",
            Self::Custom => "ctc",
            Self::LocalShell => "lsh",
            Self::Shell => "sh",
            Self::ApplyPatch => "apc",
            Self::ToolSearch => "tsc",
        }
    }

    /// What the model is told of a tool that its declaration says nothing about.
    #[must_use]
    pub fn description(self) -> Option<&'static str> {
        match self {
            Self::Function | Self::Custom => None,
            Self::LocalShell => Some("Runs one command, given as a program and its arguments."),
            Self::Shell => Some("Runs shell commands, each in a shell of its own, at once."),
            Self::ApplyPatch => Some(
                "Creates, updates or deletes one file. `diff` has a line for each line of the \
                 file that is shown: ` ` before lines that stay, `-` before lines that go, `+` \
                 before lines that come; `@@ <line>` before a part says where it is. For a new \
                 file every line begins with `+`; deleting needs no diff.",
            ),
            Self::ToolSearch => Some("Looks for further tools; those found can be called next."),
        }
    }

    /// What a tool takes that its declaration says nothing about.
    #[must_use]
    pub fn input(self) -> ToolInput {
        let (properties, required) = match self {
            Self::Custom => return ToolInput::Text,
            Self::Function => (json!({}), json!([])),
            Self::LocalShell => (
                json!({
                    "command": {"type": "array", "items": {"type": "string"}},
                    "working_directory": {"type": "string"},
                    "timeout_ms": {"type": "integer"},
                }),
                json!(["command"]),
            ),
            Self::Shell => (
                json!({
                    "commands": {"type": "array", "items": {"type": "string"}},
                    "timeout_ms": {"type": "integer"},
                    "max_output_length": {"type": "integer"},
                }),
                json!(["commands"]),
            ),
            Self::ApplyPatch => (
                json!({
                    "type": {"type": "string", "enum": ["create_file", "update_file", "delete_file"]},
                    "path": {"type": "string"},
                    "diff": {"type": "string"},
                }),
                json!(["type", "path"]),
            ),
            Self::ToolSearch => (json!({"query": {"type": "string"}}), json!(["query"])),
        };
        let parameters = json!({"type": "object", "properties": properties, "required": required});
        ToolInput::Json(parameters.into())
    }
}

impl Callable {
    /// A plain function.
    #[must_use]
    pub fn function(name: &str) -> Self {
        Self {
            offered: name.to_owned(),
            name: name.to_owned(),
            namespace: None,
            form: Form::Function,
        }
    }

    /// A call as an output item. The arguments are those that the model gave: JSON text, complete
    /// unless the answer was cut.
    #[must_use]
    pub fn item(&self, id: &str, call_id: &str, arguments: &str, status: &str) -> Value {
        let mut item = Map::new();
        let mut put = |key: &str, value: Value| {
            item.insert(key.to_owned(), value);
        };
        put("id", json!(id));
        put("call_id", json!(call_id));
        match self.form {
            Form::Function => {
                put("type", json!("function_call"));
                put("name", json!(self.name));
                put("arguments", json!(arguments));
                put("status", json!(status));
            }
            Form::Custom => {
                put("type", json!("custom_tool_call"));
                put("name", json!(self.name));
                put("input", json!(custom_input(arguments)));
            }
            Form::LocalShell => {
                put("type", json!("local_shell_call"));
                put("action", local_shell_action(&object(arguments)));
                put("status", json!(status));
            }
            Form::Shell => {
                put("type", json!("shell_call"));
                put("action", shell_action(&object(arguments)));
                put("status", json!(status));
            }
            Form::ApplyPatch => {
                put("type", json!("apply_patch_call"));
                put("operation", operation(&object(arguments)));
                put("status", json!(status));
            }
            Form::ToolSearch => {
                put("type", json!("tool_search_call"));
                put("execution", json!("client"));
                put("arguments", Value::Object(object(arguments)));
                put("status", json!(status));
            }
        }
        if let Some(namespace) = &self.namespace {
            put("namespace", json!(namespace));
        }
        Value::Object(item)
    }
}

/// The free text of a custom tool, which the model was asked to write as the one string `input`.
#[must_use]
pub fn custom_input(arguments: &str) -> String {
    if arguments.is_empty() {
        return String::new();
    }
    let value: Result<Value, _> = serde_json::from_str(arguments);
    let input = value
        .ok()
        .and_then(|value| value.get("input")?.as_str().map(str::to_owned));
    input.unwrap_or_else(|| arguments.to_owned())
}

fn object(arguments: &str) -> Map<String, Value> {
    serde_json::from_str(arguments).unwrap_or_default()
}

/// A list of strings; one string is a list of one.
fn strings(value: Option<&Value>) -> Value {
    match value {
        Some(Value::Array(list)) => list
            .iter()
            .filter(|entry| entry.is_string())
            .cloned()
            .collect(),
        Some(Value::String(one)) => json!([one]),
        _ => json!([]),
    }
}

/// The arguments that have the type they should. Others are left out, and never null: some clients
/// refuse a null where they would do without.
fn fit(arguments: &Map<String, Value>, key: &str, fits: fn(&Value) -> bool) -> Map<String, Value> {
    let value = arguments.get(key).filter(|value| fits(value));
    value
        .map(|value| (key.to_owned(), value.clone()))
        .into_iter()
        .collect()
}

fn is_whole_number(value: &Value) -> bool {
    value.is_i64() || value.is_u64()
}

fn local_shell_action(arguments: &Map<String, Value>) -> Value {
    let mut action = Map::new();
    action.insert("type".to_owned(), json!("exec"));
    action.insert("command".to_owned(), strings(arguments.get("command")));
    action.insert("env".to_owned(), json!({}));
    action.append(&mut fit(arguments, "timeout_ms", is_whole_number));
    action.append(&mut fit(arguments, "working_directory", Value::is_string));
    Value::Object(action)
}

fn shell_action(arguments: &Map<String, Value>) -> Value {
    let mut action = Map::new();
    action.insert("commands".to_owned(), strings(arguments.get("commands")));
    action.append(&mut fit(arguments, "timeout_ms", is_whole_number));
    action.append(&mut fit(arguments, "max_output_length", is_whole_number));
    Value::Object(action)
}

fn operation(arguments: &Map<String, Value>) -> Value {
    let text = |key: &str| {
        arguments
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    match text("type") {
        "delete_file" => json!({"type": "delete_file", "path": text("path")}),
        kind => json!({
            "type": if kind == "create_file" { kind } else { "update_file" },
            "path": text("path"),
            "diff": text("diff"),
        }),
    }
}

/// What the client says of a call, as the arguments that the model would have given.
#[must_use]
pub fn arguments_of(form: Form, given: &Value) -> String {
    let Value::Object(given) = given else {
        return String::new();
    };
    let told = |key: &str, value: &Value| {
        let is_kind_of_action = form == Form::LocalShell && key == "type";
        let is_empty = value.is_null() || value.as_object().is_some_and(Map::is_empty);
        !is_kind_of_action && !is_empty
    };
    let arguments: Map<String, Value> = given
        .iter()
        .filter(|(key, value)| told(key, value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    Value::Object(arguments).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(form: Form, arguments: &str) -> Value {
        let callable = Callable {
            form,
            ..Callable::function("t")
        };
        let mut item = callable.item("i", "c", arguments, "completed");
        for key in ["id", "call_id", "status", "name"] {
            item.as_object_mut().unwrap().remove(key);
        }
        item
    }

    #[test]
    fn a_call_takes_the_form_that_its_tool_has() {
        let table = [
            (
                Form::Function,
                r#"{"a":1}"#,
                json!({"type": "function_call", "arguments": "{\"a\":1}"}),
            ),
            (
                Form::Custom,
                r#"{"input":"a\nb"}"#,
                json!({"type": "custom_tool_call", "input": "a\nb"}),
            ),
            (
                Form::LocalShell,
                r#"{"command":["ls","-l"],"timeout_ms":1000}"#,
                json!({"type": "local_shell_call", "action": {
                    "type": "exec", "command": ["ls", "-l"], "env": {}, "timeout_ms": 1000,
                }}),
            ),
            (
                Form::Shell,
                r#"{"commands":"ls","timeout_ms":"soon"}"#,
                json!({"type": "shell_call", "action": {
                    "commands": ["ls"],
                }}),
            ),
            (
                Form::ApplyPatch,
                r#"{"type":"create_file","path":"a.txt","diff":"+x"}"#,
                json!({"type": "apply_patch_call", "operation": {
                    "type": "create_file", "path": "a.txt", "diff": "+x",
                }}),
            ),
            (
                Form::ApplyPatch,
                r#"{"type":"delete_file","path":"a.txt","diff":""}"#,
                json!({"type": "apply_patch_call", "operation": {
                    "type": "delete_file", "path": "a.txt",
                }}),
            ),
            (
                Form::ToolSearch,
                r#"{"query":"mail"}"#,
                json!({"type": "tool_search_call", "execution": "client", "arguments": {"query": "mail"}}),
            ),
        ];
        for (form, arguments, expected) in table {
            assert_eq!(item(form, arguments), expected, "{form:?}");
        }
    }

    #[test]
    fn a_call_of_the_history_reads_as_the_model_wrote_it() {
        for (form, arguments) in [
            (Form::LocalShell, r#"{"command":["ls"],"timeout_ms":5}"#),
            (Form::Shell, r#"{"commands":["ls"]}"#),
            (
                Form::ApplyPatch,
                r#"{"type":"update_file","path":"a","diff":"-x"}"#,
            ),
        ] {
            let field = match form {
                Form::ApplyPatch => "operation",
                _ => "action",
            };
            assert_eq!(arguments_of(form, &item(form, arguments)[field]), arguments);
        }
    }

    #[test]
    fn only_names_in_a_namespace_of_its_own_are_joined() {
        assert_eq!(offered_name(None, "a"), "a");
        assert_eq!(offered_name(Some("functions"), "a"), "a");
        assert_eq!(offered_name(Some("mail"), "send"), "mail.send");
    }
}

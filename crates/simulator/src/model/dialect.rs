//! How model families write calls in plain text.

use std::io;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::ser::Formatter;

use super::call::Call;

/// A way of writing calls; each goes by its own name and by those of the families that use it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// The tag that the prompt asks for, with JSON in it.
    #[default]
    #[serde(alias = "gpt")]
    Asked,
    /// `<tool_call>` with JSON in it, whatever the prompt asks for.
    #[serde(alias = "qwen")]
    Hermes,
    /// A fence marked `json`.
    Fenced,
    /// JSON and nothing around it.
    Bare,
    /// `<function_calls>`, `<invoke name="…">`, `<parameter name="…">`.
    #[serde(alias = "claude")]
    Invoke,
    /// `<tool_call><function=…><parameter=…>`.
    QwenCoder,
    /// `[TOOL_CALLS]` and a list.
    #[serde(alias = "mistral")]
    ToolCalls,
    /// `<|python_tag|>` and JSON whose arguments are called parameters.
    #[serde(alias = "llama")]
    PythonTag,
    /// `<｜tool▁calls▁begin｜>`… with the name before the separator.
    Deepseek,
    /// The same of the older models: with a type before, and the arguments in a fence.
    DeepseekV3,
    /// `[f(a=1), g()]`.
    Pythonic,
    /// A fence marked `tool_code` with Python calls.
    #[serde(alias = "gemini")]
    ToolCode,
}

impl Dialect {
    /// The calls as this family writes them. `tag` is what the prompt asks for.
    pub(super) fn render(self, calls: &[Call], tag: &str) -> String {
        let each = |write: &dyn Fn(&Call) -> String, between: &str| {
            let texts: Vec<String> = calls.iter().map(write).collect();
            texts.join(between)
        };
        let close = tag.replacen('<', "</", 1);
        match self {
            Self::Asked => each(
                &|call| format!("{tag}\n{}\n{close}", named(call, "arguments")),
                "\n",
            ),
            Self::Hermes => each(
                &|call| format!("<tool_call>\n{}\n</tool_call>", named(call, "arguments")),
                "\n",
            ),
            Self::Fenced => format!("```json\n{}\n```", list_or_one(calls)),
            Self::Bare => list_or_one(calls),
            Self::Invoke => format!(
                "<function_calls>\n{}\n</function_calls>",
                each(&invoke, "\n")
            ),
            Self::QwenCoder => each(&qwen_coder, "\n"),
            Self::ToolCalls => format!(
                "[TOOL_CALLS][{}]",
                each(&|call| named(call, "arguments"), ", ")
            ),
            Self::PythonTag => format!(
                "<|python_tag|>{}",
                each(&|call| named(call, "parameters"), "; ")
            ),
            Self::Deepseek => deepseek(&each(
                &|call| {
                    format!(
                        "<｜tool▁call▁begin｜>{}<｜tool▁sep｜>{}<｜tool▁call▁end｜>",
                        call.name,
                        arguments(call)
                    )
                },
                "",
            )),
            Self::DeepseekV3 => deepseek(&each(
                &|call| {
                    format!(
                        "<｜tool▁call▁begin｜>function<｜tool▁sep｜>{}\n```json\n{}\n```<｜tool▁call▁end｜>",
                        call.name,
                        arguments(call)
                    )
                },
                "\n",
            )),
            Self::Pythonic => format!("[{}]", each(&|call| python_call(call, ""), ", ")),
            Self::ToolCode => format!(
                "```tool_code\n{}\n```",
                each(
                    &|call| format!("print({})", python_call(call, "default_api.")),
                    "\n"
                )
            ),
        }
    }
}

fn deepseek(calls: &str) -> String {
    format!("<｜tool▁calls▁begin｜>{calls}<｜tool▁calls▁end｜>")
}

/// One object with the name and, under the given key, the arguments.
fn named(call: &Call, key: &str) -> String {
    let name = Value::from(call.name.as_str());
    format!("{{\"name\": {name}, \"{key}\": {}}}", arguments(call))
}

fn list_or_one(calls: &[Call]) -> String {
    let texts: Vec<String> = calls.iter().map(|call| named(call, "arguments")).collect();
    match texts.as_slice() {
        [one] => one.clone(),
        several => format!("[{}]", several.join(", ")),
    }
}

/// Arguments as JSON; a string of the plan as it is.
fn arguments(call: &Call) -> String {
    plain(&call.arguments)
}

/// A string without quotes, anything else as JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => spaced(other),
    }
}

fn invoke(call: &Call) -> String {
    let tag = |name: &str| {
        (
            format!("<parameter name=\"{name}\">"),
            "</parameter>\n".to_owned(),
        )
    };
    let inner = parameters(call, tag);
    format!("<invoke name=\"{}\">\n{inner}</invoke>", call.name)
}

fn qwen_coder(call: &Call) -> String {
    let tag = |name: &str| {
        (
            format!("<parameter={name}>\n"),
            "\n</parameter>\n".to_owned(),
        )
    };
    let inner = parameters(call, tag);
    format!(
        "<tool_call>\n<function={}>\n{inner}</function>\n</tool_call>",
        call.name
    )
}

fn parameters(call: &Call, tag: impl Fn(&str) -> (String, String)) -> String {
    let Some(fields) = call.arguments.as_object() else {
        return arguments(call);
    };
    let written = fields.iter().map(|(name, value)| {
        let (open, close) = tag(name);
        format!("{open}{}{close}", plain(value))
    });
    written.collect()
}

fn python_call(call: &Call, space: &str) -> String {
    let Some(fields) = call.arguments.as_object() else {
        return format!("{space}{}({})", call.name, arguments(call));
    };
    let written: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", python(value)))
        .collect();
    format!("{space}{}({})", call.name, written.join(", "))
}

/// A value as a literal of Python, whose strings are written as JSON's.
fn python(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(python).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| {
                format!("{}: {}", Value::from(name.as_str()), python(value))
            };
            let fields: Vec<String> = fields.iter().map(field).collect();
            format!("{{{}}}", fields.join(", "))
        }
        other => other.to_string(),
    }
}

/// JSON with a blank behind each colon and comma, as models write it.
pub(crate) fn spaced(value: &Value) -> String {
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Spaced);
    // Writing a value to memory cannot fail.
    let _ = value.serialize(&mut serializer);
    String::from_utf8(bytes).unwrap_or_default()
}

struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Call, Dialect};

    #[test]
    fn every_dialect_is_written_as_its_family_does() {
        let calls = [
            Call {
                name: "f".to_owned(),
                arguments: json!({"a": "x \"y\"", "b": [true, null, 1.5]}),
            },
            Call {
                name: "g".to_owned(),
                arguments: json!({}),
            },
        ];
        let f = r#"{"name": "f", "arguments": {"a": "x \"y\"", "b": [true, null, 1.5]}}"#;
        let g = r#"{"name": "g", "arguments": {}}"#;
        let args = r#"{"a": "x \"y\"", "b": [true, null, 1.5]}"#;
        let cases = [
            ("gpt", format!("<tool_call-2>\n{f}\n</tool_call-2>\n<tool_call-2>\n{g}\n</tool_call-2>")),
            ("qwen", format!("<tool_call>\n{f}\n</tool_call>\n<tool_call>\n{g}\n</tool_call>")),
            ("fenced", format!("```json\n[{f}, {g}]\n```")),
            ("bare", format!("[{f}, {g}]")),
            ("claude", "<function_calls>\n<invoke name=\"f\">\n<parameter name=\"a\">x \"y\"</parameter>\n<parameter name=\"b\">[true, null, 1.5]</parameter>\n</invoke>\n<invoke name=\"g\">\n</invoke>\n</function_calls>".to_owned()),
            ("qwen-coder", "<tool_call>\n<function=f>\n<parameter=a>\nx \"y\"\n</parameter>\n<parameter=b>\n[true, null, 1.5]\n</parameter>\n</function>\n</tool_call>\n<tool_call>\n<function=g>\n</function>\n</tool_call>".to_owned()),
            ("mistral", format!("[TOOL_CALLS][{f}, {g}]")),
            ("llama", format!("<|python_tag|>{}; {}", f.replace("arguments", "parameters"), g.replace("arguments", "parameters"))),
            ("deepseek", format!("<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>{args}<｜tool▁call▁end｜><｜tool▁call▁begin｜>g<｜tool▁sep｜>{{}}<｜tool▁call▁end｜><｜tool▁calls▁end｜>")),
            ("deepseek-v3", format!("<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n```json\n{args}\n```<｜tool▁call▁end｜>\n<｜tool▁call▁begin｜>function<｜tool▁sep｜>g\n```json\n{{}}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>")),
            ("pythonic", r#"[f(a="x \"y\"", b=[True, None, 1.5]), g()]"#.to_owned()),
            ("gemini", "```tool_code\nprint(default_api.f(a=\"x \\\"y\\\"\", b=[True, None, 1.5]))\nprint(default_api.g())\n```".to_owned()),
        ];
        for (family, expected) in cases {
            let dialect: Dialect = serde_json::from_value(json!(family)).expect("a family");
            assert_eq!(
                dialect.render(&calls, "<tool_call-2>"),
                expected,
                "{family}"
            );
        }
    }

    #[test]
    fn arguments_given_as_a_string_are_written_as_they_are() {
        let calls = [Call {
            name: "f".to_owned(),
            arguments: json!("{\"a\": tru"),
        }];
        assert_eq!(
            Dialect::Bare.render(&calls, ""),
            "{\"name\": \"f\", \"arguments\": {\"a\": tru}"
        );
    }
}

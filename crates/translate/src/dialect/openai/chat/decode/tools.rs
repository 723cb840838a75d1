//! `tools`, `functions` and the choice among them.

use crate::bounds;
use crate::chat_request::{Tool, ToolChoice, ToolInput, Tools};
use crate::dialect::openai::chat::wire;
use crate::dialect::openai::{choice, search};
use crate::dialect::{tool_name, tool_schema};
use crate::failure::{Failure, FieldPath};

/// Tools that upstream runs by itself.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Hosted {
    /// Web search.
    pub search: bool,
    /// The original relay's `code_interpreter`: the generator of code.
    pub code: bool,
}

/// The tools, and those that upstream runs. A `legacy` client can be told of one call only.
pub(super) fn tools(request: &mut wire::Request, legacy: bool) -> Result<(Tools, Hosted), Failure> {
    bounds::check_tools(request.tools.as_ref().map_or(0, Vec::len), "tools")?;
    bounds::check_tools(request.functions.as_ref().map_or(0, Vec::len), "functions")?;
    let mut offered = Vec::new();
    let mut hosted = Hosted::default();
    for (at, tool) in request
        .tools
        .take()
        .unwrap_or_default()
        .into_iter()
        .enumerate()
    {
        let Some(kind) = tool.kind() else {
            return Err(choice::without_type(&format_args!("tools[{at}].type")));
        };
        match kind {
            "function" => {
                let path = &format_args!("tools[{at}]");
                offered.push(match (tool.function, tool.name) {
                    (Some(function), _) => declared(function, &format_args!("{path}.function"))?,
                    (None, Some(name)) => {
                        let function = wire::Function {
                            name,
                            description: tool.description,
                            parameters: tool.parameters,
                            strict: tool.strict,
                        };
                        declared(function, path)?
                    }
                    (None, None) => {
                        return Err(Failure::invalid(
                            format!("{path}.function"),
                            "A tool of type `function` needs a `function` object.",
                        ));
                    }
                });
            }
            "custom" => {
                let path = &format_args!("tools[{at}]");
                offered.push(match (tool.custom, tool.name) {
                    (Some(declared), _) => custom(declared, &format_args!("{path}.custom"))?,
                    (None, Some(name)) => {
                        let declared = wire::Custom {
                            name,
                            description: tool.description,
                            format: tool.format,
                        };
                        custom(declared, path)?
                    }
                    (None, None) => {
                        return Err(Failure::invalid(
                            format!("{path}.custom"),
                            "A tool of type `custom` needs a `custom` object.",
                        ));
                    }
                });
            }
            kind if search::is_named(kind) => hosted.search = true,
            "code_interpreter" => hosted.code = true,
            kind => {
                let path = &format_args!("tools[{at}].type");
                choice::pass_over(kind, path, &mut request.ignored)?;
            }
        }
    }
    for (at, function) in request
        .functions
        .take()
        .unwrap_or_default()
        .into_iter()
        .enumerate()
    {
        offered.push(declared(function, &format_args!("functions[{at}]"))?);
    }
    let tools = Tools {
        choice: choice(request, &offered, hosted)?,
        one_at_a_time: request.parallel_tool_calls == Some(false) || legacy,
        offered,
    };
    Ok((tools, hosted))
}

/// How the model must choose. A demand for a call where nothing can be called is a contradiction,
/// unless it means what upstream does anyway.
fn choice(
    request: &wire::Request,
    offered: &[Tool],
    hosted: Hosted,
) -> Result<ToolChoice, Failure> {
    let (asked, field) = match &request.tool_choice {
        Some(asked) => (Some(asked), "tool_choice"),
        None => (request.function_call.as_ref(), "function_call"),
    };
    let choice = choice::decode(asked, offered).map_err(|failure| failure.with_param(field))?;
    let demanded = matches!(
        choice,
        ToolChoice::Required | ToolChoice::Allowed { required: true, .. }
    );
    if demanded && offered.is_empty() {
        if hosted.search || hosted.code {
            return Ok(ToolChoice::Auto);
        }
        return Err(Failure::invalid(
            field,
            format!("`{field}` requires a tool call, but no tools are offered."),
        ));
    }
    Ok(choice)
}

fn declared(function: wire::Function, path: FieldPath<'_>) -> Result<Tool, Failure> {
    tool_name::check(&function.name, &format_args!("{path}.name"))?;
    let schema = function.parameters.filter(|p| !p.is_null());
    let schema = schema.unwrap_or_else(|| serde_json::json!({"type": "object", "properties": {}}));
    tool_schema::check(&schema, &format_args!("{path}.parameters"))?;
    Ok(Tool {
        name: function.name,
        description: function.description,
        input: ToolInput::Json(schema.into()),
        strict: function.strict.unwrap_or(false),
    })
}

fn custom(custom: wire::Custom, path: FieldPath<'_>) -> Result<Tool, Failure> {
    tool_name::check(&custom.name, &format_args!("{path}.name"))?;
    let grammar = custom
        .format
        .map(|format| match format.grammar {
            Some(grammar) => (grammar.syntax, grammar.definition),
            None => (format.syntax, format.definition),
        })
        .and_then(|(syntax, definition)| {
            choice::grammar_in_words(syntax.as_deref(), definition.as_deref())
        });
    let words: Vec<String> = [custom.description, grammar]
        .into_iter()
        .flatten()
        .collect();
    Ok(Tool {
        name: custom.name,
        description: (!words.is_empty()).then(|| words.join("\n")),
        input: ToolInput::Text,
        strict: false,
    })
}

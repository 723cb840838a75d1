//! `tools`, `functions` and the choice among them.

use super::check_schema;
use crate::chat_request::{Tool, ToolChoice, ToolInput, Tools};
use crate::dialect::openai::chat::wire;
use crate::dialect::openai::{choice, search};
use crate::failure::Failure;

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
    let mut offered = Vec::new();
    let mut hosted = Hosted::default();
    for (at, tool) in request
        .tools
        .take()
        .unwrap_or_default()
        .into_iter()
        .enumerate()
    {
        match tool.kind.as_str() {
            "function" => offered.push(function(tool.function, at)?),
            "custom" => offered.push(custom(tool.custom, at)?),
            kind if search::is_named(kind) => hosted.search = true,
            "code_interpreter" => hosted.code = true,
            kind => {
                return Err(choice::unknown_tool(kind, &format!("tools[{at}].type")));
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
        offered.push(declared(function, &format!("functions[{at}]"))?);
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
            format!("`{field}` demands a call, but no tools are offered."),
        ));
    }
    Ok(choice)
}

fn function(function: Option<wire::Function>, at: usize) -> Result<Tool, Failure> {
    let path = format!("tools[{at}].function");
    let function = function.ok_or_else(|| {
        Failure::invalid(
            &path,
            "A tool of type `function` needs a `function` object.",
        )
    })?;
    declared(function, &path)
}

fn declared(function: wire::Function, path: &str) -> Result<Tool, Failure> {
    choice::check_name(&function.name, &format!("{path}.name"))?;
    let schema = function.parameters.filter(|p| !p.is_null());
    let schema = schema.unwrap_or_else(|| serde_json::json!({"type": "object", "properties": {}}));
    check_schema(&schema, &format!("{path}.parameters"))?;
    Ok(Tool {
        name: function.name,
        description: function.description,
        input: ToolInput::Json(schema),
        strict: function.strict.unwrap_or(false),
    })
}

fn custom(custom: Option<wire::Custom>, at: usize) -> Result<Tool, Failure> {
    let path = format!("tools[{at}].custom");
    let custom = custom.ok_or_else(|| {
        Failure::invalid(&path, "A tool of type `custom` needs a `custom` object.")
    })?;
    choice::check_name(&custom.name, &format!("{path}.name"))?;
    let grammar = custom
        .format
        .and_then(|format| format.grammar)
        .and_then(|grammar| {
            choice::grammar_in_words(grammar.syntax.as_deref(), grammar.definition.as_deref())
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

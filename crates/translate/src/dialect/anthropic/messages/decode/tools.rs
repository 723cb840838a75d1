//! Tools and their choice.
//!
//! The client's own tools are offered as they are, Anthropic's client tools with the schemas that
//! its documentation gives them. Web search becomes upstream's. A search among tools is not
//! needed: where one is asked for, no tool's loading is deferred. All other server tools run on
//! Anthropic's machines: offered they are passed over by name, demanded they are refused, and so are
//! always those that users choose knowingly.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::wire;
use super::client_tools;
use super::history::History;
use crate::bounds;
use crate::chat_request::{Tool, ToolChoice, ToolInput, Tools, WebSearch};
use crate::dialect::{tool_name, tool_schema};
use crate::failure::{Failure, FieldPath, echo};

/// The most sites that one search reads here, however many searches the client allows.
const MAX_SITES: u64 = 10;

/// What a request may use.
pub(super) struct Decoded {
    /// The client's own tools.
    pub(super) tools: Tools,
    /// Web search, where it is made.
    pub(super) search: Option<WebSearch>,
    /// Whether the search is demanded: it is chosen, or there is no other tool.
    pub(super) search_is_demanded: bool,
}

/// The tools, and web search if it is among them. What is `answering` tools' results searches only
/// on demand.
pub(super) fn decode(
    request: &mut wire::Request,
    history: History,
    answering: bool,
) -> Result<Decoded, Failure> {
    let mut declared = request.tools.take().unwrap_or_default();
    declared.extend(history.added);
    bounds::check_tools(declared.len(), "tools")?;
    let mut offer = Offer {
        loads_all: declared.iter().any(|tool| is_tool_search(kind(tool))),
        loaded: history.loaded,
        removed: history.removed,
        ..Offer::default()
    };
    let choice = request.tool_choice.take().unwrap_or_default();
    offer.loaded.extend(choice.name.clone());
    for (at, tool) in declared.into_iter().enumerate() {
        offer.tool(tool, &format_args!("tools[{at}]"), request)?;
    }
    let demanded = choice.kind == "tool" && choice.name.as_deref() == Some("web_search");
    let search = offer
        .search
        .filter(|_| choice.kind != "none" && (demanded || !answering));
    let tools = Tools {
        choice: self::choice(&choice, &offer)?,
        one_at_a_time: choice.disable_parallel_tool_use == Some(true),
        offered: offer.tools,
    };
    Ok(Decoded {
        search_is_demanded: search.is_some() && (demanded || tools.offered.is_empty()),
        tools,
        search,
    })
}

#[derive(Default)]
struct Offer {
    tools: Vec<Tool>,
    search: Option<WebSearch>,
    /// Server tools that are not available here, by the names that a choice has for them.
    passed_over: Vec<PassedOver>,
    loads_all: bool,
    loaded: BTreeSet<String>,
    removed: BTreeSet<String>,
}

struct PassedOver {
    name: String,
    kind: String,
}

impl Offer {
    fn tool(
        &mut self,
        tool: wire::Tool,
        path: FieldPath<'_>,
        request: &mut wire::Request,
    ) -> Result<(), Failure> {
        let tool = in_own_form(tool);
        let name = tool.name.clone().unwrap_or_default();
        if self.removed.contains(&name) {
            return Ok(());
        }
        let deferred =
            tool.defer_loading == Some(true) && !self.loads_all && !self.loaded.contains(&name);
        let tool = match kind(&tool) {
            "custom" => custom(tool, path)?,
            kind if kind.starts_with("web_search") => {
                self.search = search(&tool, path, request);
                return Ok(());
            }
            kind if is_tool_search(kind) => return Ok(()),
            kind => match client_tools::of(kind, &tool) {
                Some(known) => known,
                None if tool.input_schema.is_some() && !is_chosen_knowingly(kind) => {
                    custom(tool, path)?
                }
                None if is_chosen_knowingly(kind) => {
                    return Err(unavailable(kind, &format_args!("{path}.type")));
                }
                // To offer a tool is not to demand it.
                None => {
                    let kind = kind.to_owned();
                    request.ignore(kind.clone());
                    self.passed_over.push(PassedOver { name, kind });
                    return Ok(());
                }
            },
        };
        let again = self.tools.iter().position(|other| other.name == tool.name);
        match again.and_then(|at| self.tools.get_mut(at)) {
            Some(place) => *place = tool,
            None if deferred => {}
            None => self.tools.push(tool),
        }
        Ok(())
    }
}

fn kind(tool: &wire::Tool) -> &str {
    tool.kind.as_deref().unwrap_or("custom")
}

/// A tool in OpenAI's form, nested or flat, as the client's own tool that it is. There a tool may be
/// without a schema.
fn in_own_form(tool: wire::Tool) -> wire::Tool {
    match (tool.kind.as_deref(), tool.function) {
        (None | Some("function"), Some(function)) => wire::Tool {
            kind: None,
            name: Some(function.name),
            description: function.description,
            input_schema: Some(schema_or_any(function.parameters)),
            strict: function.strict,
            function: None,
            ..tool
        },
        (Some("function"), None) => wire::Tool {
            kind: None,
            input_schema: Some(schema_or_any(tool.input_schema)),
            function: None,
            ..tool
        },
        (_, function) => wire::Tool { function, ..tool },
    }
}

fn schema_or_any(schema: Option<Value>) -> Value {
    let schema = schema.filter(|schema| !schema.is_null());
    schema.unwrap_or_else(|| json!({"type": "object"}))
}

fn is_tool_search(kind: &str) -> bool {
    kind.starts_with("tool_search_tool")
}

/// Tools that users choose knowingly: without them the answer would not be what was asked for.
fn is_chosen_knowingly(kind: &str) -> bool {
    const FAMILIES: [&str; 8] = [
        "code_execution",
        // Client tools in a version that is not known here.
        "bash",
        "text_editor",
        "computer",
        "memory",
        "mcp_toolset",
        "computer_toolset",
        "browser_toolset",
    ];
    FAMILIES.iter().any(|family| kind.starts_with(family))
}

/// The refusal of a tool type that cannot be used here.
fn unavailable(kind: &str, param: FieldPath<'_>) -> Failure {
    let kind = echo(kind);
    let message = format!(
        "Tools of type `{kind}` are not available here: use tools of your own with `input_schema`, web_search, bash, text_editor, computer or memory."
    );
    Failure::invalid(param.to_string(), message)
}

fn custom(tool: wire::Tool, path: FieldPath<'_>) -> Result<Tool, Failure> {
    let name = tool
        .name
        .ok_or_else(|| Failure::invalid(format!("{path}.name"), "A tool needs a `name`."))?;
    tool_name::check(&name, &format_args!("{path}.name"))?;
    let schema = tool.input_schema.filter(|schema| !schema.is_null());
    let schema = schema.ok_or_else(|| {
        let message = format!("The tool `{name}` needs an `input_schema`.");
        Failure::invalid(format!("{path}.input_schema"), message)
    })?;
    let path = &format_args!("{path}.input_schema");
    if !schema.is_object() {
        let message = format!("The `input_schema` of `{name}` must be a JSON Schema object.");
        return Err(Failure::invalid(path.to_string(), message));
    }
    tool_schema::check(&schema, &path)?;
    Ok(Tool {
        name,
        description: tool.description,
        input: ToolInput::Json(schema.into()),
        strict: tool.strict == Some(true),
    })
}

/// Upstream searches once, before the model answers, and takes a number of sites. The number of
/// searches that a client allows is the nearest it says.
fn search(
    tool: &wire::Tool,
    path: FieldPath<'_>,
    request: &mut wire::Request,
) -> Option<WebSearch> {
    let limits = [
        ("allowed_domains", &tool.allowed_domains),
        ("blocked_domains", &tool.blocked_domains),
        ("user_location", &tool.user_location),
    ];
    for (field, value) in limits {
        let asks = value.as_ref().is_some_and(|value| {
            !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty())
        });
        if asks {
            request.ignore(format!("{path}.{field}"));
        }
    }
    let sites = tool.max_uses.map(|uses| uses.0.min(MAX_SITES));
    (sites != Some(0)).then(|| WebSearch {
        sites: sites.and_then(|sites| u32::try_from(sites).ok()),
        words: None,
    })
}

fn choice(choice: &wire::ToolChoice, offer: &Offer) -> Result<ToolChoice, Failure> {
    match (choice.kind.as_str(), choice.name.as_deref()) {
        ("" | "auto", _) => Ok(ToolChoice::Auto),
        ("none", _) => Ok(ToolChoice::None),
        // What upstream does with a search is not the model's choice.
        ("any" | "required", _) if offer.tools.is_empty() && offer.search.is_some() => {
            Ok(ToolChoice::Auto)
        }
        ("tool", Some("web_search")) if offer.search.is_some() => Ok(ToolChoice::Auto),
        ("any" | "required", _) if offer.tools.is_empty() => Err(match offer.passed_over.first() {
            Some(tool) => unavailable(&tool.kind, &"tool_choice"),
            None => Failure::invalid(
                "tool_choice",
                "A tool must be called but `tools` offers none.",
            ),
        }),
        ("any" | "required", _) => Ok(ToolChoice::Required),
        ("tool", Some(name)) if offer.tools.iter().any(|tool| tool.name == name) => {
            Ok(ToolChoice::Named(name.to_owned()))
        }
        ("tool", Some(name)) => {
            let passed_over = offer.passed_over.iter().find(|tool| tool.name == name);
            Err(match passed_over {
                Some(tool) => unavailable(&tool.kind, &"tool_choice.name"),
                None => Failure::invalid(
                    "tool_choice.name",
                    format!("The tool `{}` is chosen but not among `tools`.", echo(name)),
                ),
            })
        }
        ("tool", None) => Err(Failure::invalid(
            "tool_choice.name",
            "A named tool choice needs the tool's `name`.",
        )),
        (other, _) => Err(Failure::invalid(
            "tool_choice.type",
            format!(
                "Invalid tool choice `{}`: use auto, any, tool or none.",
                echo(other)
            ),
        )),
    }
}

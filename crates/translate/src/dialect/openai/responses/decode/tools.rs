//! `tools`, and the choice among them.

use serde_json::{Value, json};

use super::fields::read;
use crate::bounds::{self, note_ignored};
use crate::chat_request::{Tool, ToolChoice, ToolInput, WebSearch};
use crate::dialect::openai::responses::calls::{Callable, Form, offered_name};
use crate::dialect::openai::responses::wire;
use crate::dialect::openai::{choice, search};
use crate::dialect::{tool_name, tool_schema};
use crate::failure::{Failure, FieldPath, echo};

/// What may be called, and whether the web may be searched.
#[derive(Debug, Default)]
pub(super) struct Offer {
    pub(super) tools: Vec<Tool>,
    /// The same tools in the same order, as the client knows them.
    pub(super) callables: Vec<Callable>,
    pub(super) search: Option<WebSearch>,
    pub(super) ignored: Vec<String>,
    /// How many were declared so far, again and again too.
    declared: usize,
}

impl Offer {
    /// Adds the tools of a list. A tool declared again takes the place of the earlier one.
    pub(super) fn add(&mut self, tools: &[Value], path: FieldPath<'_>) -> Result<(), Failure> {
        for (at, tool) in tools.iter().enumerate() {
            self.add_one(tool, None, &format_args!("{path}[{at}]"))?;
        }
        Ok(())
    }

    fn add_one(
        &mut self,
        value: &Value,
        namespace: Option<&str>,
        path: FieldPath<'_>,
    ) -> Result<(), Failure> {
        let tool: wire::Tool = read(value, path)?;
        let Some(kind) = tool.kind() else {
            return Err(choice::without_type(&format_args!("{path}.type")));
        };
        match kind {
            "function" => self.function(tool, namespace, path),
            "custom" => self.custom(tool, namespace, path),
            "namespace" if namespace.is_none() => self.namespace(tool, path),
            kind if search::is_named(kind) => {
                self.search(&tool, path);
                Ok(())
            }
            // Tools that OpenAI would look through are all offered at once.
            "tool_search" if tool.execution.as_deref() != Some("client") => Ok(()),
            kind => match Form::of_tool(kind) {
                Some(form) => self.clients_own(form, tool, path),
                None => choice::pass_over(kind, &format_args!("{path}.type"), &mut self.ignored),
            },
        }
    }

    fn function(
        &mut self,
        tool: wire::Tool,
        namespace: Option<&str>,
        path: FieldPath<'_>,
    ) -> Result<(), Failure> {
        let (tool, within) = match tool.function {
            Some(function) => (
                wire::Tool {
                    name: function.name,
                    description: function.description,
                    parameters: function.parameters,
                    strict: function.strict,
                    function: None,
                    ..tool
                },
                ".function",
            ),
            None => (tool, ""),
        };
        let path = &format_args!("{path}{within}");
        let schema = tool.parameters.filter(|parameters| !parameters.is_null());
        let schema = schema.unwrap_or_else(|| json!({"type": "object", "properties": {}}));
        tool_schema::check(&schema, &format_args!("{path}.parameters"))?;
        let declared = DeclaredTool {
            name: tool.name,
            description: tool.description,
            input: ToolInput::Json(schema.into()),
            strict: tool.strict.unwrap_or(false),
            form: Form::Function,
        };
        self.declare(declared, namespace, path)
    }

    fn custom(
        &mut self,
        tool: wire::Tool,
        namespace: Option<&str>,
        path: FieldPath<'_>,
    ) -> Result<(), Failure> {
        let grammar = tool.format.and_then(grammar);
        let words: Vec<String> = [tool.description, grammar].into_iter().flatten().collect();
        let declared = DeclaredTool {
            name: tool.name,
            description: (!words.is_empty()).then(|| words.join("\n")),
            input: ToolInput::Text,
            strict: false,
            form: Form::Custom,
        };
        self.declare(declared, namespace, path)
    }

    fn namespace(&mut self, tool: wire::Tool, path: FieldPath<'_>) -> Result<(), Failure> {
        let name = tool.name.unwrap_or_default();
        tool_name::check(&name, &format_args!("{path}.name"))?;
        for (at, tool) in tool.tools.unwrap_or_default().iter().enumerate() {
            self.add_one(tool, Some(&name), &format_args!("{path}.tools[{at}]"))?;
        }
        Ok(())
    }

    /// A tool that OpenAI defines and the client carries out.
    fn clients_own(
        &mut self,
        form: Form,
        tool: wire::Tool,
        path: FieldPath<'_>,
    ) -> Result<(), Failure> {
        let place = tool
            .environment
            .as_ref()
            .and_then(|at| at.get("type")?.as_str());
        if let Some(place) = place.filter(|place| *place != "local") {
            return Err(Failure::invalid(
                format!("{path}.environment.type"),
                format!(
                    "A shell in `{}` is not available here: only `local`, which the client runs.",
                    echo(place)
                ),
            ));
        }
        let schema = tool
            .parameters
            .filter(Value::is_object)
            .map(|schema| ToolInput::Json(schema.into()));
        let declared = DeclaredTool {
            name: Some(form.name().to_owned()),
            description: tool
                .description
                .or_else(|| form.description().map(str::to_owned)),
            input: schema.unwrap_or_else(|| form.input()),
            strict: false,
            form,
        };
        self.declare(declared, None, path)
    }

    fn declare(
        &mut self,
        declared: DeclaredTool,
        namespace: Option<&str>,
        path: FieldPath<'_>,
    ) -> Result<(), Failure> {
        self.declared += 1;
        bounds::check_tools(self.declared, "tools")?;
        let name = declared.name.unwrap_or_default();
        tool_name::check(&name, &format_args!("{path}.name"))?;
        let offered = offered_name(namespace, &name);
        let tool = Tool {
            name: offered.clone(),
            description: declared.description,
            input: declared.input,
            strict: declared.strict,
        };
        let callable = Callable {
            offered,
            name,
            namespace: namespace.map(str::to_owned),
            form: declared.form,
        };
        let earlier = self.tools.iter().position(|known| known.name == tool.name);
        if let Some(at) = earlier {
            self.tools.remove(at);
            self.callables.remove(at);
        }
        self.tools.push(tool);
        self.callables.push(callable);
        Ok(())
    }

    /// A search that must not reach the web is none here: upstream has no store of it.
    fn search(&mut self, tool: &wire::Tool, path: FieldPath<'_>) {
        if tool.external_web_access == Some(false) {
            note_ignored(&mut self.ignored, path.to_string());
            return;
        }
        self.search = Some(search::sized(tool.search_context_size.as_deref()));
        for (given, field) in [
            (tool.filters.is_some(), "filters"),
            (tool.user_location.is_some(), "user_location"),
        ] {
            if given {
                note_ignored(&mut self.ignored, format!("{path}.{field}"));
            }
        }
    }

    /// How the model must choose. A demand for a call where nothing can be called is a
    /// contradiction, unless it means the web search that is done anyway.
    pub(super) fn choice(&self, asked: Option<&Value>) -> Result<ToolChoice, Failure> {
        let asked = asked.map(|asked| self.in_offered_names(asked));
        let choice = choice::decode(asked.as_ref(), &self.tools)
            .map_err(|failure| failure.with_param("tool_choice"))?;
        let demanded = matches!(
            choice,
            ToolChoice::Required | ToolChoice::Allowed { required: true, .. }
        );
        if demanded && self.tools.is_empty() {
            if self.search.is_some() {
                return Ok(ToolChoice::Auto);
            }
            return Err(Failure::invalid(
                "tool_choice",
                "`tool_choice` requires a tool call, but no tools are offered.",
            ));
        }
        Ok(choice)
    }

    /// A choice names tools as the client knows them: by name and namespace, or by type alone.
    fn in_offered_names(&self, asked: &Value) -> Value {
        let mut asked = asked.clone();
        self.rename(&mut asked);
        let nested = asked.get("allowed_tools").is_some_and(Value::is_object);
        let holder = if nested {
            asked.get_mut("allowed_tools")
        } else {
            Some(&mut asked)
        };
        let tools = holder.and_then(|holder| holder.get_mut("tools")?.as_array_mut());
        // A longer list is refused.
        for tool in tools.into_iter().flatten().take(bounds::TOOLS_MAX) {
            self.rename(tool);
        }
        asked
    }

    fn rename(&self, named: &mut Value) {
        let word = |key: &str| named.get(key).and_then(Value::as_str);
        let name = word("name")
            .or_else(|| word("type").and_then(|kind| Form::of_tool(kind).map(Form::name)));
        let namespace = word("namespace");
        let known = self.callables.iter().find(|callable| {
            Some(callable.name.as_str()) == name
                && (namespace.is_none() || callable.namespace.as_deref() == namespace)
        });
        if let (Some(known), Value::Object(fields)) = (known, named) {
            fields.insert("name".to_owned(), json!(known.offered));
        }
    }
}

struct DeclaredTool {
    name: Option<String>,
    description: Option<String>,
    input: ToolInput,
    strict: bool,
    form: Form,
}

fn grammar(format: wire::Format) -> Option<String> {
    let (syntax, definition) = match format.grammar {
        Some(grammar) => (grammar.syntax, grammar.definition),
        None => (format.syntax, format.definition),
    };
    choice::grammar_in_words(syntax.as_deref(), definition.as_deref())
}

//! A responses request becomes a [`ChatRequest`], and the shape its answer must have.
//!
//! Two steps, because a request may go on from what was said before: [`read`] tells what it refers
//! to, [`ResponsesRequest::continued`] takes what a store has of it.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::encode::EncodeOptions;
use super::wire;
use crate::bounds::{self, note_ignored};
use crate::chat_request::{
    ChatRequest, Delivery, Message, OutputFormat, OutputLimits, Part, Role, Tools, WebSearch,
};
use crate::dialect::DecodedRequest;
use crate::dialect::openai::json_schema;
use crate::dialect::openai::{metadata, search};
use crate::dialect::request::{self, model};
use crate::failure::{Failure, FieldPath, Kind, echo};

mod content;
mod echo;
mod fields;
mod input;
mod tools;

use fields::read as read_value;
use input::{Reader, missing_item};

/// Decodes a request that refers to nothing kept.
///
/// # Errors
/// A [`Kind::Invalid`] failure that names the field at fault, also if the request refers to a
/// stored response or conversation.
pub fn decode(body: &[u8]) -> Result<DecodedRequest, Failure> {
    let asked = read(body)?;
    if let Some(id) = asked.previous_response_id() {
        return Err(missing_previous(id));
    }
    if let Some(id) = asked.conversation() {
        return Err(missing_conversation(id).with_param("conversation"));
    }
    let decoded = asked.continued(&History::default())?;
    Ok(DecodedRequest {
        chat: decoded.chat,
        further: Vec::new(),
        encoder: Box::new(decoded.options),
    })
}

/// Reads the body of `POST /v1/responses`.
///
/// # Errors
/// A [`Kind::Invalid`] failure that names the field at fault.
pub fn read(body: &[u8]) -> Result<ResponsesRequest, Failure> {
    let mut asked = read_for_counting(body)?;
    if asked.model.is_empty() {
        return Err(model::missing(model::MODEL_IDS));
    }
    let request = &mut asked.request;
    if request.background == Some(true) {
        return Err(Failure::invalid(
            "background",
            "Responses in the background are not available here: leave `background` out and wait, or use `stream`.",
        ));
    }
    if request.prompt.is_some() {
        return Err(Failure::invalid(
            "prompt",
            "Prompt templates of OpenAI's are not available here: send their text as `instructions` and `input`.",
        ));
    }
    Ok(asked)
}

/// Reads the body of `POST /v1/responses/input_tokens`, which is the same but needs no model.
///
/// # Errors
/// A [`Kind::Invalid`] failure that names the field at fault.
pub fn read_for_counting(body: &[u8]) -> Result<ResponsesRequest, Failure> {
    let mut request: wire::Request = request::parse(body)?;
    let (model, online) = model::model_and_search(request.model.take().unwrap_or_default());
    if request.previous_response_id.is_some() && request.conversation.is_some() {
        return Err(Failure::invalid(
            "previous_response_id",
            "Give `previous_response_id` or `conversation`, not both.",
        ));
    }
    metadata::check(request.metadata.as_ref().unwrap_or(&BTreeMap::new()))?;
    let items = match request.input.take() {
        None => Vec::new(),
        Some(wire::Input::Text(text)) => vec![json!({
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": text}],
        })],
        Some(wire::Input::Items(items)) => items,
    };
    let references = items.iter().filter_map(reference).count();
    bounds::at_most(
        references,
        bounds::ITEM_REFERENCES_MAX,
        "input",
        "references to items",
    )?;
    Ok(ResponsesRequest {
        model: if model.trim().is_empty() {
            String::new()
        } else {
            model
        },
        online,
        items,
        request,
    })
}

/// A request, before what it refers to is known.
#[derive(Debug)]
pub struct ResponsesRequest {
    model: String,
    online: bool,
    items: Vec<Value>,
    request: wire::Request,
}

/// What a store has of what a request refers to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// The items that stand before the request's own, oldest first: of the chain of earlier
    /// responses (input and output), or of the conversation.
    pub items: Vec<Value>,
    /// Items by their id, for [`ResponsesRequest::references`].
    pub referred: BTreeMap<String, Value>,
}

/// A decoded request.
#[derive(Debug)]
pub struct Decoded {
    /// What is asked.
    pub chat: ChatRequest,
    /// Who writes the answer.
    pub options: EncodeOptions,
    /// The request's own input items, references resolved, as the client gave them;
    /// [`numbered`](super::items::numbered) makes them fit to be stored and listed.
    pub input: Vec<Value>,
}

impl ResponsesRequest {
    /// The response from which the request goes on.
    #[must_use]
    pub fn previous_response_id(&self) -> Option<&str> {
        self.request.previous_response_id.as_deref()
    }

    /// The conversation to which the request belongs.
    #[must_use]
    pub fn conversation(&self) -> Option<&str> {
        self.request
            .conversation
            .as_ref()
            .map(|conversation| conversation.id.as_str())
    }

    /// Whether the answer is to be kept: unless the client says no.
    #[must_use]
    pub fn stores(&self) -> bool {
        self.request.store != Some(false)
    }

    /// The ids of stored items that the input refers to.
    pub fn references(&self) -> impl Iterator<Item = &str> {
        self.items.iter().filter_map(reference)
    }

    /// Decodes the request, with what a store has of its past.
    ///
    /// # Errors
    /// A [`Kind::Invalid`] failure that names the field at fault, such as a reference to an item
    /// that is nowhere.
    pub fn continued(mut self, past: &History) -> Result<Decoded, Failure> {
        let instructions = self
            .request
            .instructions
            .as_deref()
            .filter(|text| !text.is_empty());
        let mut reader = Reader::default();
        reader.messages.extend(instructions.map(|text| Message {
            role: Role::System,
            name: None,
            parts: vec![Part::Text(text.to_owned())],
        }));
        let instructed = reader.messages.len();
        let declared = self.request.tools.take().unwrap_or_default();
        reader.offer.add(&declared, &"tools")?;
        for (at, item) in past.items.iter().enumerate() {
            reader.item(item, &format_args!("earlier[{at}]"))?;
        }
        let input = resolved(std::mem::take(&mut self.items), past)?;
        for (at, item) in &input {
            reader.item(item, &format_args!("input[{at}]"))?;
        }
        let said = reader.messages.get(instructed..).unwrap_or_default();
        request::check_messages(said, "input")
            .map_err(|failure| request::with_endpoint_of(failure, &self.request.ignored))?;
        let input = input.into_iter().map(|(_, item)| item).collect();
        self.decoded(reader, &declared, input)
    }

    fn decoded(
        self,
        mut reader: Reader,
        declared: &[Value],
        input: Vec<Value>,
    ) -> Result<Decoded, Failure> {
        let search = self.search(&reader);
        let mut request = self.request;
        let echo = echo::echo(&request, &self.model, declared);
        let choice = reader.offer.choice(request.tool_choice.as_ref())?;
        let mut ignored = std::mem::take(&mut request.ignored);
        ignored.append(&mut reader.offer.ignored);
        ignored.append(&mut reader.ignored);
        without_effect(&request, &mut ignored);
        let summary = request.reasoning.as_ref().is_some_and(|reasoning| {
            reasoning.summary.is_some() || reasoning.generate_summary.is_some()
        });
        let options = EncodeOptions {
            callables: reader.offer.callables,
            query: search.map(|_| request::question(&reader.messages)),
            summary,
            keep: request.store != Some(false),
            echo,
        };
        let chat = ChatRequest {
            model: self.model,
            messages: reader.messages,
            tools: Tools {
                offered: reader.offer.tools,
                choice,
                one_at_a_time: request.parallel_tool_calls == Some(false),
            },
            output: output(reader.text.as_ref().or(request.text.as_ref()))?,
            limits: limits(&request)?,
            search,
            effort: reader
                .effort
                .or(request.reasoning.and_then(|reasoning| reasoning.effort)),
            choices: 1,
            delivery: if request.stream == Some(true) {
                Delivery::Streamed
            } else {
                Delivery::Whole
            },
            ignored,
            ..ChatRequest::default()
        };
        Ok(Decoded {
            chat,
            options,
            input,
        })
    }
}

impl ResponsesRequest {
    /// What is searched for.
    fn search(&self, reader: &Reader) -> Option<WebSearch> {
        let choice = self.request.tool_choice.as_ref();
        let offered = reader.offer.search.or(self.online.then(WebSearch::default));
        offered.filter(|_| self.online || search::is_made(choice, &reader.messages))
    }
}

/// The request's items, each with its place. A reference becomes the item it means; one to
/// thoughts falls away, for thoughts are never sent upstream.
fn resolved(items: Vec<Value>, past: &History) -> Result<Vec<(usize, Value)>, Failure> {
    let id_of = |item: &'_ Value| item.get("id").and_then(Value::as_str).map(str::to_owned);
    let here = past.items.iter();
    let mut here: HashMap<String, &Value> =
        here.rev().filter_map(|i| Some((id_of(i)?, i))).collect();
    here.extend(past.referred.iter().map(|(id, item)| (id.clone(), item)));
    let mut taken = HashSet::new();
    let mut resolved = Vec::with_capacity(items.len());
    for (at, item) in items.into_iter().enumerate() {
        let Some(id) = reference(&item) else {
            resolved.push((at, item));
            continue;
        };
        match here.get(id) {
            // Each copy of a large item would be as large.
            Some(_) if !taken.insert(id.to_owned()) => {
                let message = format!("The item `{}` is referenced twice.", echo(id));
                return Err(Failure::invalid(format!("input[{at}]"), message));
            }
            Some(found) => resolved.push((at, (*found).clone())),
            None if id.starts_with("rs_") => {}
            None => return Err(missing_item(id, &format_args!("input[{at}]"))),
        }
    }
    Ok(resolved)
}

/// The id of the item that an item refers to. The type may be left out.
fn reference(item: &Value) -> Option<&str> {
    let is_reference = match item.get("type") {
        None | Some(Value::Null) => item.get("role").is_none(),
        Some(kind) => kind == "item_reference",
    };
    item.get("id")
        .filter(|_| is_reference)
        .and_then(Value::as_str)
}

/// Refuses items that could not be part of a conversation. A path such as `items` says where they
/// stand.
///
/// # Errors
/// A [`Kind::Invalid`] failure that names the item at fault.
pub fn check_items(items: &[Value], path: FieldPath<'_>) -> Result<(), Failure> {
    let mut reader = Reader::default();
    let mut numbered = items.iter().enumerate();
    numbered.try_for_each(|(at, item)| reader.item(item, &format_args!("{path}[{at}]")))
}

/// The failure of a request that goes on from a response that is not kept.
#[must_use]
pub fn missing_previous(id: &str) -> Failure {
    Failure::invalid(
        "previous_response_id",
        format!("Previous response with id '{}' not found.", echo(id)),
    )
    .with_code("previous_response_not_found")
}

/// The failure of a request that goes on from a response behind more than `most` of them.
#[must_use]
pub fn long_chain(id: &str, most: usize) -> Failure {
    let message = format!(
        "The chain of responses that ends with '{}' is longer than {most}: begin a new one, with what is needed of it in `input`.",
        echo(id)
    );
    Failure::invalid("previous_response_id", message).with_code("previous_response_chain_too_long")
}

/// The failure of a request that would add to a conversation that has no room.
#[must_use]
pub fn full_conversation(id: &str) -> Failure {
    let message = format!(
        "Conversation '{}' has no room for this: begin a new one, or delete items.",
        echo(id)
    );
    Failure::new(Kind::TooLarge, message).with_code("conversation_too_large")
}

/// The failure of a request for a response that is not kept.
#[must_use]
pub fn missing_response(id: &str) -> Failure {
    Failure::new(
        Kind::NotFound,
        format!("Response with id '{}' not found.", echo(id)),
    )
}

/// The failure of a request that names a conversation that is not kept.
#[must_use]
pub fn missing_conversation(id: &str) -> Failure {
    Failure::new(
        Kind::NotFound,
        format!("Conversation with id '{}' not found.", echo(id)),
    )
}

fn limits(request: &wire::Request) -> Result<OutputLimits, Failure> {
    let max_tokens = request.max_output_tokens.map(|count| count.0);
    if max_tokens == Some(0) {
        return Err(Failure::invalid(
            "max_output_tokens",
            "`max_output_tokens` must be at least 1.",
        ));
    }
    Ok(OutputLimits {
        max_tokens,
        stop: Vec::new(),
    })
}

fn output(text: Option<&Map<String, Value>>) -> Result<OutputFormat, Failure> {
    let Some(format) = text
        .and_then(|text| text.get("format"))
        .filter(|format| !format.is_null())
    else {
        return Ok(OutputFormat::Text);
    };
    let format: wire::TextFormat = read_value(format, &"text.format")?;
    match format.kind.as_str() {
        "text" => Ok(OutputFormat::Text),
        "json_object" => Ok(OutputFormat::Json),
        "json_schema" => {
            let schema = format.schema.ok_or_else(|| {
                Failure::invalid(
                    "text.format.schema",
                    "A format of type `json_schema` needs a `schema`.",
                )
            })?;
            json_schema::check(&schema, &"text.format.schema")?;
            Ok(OutputFormat::Schema {
                name: format.name.unwrap_or_else(|| echo::SCHEMA_NAME.to_owned()),
                schema: schema.into(),
                strict: format.strict.unwrap_or(false),
            })
        }
        other => Err(Failure::invalid(
            "text.format.type",
            format!(
                "Invalid text format `{}`: use text, json_object or json_schema.",
                echo(other)
            ),
        )),
    }
}

/// Names what was asked for and has no effect.
fn without_effect(request: &wire::Request, ignored: &mut Vec<String>) {
    let verbosity = request.text.as_ref().and_then(|text| text.get("verbosity"));
    for (given, name) in [
        (request.temperature.is_some(), "temperature"),
        (request.top_p.is_some(), "top_p"),
        (
            request.top_logprobs.is_some_and(|count| count.0 > 0),
            "top_logprobs",
        ),
        (request.max_tool_calls.is_some(), "max_tool_calls"),
        (request.truncation.as_deref() == Some("auto"), "truncation"),
        (
            verbosity.is_some_and(|verbosity| !verbosity.is_null()),
            "text.verbosity",
        ),
    ] {
        if given {
            ignored.push(name.to_owned());
        }
    }
    let wanted = request.include.iter().flatten();
    let nothing = wanted.filter(|what| UNKNOWN_DETAILS.contains(&what.as_str()));
    for what in nothing {
        note_ignored(ignored, format!("include.{what}"));
    }
}

/// Details that upstream does not give, among those that `include` may ask for. The others belong
/// to tools that are not available here, or have nothing to show.
const UNKNOWN_DETAILS: [&str; 3] = [
    "message.output_text.logprobs",
    "web_search_call.action.sources",
    "web_search_call.results",
];

#[cfg(test)]
mod tests;

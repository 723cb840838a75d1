//! A chat completions request becomes a [`ChatRequest`], and the shape its answer must have.

use super::encode::EncodeOptions;
use super::wire;
use crate::chat_request::{
    ChatRequest, Delivery, OutputFormat, OutputLimits, ToolInput, WebSearch,
};
use crate::dialect::DecodedRequest;
use crate::dialect::openai::json_schema;
use crate::dialect::openai::{limits, search};
use crate::dialect::request::forms::Count;
use crate::dialect::request::{self, model};
use crate::failure::{Failure, echo};

mod messages;
mod tools;

use messages::messages;
use tools::tools;

/// Decodes the body of a request.
///
/// # Errors
/// An invalid request: the failure names the field at fault.
pub fn decode(body: &[u8]) -> Result<DecodedRequest, Failure> {
    let mut request: wire::Request = request::parse(body)?;
    let (model, online) = model::required(request.model.take(), model::MODEL_IDS)?;
    let legacy_functions =
        request.functions.is_some() && request.tools.as_ref().is_none_or(Vec::is_empty);
    let (tools, hosted) = tools(&mut request, legacy_functions)?;
    let options = EncodeOptions {
        model: model.clone(),
        usage: request
            .stream_options
            .as_ref()
            .and_then(|o| o.include_usage)
            == Some(true),
        legacy_functions,
        custom_tools: tools
            .offered
            .iter()
            .filter(|t| t.input == ToolInput::Text)
            .map(|t| t.name.clone())
            .collect(),
    };
    let streamed = request.stream == Some(true);
    if request
        .web_search_options
        .as_ref()
        .is_some_and(|o| o.user_location.is_some())
    {
        request
            .ignored
            .push("web_search_options.user_location".to_owned());
    }
    // Upstream has no such knob, and words about thinking hard only change answers.
    if request.reasoning_effort.is_some() {
        request.ignored.push("reasoning_effort".to_owned());
    }
    let messages = messages(&mut request)?;
    let choice = request.tool_choice.as_ref();
    let offered = hosted.search && search::is_made(choice, &messages);
    let chat = ChatRequest {
        search: search(&request, online || offered),
        messages,
        code: hosted.code,
        extra_params: std::mem::take(&mut request.extra_params),
        output: output(request.response_format.take())?,
        limits: limits(&mut request)?,
        choices: limits::choices(request.n)?,
        delivery: if streamed {
            Delivery::Streamed
        } else {
            Delivery::Whole
        },
        effort: request.reasoning_effort,
        ignored: request.ignored,
        model,
        tools,
    };
    Ok(DecodedRequest {
        chat,
        further: Vec::new(),
        encoder: Box::new(options),
    })
}

fn limits(request: &mut wire::Request) -> Result<OutputLimits, Failure> {
    let (max_tokens, field) = match request.max_completion_tokens {
        Some(n) => (Some(n), "max_completion_tokens"),
        None => (request.max_tokens, "max_tokens"),
    };
    limits::limits(max_tokens, field, request.stop.take())
}

fn search(request: &wire::Request, asked: bool) -> Option<WebSearch> {
    let options = request.web_search_options.as_ref();
    if !(asked || request.web_search == Some(true) || options.is_some()) {
        return None;
    }
    let sized = search::sized(options.and_then(|o| o.search_context_size.as_deref()));
    Some(WebSearch {
        sites: request.num_of_site.map(small).or(sized.sites),
        words: request.max_word.map(small).or(sized.words),
    })
}

fn small(count: Count) -> u32 {
    u32::try_from(count.0).unwrap_or(u32::MAX)
}

fn output(format: Option<wire::ResponseFormat>) -> Result<OutputFormat, Failure> {
    let Some(format) = format else {
        return Ok(OutputFormat::Text);
    };
    match format.kind.as_str() {
        "text" => Ok(OutputFormat::Text),
        "json_object" => Ok(OutputFormat::Json),
        "json_schema" => {
            let missing = || {
                Failure::invalid(
                    "response_format.json_schema.schema",
                    "`json_schema` needs a `schema`.",
                )
            };
            let json = format.json_schema.ok_or_else(missing)?;
            let schema = json.schema.ok_or_else(missing)?;
            json_schema::check(&schema, &"response_format.json_schema.schema")?;
            Ok(OutputFormat::Schema {
                name: json.name.unwrap_or_else(|| "response".to_owned()),
                schema: schema.into(),
                strict: json.strict.unwrap_or(false),
            })
        }
        other => Err(Failure::invalid(
            "response_format.type",
            format!(
                "Invalid response format `{}`: use text, json_object or json_schema.",
                echo(other)
            ),
        )),
    }
}

#[cfg(test)]
mod tests;

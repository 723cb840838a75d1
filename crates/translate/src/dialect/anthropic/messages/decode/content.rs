//! Content blocks become parts.

use serde_json::Value;

use super::super::wire::{self, Block, Content};
use crate::chat_request::{Attachment, Call, CallResult, Part, Role, Source};
use crate::dialect::data_uri;
use crate::dialect::request;
use crate::dialect::result_text;
use crate::failure::{Failure, FieldPath, echo};

/// The parts of a message's content.
pub(super) fn parts(
    content: Content,
    role: Role,
    path: FieldPath<'_>,
) -> Result<Vec<Part>, Failure> {
    let blocks = match content {
        Content::Text(text) if role == Role::Tool => return Ok(result_text::parts(text)),
        Content::Text(text) => return Ok(vec![Part::Text(text)]),
        Content::Object => {
            return Err(Failure::invalid(
                path.to_string(),
                format!("`{path}` is a string or an array of content blocks."),
            ));
        }
        Content::Blocks(blocks) => blocks,
    };
    let mut parts = Vec::with_capacity(blocks.len());
    for (at, block) in blocks.into_iter().enumerate() {
        self::block(block, role, &format_args!("{path}[{at}]"), &mut parts)?;
    }
    Ok(parts)
}

fn block(
    block: Block,
    role: Role,
    path: FieldPath<'_>,
    parts: &mut Vec<Part>,
) -> Result<(), Failure> {
    match block.kind.as_str() {
        "text" => parts.push(Part::Text(
            block.text.ok_or_else(|| missing("text", "text", path))?,
        )),
        "image" => parts.push(Part::Image(image(block.source, path)?)),
        "document" => document(block, role, path, parts)?,
        "search_result" => parts.push(search_result(block, path)?),
        "tool_use" => parts.push(Part::Call(call(block, path)?)),
        "tool_result" => parts.push(Part::Result(result(block, path)?)),
        "thinking" => parts.push(Part::Reasoning(block.thinking.unwrap_or_default())),
        "tool_reference" => {
            let name = block
                .tool_name
                .ok_or_else(|| missing("tool_reference", "tool_name", path))?;
            parts.push(Part::Text(format!(
                "The tool {name} can be called from now on."
            )));
        }
        "compaction" => parts.extend(summary(block.content)),
        "container_upload" => {
            let id = block
                .file_id
                .ok_or_else(|| missing("container_upload", "file_id", path))?;
            parts.push(Part::File(media(Source::FileId(id), None, None)));
        }
        kind if leaves_no_trace(kind) || role == Role::Assistant => {}
        other => return Err(unknown(other, path)),
    }
    Ok(())
}

/// Blocks of the history with nothing in them for another model: sealed thoughts, and what
/// Anthropic's own tools did and gave, which the text after them has taken in. Written out they
/// would only be imitated. Changes of the tools have been read before.
fn leaves_no_trace(kind: &str) -> bool {
    const NAMES: [&str; 8] = [
        "redacted_thinking",
        "server_tool_use",
        "mcp_tool_use",
        "tool_addition",
        "tool_removal",
        "mcp_tool_listing",
        "browser_state",
        "fallback",
    ];
    NAMES.contains(&kind) || kind.ends_with("_tool_result")
}

fn unknown(kind: &str, path: FieldPath<'_>) -> Failure {
    let kind = echo(kind);
    let message = format!(
        "Invalid content block type `{kind}`: use text, image, document, search_result, tool_use or tool_result."
    );
    Failure::invalid(format!("{path}.type"), message)
}

fn missing(kind: &str, field: &str, path: FieldPath<'_>) -> Failure {
    Failure::invalid(
        format!("{path}.{field}"),
        format!("A block of type `{kind}` needs `{field}`."),
    )
}

fn call(block: Block, path: FieldPath<'_>) -> Result<Call, Failure> {
    let arguments = match block.input {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text,
        Some(value) => value.to_string(),
    };
    Ok(Call {
        id: block.id.ok_or_else(|| missing("tool_use", "id", path))?,
        name: block
            .name
            .ok_or_else(|| missing("tool_use", "name", path))?,
        arguments,
    })
}

fn result(block: Block, path: FieldPath<'_>) -> Result<CallResult, Failure> {
    let parts = match block.content {
        None => Vec::new(),
        Some(content) => parts(content, Role::Tool, &format_args!("{path}.content"))?,
    };
    Ok(CallResult {
        call_id: block
            .tool_use_id
            .ok_or_else(|| missing("tool_result", "tool_use_id", path))?,
        name: None,
        parts,
        is_error: block.is_error == Some(true),
    })
}

/// The summary that stands for the beginning of a compacted conversation.
fn summary(content: Option<Content>) -> Option<Part> {
    match content {
        Some(Content::Text(text)) if !text.is_empty() => Some(Part::Text(text)),
        _ => None,
    }
}

fn image(source: Option<wire::Source>, path: FieldPath<'_>) -> Result<Attachment, Failure> {
    let path = &format_args!("{path}.source");
    let source = bytes(source, "image", path)?;
    match source.kind.as_str() {
        "base64" => inline(source, path),
        "url" => {
            let url = source.url.ok_or_else(|| missing("url", "url", path))?;
            request::picture(url, &format_args!("{path}.url"))
        }
        "file" => file(source, path),
        other => Err(Failure::invalid(
            format!("{path}.type"),
            format!(
                "Invalid image source type `{}`: use base64, url or file.",
                echo(other)
            ),
        )),
    }
}

fn document(
    block: Block,
    role: Role,
    path: FieldPath<'_>,
    parts: &mut Vec<Part>,
) -> Result<(), Failure> {
    let path = &format_args!("{path}.source");
    let title = block.title.filter(|title| !title.is_empty());
    let context = block.context.filter(|context| !context.is_empty());
    let source = bytes(block.source, "document", path)?;
    let media = match source.kind.as_str() {
        "base64" => inline(source, path)?,
        "url" => remote(source, path)?,
        "file" => file(source, path)?,
        "text" => {
            let text = source.data.ok_or_else(|| missing("text", "data", path))?;
            parts.extend(written(title.as_deref(), context, vec![Part::Text(text)]));
            return Ok(());
        }
        "content" => {
            let inner = source
                .content
                .ok_or_else(|| missing("content", "content", path))?;
            let inner = self::parts(inner, role, &format_args!("{path}.content"))?;
            parts.extend(written(title.as_deref(), context, inner));
            return Ok(());
        }
        other => {
            let other = echo(other);
            let message = format!(
                "Invalid document source type `{other}`: use base64, text, url, content or file."
            );
            return Err(Failure::invalid(format!("{path}.type"), message));
        }
    };
    if let Some(text) = plain_text(&media) {
        parts.extend(written(title.as_deref(), context, vec![Part::Text(text)]));
        return Ok(());
    }
    parts.extend(context.map(Part::Text));
    parts.push(Part::File(Attachment {
        name: title,
        ..media
    }));
    Ok(())
}

/// A document whose text is in the request stands in the prompt as it is: no upload, nothing lost.
fn plain_text(media: &Attachment) -> Option<String> {
    let text = media.mime.as_deref()?.starts_with("text/");
    match &media.source {
        Source::Inline(bytes) if text => std::str::from_utf8(bytes).ok().map(str::to_owned),
        _ => None,
    }
}

fn written(title: Option<&str>, context: Option<String>, inner: Vec<Part>) -> Vec<Part> {
    let open = match title {
        Some(title) => format!("<document title=\"{}\">", attribute(title)),
        None => "<document>".to_owned(),
    };
    let mut parts = vec![Part::Text(open)];
    parts.extend(context.map(Part::Text));
    parts.extend(inner);
    parts.push(Part::Text("</document>".to_owned()));
    parts
}

fn search_result(block: Block, path: FieldPath<'_>) -> Result<Part, Failure> {
    let Some(wire::Source::Address(source)) = block.source else {
        return Err(missing("search_result", "source", path));
    };
    let title = block.title.unwrap_or_default();
    let mut text = format!(
        "<search_result source=\"{}\" title=\"{}\">\n",
        attribute(&source),
        attribute(&title)
    );
    match block.content {
        Some(Content::Text(content)) => text.push_str(&content),
        Some(Content::Blocks(blocks)) => {
            let texts: Vec<String> = blocks.into_iter().filter_map(|block| block.text).collect();
            text.push_str(&texts.join("\n"));
        }
        Some(Content::Object) | None => {}
    }
    text.push_str("\n</search_result>");
    Ok(Part::Text(text))
}

fn bytes(
    source: Option<wire::Source>,
    kind: &str,
    path: FieldPath<'_>,
) -> Result<wire::Bytes, Failure> {
    match source {
        Some(wire::Source::Bytes(bytes)) => Ok(*bytes),
        Some(wire::Source::Address(_)) => Err(Failure::invalid(
            path.to_string(),
            format!("The `source` of a block of type `{kind}` is an object with `type`."),
        )),
        None => Err(Failure::invalid(
            path.to_string(),
            format!("A block of type `{kind}` needs `source`."),
        )),
    }
}

fn inline(source: wire::Bytes, path: FieldPath<'_>) -> Result<Attachment, Failure> {
    let data = source.data.ok_or_else(|| missing("base64", "data", path))?;
    let data = request::inline(&data).filter(|data| !data.bytes.is_empty());
    let data = data
        .ok_or_else(|| Failure::invalid(format!("{path}.data"), "`data` is not valid base64."))?;
    Ok(media(
        Source::Inline(data.bytes),
        None,
        source.media_type.or(data.mime),
    ))
}

fn remote(source: wire::Bytes, path: FieldPath<'_>) -> Result<Attachment, Failure> {
    let url = source.url.ok_or_else(|| missing("url", "url", path))?;
    let path = &format_args!("{path}.url");
    if data_uri::is_data_uri(&url) {
        let data = data_uri::parse(&url);
        let data = data.ok_or_else(|| {
            Failure::invalid(
                path.to_string(),
                "The data URI cannot be decoded: write data:<type>;base64,<bytes>.",
            )
        })?;
        return Ok(media(Source::Inline(data.bytes), None, data.mime));
    }
    let scheme = url
        .split(':')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    if scheme != "http" && scheme != "https" {
        return Err(Failure::invalid(
            path.to_string(),
            "A document must be an http(s) URL or a data URI.",
        ));
    }
    Ok(media(Source::Url(url), None, source.media_type))
}

fn file(source: wire::Bytes, path: FieldPath<'_>) -> Result<Attachment, Failure> {
    let id = source
        .file_id
        .ok_or_else(|| missing("file", "file_id", path))?;
    Ok(media(Source::FileId(id), None, source.media_type))
}

fn media(source: Source, name: Option<String>, mime: Option<String>) -> Attachment {
    Attachment { source, name, mime }
}

/// A client's words as the value of an attribute: on one line, and nothing in them ends it.
fn attribute(words: &str) -> String {
    let words = words.chars().map(|c| if c.is_control() { ' ' } else { c });
    words.filter(|c| !"\"<>".contains(*c)).collect()
}

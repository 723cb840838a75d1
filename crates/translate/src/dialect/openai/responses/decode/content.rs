//! Content parts: text, images, files, recordings.

use crate::chat_request::{Attachment, Part, Source};
use crate::dialect::openai::parts::{self, Common};
use crate::dialect::openai::responses::wire;
use crate::dialect::request;
use crate::failure::{Failure, FieldPath, echo};

/// The parts of a list, which stands at a path of the request.
pub(super) fn parts(parts: Vec<wire::Part>, path: FieldPath<'_>) -> Result<Vec<Part>, Failure> {
    let numbered = parts.into_iter().enumerate();
    numbered
        .map(|(at, part)| self::part(part, &format_args!("{path}[{at}]")))
        .collect()
}

fn part(part: wire::Part, path: FieldPath<'_>) -> Result<Part, Failure> {
    let common = match part.kind.as_str() {
        "input_text" | "output_text" | "text" | "summary_text" | "reasoning_text" => {
            Common::Text(part.text)
        }
        "refusal" => Common::Refusal(part.refusal),
        "input_image" | "image_url" => Common::Image {
            url: part.image_url,
            file_id: part.file_id,
            field: "image_url",
        },
        "input_audio" => Common::Audio(part.input_audio),
        "input_file" | "file" => return file(part, path).map(Part::File),
        other => {
            return Err(Failure::invalid(
                format!("{path}.type"),
                format!(
                    "Invalid content part type `{}`: use input_text, input_image, input_file, output_text or refusal.",
                    echo(other)
                ),
            ));
        }
    };
    match parts::read(common, &part.kind, path)? {
        Part::Text(text) if part.kind == "reasoning_text" => Ok(Part::Reasoning(text)),
        read => Ok(read),
    }
}

fn file(part: wire::Part, path: FieldPath<'_>) -> Result<Attachment, Failure> {
    let name = part.filename;
    if let Some(id) = part.file_id {
        return Ok(parts::uploaded(id, name));
    }
    let (text, field) = match (part.file_data, part.file_url) {
        (Some(data), _) => (data, "file_data"),
        (None, Some(url)) => {
            if url.starts_with("http://") || url.starts_with("https://") {
                return Ok(Attachment {
                    source: Source::Url(url),
                    name,
                    mime: None,
                });
            }
            (url, "file_url")
        }
        (None, None) => {
            let message = "A part of type `input_file` needs `file_data`, `file_url` or `file_id`.";
            return Err(Failure::invalid(path.to_string(), message));
        }
    };
    let data = request::inline(&text).filter(|_| field == "file_data" || text.starts_with("data:"));
    let data = data.ok_or_else(|| {
        let form = match field {
            "file_data" => "a data URI or valid base64",
            _ => "an http(s) URL or a data URI",
        };
        let field = format!("{path}.{field}");
        Failure::invalid(&field, format!("`{field}` must be {form}, and not empty."))
    })?;
    Ok(Attachment {
        source: Source::Inline(data.bytes),
        name,
        mime: data.mime,
    })
}

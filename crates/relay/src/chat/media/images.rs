//! Images asked for in a conversation: new ones, edits of those of a message, and variations.

use translate::chat_request::{Attachment, ChatRequest, Part, Role};
use translate::dialect::openai::media::images as wire;
use translate::failure::Failure;
use translate::media::ImageRequest;

use super::messages::{last_text, of_messages};
use crate::jobs::LongJobs;
use crate::ledger::Payer;
use crate::media::Media;
use crate::media::images::{self, PreparedImages};

/// What a conversation asks of a model that makes images.
pub enum ImageTask {
    /// New ones.
    Generate(PreparedImages),
    /// Those of the last message, edited by its text.
    Edit(ImageRequest, Vec<Attachment>),
    /// Another like the one at this address.
    Vary(ImageRequest, String),
    /// Another like the one of the last message.
    VaryAttached(ImageRequest, Attachment),
}

/// Nothing is paid for, and nothing is uploaded yet. Gives the parameters without effect, too.
pub(super) async fn prepare(
    media: &Media,
    payer: &Payer,
    chat: &ChatRequest,
    strict: bool,
) -> Result<(ImageTask, Vec<String>), Failure> {
    let request = ImageRequest {
        model: Some(chat.model.clone()),
        inline: Some(false),
        strict,
        ..wire::of_fields(chat.extra_params.clone())?
    };
    let attached = last_images(chat);
    if let Some(image) = attached.first()
        && images::only_varies(&chat.model)
    {
        let ignored = media.ignored_by_variation(&request);
        return Ok((ImageTask::VaryAttached(request, (*image).clone()), ignored));
    }
    let prompt = last_text(chat)?;
    if let Some(source) = variation_source(&prompt, chat) {
        let ignored = media.ignored_by_variation(&request);
        return Ok((ImageTask::Vary(request, source), ignored));
    }
    let request = ImageRequest { prompt, ..request };
    if attached.is_empty() {
        let prepared = media.prepare_generation(payer, request).await?;
        let ignored = prepared.ignored().cloned().collect();
        return Ok((ImageTask::Generate(prepared), ignored));
    }
    images::check_edits(&chat.model)?;
    let ignored = media.check_edit(&request, attached.len())?;
    let attached = attached.into_iter().cloned().collect();
    Ok((ImageTask::Edit(request, attached), ignored))
}

impl ImageTask {
    /// Makes the images, and gives them as Markdown with what they cost.
    pub(super) async fn run(
        self,
        media: &Media,
        payer: &Payer,
        long: &LongJobs,
    ) -> Result<(String, Option<f64>), Failure> {
        let upload = async |image: &Attachment| {
            let path = media.uploads().upload_image(payer, image).await;
            path.map_err(of_messages)
        };
        let made = match self {
            Self::Generate(prepared) => media.run_images(payer, long, prepared).await?,
            Self::Edit(request, attached) => {
                let mut sources = Vec::with_capacity(attached.len());
                for image in &attached {
                    sources.push(upload(image).await?);
                }
                let prepared = media.prepare_edit(&request, sources, None)?;
                media.run_images(payer, long, prepared).await?
            }
            Self::Vary(request, source) => {
                let varying = media.vary_image(payer, long, &request, &source, &source);
                varying.await?
            }
            Self::VaryAttached(request, image) => {
                let source = upload(&image).await?;
                let varying = media.vary_image(payer, long, &request, &source, &source);
                varying.await?
            }
        };
        Ok((wire::markdown(&made.images), made.credits))
    }
}

/// The image that a message asks to vary: `/v1 URL` to `/v4 URL`, or the code of an image in the
/// last answer that has any.
fn variation_source(text: &str, chat: &ChatRequest) -> Option<String> {
    let text = text.trim().trim_matches('`').trim();
    if let Some(rest) = text.strip_prefix("/v") {
        let (number, url) = rest.split_once(char::is_whitespace)?;
        let known = matches!(number, "1" | "2" | "3" | "4");
        return (known && url.trim().starts_with("http")).then(|| url.trim().to_owned());
    }
    let number = text.strip_prefix("[_V")?.strip_suffix("_]")?;
    let number: usize = number.parse().ok()?;
    let assistant = chat
        .messages
        .iter()
        .rev()
        .filter(|m| m.role == Role::Assistant);
    let mut answers = assistant
        .map(|message| urls(message.parts.iter()))
        .filter(|urls| !urls.is_empty());
    answers.next()?.get(number.checked_sub(1)?).cloned()
}

/// The addresses of Markdown's images.
fn urls<'p>(parts: impl Iterator<Item = &'p Part>) -> Vec<String> {
    let texts = parts.filter_map(|part| match part {
        Part::Text(text) => Some(text.as_str()),
        _ => None,
    });
    let begun = texts.flat_map(|text| text.split("![").skip(1));
    let urls =
        begun.filter_map(|rest| Some(rest.split_once("](")?.1.split_once(')')?.0.to_owned()));
    urls.collect()
}

/// The images of the last user message.
pub(super) fn last_images(chat: &ChatRequest) -> Vec<&Attachment> {
    let last = chat.messages.iter().rev().find(|m| m.role == Role::User);
    let parts = last.into_iter().flat_map(|message| &message.parts);
    let images = parts.filter_map(|part| match part {
        Part::Image(image) => Some(image),
        _ => None,
    });
    images.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use translate::chat_request::Message;

    fn conversation(answer: &str) -> ChatRequest {
        ChatRequest {
            messages: vec![Message {
                role: Role::Assistant,
                name: None,
                parts: vec![Part::Text(answer.to_owned())],
            }],
            ..ChatRequest::default()
        }
    }

    #[test]
    fn a_variation_is_asked_for_by_address_or_by_code() {
        let chat = conversation(
            "![Variation 1](https://a/1.png) `[_V1_]`\n\n![Variation 2](https://a/2.png) `[_V2_]`",
        );
        let table = [
            ("/v1 https://b/x.png", Some("https://b/x.png")),
            ("`/v4   https://b/x.png`", Some("https://b/x.png")),
            ("[_V2_]", Some("https://a/2.png")),
            ("`[_V1_]`", Some("https://a/1.png")),
            ("[_V3_]", None),
            ("[_V0_]", None),
            ("/v9 https://b/x.png", None),
            ("/v1 file:///etc/passwd", None),
            ("draw /v1", None),
            ("a cat", None),
        ];
        for (text, expected) in table {
            assert_eq!(variation_source(text, &chat).as_deref(), expected, "{text}");
        }
    }
}

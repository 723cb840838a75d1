//! Pictures asked for in a conversation: new ones, those of a message changed, and variations.

use onemin::ApiKey;
use translate::chat_request::{Attachment, ChatRequest, Part, Role};
use translate::dialect::openai::media::images::{self as wire, ImageRequest};
use translate::failure::Failure;

use super::{last_text, of_messages};
use crate::app::Relay;
use crate::media::images::{self, styles};

/// What a turn asks of a model that makes pictures.
enum Drawing<'t> {
    /// A new one.
    New(ImageRequest),
    /// Those of the last message, changed by its words.
    Change(ImageRequest, Vec<&'t Attachment>),
    /// Another like the one at this address.
    Like(ImageRequest, String),
    /// Another like the one of the last message.
    LikeSent(ImageRequest, &'t Attachment),
}

fn drawing(chat: &ChatRequest) -> Result<Drawing<'_>, Failure> {
    let request = ImageRequest {
        model: Some(chat.model.clone()),
        inline: Some(false),
        ..wire::of_fields(chat.extra_params.clone())?
    };
    let sent = last_pictures(chat);
    if let Some(picture) = sent.first()
        && images::only_varies(&chat.model)
    {
        return Ok(Drawing::LikeSent(request, picture));
    }
    let prompt = last_text(chat)?;
    if let Some(source) = varied(&prompt, chat) {
        return Ok(Drawing::Like(request, source));
    }
    let request = ImageRequest { prompt, ..request };
    if sent.is_empty() {
        return Ok(Drawing::New(request));
    }
    images::check_changes(&chat.model)?;
    Ok(Drawing::Change(request, sent))
}

/// What a new picture will not have of what is asked for. Of others only the work itself tells.
pub(super) async fn unmet(
    relay: &Relay,
    key: &ApiKey,
    chat: &ChatRequest,
) -> Result<Vec<String>, Failure> {
    let Drawing::New(mut request) = drawing(chat)? else {
        return Ok(Vec::new());
    };
    styles::look_up(relay, key, &mut request).await?;
    let mut unmet = request.ignored.clone();
    let calls = images::drawings(relay, &request)?;
    unmet.extend(calls.into_iter().take(1).flat_map(|call| call.ignored));
    Ok(unmet)
}

pub(super) async fn draw(
    relay: &Relay,
    key: &ApiKey,
    chat: &ChatRequest,
) -> Result<(String, Option<f64>), Failure> {
    let made = match drawing(chat)? {
        Drawing::New(request) => images::draw(relay, key, &request).await?,
        Drawing::Change(request, sent) => {
            let mut sources = Vec::with_capacity(sent.len());
            for media in sent {
                let source = relay.attacher.picture(key, media).await;
                sources.push(source.map_err(of_messages)?);
            }
            images::edit(relay, key, &request, sources, None).await?
        }
        Drawing::Like(request, source) => {
            images::vary(relay, key, &request, &source, &source).await?
        }
        Drawing::LikeSent(request, media) => {
            let source = relay.attacher.picture(key, media).await;
            let source = source.map_err(of_messages)?;
            images::vary(relay, key, &request, &source, &source).await?
        }
    };
    Ok((wire::markdown(&made.pictures), made.credits))
}

/// The picture that a message asks to vary: `/v1 URL` to `/v4 URL`, or the code of a picture in the
/// last answer that has any.
fn varied(text: &str, chat: &ChatRequest) -> Option<String> {
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
    let mut pictures = assistant
        .map(|message| urls(message.parts.iter()))
        .filter(|urls| !urls.is_empty());
    pictures.next()?.get(number.checked_sub(1)?).cloned()
}

/// The addresses of Markdown's pictures.
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

/// The pictures of the last user message.
fn last_pictures(chat: &ChatRequest) -> Vec<&Attachment> {
    let last = chat.messages.iter().rev().find(|m| m.role == Role::User);
    let parts = last.into_iter().flat_map(|message| &message.parts);
    let pictures = parts.filter_map(|part| match part {
        Part::Image(media) => Some(media),
        _ => None,
    });
    pictures.collect()
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
            assert_eq!(varied(text, &chat).as_deref(), expected, "{text}");
        }
    }
}

//! Chat as a door to media: a model that draws, speaks or listens, asked in a conversation, and
//! recordings inside messages of any.

use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use onemin::ApiKey;
use onemin::chat::{self, Accounting};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use translate::dialect::openai::media::audio::SpeechRequest;
use translate::dialect::openai::media::images::{self, ImageRequest};
use translate::failure::{Failure, Kind};
use translate::turn::{Limits, Media, Output, Part, Role, Source, Turn};

use crate::account::Identity;
use crate::app::Relay;
use crate::pictures::{self, styles};
use crate::recordings::{self, Order, Task};
use crate::voices;

/// What answers a turn that is no conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// A picture is drawn, or one of the last answer varied.
    Draw,
    /// The last message is spoken.
    Speak,
    /// The recording of the last message is written down.
    WriteDown,
}

/// The model that writes down recordings inside messages.
const LISTENER: &str = "whisper-1";

/// Parameters of chat that mean nothing to other work.
const CHAT_ALONE: [&str; 9] = [
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "logit_bias",
    "top_logprobs",
];

/// Reads a turn as an order for other work: `n` counts pictures then, and parameters that chat
/// lacks have an effect, or are named as without one.
///
/// # Errors
/// What cannot be done as asked.
pub async fn prepare(
    relay: &Relay,
    key: &ApiKey,
    work: Work,
    turn: &mut Turn,
) -> Result<(), Failure> {
    read(work, turn);
    let unmet = match work {
        Work::Draw => unmet_drawing(relay, key, turn).await?,
        Work::Speak => voices::payload(&speech(turn)?)?.ignored,
        Work::WriteDown => {
            let names = turn.beside.keys().filter(|name| *name != "language");
            names.cloned().collect()
        }
    };
    turn.ignored.extend(unmet);
    turn.ignored.dedup();
    Ok(())
}

fn read(work: Work, turn: &mut Turn) {
    turn.beside
        .retain(|name, _| !CHAT_ALONE.contains(&name.as_str()));
    let beside = &turn.beside;
    turn.ignored
        .retain(|name| !beside.contains_key(name) && name != "audio");
    // A link that is cut, or read for calls and JSON, loses what was paid for.
    if work != Work::WriteDown {
        turn.limits = Limits::default();
    }
    if std::mem::take(&mut turn.output) != Output::Text {
        turn.ignored.push("response_format".to_owned());
    }
    if std::mem::take(&mut turn.tools).callable() {
        turn.ignored.push("tools".to_owned());
    }
    let choices = std::mem::replace(&mut turn.choices, 1);
    if choices > 1 {
        match work {
            Work::Draw => {
                turn.beside.insert("n".to_owned(), choices.into());
            }
            Work::Speak | Work::WriteDown => turn.ignored.push("n".to_owned()),
        }
    }
}

/// Does the work; its result is an assistant's text.
///
/// # Errors
/// What is missing in the turn, or why upstream did not.
pub async fn answer(
    relay: Arc<Relay>,
    key: ApiKey,
    turn: Arc<Turn>,
    work: Work,
) -> Result<chat::Answer, Failure> {
    let (text, credits) = match work {
        Work::Draw => draw(&relay, &key, &turn).await?,
        Work::Speak => speak(&relay, &key, &turn).await?,
        Work::WriteDown => write_down(&relay, &key, &turn).await?,
    };
    Ok(chat::Answer {
        text,
        accounting: Accounting {
            credits,
            ..Accounting::default()
        },
    })
}

/// What a turn asks of a model that makes pictures.
enum Drawing<'t> {
    /// A new one.
    New(ImageRequest),
    /// Those of the last message, changed by its words.
    Change(ImageRequest, Vec<&'t Media>),
    /// Another like the one at this address.
    Like(ImageRequest, String),
    /// Another like the one of the last message.
    LikeSent(ImageRequest, &'t Media),
}

fn drawing(turn: &Turn) -> Result<Drawing<'_>, Failure> {
    let request = ImageRequest {
        model: Some(turn.model.clone()),
        inline: Some(false),
        ..images::of_fields(turn.beside.clone())?
    };
    let sent = last_pictures(turn);
    if let Some(picture) = sent.first()
        && pictures::only_varies(&turn.model)
    {
        return Ok(Drawing::LikeSent(request, picture));
    }
    let prompt = last_text(turn)?;
    if let Some(source) = varied(&prompt, turn) {
        return Ok(Drawing::Like(request, source));
    }
    let request = ImageRequest { prompt, ..request };
    if sent.is_empty() {
        return Ok(Drawing::New(request));
    }
    pictures::check_changes(&turn.model)?;
    Ok(Drawing::Change(request, sent))
}

/// What a new picture will not have of what is asked for. Of others only the work itself tells.
async fn unmet_drawing(relay: &Relay, key: &ApiKey, turn: &Turn) -> Result<Vec<String>, Failure> {
    let Drawing::New(mut request) = drawing(turn)? else {
        return Ok(Vec::new());
    };
    styles::look_up(relay, key, &mut request).await?;
    let mut unmet = request.ignored.clone();
    let calls = pictures::drawings(relay, &request)?;
    unmet.extend(calls.into_iter().take(1).flat_map(|call| call.ignored));
    Ok(unmet)
}

async fn draw(relay: &Relay, key: &ApiKey, turn: &Turn) -> Result<(String, Option<f64>), Failure> {
    let made = match drawing(turn)? {
        Drawing::New(request) => pictures::draw(relay, key, &request).await?,
        Drawing::Change(request, sent) => {
            let mut sources = Vec::with_capacity(sent.len());
            for media in sent {
                let source = relay.attacher.picture(key, media).await;
                sources.push(source.map_err(of_messages)?);
            }
            pictures::edit(relay, key, &request, sources, None).await?
        }
        Drawing::Like(request, source) => {
            pictures::vary(relay, key, &request, &source, &source).await?
        }
        Drawing::LikeSent(request, media) => {
            let source = relay.attacher.picture(key, media).await;
            let source = source.map_err(of_messages)?;
            pictures::vary(relay, key, &request, &source, &source).await?
        }
    };
    Ok((images::markdown(&made.pictures), made.credits))
}

/// The picture that a message asks to vary: `/v1 URL` to `/v4 URL`, or the code of a picture in the
/// last answer that has any.
fn varied(text: &str, turn: &Turn) -> Option<String> {
    let text = text.trim().trim_matches('`').trim();
    if let Some(rest) = text.strip_prefix("/v") {
        let (number, url) = rest.split_once(char::is_whitespace)?;
        let known = matches!(number, "1" | "2" | "3" | "4");
        return (known && url.trim().starts_with("http")).then(|| url.trim().to_owned());
    }
    let number = text.strip_prefix("[_V")?.strip_suffix("_]")?;
    let number: usize = number.parse().ok()?;
    let assistant = turn
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

/// What a turn asks of a model that speaks.
fn speech(turn: &Turn) -> Result<SpeechRequest, Failure> {
    const READ: [&str; 4] = ["voice", "response_format", "speed", "language"];
    let mut extra = turn.beside.clone();
    extra.retain(|name, _| !READ.contains(&name.as_str()));
    Ok(SpeechRequest {
        model: turn.model.clone(),
        input: last_text(turn)?,
        voice: word(turn, "voice"),
        response_format: word(turn, "response_format"),
        speed: turn.beside.get("speed").and_then(Value::as_f64),
        language: word(turn, "language"),
        extra,
        ..SpeechRequest::default()
    })
}

async fn speak(relay: &Relay, key: &ApiKey, turn: &Turn) -> Result<(String, Option<f64>), Failure> {
    let spoken = voices::speak(relay, key, &speech(turn)?).await?;
    let url = pictures::url(relay, &spoken.asset);
    Ok((format!("[Listen to the recording]({url})"), spoken.credits))
}

async fn write_down(
    relay: &Relay,
    key: &ApiKey,
    turn: &Turn,
) -> Result<(String, Option<f64>), Failure> {
    let parts = turn
        .messages
        .iter()
        .rev()
        .flat_map(|message| &message.parts);
    let media = parts.filter_map(|part| match part {
        Part::Audio(media) | Part::File(media) => Some(media),
        _ => None,
    });
    let media = media.into_iter().next().ok_or_else(|| {
        let message = "This model writes recordings down: send one as an `input_audio` or `file` part, or to /v1/audio/transcriptions.";
        Failure::invalid("messages", message)
    })?;
    let audio = relay.attacher.recording_of(key, media).await;
    let order = Order {
        audio: audio.map_err(of_messages)?,
        model: turn.model.clone(),
        language: word(turn, "language"),
        ..Order::default()
    };
    let made = recordings::write_down(relay, key, &order, Task::Transcribe).await?;
    Ok((made.transcript.text, made.credits))
}

/// What is wrong with a part of a message is wrong with the messages.
fn of_messages(failure: Failure) -> Failure {
    match failure.kind {
        Kind::Invalid => failure.with_param("messages"),
        _ => failure,
    }
}

/// The pictures of the last user message.
fn last_pictures(turn: &Turn) -> Vec<&Media> {
    let last = turn.messages.iter().rev().find(|m| m.role == Role::User);
    let parts = last.into_iter().flat_map(|message| &message.parts);
    let pictures = parts.filter_map(|part| match part {
        Part::Image(media) => Some(media),
        _ => None,
    });
    pictures.collect()
}

fn word(turn: &Turn, name: &str) -> Option<String> {
    Some(turn.beside.get(name)?.as_str()?.to_owned())
}

fn last_text(turn: &Turn) -> Result<String, Failure> {
    let last = turn
        .messages
        .iter()
        .rev()
        .find(|message| message.role == Role::User);
    let parts = last
        .map(|message| message.parts.as_slice())
        .unwrap_or_default();
    let texts: Vec<&str> = parts
        .iter()
        .filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    let text = texts.join("\n");
    if text.trim().is_empty() {
        return Err(Failure::invalid(
            "messages",
            "The last user message has no text (1423).",
        ));
    }
    Ok(text)
}

/// Puts what is said in recordings in their place. Each recording is written down once for an
/// account, so that a conversation does not pay for it in every turn.
///
/// # Errors
/// A recording that is none, or why upstream did not write it down.
pub async fn hear(
    relay: &Relay,
    key: &ApiKey,
    owner: Identity,
    turn: &mut Turn,
) -> Result<(), Failure> {
    for message in &mut turn.messages {
        for part in &mut message.parts {
            if let Part::Audio(media) = part {
                let said = transcript(relay, key, owner, media).await?;
                *part = Part::Text(format!("[recording, written down]\n{said}"));
            }
        }
    }
    Ok(())
}

async fn transcript(
    relay: &Relay,
    key: &ApiKey,
    owner: Identity,
    media: &Media,
) -> Result<String, Failure> {
    let bytes: Bytes = match &media.source {
        Source::Inline(bytes) => bytes.clone(),
        _ => relay.attacher.bytes(media).await?,
    };
    let place = (owner, Sha256::digest(&bytes).into());
    let heard = || relay.heard.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = heard().get(&place) {
        return Ok(known.clone());
    }
    let audio = relay
        .attacher
        .recording(key, bytes, media.name.as_deref())
        .await;
    let order = Order {
        audio: audio.map_err(of_messages)?,
        model: LISTENER.to_owned(),
        ..Order::default()
    };
    let made = recordings::write_down(relay, key, &order, Task::Transcribe).await;
    let made = made.map_err(of_messages)?;
    heard().put(place, made.transcript.text.clone());
    Ok(made.transcript.text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use translate::turn::Message;

    fn conversation(answer: &str) -> Turn {
        Turn {
            messages: vec![Message {
                role: Role::Assistant,
                name: None,
                parts: vec![Part::Text(answer.to_owned())],
            }],
            ..Turn::default()
        }
    }

    #[test]
    fn a_variation_is_asked_for_by_address_or_by_code() {
        let turn = conversation(
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
            assert_eq!(varied(text, &turn).as_deref(), expected, "{text}");
        }
    }
}

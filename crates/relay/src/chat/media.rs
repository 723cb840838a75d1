//! Chat as a door to media: a model that draws, speaks or listens, asked in a conversation, and
//! recordings inside messages of any.

mod images;

use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use onemin::ApiKey;
use onemin::chat::{self, Accounting};
use onemin::transcription::DEFAULT_MODEL;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use translate::chat_request::{
    Attachment, ChatRequest, OutputFormat, OutputLimits, Part, Role, Source,
};
use translate::dialect::openai::chat::SAMPLING;
use translate::dialect::openai::media::audio::SpeechRequest;
use translate::failure::{Failure, Kind};

use crate::access::account_id::AccountId;
use crate::app::Relay;
use crate::media::speech;
use crate::media::transcription::{self, Order, Task};
use crate::models::MediaTask;

/// Reads a turn as an order for other work: `n` counts pictures then, and parameters that chat
/// lacks have an effect, or are named as without one.
///
/// # Errors
/// What cannot be done as asked.
pub async fn prepare(
    relay: &Relay,
    key: &ApiKey,
    work: MediaTask,
    chat: &mut ChatRequest,
) -> Result<(), Failure> {
    read(work, chat);
    let unmet = match work {
        MediaTask::GenerateImage => images::unmet(relay, key, chat).await?,
        MediaTask::Synthesize => speech::payload(&speech(chat)?)?.ignored,
        MediaTask::Transcribe => {
            let names = chat.extra_params.keys().filter(|name| *name != "language");
            names.cloned().collect()
        }
    };
    for name in unmet {
        if !chat.ignored.contains(&name) {
            chat.ignored.push(name);
        }
    }
    Ok(())
}

fn read(work: MediaTask, chat: &mut ChatRequest) {
    chat.extra_params
        .retain(|name, _| !SAMPLING.contains(&name.as_str()));
    let beside = &chat.extra_params;
    chat.ignored
        .retain(|name| !beside.contains_key(name) && name != "audio");
    // A link that is cut, or read for calls and JSON, loses what was paid for.
    if work != MediaTask::Transcribe {
        chat.limits = OutputLimits::default();
    }
    if std::mem::take(&mut chat.output) != OutputFormat::Text {
        chat.ignored.push("response_format".to_owned());
    }
    if std::mem::take(&mut chat.tools).callable() {
        chat.ignored.push("tools".to_owned());
    }
    let choices = std::mem::replace(&mut chat.choices, 1);
    if choices > 1 {
        match work {
            MediaTask::GenerateImage => {
                chat.extra_params.insert("n".to_owned(), choices.into());
            }
            MediaTask::Synthesize | MediaTask::Transcribe => chat.ignored.push("n".to_owned()),
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
    chat: Arc<ChatRequest>,
    work: MediaTask,
) -> Result<chat::Answer, Failure> {
    let (text, credits) = match work {
        MediaTask::GenerateImage => images::draw(&relay, &key, &chat).await?,
        MediaTask::Synthesize => speak(&relay, &key, &chat).await?,
        MediaTask::Transcribe => write_down(&relay, &key, &chat).await?,
    };
    Ok(chat::Answer {
        text,
        accounting: Accounting {
            credits,
            ..Accounting::default()
        },
    })
}

/// What a turn asks of a model that speaks.
fn speech(chat: &ChatRequest) -> Result<SpeechRequest, Failure> {
    const READ: [&str; 4] = ["voice", "response_format", "speed", "language"];
    let mut extra = chat.extra_params.clone();
    extra.retain(|name, _| !READ.contains(&name.as_str()));
    Ok(SpeechRequest {
        model: chat.model.clone(),
        input: last_text(chat)?,
        voice: word(chat, "voice"),
        response_format: word(chat, "response_format"),
        speed: chat.extra_params.get("speed").and_then(Value::as_f64),
        language: word(chat, "language"),
        extra,
        ..SpeechRequest::default()
    })
}

async fn speak(
    relay: &Relay,
    key: &ApiKey,
    chat: &ChatRequest,
) -> Result<(String, Option<f64>), Failure> {
    let spoken = speech::speak(relay, key, &speech(chat)?).await?;
    let url = crate::media::images::url(relay, &spoken.asset);
    Ok((format!("[Listen to the recording]({url})"), spoken.credits))
}

async fn write_down(
    relay: &Relay,
    key: &ApiKey,
    chat: &ChatRequest,
) -> Result<(String, Option<f64>), Failure> {
    let parts = chat
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
        model: chat.model.clone(),
        language: word(chat, "language"),
        ..Order::default()
    };
    let made = transcription::write_down(relay, key, &order, Task::Transcribe).await?;
    Ok((made.transcript.text, made.credits))
}

/// What is wrong with a part of a message is wrong with the messages.
fn of_messages(failure: Failure) -> Failure {
    match failure.kind {
        Kind::Invalid => failure.with_param("messages"),
        _ => failure,
    }
}

fn word(chat: &ChatRequest, name: &str) -> Option<String> {
    Some(chat.extra_params.get(name)?.as_str()?.to_owned())
}

fn last_text(chat: &ChatRequest) -> Result<String, Failure> {
    let last = chat
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
    owner: AccountId,
    chat: &mut ChatRequest,
) -> Result<(), Failure> {
    for message in &mut chat.messages {
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
    owner: AccountId,
    media: &Attachment,
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
        model: DEFAULT_MODEL.to_owned(),
        ..Order::default()
    };
    let made = transcription::write_down(relay, key, &order, Task::Transcribe).await;
    let made = made.map_err(of_messages)?;
    heard().put(place, made.transcript.text.clone());
    Ok(made.transcript.text)
}

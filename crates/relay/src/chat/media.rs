//! Media in conversations: models that make images, speech or video, or transcribe, asked in chat, and
//! audio inside messages to any model.

mod images;
mod messages;

use std::sync::Arc;

use onemin::chat::{self, Accounting};
use serde_json::Value;
use translate::bounds::note_ignored;
use translate::chat_request::{Attachment, ChatRequest, OutputFormat, OutputLimits, Part};
use translate::dialect::openai::chat::SAMPLING;
use translate::dialect::openai::media::videos;
use translate::failure::{Failure, Kind};
use translate::media::{SpeechRequest, TranscriptionRequest, VideoRequest};

use crate::jobs::LongJobs;
use crate::ledger::Payer;
use crate::media::Media;
use crate::media::speech::{self, PreparedSpeech};
use crate::media::transcription::Task;
use crate::media::video;
use crate::models::MediaTask;
use crate::uploads::OtherAccounts;
use images::ImageTask;
use messages::{last_text, of_messages};

/// Media asked for in a conversation, ready to be run.
pub enum PreparedMedia {
    /// Images, and the parameters that have no effect on them.
    Images(Box<ImageTask>, Vec<String>),
    /// Speech.
    Speech(PreparedSpeech),
    /// The transcript of this audio.
    Transcript(Attachment, TranscriptionRequest),
    /// A video, and the parameters that have no effect on it.
    Video(Arc<VideoRequest>, Vec<String>),
}

/// Reads a conversation as a request for media: `n` counts images then, and parameters that chat
/// lacks have an effect, or are named as without one. Nothing is paid for.
///
/// # Errors
/// What cannot be done as asked.
pub async fn prepare(
    media: &Media,
    payer: &Payer,
    task: MediaTask,
    chat: &mut ChatRequest,
    strict: bool,
) -> Result<PreparedMedia, Failure> {
    read(task, chat);
    let prepared = match task {
        MediaTask::GenerateImage => {
            let (images, ignored) = images::prepare(media, payer, chat, strict).await?;
            PreparedMedia::Images(Box::new(images), ignored)
        }
        MediaTask::Synthesize => PreparedMedia::Speech(speech::prepare(&speech_request(chat)?)?),
        MediaTask::Transcribe => transcription(chat)?,
        MediaTask::MakeVideo => {
            let request = video_request(chat)?;
            let ignored = video::check_video(&chat.model, &request).map_err(of_images)?;
            PreparedMedia::Video(Arc::new(request), ignored)
        }
    };
    for name in prepared.ignored(chat) {
        note_ignored(&mut chat.ignored, name);
    }
    Ok(prepared)
}

impl PreparedMedia {
    fn ignored(&self, chat: &ChatRequest) -> Vec<String> {
        match self {
            Self::Images(_, ignored) | Self::Video(_, ignored) => ignored.clone(),
            Self::Speech(prepared) => prepared.ignored().cloned().collect(),
            Self::Transcript(..) => {
                let names = chat.extra_params.keys().filter(|name| *name != "language");
                names.cloned().collect()
            }
        }
    }

    /// Does what is asked; the result is an assistant's text. This is what is paid for.
    ///
    /// # Errors
    /// Why upstream did not.
    pub async fn run(
        self,
        media: Media,
        long: LongJobs,
        payer: Payer,
    ) -> Result<chat::Answer, Failure> {
        let (text, credits) = match self {
            Self::Images(task, _) => task.run(&media, &payer, &long).await?,
            Self::Speech(prepared) => {
                let speech = media.synthesize(&payer, &long, prepared).await?;
                let url = media.url(&speech.asset);
                (format!("[Listen to the recording]({url})"), speech.credits)
            }
            Self::Transcript(audio, mut request) => {
                let mut others = OtherAccounts::default();
                request.audio = loop {
                    match media.uploads().upload_audio(&payer, &audio).await {
                        Ok(path) => break path,
                        Err(failure) => {
                            others.change(&payer, failure).map_err(of_messages)?;
                        }
                    }
                };
                let made = media.transcribe(&payer, &request, Task::Transcribe).await?;
                (made.transcript.text, made.credits)
            }
            Self::Video(request, _) => video_link(&media, &long, &payer, request).await?,
        };
        Ok(chat::Answer {
            text,
            accounting: Accounting {
                credits,
                ..Accounting::default()
            },
        })
    }
}

fn read(task: MediaTask, chat: &mut ChatRequest) {
    chat.extra_params
        .retain(|name, _| !SAMPLING.contains(&name.as_str()));
    let beside = &chat.extra_params;
    chat.ignored
        .retain(|name| !beside.contains_key(name) && name != "audio");
    // A link that is cut, or read for calls and JSON, loses what was paid for.
    if task != MediaTask::Transcribe {
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
        match task {
            MediaTask::GenerateImage => {
                chat.extra_params.insert("n".to_owned(), choices.into());
            }
            MediaTask::Synthesize | MediaTask::Transcribe | MediaTask::MakeVideo => {
                chat.ignored.push("n".to_owned());
            }
        }
    }
}

/// What a conversation asks of a model that speaks.
fn speech_request(chat: &ChatRequest) -> Result<SpeechRequest, Failure> {
    const READ: [&str; 4] = ["voice", "response_format", "speed", "language"];
    let mut extra = chat.extra_params.clone();
    extra.retain(|name, _| !READ.contains(&name.as_str()));
    Ok(SpeechRequest {
        model: chat.model.clone(),
        input: last_text(chat)?,
        voice: text_param(chat, "voice"),
        response_format: text_param(chat, "response_format"),
        speed: chat.extra_params.get("speed").and_then(Value::as_f64),
        language: text_param(chat, "language"),
        extra,
        ..SpeechRequest::default()
    })
}

/// What a conversation asks of a model that makes video: its last text, and what was attached to it.
fn video_request(chat: &ChatRequest) -> Result<VideoRequest, Failure> {
    let mut request = videos::of_fields(chat.extra_params.clone())?;
    request.model = Some(chat.model.clone());
    request.prompt = last_text(chat)?;
    if request.first_frame.is_none() {
        let mut attached = images::last_images(chat).into_iter().cloned();
        request.first_frame = attached.next();
        request.references.extend(attached);
    }
    Ok(request)
}

/// Makes a video and gives a link to it, and what it cost if upstream says so. The video is made
/// and paid even if nobody waits for it any more.
async fn video_link(
    media: &Media,
    long: &LongJobs,
    payer: &Payer,
    request: Arc<VideoRequest>,
) -> Result<(String, Option<f64>), Failure> {
    let prepare = media.video_preparation(request, false);
    let order = media.first_order(payer, &prepare).await;
    let order = order.map_err(of_images)?;
    let job = long.make(payer, order, prepare).await?;
    let none = || Failure::new(Kind::Upstream, "1min.ai returned no video.").with_retry(false);
    let asset = job.assets.first().ok_or_else(none)?;
    let credits = job.credits.map(onemin::prices::to_credits);
    Ok((videos::link(&media.url(asset)), credits))
}

/// What is wrong with an image of a conversation is wrong with its messages.
fn of_images(failure: Failure) -> Failure {
    match failure.param.as_deref() {
        Some("input_reference" | "file_id" | "prompt") => of_messages(failure),
        _ => failure,
    }
}

/// What a conversation asks of a model that transcribes.
fn transcription(chat: &ChatRequest) -> Result<PreparedMedia, Failure> {
    let messages = chat.messages.iter().rev();
    let mut parts = messages.flat_map(|message| &message.parts);
    let audio = parts.find_map(|part| match part {
        Part::Audio(audio) | Part::File(audio) => Some(audio.clone()),
        _ => None,
    });
    let audio = audio.ok_or_else(|| {
        let message = "This model transcribes audio: send it as an `input_audio` or `file` part, or to /v1/audio/transcriptions.";
        Failure::invalid("messages", message)
    })?;
    let request = TranscriptionRequest {
        model: chat.model.clone(),
        language: text_param(chat, "language"),
        ..TranscriptionRequest::default()
    };
    Ok(PreparedMedia::Transcript(audio, request))
}

fn text_param(chat: &ChatRequest, name: &str) -> Option<String> {
    Some(chat.extra_params.get(name)?.as_str()?.to_owned())
}

/// Puts the transcripts of audio in a conversation in its place, for models that read only text.
/// This is what is paid for, once for an account and a recording.
///
/// # Errors
/// Bytes that are not audio, or why upstream did not transcribe them.
pub async fn transcribe_audio_parts(
    media: &Media,
    payer: &Payer,
    chat: &mut ChatRequest,
) -> Result<(), Failure> {
    for message in &mut chat.messages {
        for part in &mut message.parts {
            if let Part::Audio(audio) = part {
                let transcript = Box::pin(media.cached_transcript(payer, audio)).await;
                let transcript = transcript.map_err(of_messages)?;
                *part = Part::Text(format!("[audio transcript]\n{transcript}"));
            }
        }
    }
    Ok(())
}

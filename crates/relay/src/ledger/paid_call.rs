//! A call that costs credits, and how it ended.

use onemin::chat::Accounting;
use onemin::native::{self, Gives};
use onemin::{Accepted, Error, Payload, chat, code, features};
use serde_json::{Map, Value};
use translate::failure::Failure;

use crate::access::keys::Use;
use crate::failure::of_upstream;

/// A call that 1min.ai charges for, as far as its price depends on it.
#[derive(Debug, Clone, Copy)]
pub enum PaidCall<'c> {
    /// An answer of a chat model to a request that has, or will have, so many images.
    Chat {
        /// The request.
        request: &'c chat::Request,
        /// Images that go with it.
        images: usize,
    },
    /// An answer of the code generator.
    Code(&'c code::Request),
    /// Any other feature: images, speech, transcription, video.
    Feature(&'c Payload),
    /// A request that is passed on to 1min.ai as it came.
    Native(NativeCall<'c>),
}

/// What a request to 1min.ai's own API names.
#[derive(Debug, Clone, Copy)]
pub struct NativeCall<'c> {
    /// The feature, by upstream's name.
    pub feature: &'c str,
    /// The model.
    pub model: &'c str,
    /// The fields of its `promptObject`.
    pub fields: &'c Map<String, Value>,
}

/// How a paid call ended, for what is booked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Charge {
    /// Upstream said what it cost, in credits.
    Reported(f64),
    /// It was or may have been charged, and upstream did not say how much.
    Unreported,
    /// It surely was not charged.
    Nothing,
}

impl<'c> PaidCall<'c> {
    /// The model that is asked.
    #[must_use]
    pub fn model(self) -> &'c str {
        match self {
            PaidCall::Chat { request, .. } => &request.model,
            PaidCall::Code(request) => &request.model,
            PaidCall::Feature(payload) => &payload.model,
            PaidCall::Native(call) => call.model,
        }
    }

    /// What an access key must permit for it.
    #[must_use]
    pub fn use_of_model(self) -> Use {
        match self {
            PaidCall::Chat { .. } | PaidCall::Code(_) => Use::Chat,
            PaidCall::Feature(payload) => match payload.kind {
                features::Kind::SpeechToText | features::Kind::AudioTranslator => Use::Audio,
                features::Kind::ImageToPrompt => Use::Images,
                kind => match native::gives(kind.as_str()) {
                    Some(Gives::Video) => Use::Video,
                    Some(Gives::Audio) => Use::Audio,
                    Some(Gives::Images) => Use::Images,
                    Some(Gives::Text) | None => Use::Chat,
                },
            },
            PaidCall::Native(_) => Use::Native,
        }
    }
}

impl Charge {
    /// That of a call that was answered.
    #[must_use]
    pub fn of(accounting: &Accounting) -> Self {
        accounting.credits.map_or(Self::Unreported, Self::Reported)
    }

    /// That of a call that failed.
    #[must_use]
    pub fn of_error(error: &Error) -> Self {
        match error.was_accepted() {
            Accepted::No => Self::Nothing,
            Accepted::Maybe => Self::Unreported,
        }
    }
}

/// Why a paid call gave nothing.
#[derive(Debug)]
pub enum PaidError {
    /// It was not made, for there was no leave, or a job of it was refused and cost nothing.
    Refused(Failure),
    /// It was or may have been made, and its result cannot be had.
    Failed(Failure),
    /// Upstream's refusal, or the way to it.
    Upstream(Error),
}

impl PaidError {
    /// Whether the call did no work for sure, so that another may be made in its place.
    #[must_use]
    pub fn did_no_work(&self) -> bool {
        match self {
            Self::Refused(_) => true,
            Self::Failed(_) => false,
            Self::Upstream(error) => error.was_accepted() == Accepted::No,
        }
    }
}

impl From<PaidError> for Failure {
    fn from(error: PaidError) -> Self {
        match error {
            PaidError::Refused(failure) | PaidError::Failed(failure) => failure,
            PaidError::Upstream(error) => of_upstream(&error),
        }
    }
}

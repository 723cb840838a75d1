//! The hub's third type: why a turn failed, in no client's dialect.
//!
//! A failure knows its [`Kind`] and has two messages: `message` for the client, `detail` for the
//! operator's log. It takes its HTTP shape and its dialect's words only when it is encoded.

use std::borrow::Cow;
use std::fmt;

use crate::quote::{QUOTE_CHARS_MAX, cut};

/// The path of a field, for failures to name. It is put together only where one does.
pub type FieldPath<'p> = &'p dyn fmt::Display;

/// The most characters of a client's word that a message repeats.
const MAX_ECHO: usize = 60;

/// The most characters of a message or of words for the operator: what a request or upstream said
/// may stand in them.
const MAX_MESSAGE: usize = 2000;

/// Why a request was not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong, and by that whose fault it is.
    pub kind: Kind,
    /// For the client: what happened and what can be done. Holds no secret and no provider internals.
    pub message: String,
    /// The request's field at fault, as a path such as `messages[0].content`.
    pub param: Option<String>,
    /// A code more exact than the kind's own, for clients that react to codes.
    pub code: Option<String>,
    /// Seconds after which another attempt makes sense, where known.
    pub retry_after: Option<u64>,
    /// Whether the same request may be sent again: false where a paid call may have been taken or
    /// another attempt cannot help. Official SDKs heed it and would otherwise repeat by status.
    pub retry: Option<bool>,
    /// For the operator's log only.
    pub detail: Option<String>,
}

/// Declares the kinds with their names, so that none can be left out of [`Kind::ALL`].
macro_rules! kinds {
    ($($(#[$doc:meta])+ $kind:ident = $name:literal,)+) => {
        /// What went wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind {
            $($(#[$doc])+ $kind,)+
        }

        impl Kind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// Its name for records, logs and counts.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                }
            }
        }
    };
}

kinds! {
    /// The request is malformed, incomplete or contradictory.
    Invalid = "invalid",
    /// A parameter or part asks for something that cannot be done here, and strictness was asked.
    Unsupported = "unsupported",
    /// No key, or a key that upstream does not accept.
    Unauthenticated = "unauthenticated",
    /// The key is good but may not do this.
    Forbidden = "forbidden",
    /// No such model, or none that may be used.
    ModelNotFound = "model_not_found",
    /// No such route or object.
    NotFound = "not_found",
    /// The route exists, the method does not.
    MethodNotAllowed = "method_not_allowed",
    /// The body is in a media type or content coding that is not supported.
    UnsupportedMediaType = "unsupported_media_type",
    /// The route speaks HTTP alone, and the client wants another protocol.
    UpgradeRefused = "upgrade_refused",
    /// The request contradicts what is there.
    Conflict = "conflict",
    /// The request's body or a part of it is too large.
    TooLarge = "too_large",
    /// The conversation is longer than the model's context.
    ContextTooLong = "context_too_long",
    /// Too many requests.
    RateLimited = "rate_limited",
    /// The account has no credits left for this.
    OutOfCredits = "out_of_credits",
    /// The provider refused the content.
    ContentRefused = "content_refused",
    /// The answer did not take the form that was demanded (strict schema, required call).
    Unmet = "unmet",
    /// Upstream has no counterpart for this endpoint.
    NotImplemented = "not_implemented",
    /// Upstream or a provider behind it failed.
    Upstream = "upstream",
    /// Upstream did not answer in time.
    UpstreamTimeout = "upstream_timeout",
    /// Upstream or the relay has too much to do.
    Overloaded = "overloaded",
    /// The relay itself failed.
    Internal = "internal",
}

impl Kind {
    /// The kind of a name, as a record keeps it.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

impl Failure {
    /// A failure of this kind, with the client's message.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: shortened(message.into(), MAX_MESSAGE),
            param: None,
            code: None,
            retry_after: None,
            retry: None,
            detail: None,
        }
    }

    /// A malformed request, with the field at fault.
    pub fn invalid(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, message).with_param(param)
    }

    /// Names the field at fault.
    #[must_use]
    pub fn with_param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(shortened(param.into(), QUOTE_CHARS_MAX));
        self
    }

    /// Gives a more exact code.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// Says after how many seconds another attempt makes sense.
    #[must_use]
    pub fn with_retry_after(mut self, seconds: Option<u64>) -> Self {
        self.retry_after = seconds;
        self
    }

    /// Says whether the same request may be sent again.
    #[must_use]
    pub fn with_retry(mut self, retry: bool) -> Self {
        self.retry = Some(retry);
        self
    }

    /// Keeps words for the operator's log.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(shortened(detail.into(), MAX_MESSAGE));
        self
    }
}

/// A client's word as a message may repeat it: never longer than a line.
#[must_use]
pub fn echo(word: &str) -> Cow<'_, str> {
    cut(word, MAX_ECHO)
}

fn shortened(text: String, chars: usize) -> String {
    match cut(&text, chars) {
        Cow::Borrowed(_) => text,
        Cow::Owned(cut) => cut,
    }
}

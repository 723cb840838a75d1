//! What can go wrong with a request, and whether upstream may have taken it.

use std::error::Error as StdError;

use crate::refusal::{Charged, Refusal};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// 1min.ai answered, and the answer is no: by status, by body, or inside a stream.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// No answer, or not all of it, came through the network.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// Something came that is not what 1min.ai is known to say.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// A setting or a key that cannot be used; nothing was sent.
    #[error("{0}")]
    Invalid(&'static str),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

/// Whether upstream has taken a request, which for a paid one means: may have charged for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// Surely not taken: it may be sent again.
    No,
    /// It may have been taken and charged.
    Maybe,
}

impl Error {
    /// Whether the request may have been taken.
    #[must_use]
    pub fn was_accepted(&self) -> Accepted {
        match self {
            Self::Refused(refusal) if refusal.charged == Charged::No => Accepted::No,
            Self::Refused(_) | Self::Protocol(_) => Accepted::Maybe,
            Self::Transport(error) => error.accepted,
            Self::Invalid(_) => Accepted::No,
        }
    }

    /// The error of a request that follows a paid one: whatever it says, the paid one was taken.
    pub(crate) fn after_acceptance(mut self) -> Self {
        match &mut self {
            Self::Refused(refusal) => refusal.charged = Charged::Maybe,
            Self::Transport(error) => error.accepted = Accepted::Maybe,
            Self::Protocol(_) | Self::Invalid(_) => {}
        }
        self
    }

    /// Whether one of our own time limits ended it.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(
            self,
            Self::Transport(TransportError {
                kind: TransportKind::ConnectTimeout
                    | TransportKind::FirstByteTimeout
                    | TransportKind::IdleTimeout
                    | TransportKind::WholeTimeout,
                ..
            })
        )
    }
}

/// A failure of the network, or a time limit of ours.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct TransportError {
    /// What happened.
    pub kind: TransportKind,
    /// Whether upstream may have taken the request.
    pub accepted: Accepted,
    /// The operating system's or library's own words, for the operator.
    pub source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The kinds of [`TransportError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransportKind {
    /// No connection, TLS included, within the limit.
    #[error("no connection within the time allowed")]
    ConnectTimeout,
    /// The head of the response did not come within the limit.
    #[error("no answer began within the time allowed")]
    FirstByteTimeout,
    /// A stream was silent for longer than the limit.
    #[error("no more of the answer arrived within the time allowed")]
    IdleTimeout,
    /// The whole call took longer than the limit.
    #[error("the answer was not complete within the time allowed")]
    WholeTimeout,
    /// The connection could not be made.
    #[error("no connection could be made: {0}")]
    Connect(ConnectFailure),
    /// A connection ended before the request was on its way.
    #[error("the connection closed before the request was sent")]
    NotSent,
    /// The connection broke after the request was on its way.
    #[error("the connection broke")]
    Broken,
    /// The bytes of an upload could not be read from where they come from.
    #[error("the upload's own bytes could not be read")]
    Source,
}

/// Why no connection could be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConnectFailure {
    /// The name of the host has no address, or none could be asked for.
    #[error("the host name cannot be resolved")]
    Name,
    /// Nobody listens at the address.
    #[error("the connection was refused")]
    Refused,
    /// There is no way to the address.
    #[error("the host or its network is unreachable")]
    Unreachable,
    /// The server's certificate is not valid for it, or of an authority that is not trusted.
    #[error("the TLS certificate is not trusted")]
    Certificate,
    /// TLS could not be agreed on.
    #[error("the TLS handshake failed")]
    Tls,
    /// Another reason, which the source of the error holds.
    #[error("the connection failed")]
    Other,
}

impl TransportError {
    pub(crate) fn new(kind: TransportKind) -> Self {
        let accepted = match kind {
            TransportKind::ConnectTimeout | TransportKind::Connect(_) | TransportKind::NotSent => {
                Accepted::No
            }
            _ => Accepted::Maybe,
        };
        Self {
            kind,
            accepted,
            source: None,
        }
    }

    pub(crate) fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

/// An answer that is not in the form 1min.ai is known to use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// A stream ended without saying that the answer is complete.
    #[error("the answer broke off before its end")]
    Interrupted,
    /// One event of a stream is larger than the bound, in bytes.
    #[error("one event of the answer is larger than {0} bytes")]
    EventTooLarge(usize),
    /// A body is larger than the bound, in bytes.
    #[error("the answer is larger than {0} bytes")]
    BodyTooLarge(usize),
    /// The answer cannot be read; the text says what was expected of it.
    #[error("the answer cannot be read: {0}")]
    Malformed(&'static str),
}

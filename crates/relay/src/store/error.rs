//! What a store can fail at, and what a client is told of it.

use translate::failure::{Failure, Kind};

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It did not answer in time.
    #[error("no answer in time")]
    Timeout,
    /// The way to it is broken.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It understood and refused.
    #[error("refused: {0}")]
    Refused(String),
    /// There is no room left on its disk.
    #[error("no room left on the disk")]
    Full,
    /// It works from memory: what it is given is lost when the relay stops.
    #[error(
        "the folder cannot be made or written (DATA_DIR), so everything is lost when the relay stops"
    )]
    Ephemeral,
    /// It said what was not expected of it.
    #[error("unexpected answer: {0}")]
    Unexpected(String),
}

impl StoreError {
    /// For an answer that makes no sense; its beginning is kept for the log.
    #[must_use]
    pub fn unexpected(answer: &str) -> Self {
        Self::Unexpected(answer.chars().take(80).collect())
    }
}

/// A request needs a store that did not do its part; the same request may work in a moment.
impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let message = match error {
            StoreError::Full => {
                "The relay's disk is full; the request was not carried out. Delete files to free space."
            }
            _ => {
                "The relay's storage does not answer; the request was not carried out. Try again in a moment."
            }
        };
        Self::new(Kind::Overloaded, message)
            .with_retry_after(Some(5))
            .with_detail(format!("store: {error}"))
    }
}

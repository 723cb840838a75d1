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
    /// A content is larger than a file may be that is kept in memory; the most bytes.
    #[error("without a data folder (DATA_DIR) a file may have {0} bytes")]
    TooLarge(usize),
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

/// A request needs a store that did not do its part. What may have passed in a moment is told apart
/// from what stays: clients repeat by it.
impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let detail = format!("store: {error}");
        let failure = match error {
            StoreError::TooLarge(max) => {
                let message = format!(
                    "The file is larger than {} MiB, the most that this relay takes without a data folder (DATA_DIR).",
                    max / (1024 * 1024)
                );
                Self::new(Kind::TooLarge, message)
                    .with_param("file")
                    .with_code("file_too_large")
            }
            StoreError::Refused(_) => {
                let message = "The relay's storage refuses this; the request was not carried out. The relay's log says why.";
                Self::new(Kind::Internal, message).with_retry(false)
            }
            StoreError::Full => Self::new(
                Kind::Overloaded,
                "The relay's disk is full; the request was not carried out. Delete files to free space.",
            )
            .with_retry_after(Some(5)),
            StoreError::Timeout
            | StoreError::Io(_)
            | StoreError::Ephemeral
            | StoreError::Unexpected(_) => Self::new(
                Kind::Overloaded,
                "The relay's storage does not answer; the request was not carried out. Try again in a moment.",
            )
            .with_retry_after(Some(5)),
        };
        failure.with_detail(detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_is_told_to_be_asked_again() {
        let table = [
            (StoreError::Timeout, Kind::Overloaded, Some(5)),
            (StoreError::Full, Kind::Overloaded, Some(5)),
            (StoreError::unexpected("?"), Kind::Overloaded, Some(5)),
            (StoreError::Refused("no".to_owned()), Kind::Internal, None),
            (StoreError::TooLarge(8 << 20), Kind::TooLarge, None),
        ];
        for (error, kind, retry_after) in table {
            let failure = Failure::from(error);
            assert_eq!((failure.kind, failure.retry_after), (kind, retry_after));
        }
    }
}

//! A job at 1min.ai, as the relay keeps it.

use onemin::ResultAsset;
use onemin::features::Kind;
use translate::failure::{self, Failure};

use crate::access::account_id::AccountId;

/// A job: what was asked, and what became of it. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its id here.
    pub id: String,
    /// Whose it is.
    pub owner: AccountId,
    /// The 1min.ai account that pays.
    pub account: AccountId,
    /// What the operator calls that account; none for a client's own.
    pub account_name: Option<String>,
    /// The feature.
    pub kind: Kind,
    /// The model.
    pub model: String,
    /// What was asked for, in words.
    pub prompt: String,
    /// The length that was asked for, in seconds.
    pub seconds: Option<u32>,
    /// The size that was asked for.
    pub size: Option<String>,
    /// How far it is.
    pub state: State,
    /// When it was asked for.
    pub created: u64,
    /// When it ended.
    pub finished: Option<u64>,
    /// When its files may be gone.
    pub expires: Option<u64>,
    /// The id of its record at 1min.ai.
    pub upstream_id: Option<String>,
    /// The key by which it is looked at, encrypted; none once it has ended.
    pub sealed_key: Option<String>,
    /// When 1min.ai is asked next what became of it.
    pub next_look: u64,
    /// How often it was asked.
    pub looks: u32,
    /// What was made.
    pub assets: Vec<ResultAsset>,
    /// Why nothing was made.
    pub error: Option<JobError>,
    /// What it cost, in thousandths of a credit, if 1min.ai said so.
    pub credits: Option<u64>,
}

impl Job {
    /// Takes in how it has ended.
    pub(super) fn take_end(&mut self, end: End) {
        self.state = end.state;
        self.finished = Some(end.at);
        self.expires = end.expires;
        self.assets = end.assets;
        self.error = end.error;
        self.credits = end.credits;
    }
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq)]
pub struct End {
    /// [`State::Completed`] or [`State::Failed`].
    pub state: State,
    /// When.
    pub at: u64,
    /// When its files may be gone.
    pub expires: Option<u64>,
    /// What was made.
    pub assets: Vec<ResultAsset>,
    /// Why nothing was made.
    pub error: Option<JobError>,
    /// What it cost, in thousandths of a credit.
    pub credits: Option<u64>,
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is on its way to 1min.ai. If the process dies now, nobody knows whether it was accepted.
    Submitting,
    /// 1min.ai works on it.
    Working,
    /// It is done.
    Completed,
    /// It has failed.
    Failed,
}

impl State {
    /// Its name in the table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Submitting => "submitting",
            Self::Working => "working",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }

    /// The state of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let all = [
            Self::Submitting,
            Self::Working,
            Self::Completed,
            Self::Failed,
        ];
        all.into_iter().find(|state| state.name() == name)
    }

    /// Whether nothing follows it.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
    }
}

/// Why a job failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobError {
    /// Whose fault it is.
    pub kind: failure::Kind,
    /// A word for programs.
    pub code: String,
    /// The reason, for the client.
    pub message: String,
    /// The parameter at fault.
    pub param: Option<String>,
}

impl JobError {
    /// A job that 1min.ai did not do.
    #[must_use]
    pub fn of_upstream(code: &str, message: impl Into<String>) -> Self {
        Self {
            kind: failure::Kind::Upstream,
            code: code.to_owned(),
            message: message.into(),
            param: None,
        }
    }

    /// For a client that waited for the job.
    #[must_use]
    pub fn into_failure(self) -> Failure {
        let mut failure = Failure::new(self.kind, self.message).with_retry(false);
        failure.param = self.param;
        failure
    }
}

impl From<Failure> for JobError {
    fn from(failure: Failure) -> Self {
        let kind = failure.kind;
        Self {
            kind,
            code: failure.code.unwrap_or_else(|| kind.name().to_owned()),
            message: failure.message,
            param: failure.param,
        }
    }
}

/// The code of a job of which nobody knows whether 1min.ai accepted it.
pub const UNKNOWN_OUTCOME: &str = "unknown_outcome";

/// The code of a job that 1min.ai did not end in time.
pub const GIVEN_UP: &str = "expired";

/// The code of a job that 1min.ai calls done, and of which there is no file.
pub const NO_RESULT: &str = "no_result";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_waited_is_told_the_failure_that_the_record_holds() {
        for &kind in failure::Kind::ALL {
            let failure = Failure::new(kind, "It failed.").with_param("size");
            let given = JobError::from(failure.clone()).into_failure();
            assert_eq!(given, failure.with_retry(false));
        }
        let unknown = JobError::of_upstream(UNKNOWN_OUTCOME, "The relay stopped.");
        assert_eq!(unknown.code, UNKNOWN_OUTCOME);
        let given = unknown.into_failure();
        assert_eq!((given.kind, given.code), (failure::Kind::Upstream, None));
    }
}

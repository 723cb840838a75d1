//! Jobs whose result is waited for within a request.

use std::time::Duration;

use translate::failure::{Failure, Kind};

use super::job::{Job, JobError, State};
use super::{Jobs, Order, Prepare};
use crate::ledger::Payer;

/// Submits jobs and waits for them.
#[derive(Clone)]
pub struct LongJobs {
    /// Submits and follows them.
    pub jobs: Jobs,
    /// How long an answer waits for one.
    pub limit: Duration,
}

impl LongJobs {
    /// Makes what is ordered. The job is paid and goes on even if nobody waits for it any more.
    ///
    /// # Errors
    /// It was not accepted, came to nothing, or takes longer than an answer waits.
    pub async fn make(
        &self,
        payer: &Payer,
        order: Order,
        prepare: Prepare,
    ) -> Result<Job, Failure> {
        let job = self.jobs.submit(payer, order, prepare).await?;
        let job = self.jobs.wait(payer, &job.id, self.limit).await?;
        match job.state {
            State::Completed => Ok(job),
            _ => Err(failure(job.error)),
        }
    }
}

/// Why a job came to nothing, for the client that waited for it.
fn failure(error: Option<JobError>) -> Failure {
    let JobError { code, message } = error.unwrap_or_else(|| JobError {
        code: String::new(),
        message: "1min.ai made nothing and gave no reason.".to_owned(),
    });
    let kind = Kind::of_name(&code).unwrap_or(Kind::Upstream);
    Failure::new(kind, message).with_retry(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_waited_is_told_the_kind_of_failure_that_the_record_holds() {
        for &kind in Kind::ALL {
            let error = JobError {
                code: kind.name().to_owned(),
                message: "It failed.".to_owned(),
            };
            let failure = failure(Some(error));
            assert_eq!((failure.kind, failure.retry), (kind, Some(false)));
        }
        for code in ["", "unknown_outcome", "expired", "no_result"] {
            let error = JobError {
                code: code.to_owned(),
                message: "It failed.".to_owned(),
            };
            assert_eq!(failure(Some(error)).kind, Kind::Upstream, "{code}");
        }
        assert_eq!(failure(None).kind, Kind::Upstream);
    }
}

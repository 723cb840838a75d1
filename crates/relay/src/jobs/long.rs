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
    let of_code = [Kind::ContentRefused, Kind::OutOfCredits, Kind::Invalid];
    let kind = of_code.into_iter().find(|kind| kind.name() == code);
    Failure::new(kind.unwrap_or(Kind::Upstream), message).with_retry(false)
}

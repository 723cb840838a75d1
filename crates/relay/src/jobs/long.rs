//! Jobs whose result is waited for within a request.

use std::time::Duration;

use tokio::time::Instant;
use translate::failure::{Failure, Kind};

use super::job::{Job, JobError, State};
use super::{Jobs, Order, Prepare};
use crate::ledger::{PaidError, Payer};

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
    ) -> Result<Job, PaidError> {
        let deadline = Instant::now() + self.limit;
        let mut job = self.jobs.submit(payer, order, prepare).await?;
        if !job.state.is_final() {
            let waiting = self.jobs.wait(payer, &job.id, deadline).await;
            let ended = waiting.map_err(PaidError::Failed)?;
            job = ended.ok_or_else(|| PaidError::Failed(self.too_late(&job.id)))?;
        }
        match job.state {
            State::Completed => Ok(job),
            _ => Err(failure(job)),
        }
    }

    fn too_late(&self, id: &str) -> Failure {
        let seconds = self.limit.as_secs_f64();
        let message = format!(
            "The job `{id}` did not finish within {seconds} seconds. It continues at 1min.ai and will be charged."
        );
        Failure::new(Kind::UpstreamTimeout, message).with_retry(false)
    }
}

/// Why a job came to nothing, for the client that waited for it.
fn failure(job: Job) -> PaidError {
    let is_free = job.credits == Some(0);
    let no_reason = || {
        let message = "1min.ai made nothing and gave no reason.";
        Failure::new(Kind::Upstream, message).with_retry(false)
    };
    let failure = job.error.map_or_else(no_reason, JobError::into_failure);
    if is_free {
        PaidError::Refused(failure)
    } else {
        PaidError::Failed(failure)
    }
}

//! What follows jobs to their end: one task a process. Of processes that share a database each
//! follows the jobs whose leases it holds, and takes over those of one that died.

use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use onemin::{Error, JobPoll};

use super::job::{GIVEN_UP, Job, State, UNKNOWN_OUTCOME};
use super::{Jobs, completed, failed, lock, now, whole_milliseconds};
use crate::clock;
use crate::failure::of_upstream;
use crate::observe::throttle::warn_throttled;
use crate::store::StoreError;
use crate::store::records::milliseconds;

/// Jobs that are read at once.
const BATCH: u32 = 500;

/// Looks under way at once.
const CONCURRENT: usize = 16;

/// Between two searches for jobs that another process has left behind.
const SEARCH: Duration = Duration::from_secs(15);

/// Between two rounds while jobs are due.
const BREATH: Duration = Duration::from_millis(200);

/// Before the store is asked again after it failed.
const STORE_PAUSE: Duration = Duration::from_secs(3);

/// A job that has not ended after so long never will.
const JOB_AGE_MAX: Duration = Duration::from_hours(24);

/// How long jobs are kept after they have ended.
const RETENTION: Duration = Duration::from_hours(30 * 24);

/// Between two deletions of old jobs.
const SWEEP: Duration = Duration::from_hours(1);

/// How long a job waits whose key cannot be opened.
const KEYLESS_PAUSE: Duration = Duration::from_mins(5);

/// Works for ever.
pub async fn run(jobs: Jobs) {
    let mut accepted = jobs.shared.accepted.subscribe();
    let mut swept: Option<Instant> = None;
    loop {
        let pause = if jobs.table.is_in_use() {
            if swept.is_none_or(|at| at.elapsed() >= SWEEP) {
                let before = milliseconds(clock::system_time() - RETENTION);
                let _ = jobs.table.sweep(before).await;
                swept = Some(Instant::now());
            }
            match jobs.round().await {
                Ok(pause) => pause,
                Err(error) => {
                    warn_throttled!(%error, "jobs cannot be followed");
                    STORE_PAUSE
                }
            }
        } else {
            SEARCH
        };
        let _ = tokio::time::timeout(pause, accepted.changed()).await;
    }
}

impl Jobs {
    /// Looks at every job that is due, and gives the time until the next is.
    async fn round(&self) -> Result<Duration, StoreError> {
        let due = self.table.due(now(), &self.shared.holder, BATCH).await?;
        let mut pause = SEARCH;
        let mut looking = Vec::new();
        for job in due {
            if job.state == State::Submitting {
                self.give_up_submission(job).await?;
                continue;
            }
            match self.shared.looks.take(job.account, Instant::now()) {
                Ok(()) => looking.push(job),
                Err(next) => pause = pause.min(next.saturating_duration_since(Instant::now())),
            }
        }
        let polls = stream::iter(looking).map(|job| self.poll(job));
        let outcomes: Vec<Result<(), StoreError>> =
            polls.buffer_unordered(CONCURRENT).collect().await;
        outcomes.into_iter().collect::<Result<(), StoreError>>()?;
        if let Some(next) = self.table.next_look().await? {
            let until = Duration::from_millis(next.saturating_sub(now()));
            // What is due and was not looked at waits for its account or for its lease.
            let until = if until.is_zero() {
                pause.min(Duration::from_secs(1))
            } else {
                until
            };
            pause = pause.min(until);
        }
        Ok(pause.max(BREATH))
    }

    /// Ends a job that a process was about to submit when it died.
    async fn give_up_submission(&self, mut job: Job) -> Result<(), StoreError> {
        let end = failed(
            UNKNOWN_OUTCOME,
            "The relay stopped while the job was on its way to 1min.ai: it may have been accepted and charged, and is not sent again.",
        );
        self.end(&mut job, end).await
    }

    /// Asks 1min.ai once what became of a job.
    async fn poll(&self, mut job: Job) -> Result<(), StoreError> {
        if !self.table.lease(&job.id, now(), self.lease()).await? {
            return Ok(());
        }
        let Some(key) = self.key(&job) else {
            lock(&self.shared.keyless).insert(job.id.clone());
            tracing::warn!(
                job = job.id,
                "the key of a job cannot be opened (another RELAY_SECRET?): it waits until its owner asks for it"
            );
            return self.put_off(&job, KEYLESS_PAUSE).await;
        };
        let upstream_id = job.upstream_id.clone().unwrap_or_default();
        job.looks = job.looks.saturating_add(1);
        match self.client.poll_job(&key, job.kind, &upstream_id).await {
            JobPoll::Done(outcome) => self.end(&mut job, completed(&outcome)).await,
            JobPoll::Ended(error) => {
                let failure = of_upstream(&error);
                let code = failure.code.as_deref().unwrap_or(failure.kind.name());
                self.end(&mut job, failed(code, &failure.message)).await
            }
            JobPoll::Working => self.put_off(&job, Duration::ZERO).await,
            JobPoll::Failed(error) => {
                tracing::debug!(job = job.id, %error, "a job could not be polled");
                self.put_off(&job, asked_to_wait(&error)).await
            }
        }
    }

    /// Settles when a job is looked at next, or gives it up if it takes too long.
    async fn put_off(&self, job: &Job, at_least: Duration) -> Result<(), StoreError> {
        let now = now();
        if now.saturating_sub(job.created) > whole_milliseconds(JOB_AGE_MAX) {
            let message = format!(
                "1min.ai has not ended the job within {} hours.",
                JOB_AGE_MAX.as_secs() / 3600
            );
            return self.end(&mut job.clone(), failed(GIVEN_UP, &message)).await;
        }
        let pause = self.look_pause(job.looks).max(whole_milliseconds(at_least));
        let mut lease = self.lease();
        lease.until = lease.until.saturating_add(pause);
        let looking = self
            .table
            .look_again(&job.id, now.saturating_add(pause), job.looks, lease);
        looking.await
    }
}

fn asked_to_wait(error: &Error) -> Duration {
    const LONGEST: Duration = Duration::from_mins(5);
    match error {
        Error::Refused(refusal) => refusal.retry_after.unwrap_or_default().min(LONGEST),
        _ => Duration::ZERO,
    }
}

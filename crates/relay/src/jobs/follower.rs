//! What follows jobs to their end: one task a process. Of processes that share a database each
//! follows the jobs whose leases it holds, and takes over those of one that died.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use onemin::{Accepted, Error, JobPoll};
use tokio::time::Instant;

use super::job::{GIVEN_UP, Job, JobError, State};
use super::submission::Submission;
use super::{Ending, Jobs, lock, now, whole_milliseconds};
use crate::clock;
use crate::observe::throttle::warn_throttled;
use crate::store::StoreError;
use crate::store::records::milliseconds;
use crate::task;

/// Jobs that are read at once.
const BATCH: u32 = 500;

/// Looks under way at once.
const CONCURRENT: usize = 64;

/// Between two searches for jobs that another process has left behind.
const SEARCH: Duration = Duration::from_secs(15);

/// Between two rounds at least.
const BREATH: Duration = Duration::from_millis(50);

/// Before the store is asked again after it failed.
const STORE_PAUSE: Duration = Duration::from_secs(3);

/// A job that has not ended after so long never will.
const JOB_AGE_MAX: Duration = Duration::from_hours(24);

/// How long jobs are kept after they have ended.
const RETENTION: Duration = Duration::from_hours(30 * 24);

/// Between two deletions of old jobs.
const SWEEP: Duration = Duration::from_hours(1);

/// How long after a job's end its cost is booked by the process that has followed it, at most: that waits
/// for the end of the request.
const BOOKED_WITHIN: Duration = Duration::from_hours(2);

/// How long a job waits whose key cannot be opened.
const KEYLESS_PAUSE: Duration = Duration::from_mins(5);

/// Looks under way, each with its job's id.
type Looking = FuturesUnordered<BoxFuture<'static, (String, Result<(), StoreError>)>>;

/// Works for ever.
pub async fn run(jobs: Jobs) {
    let mut accepted = jobs.shared.accepted.subscribe();
    let mut looking = Looking::new();
    let mut ids: HashSet<String> = HashSet::new();
    let mut swept: Option<Instant> = None;
    let mut next_round = Instant::now();
    loop {
        tokio::select! {
            () = tokio::time::sleep_until(next_round) => {}
            _ = accepted.changed() => {}
            Some((id, looked)) = looking.next() => {
                ids.remove(&id);
                next_round = match looked {
                    // What it has settled may be due before the round that was planned.
                    Ok(()) => next_round.min(Instant::now() + BREATH),
                    Err(error) => {
                        warn_throttled!(job = id, %error, "a job cannot be followed");
                        Instant::now() + STORE_PAUSE
                    }
                };
                continue;
            }
        }
        if !jobs.table.is_in_use() {
            next_round = Instant::now() + SEARCH;
            continue;
        }
        if swept.is_none_or(|at| at.elapsed() >= SWEEP) {
            jobs.sweep(swept.is_none()).await;
            swept = Some(Instant::now());
        }
        let pause = match jobs.round(&ids).await {
            Ok((due, pause)) => {
                for job in due {
                    ids.insert(job.id.clone());
                    let jobs = jobs.clone();
                    looking.push(Box::pin(async move {
                        let id = job.id.clone();
                        (id, jobs.poll(job).await)
                    }));
                }
                pause
            }
            Err(error) => {
                warn_throttled!(%error, "jobs cannot be followed");
                STORE_PAUSE
            }
        };
        next_round = Instant::now() + pause;
    }
}

impl Jobs {
    /// The jobs that are to be looked at now beside those of these ids, and the time until the next is
    /// due.
    async fn round(&self, looking: &HashSet<String>) -> Result<(Vec<Job>, Duration), StoreError> {
        let holder = &self.shared.holder;
        let mut pause = SEARCH;
        let mut jobs = Vec::new();
        for job in self.table.due(now(), holder, BATCH).await? {
            if self.shared.in_submission.has(&job.id) {
                // The database was away for longer than its lease.
                continue;
            }
            if job.state == State::Submitting {
                self.give_up_submission(job).await?;
                continue;
            }
            if looking.contains(&job.id) {
                continue;
            }
            if looking.len() + jobs.len() >= CONCURRENT {
                // The end of a look begins the next round.
                break;
            }
            let moment = Instant::now().into_std();
            match self.shared.looks.take(job.account, moment) {
                Ok(()) => jobs.push(job),
                Err(next) => pause = pause.min(next.saturating_duration_since(moment)),
            }
        }
        if let Some(next) = self.table.next_look(now(), holder).await? {
            pause = pause.min(Duration::from_millis(next.saturating_sub(now())));
        }
        Ok((jobs, pause.max(BREATH)))
    }

    /// Deletes old jobs, and books the cost of those whose process died before it had done so.
    async fn sweep(&self, is_start: bool) {
        let now = clock::system_time();
        let _ = self.table.sweep(milliseconds(now - RETENTION)).await;
        if !self.shared.under_way.is_empty()
            && let Ok(followed) = self.table.followed_by(&self.shared.holder).await
        {
            self.shared.under_way.leave_all_but(&followed);
        }
        // Where no other process is, nobody else can be about to do it.
        let alone = is_start && !self.ledger.database().is_shared();
        let before = if alone { now } else { now - BOOKED_WITHIN };
        match self.table.ended_and_held(milliseconds(before)).await {
            Ok(ended) => {
                for job in ended {
                    self.settle_by_id(&job).await;
                }
            }
            Err(error) => warn_throttled!(%error, "ended jobs cannot be read"),
        }
    }

    /// Ends a job that a process was about to submit when it died.
    async fn give_up_submission(&self, mut job: Job) -> Result<(), StoreError> {
        let ending = Ending::unknown_outcome(
            "The relay stopped while the job was on its way to 1min.ai: it may have been accepted and charged, and is not sent again.",
        );
        self.end(&mut job, &ending).await
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
            JobPoll::Done(outcome) => self.end(&mut job, &Ending::Done(outcome)).await,
            JobPoll::Ended(error) => {
                if error.was_accepted() == Accepted::No
                    && self.shared.under_way.is_movable(&job.id)
                    && self.table.submitted_again(&job.id, self.lease()).await?
                    && let Some((hold, prepare)) = self.shared.under_way.take_movable(&job.id)
                {
                    let submission = Submission::again(self.clone(), job, hold, prepare);
                    task::spawn(submission.go_on(error));
                    return Ok(());
                }
                self.end(&mut job, &Ending::Refused(error)).await
            }
            JobPoll::Working => self.put_off(&job, Duration::ZERO).await,
            JobPoll::Failed(error) => {
                tracing::debug!(job = job.id, %error, "a job could not be polled");
                self.put_off(&job, asked_to_wait(&error)).await
            }
        }
    }

    /// Sets when a job is polled next, or gives it up if it takes too long.
    async fn put_off(&self, job: &Job, at_least: Duration) -> Result<(), StoreError> {
        let now = now();
        if now.saturating_sub(job.created) > whole_milliseconds(JOB_AGE_MAX) {
            let message = format!(
                "The job did not finish within {} hours.",
                JOB_AGE_MAX.as_secs() / 3600
            );
            let ending = Ending::Unknown(JobError::of_upstream(GIVEN_UP, message));
            return self.end(&mut job.clone(), &ending).await;
        }
        let pause = self
            .look_pause(job.kind, job.looks)
            .max(whole_milliseconds(at_least));
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

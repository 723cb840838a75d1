//! Submitting a job, once: recorded before it is sent, and sent to another account of the pool only
//! where one has refused it and that surely cost nothing.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use onemin::{Accepted, Error, Payload, Submitted};
use translate::failure::{Failure, Kind};

use super::job::{Job, State, UNKNOWN_OUTCOME};
use super::{Jobs, completed, failed, now};
use crate::failure::of_upstream;
use crate::ledger::{Charge, Hold, PaidCall, Payer};
use crate::store::id;
use crate::task;

/// How often the lease of a job is renewed while it is submitted.
const RENEWAL: Duration = Duration::from_secs(5);

/// How often it is tried to note that a job was accepted, a second apart.
const NOTES_MAX: u32 = 60;

/// What is asked of 1min.ai, and how it is called.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// What the job's id begins with, such as `video_`.
    pub prefix: &'static str,
    /// The request.
    pub payload: Payload,
    /// What is asked for, in words.
    pub prompt: String,
    /// The length that is asked for, in seconds.
    pub seconds: Option<u32>,
    /// The size that is asked for.
    pub size: Option<String>,
}

/// Prepares an order for the account that pays now: its uploads lie at that account alone.
pub type Prepare = Arc<dyn Fn() -> BoxFuture<'static, Result<Order, Failure>> + Send + Sync>;

/// A job on its way.
struct Submission {
    jobs: Jobs,
    job: Job,
    hold: Hold,
    payload: Payload,
    /// How its payload is made for another account.
    prepare: Prepare,
}

impl Jobs {
    /// Submits a job, once. It is followed to its end whether or not anybody waits for this future.
    /// `order` is what `prepare` gave for the payer's account; where that account refuses the job,
    /// the next gets what `prepare` gives then.
    ///
    /// # Errors
    /// There is no leave to pay for it, it cannot be recorded, or 1min.ai did not accept it.
    pub async fn submit(
        &self,
        payer: &Payer,
        order: Order,
        prepare: Prepare,
    ) -> Result<Job, Failure> {
        let id = id::draw(order.prefix);
        let hold = payer
            .hold_job(PaidCall::Feature(&order.payload), &id)
            .await?;
        let lease = hold.lease();
        let now = now();
        let job = Job {
            sealed_key: Some(self.sealed_key(&id, &hold)?),
            id,
            owner: payer.caller().id,
            account: lease.account,
            account_name: lease.name().map(str::to_owned),
            kind: order.payload.kind,
            model: order.payload.model.clone(),
            prompt: order.prompt,
            seconds: order.seconds,
            size: order.size,
            state: State::Submitting,
            created: now,
            finished: None,
            expires: None,
            upstream_id: None,
            next_look: now,
            looks: 0,
            assets: Vec::new(),
            error: None,
            credits: None,
        };
        if let Err(error) = self.table.insert(&job, self.lease()).await {
            hold.settle(Charge::Nothing);
            return Err(error.into());
        }
        let submission = Submission {
            jobs: self.clone(),
            job,
            hold,
            payload: order.payload,
            prepare,
        };
        // The paid call goes on if the client leaves: its outcome must be noted.
        let posting = task::spawn(submission.run());
        let lost = |_| Failure::new(Kind::Internal, "The submission of the job broke off.");
        posting
            .await
            .map_err(|error| lost(error).with_retry(false))?
    }

    fn sealed_key(&self, id: &str, hold: &Hold) -> Result<String, Failure> {
        let sealed = self.sealer.seal(id, hold.lease().key.expose());
        sealed.map_err(|error| Failure::new(Kind::Internal, error.to_string()))
    }

    /// Notes the id under which 1min.ai has accepted a job; without it the job could not be found.
    async fn note_accepted(&self, job: &Job) -> Result<(), Failure> {
        let mut tries = 0;
        loop {
            match self.table.accepted(job, self.lease()).await {
                Ok(()) => return Ok(()),
                Err(error) if tries == NOTES_MAX => {
                    let upstream_id = job.upstream_id.as_deref();
                    tracing::error!(job = job.id, upstream_id, %error, "an accepted job could not be recorded");
                    let message = "1min.ai has accepted and charged the job, but the relay's database does not answer: its result cannot be fetched.";
                    return Err(Failure::new(Kind::Internal, message).with_retry(false));
                }
                Err(_) => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }
}

impl Submission {
    async fn run(mut self) -> Result<Job, Failure> {
        loop {
            self.hold.sent();
            match self.post().await {
                Ok(Submitted::Job(upstream_id)) => return self.accepted(upstream_id).await,
                Ok(Submitted::Done(outcome)) => {
                    self.hold.leave_to_job();
                    let end = completed(&outcome);
                    self.jobs.end(&mut self.job, end).await?;
                    return Ok(self.job);
                }
                Err(error) if error.was_accepted() == Accepted::No => {
                    self = self.next_account(error).await?;
                }
                Err(error) => {
                    self.hold.leave_to_job();
                    let failure = of_upstream(&error);
                    let end = failed(UNKNOWN_OUTCOME, &failure.message);
                    let _ = self.jobs.end(&mut self.job, end).await;
                    return Err(failure.with_retry(false));
                }
            }
        }
    }

    /// Sends the job, and keeps its lease meanwhile.
    async fn post(&self) -> Result<Submitted, Error> {
        let jobs = &self.jobs;
        let mut submitting = std::pin::pin!(jobs.client.submit(self.hold.key(), &self.payload));
        let mut renewals = tokio::time::interval(RENEWAL);
        renewals.tick().await;
        loop {
            tokio::select! {
                submitted = &mut submitting => return submitted,
                _ = renewals.tick() => {
                    let _ = jobs.table.lease(&self.job.id, now(), jobs.lease()).await;
                }
            }
        }
    }

    async fn accepted(mut self, upstream_id: String) -> Result<Job, Failure> {
        let jobs = &self.jobs;
        self.job.state = State::Working;
        self.job.upstream_id = Some(upstream_id);
        self.job.next_look = now() + jobs.look_pause(0);
        self.hold.leave_to_job();
        jobs.note_accepted(&self.job).await?;
        jobs.shared.accepted.send_modify(|count| *count += 1);
        Ok(self.job)
    }

    /// An account has refused the job, and nothing was charged: another one gets it, if there is.
    async fn next_account(mut self, error: Error) -> Result<Self, Failure> {
        match self.hold.refused(error) {
            Err(error) => {
                forget(&self.jobs, &self.job).await;
                return Err(error.into());
            }
            Ok(hold) => self.hold = hold,
        }
        match self.change_account().await {
            Ok(()) => Ok(self),
            Err(failure) => {
                self.hold.settle(Charge::Nothing);
                forget(&self.jobs, &self.job).await;
                Err(failure)
            }
        }
    }

    /// Records the account that the hold names now, and prepares the request for it.
    async fn change_account(&mut self) -> Result<(), Failure> {
        let lease = self.hold.lease();
        self.job.account = lease.account;
        self.job.account_name = lease.name().map(str::to_owned);
        self.job.sealed_key = Some(self.jobs.sealed_key(&self.job.id, &self.hold)?);
        self.jobs.table.set_account(&self.job).await?;
        let name = lease.name().unwrap_or_default();
        self.jobs.ledger.move_job(&self.job.id, name).await?;
        self.payload = (self.prepare)().await?.payload;
        Ok(())
    }
}

/// Forgets a job that 1min.ai has not accepted. One that stays is given up as unknown later, and
/// was not paid for.
async fn forget(jobs: &Jobs, job: &Job) {
    let _ = jobs.table.delete(job.owner, &job.id).await;
}

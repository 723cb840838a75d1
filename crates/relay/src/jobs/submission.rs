//! Submitting a job, once: recorded before it is sent, and sent to another account of the pool only
//! where one has refused it and that surely cost nothing.

use std::time::Duration;

use futures_util::future::BoxFuture;
use onemin::{Accepted, Error, Payload, Submitted};
use translate::failure::{Failure, Kind};

use super::job::{Job, JobError, State};
use super::order::{Order, Prepare};
use super::under_way::Kept;
use super::{Ending, Jobs, failed, now};
use crate::ledger::{Charge, Hold, PaidCall, PaidError, Payer};
use crate::observe::throttle::warn_throttled;
use crate::store::{StoreError, id};
use crate::task;

/// How often the lease of a job is renewed while it is submitted.
const RENEWAL: Duration = Duration::from_secs(5);

/// How often it is tried to note what 1min.ai has said of a job, a second apart.
const NOTES_MAX: u32 = 60;

/// A job on its way.
pub(super) struct Submission {
    jobs: Jobs,
    job: Job,
    hold: Hold,
    /// How its payload is made for another account.
    prepare: Prepare,
    moves: bool,
    /// Whether 1min.ai had accepted it before, at another account: somebody may wait for its end.
    was_accepted: bool,
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
    ) -> Result<Job, PaidError> {
        let id = id::draw(order.prefix);
        let hold = payer.hold_job(PaidCall::Feature(&order.payload), &id).await;
        let hold = hold.map_err(PaidError::Refused)?;
        let lease = hold.lease();
        let now = now();
        let sealed_key = self.sealed_key(&id, &hold).map_err(PaidError::Refused)?;
        let job = Job {
            sealed_key: Some(sealed_key),
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
            return Err(PaidError::Refused(error.into()));
        }
        let submission = Submission {
            jobs: self.clone(),
            job,
            hold,
            prepare,
            moves: order.moves,
            was_accepted: false,
        };
        // The paid call goes on if the client leaves: its outcome must be noted.
        let (jobs, id) = (self.clone(), submission.job.id.clone());
        let payload = order.payload;
        let running = Box::pin(submission.run(payload));
        let posting = task::spawn(async move { leased(&jobs, &id, running).await });
        let lost = |_| Failure::new(Kind::Internal, "The submission of the job broke off.");
        posting
            .await
            .map_err(|error| PaidError::Failed(lost(error).with_retry(false)))?
    }

    fn sealed_key(&self, id: &str, hold: &Hold) -> Result<String, Failure> {
        let sealed = self.sealer.seal(id, hold.lease().key.expose());
        sealed.map_err(|error| Failure::new(Kind::Internal, error.to_string()))
    }
}

/// Bears that the database does not take a note, for a minute.
#[derive(Default)]
struct Patience(u32);

impl Patience {
    /// Waits before the next try, or gives the error back.
    async fn bear(&mut self, error: StoreError) -> Result<(), StoreError> {
        if self.0 == NOTES_MAX {
            return Err(error);
        }
        self.0 += 1;
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(())
    }
}

impl Submission {
    /// A job that 1min.ai has refused after it had accepted it, which cost nothing. It is recorded as on
    /// its way again.
    pub(super) fn again(jobs: Jobs, mut job: Job, hold: Hold, prepare: Prepare) -> Self {
        (job.state, job.upstream_id) = (State::Submitting, None);
        Self {
            jobs,
            job,
            hold,
            prepare,
            moves: true,
            was_accepted: true,
        }
    }

    /// Goes on at another account, or ends the job for the reason given.
    pub(super) async fn go_on(self, error: Error) {
        let (jobs, id) = (self.jobs.clone(), self.job.id.clone());
        let moving = Box::pin(async {
            let (submission, payload) = self.next_account(error).await?;
            submission.run(payload).await
        });
        if let Err(error) = leased(&jobs, &id, moving).await {
            tracing::debug!(job = id, ?error, "no other account does a job");
        }
    }

    async fn run(mut self, mut payload: Payload) -> Result<Job, PaidError> {
        loop {
            self.hold.sent();
            let submitting = self.jobs.client.submit(self.hold.key(), &payload);
            match submitting.await {
                Ok(Submitted::Job(upstream_id)) => return self.accepted(upstream_id).await,
                Ok(Submitted::Done(outcome)) => return Ok(self.ended(Ending::Done(outcome)).await),
                Err(error) if error.was_accepted() == Accepted::No => {
                    (self, payload) = self.next_account(error).await?;
                }
                Err(error) => {
                    let failure = self.hold.lease().failure(&error);
                    let message = failure.message.clone();
                    self.ended(Ending::unknown_outcome(message)).await;
                    return Err(PaidError::Failed(failure));
                }
            }
        }
    }

    /// Ends a job whose end came with the answer. Where the database stays away, the answer is given
    /// and the cost is booked all the same.
    async fn ended(self, ending: Ending) -> Job {
        let Self {
            jobs,
            mut job,
            hold,
            ..
        } = self;
        jobs.shared.under_way.keep(&job.id, Kept::new(hold, None));
        let mut patience = Patience::default();
        while let Err(error) = jobs.end(&mut job, &ending).await {
            if let Err(error) = patience.bear(error).await {
                warn_throttled!(job = job.id, %error, "the end of a job could not be recorded");
                job.take_end(ending.recorded(&job));
                jobs.settle(&job, &ending).await;
                break;
            }
        }
        job
    }

    /// Notes the id under which 1min.ai has accepted a job; without it the job could not be found.
    async fn accepted(self, upstream_id: String) -> Result<Job, PaidError> {
        let Self {
            jobs,
            mut job,
            hold,
            prepare,
            moves,
            ..
        } = self;
        job.state = State::Working;
        job.upstream_id = Some(upstream_id);
        job.next_look = now() + jobs.look_pause(job.kind, 0);
        let mut patience = Patience::default();
        while let Err(error) = jobs.table.accepted(&job, jobs.lease()).await {
            let Err(error) = patience.bear(error).await else {
                continue;
            };
            hold.settle(Charge::Unreported);
            let upstream_id = job.upstream_id.as_deref();
            tracing::error!(job = job.id, upstream_id, %error, "an accepted job could not be recorded");
            let message = "1min.ai has accepted and charged the job, but the relay's database does not answer: its result cannot be fetched.";
            let failure = Failure::new(Kind::Internal, message).with_retry(false);
            return Err(PaidError::Failed(failure));
        }
        let kept = Kept::new(hold, moves.then_some(prepare));
        jobs.shared.under_way.keep(&job.id, kept);
        jobs.shared.accepted.send_modify(|count| *count += 1);
        Ok(job)
    }

    /// An account has refused the job, and nothing was charged: another one gets it, if there is.
    async fn next_account(mut self, error: Error) -> Result<(Self, Payload), PaidError> {
        let reason = JobError::from(self.hold.lease().failure(&error));
        match self.hold.refused(error) {
            Ok(hold) => self.hold = hold,
            Err(error) => {
                close(&self.jobs, self.job, self.was_accepted, reason).await;
                return Err(error);
            }
        }
        match self.change_account().await {
            Ok(payload) => Ok((self, payload)),
            Err(failure) => {
                self.hold.settle(Charge::Nothing);
                close(&self.jobs, self.job, self.was_accepted, reason).await;
                Err(PaidError::Refused(failure))
            }
        }
    }

    /// Records the account that the hold names now, and prepares the request for it.
    async fn change_account(&mut self) -> Result<Payload, Failure> {
        let lease = self.hold.lease();
        self.job.account = lease.account;
        self.job.account_name = lease.name().map(str::to_owned);
        self.job.sealed_key = Some(self.jobs.sealed_key(&self.job.id, &self.hold)?);
        self.jobs.table.set_account(&self.job).await?;
        let name = lease.name().unwrap_or_default();
        self.jobs.ledger.move_job(&self.job.id, name).await?;
        Ok((self.prepare)(self.hold.payer().clone()).await?.payload)
    }
}

/// Keeps the lease of a job while it is submitted.
async fn leased<T>(jobs: &Jobs, id: &str, mut submitting: BoxFuture<'_, T>) -> T {
    let _submitting = jobs.shared.in_submission.begin(id);
    let mut renewals = tokio::time::interval(RENEWAL);
    renewals.tick().await;
    loop {
        tokio::select! {
            submitted = &mut submitting => return submitted,
            _ = renewals.tick() => {
                let _ = jobs.table.lease(id, now(), jobs.lease()).await;
            }
        }
    }
}

/// Closes a job that no account does, and whose hold is settled: one that 1min.ai has never accepted is
/// forgotten. One that stays, should the database be away, is given up as unknown later.
async fn close(jobs: &Jobs, mut job: Job, was_accepted: bool, reason: JobError) {
    if was_accepted {
        let _ = jobs.record_end(&mut job, failed(reason, Some(0))).await;
    } else {
        let _ = jobs.table.delete(job.owner, &job.id).await;
    }
}

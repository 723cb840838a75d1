//! Jobs at 1min.ai: videos, music, and images of requests that are recorded.
//!
//! A job is recorded before it is submitted, submitted once, and followed until it ends, whoever
//! still waits for it: by this process, or by another that shares the database once this one is
//! gone. A job whose process died while it was submitted may have been accepted or not; it is never
//! submitted again, and ends as failed with the code `unknown_outcome`.

pub mod follower;
mod in_submission;
pub mod job;
mod long;
mod looks;
mod order;
mod submission;
pub mod table;
mod under_way;

pub use long::LongJobs;
pub use order::{Order, Prepare};

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use onemin::features::{self, first_poll};
use onemin::{Accepted, ApiKey, Client, Error, Outcome, ResultAsset};
use secrecy::ExposeSecret as _;
use tokio::sync::watch;
use tokio::time::Instant;
use translate::failure::{Failure, Kind};
use translate::quote::quote;

use crate::access::account_id::AccountId;
use crate::access::sealing::Sealer;
use crate::accounts::refusal::of_pooled;
use crate::clock;
use crate::failure::of_upstream;
use crate::ledger::request_entry::{ANSWERED, JOB_FAILED};
use crate::ledger::service::Ledger;
use crate::ledger::{Charge, Payer};
use crate::media::result_url::data_uri;
use crate::observe::throttle::warn_throttled;
use crate::store::StoreError;
use crate::store::database::Database;
use crate::store::page::PageQuery;
use crate::store::records::{is_id, milliseconds};
use in_submission::InSubmission;
use job::{End, Job, JobError, NO_RESULT, State, UNKNOWN_OUTCOME};
use looks::Looks;
use table::{Lease, Table};
use under_way::UnderWay;

/// How long a job stays with a process that does not renew its lease.
const LEASE: Duration = Duration::from_secs(20);

/// How often whoever waits for a job looks at its record; its end is told at once where the job is
/// followed by the same process.
const GLANCE: Duration = Duration::from_secs(2);

/// For how long whoever waits for a job bears that the database does not answer.
const OUTAGE_BORNE: Duration = Duration::from_mins(1);

/// Submits jobs and keeps what became of them. Clones are handles of one service.
#[derive(Clone)]
pub struct Jobs {
    client: Client,
    table: Table,
    sealer: Sealer,
    /// Where what jobs cost is booked.
    ledger: Ledger,
    /// Before the first look at a job that takes minutes.
    first_look: Duration,
    shared: Arc<Shared>,
}

struct Shared {
    /// What this process calls itself in leases.
    holder: String,
    looks: Looks,
    under_way: UnderWay,
    in_submission: InSubmission,
    /// Jobs whose key cannot be opened here: it was sealed under another `RELAY_SECRET`.
    keyless: Mutex<HashSet<String>>,
    /// Counts jobs that have ended, for those who wait.
    ended: watch::Sender<u64>,
    /// Counts jobs that were accepted, for the follower.
    accepted: watch::Sender<u64>,
}

impl Jobs {
    /// Jobs in this database; `first_look` is the time before 1min.ai is first asked about one that
    /// takes minutes. Opens nothing.
    #[must_use]
    pub fn new(
        client: Client,
        database: Database,
        sealer: Sealer,
        ledger: Ledger,
        first_look: Duration,
    ) -> Self {
        Self {
            client,
            table: Table::new(database),
            sealer,
            ledger,
            first_look,
            shared: Arc::new(Shared {
                holder: uuid::Uuid::new_v4().simple().to_string(),
                looks: Looks::default(),
                under_way: UnderWay::default(),
                in_submission: InSubmission::default(),
                keyless: Mutex::default(),
                ended: watch::Sender::new(0),
                accepted: watch::Sender::new(0),
            }),
        }
    }

    /// Ends a job, once, and settles what it cost.
    async fn end(&self, job: &mut Job, ending: &Ending) -> Result<(), StoreError> {
        if self.record_end(job, ending.recorded(job)).await? {
            self.settle(job, ending).await;
        } else {
            // Whoever has ended it has settled it.
            self.shared.under_way.take(&job.id);
        }
        Ok(())
    }

    /// Records the end of a job, tells those who wait, and whether it had not ended before.
    async fn record_end(&self, job: &mut Job, end: End) -> Result<bool, StoreError> {
        let is_first = self.table.finish(&job.id, &end).await?;
        lock(&self.shared.keyless).remove(&job.id);
        job.take_end(end);
        if is_first {
            let error = job.error.as_ref().map(|error| error.code.as_str());
            let finished = job.finished.unwrap_or(job.created);
            tracing::info!(
                job = job.id,
                feature = job.kind.as_str(),
                model = job.model,
                state = job.state.name(),
                error,
                seconds = finished.saturating_sub(job.created) / 1000,
                looks = job.looks,
                "job ended"
            );
        }
        self.shared.ended.send_modify(|count| *count += 1);
        Ok(is_first)
    }

    /// Books what a job has cost, in the row of its request if this process knows that.
    async fn settle(&self, job: &Job, ending: &Ending) {
        let kept = self.shared.under_way.take(&job.id);
        let Some(hold) = kept.and_then(under_way::Kept::into_hold) else {
            self.settle_by_id(job).await;
            return;
        };
        if job.state == State::Failed {
            hold.job_failed();
        }
        match ending {
            Ending::Done(outcome) => hold.answered(&outcome.accounting),
            Ending::Refused(error) => hold.settle(Charge::of_error(error)),
            Ending::Unknown(_) => hold.settle(Charge::Unreported),
        }
    }

    /// Books what a job has cost by the row of its hold. Should the database fail meanwhile, that is
    /// done later.
    async fn settle_by_id(&self, job: &Job) {
        let credits = job.credits.and_then(|credits| i64::try_from(credits).ok());
        let outcome = match job.state {
            State::Failed => JOB_FAILED,
            _ => ANSWERED,
        };
        if let Err(error) = self.ledger.settle_job(&job.id, credits, outcome).await {
            warn_throttled!(job = job.id, %error, "the cost of a job cannot be booked yet");
        }
    }

    /// A job of this caller. Whoever asks for a job whose key cannot be opened here lends their own.
    ///
    /// # Errors
    /// The store.
    pub async fn get(&self, payer: &Payer, id: &str) -> Result<Option<Job>, StoreError> {
        if !is_id(id) {
            return Ok(None);
        }
        let job = self.table.get(payer.caller().id, id).await?;
        if let Some(job) = &job
            && !job.state.is_final()
            && self.is_keyless(id)
            && let Ok(lease) = payer.lease_of(job.account_name.as_deref())
            // An account of the pool is known by its name: its id is another under another secret, which
            // is why the key cannot be opened.
            && (job.account_name.is_some() || job.account == lease.account)
            && let Ok(sealed) = self.sealer.seal(id, lease.key.expose())
        {
            self.table.set_key(id, sealed, now()).await?;
            lock(&self.shared.keyless).remove(id);
            self.shared.accepted.send_modify(|count| *count += 1);
        }
        Ok(job)
    }

    fn is_keyless(&self, id: &str) -> bool {
        lock(&self.shared.keyless).contains(id)
    }

    /// A page of a caller's jobs whose ids begin so, and whether there are more.
    ///
    /// # Errors
    /// The store.
    pub async fn list(
        &self,
        owner: AccountId,
        prefix: &str,
        query: &PageQuery,
    ) -> Result<(Vec<Job>, bool), StoreError> {
        self.table.list(owner, prefix, query).await
    }

    /// Forgets a job that has ended, and tells whether there was one.
    ///
    /// # Errors
    /// The store.
    pub async fn delete(&self, owner: AccountId, id: &str) -> Result<bool, StoreError> {
        self.table.delete(owner, id).await
    }

    /// Waits until a job has ended, and gives it; none if it has not by then.
    ///
    /// # Errors
    /// It was deleted, or the store does not answer for too long.
    pub async fn wait(
        &self,
        payer: &Payer,
        id: &str,
        deadline: Instant,
    ) -> Result<Option<Job>, Failure> {
        let mut ended = self.shared.ended.subscribe();
        let mut answered_at = Instant::now();
        loop {
            ended.borrow_and_update();
            match self.get(payer, id).await {
                Ok(Some(job)) if job.state.is_final() => return Ok(Some(job)),
                Ok(Some(_)) => answered_at = Instant::now(),
                Ok(None) => return Err(Failure::new(Kind::NotFound, "The job was deleted.")),
                // The job goes on meanwhile.
                Err(_) if answered_at.elapsed() < OUTAGE_BORNE => {}
                Err(error) => return Err(Failure::from(error).with_retry(false)),
            }
            let now = Instant::now();
            if now >= deadline {
                return Ok(None);
            }
            let _ = tokio::time::timeout_at(deadline.min(now + GLANCE), ended.changed()).await;
        }
    }

    /// Asks 1min.ai for new addresses of a completed job's files, at no cost: signed ones expire.
    ///
    /// # Errors
    /// Why there are none.
    pub async fn refresh(&self, payer: &Payer, job: &mut Job) -> Result<(), Failure> {
        let unknown = || Failure::new(Kind::Upstream, "1min.ai no longer knows this job.");
        let upstream_id = job.upstream_id.as_deref().ok_or_else(unknown)?;
        let lease = payer.lease_of(job.account_name.as_deref())?;
        match self
            .client
            .poll_job(&lease.key, job.kind, upstream_id)
            .await
        {
            onemin::JobPoll::Done(outcome) if !outcome.assets.is_empty() => {
                job.expires = expiry(&outcome);
                job.assets.clone_from(&outcome.assets);
                self.table
                    .set_assets(&job.id, &job.assets, job.expires)
                    .await?;
                Ok(())
            }
            onemin::JobPoll::Ended(error) | onemin::JobPoll::Failed(error) => {
                Err(lease.failed(&error))
            }
            _ => Err(unknown()),
        }
    }

    /// The key by which a job is looked at; none if it cannot be opened here.
    fn key(&self, job: &Job) -> Option<ApiKey> {
        let sealed = job.sealed_key.as_deref()?;
        let key = self.sealer.open(&job.id, sealed)?;
        ApiKey::parse(key.expose_secret()).ok()
    }

    fn lease(&self) -> Lease<'_> {
        Lease {
            holder: &self.shared.holder,
            until: now() + whole_milliseconds(LEASE),
        }
    }

    /// Milliseconds before the nth look at a job of a feature.
    fn look_pause(&self, kind: features::Kind, looks: u32) -> u64 {
        let first = first_poll(kind, self.first_look);
        whole_milliseconds(features::poll_pause(first, looks))
    }
}

/// How a job ended.
enum Ending {
    /// 1min.ai says that it is done.
    Done(Box<Outcome>),
    /// 1min.ai says why it is not.
    Refused(Error),
    /// Nobody knows whether it was done and charged.
    Unknown(JobError),
}

impl Ending {
    /// Nobody knows whether 1min.ai has accepted the job.
    fn unknown_outcome(message: impl Into<String>) -> Self {
        Self::Unknown(JobError::of_upstream(UNKNOWN_OUTCOME, message))
    }

    /// As it is recorded of a job.
    fn recorded(&self, job: &Job) -> End {
        match self {
            Self::Done(outcome) => {
                let credits = outcome.accounting.credits.map(onemin::prices::from_credits);
                let mut assets = outcome.assets.clone();
                let inline = outcome.inline.as_ref().map(data_uri);
                assets.extend(inline.map(ResultAsset::of_path));
                if assets.is_empty() {
                    return failed(no_result(outcome), credits);
                }
                End {
                    state: State::Completed,
                    at: now(),
                    expires: expiry(outcome),
                    assets,
                    error: None,
                    credits,
                }
            }
            Self::Refused(error) => {
                let is_free = error.was_accepted() == Accepted::No;
                let failure = match job.account_name {
                    Some(_) => of_pooled(error),
                    None => of_upstream(error),
                };
                failed(failure.into(), is_free.then_some(0))
            }
            Self::Unknown(error) => failed(error.clone(), None),
        }
    }
}

/// The end of a job that came to nothing, with what it cost if that is known.
fn failed(error: JobError, credits: Option<u64>) -> End {
    End {
        state: State::Failed,
        at: now(),
        expires: None,
        assets: Vec::new(),
        error: Some(error),
        credits,
    }
}

fn no_result(outcome: &Outcome) -> JobError {
    let message = match outcome.text.as_deref() {
        Some(words) => {
            let words = quote(words);
            format!("1min.ai made no file: {words}.")
        }
        None => "1min.ai reported success but returned no file.".to_owned(),
    };
    JobError::of_upstream(NO_RESULT, message)
}

/// When the first signed address of a result expires.
fn expiry(outcome: &Outcome) -> Option<u64> {
    let signed = outcome
        .assets
        .iter()
        .filter_map(|asset| asset.temporary_url.as_deref());
    let ends = signed.filter_map(onemin::assets::expires_at);
    ends.min().map(milliseconds)
}

fn now() -> u64 {
    milliseconds(clock::system_time())
}

fn whole_milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is kept there is whole after every statement.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! Long jobs at 1min.ai: videos and whatever else takes longer than a request should.
//!
//! A job is recorded before it is submitted, submitted once, and followed until it ends, whoever
//! still waits for it: by this process, or by another that shares the database once this one is
//! gone. A job whose process died while it was submitted may have been accepted or not; it is never
//! submitted again, and ends as failed with the code `unknown_outcome`.

pub mod follower;
pub mod job;
mod long;
mod looks;
mod submission;
pub mod table;

pub use long::LongJobs;
pub use submission::{Order, Prepare};

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use onemin::{ApiKey, Client, Outcome};
use secrecy::ExposeSecret as _;
use tokio::sync::watch;
use tokio::time::Instant;
use translate::failure::{Failure, Kind};

use crate::access::account_id::AccountId;
use crate::access::sealing::Sealer;
use crate::clock;
use crate::failure::of_upstream;
use crate::ledger::Payer;
use crate::ledger::service::Ledger;
use crate::observe::throttle::warn_throttled;
use crate::store::StoreError;
use crate::store::database::Database;
use crate::store::page::PageQuery;
use crate::store::records::{is_id, milliseconds};
use job::{Job, JobError, State};
use looks::Looks;
use table::{End, Lease, Table};

/// How long a job stays with a process that does not renew its lease.
const LEASE: Duration = Duration::from_secs(20);

/// How often whoever waits for a job looks at its record; its end is told at once where the job is
/// followed by the same process.
const GLANCE: Duration = Duration::from_secs(2);

/// Submits jobs and keeps what became of them. Clones are handles of one service.
#[derive(Clone)]
pub struct Jobs {
    client: Client,
    table: Table,
    sealer: Sealer,
    /// Where what jobs cost is booked.
    ledger: Ledger,
    /// Before the first look at a job.
    first_look: Duration,
    shared: Arc<Shared>,
}

struct Shared {
    /// What this process calls itself in leases.
    holder: String,
    looks: Looks,
    /// Jobs whose key cannot be opened here: it was sealed under another `RELAY_SECRET`.
    keyless: Mutex<HashSet<String>>,
    /// Counts jobs that have ended, for those who wait.
    ended: watch::Sender<u64>,
    /// Counts jobs that were accepted, for the follower.
    accepted: watch::Sender<u64>,
}

impl Jobs {
    /// Jobs in this database; `first_look` is the time before 1min.ai is asked first. Opens nothing.
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
                keyless: Mutex::default(),
                ended: watch::Sender::new(0),
                accepted: watch::Sender::new(0),
            }),
        }
    }

    /// Ends a job, once, and settles what it cost.
    async fn end(&self, job: &mut Job, end: End) -> Result<(), StoreError> {
        let is_first = self.table.finish(&job.id, &end).await?;
        lock(&self.shared.keyless).remove(&job.id);
        job.state = end.state;
        job.finished = Some(end.at);
        job.expires = end.expires;
        job.credits = end.credits;
        if is_first {
            self.settle(job, &end).await;
            let seconds = end.at.saturating_sub(job.created) / 1000;
            let error = end.error.as_ref().map(|error| error.code.as_str());
            tracing::info!(
                job = job.id,
                feature = job.kind.as_str(),
                model = job.model,
                state = end.state.name(),
                error,
                seconds,
                looks = job.looks,
                "job ended"
            );
        }
        job.assets = end.assets;
        job.error = end.error;
        self.shared.ended.send_modify(|count| *count += 1);
        Ok(())
    }

    /// Books what a job has cost. Should the database fail meanwhile, its hold expires as unknown.
    async fn settle(&self, job: &Job, end: &End) {
        let credits = end.credits.and_then(|credits| i64::try_from(credits).ok());
        let outcome = match end.state {
            State::Failed => "failed:job",
            _ => "answered",
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
            && let Ok(lease) = payer.lease()
            && job.account == lease.account
            && lock(&self.shared.keyless).contains(id)
            && let Ok(sealed) = self.sealer.seal(id, lease.key.expose())
        {
            self.table.set_key(id, sealed, now()).await?;
            lock(&self.shared.keyless).remove(id);
            self.shared.accepted.send_modify(|count| *count += 1);
        }
        Ok(job)
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

    /// Waits until a job has ended.
    ///
    /// # Errors
    /// It has not within this time, or the store.
    pub async fn wait(&self, payer: &Payer, id: &str, limit: Duration) -> Result<Job, Failure> {
        let deadline = Instant::now() + limit;
        let mut ended = self.shared.ended.subscribe();
        loop {
            ended.borrow_and_update();
            let job = self.get(payer, id).await?;
            let gone = || Failure::new(Kind::NotFound, "The job was deleted.");
            let job = job.ok_or_else(gone)?;
            if job.state.is_final() {
                return Ok(job);
            }
            if Instant::now() >= deadline {
                let message = format!(
                    "1min.ai still works on it after {} seconds. The job `{id}` goes on and is paid; ask for it later.",
                    limit.as_secs()
                );
                return Err(Failure::new(Kind::UpstreamTimeout, message).with_retry(false));
            }
            let _ = tokio::time::timeout(GLANCE, ended.changed()).await;
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
                Err(of_upstream(&error))
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

    /// Milliseconds before the nth look: later looks come up to five times as rarely as the first.
    fn look_pause(&self, looks: u32) -> u64 {
        let first = self.first_look;
        whole_milliseconds(first + (first * looks / 4).min(first * 4))
    }
}

/// The end of a job that was done.
fn completed(outcome: &Outcome) -> End {
    if outcome.assets.is_empty() {
        return failed(
            "no_result",
            "1min.ai reported success, but named no file that it made.",
        );
    }
    End {
        state: State::Completed,
        at: now(),
        expires: expiry(outcome),
        assets: outcome.assets.clone(),
        error: None,
        credits: outcome.accounting.credits.map(onemin::prices::from_credits),
    }
}

/// The end of a job that came to nothing.
fn failed(code: &str, message: &str) -> End {
    End {
        state: State::Failed,
        at: now(),
        expires: None,
        assets: Vec::new(),
        error: Some(JobError {
            code: code.to_owned(),
            message: message.to_owned(),
        }),
        credits: None,
    }
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

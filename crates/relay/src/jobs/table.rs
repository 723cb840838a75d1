//! Jobs in the database. What ends a job, and who follows it, is decided by single statements, so
//! that of several processes only one does it.

use std::collections::HashSet;

use onemin::ResultAsset;
use onemin::features::Kind;
use serde::{Deserialize, Serialize};
use translate::failure;

use super::job::{End, Job, JobError, State, UNKNOWN_OUTCOME};
use crate::access::account_id::AccountId;
use crate::observe::throttle::warn_throttled;
use crate::store::StoreError;
use crate::store::database::{Database, Param, Row};
use crate::store::page::PageQuery;

/// The table of jobs.
#[derive(Clone)]
pub struct Table(Database);

/// Who holds a lease, and until when.
#[derive(Debug, Clone, Copy)]
pub struct Lease<'h> {
    /// The process.
    pub holder: &'h str,
    /// In milliseconds since 1970.
    pub until: u64,
}

/// Columns of a job, in the order in which [`read`] takes them.
const COLUMNS: &str = "id, owner, account, account_name, feature, model, prompt, seconds, size, state, \
    created, finished, expires, upstream_id, sealed_key, next_look, looks, assets, error_code, \
    error_message, credits, error_kind, error_param";

/// The condition of a job that has not ended.
const OPEN: &str = "state IN ('submitting', 'working')";

impl Table {
    /// The table in this database.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self(database)
    }

    /// Whether there may be any job: a relay that makes none opens no database.
    #[must_use]
    pub fn is_in_use(&self) -> bool {
        self.0.is_in_use()
    }

    /// Keeps a new job, under the lease of who submits it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert(&self, job: &Job, lease: Lease<'_>) -> Result<(), StoreError> {
        let sql = format!(
            "INSERT INTO jobs ({COLUMNS}, lease_holder, lease_until) VALUES ($1, $2, $3, $4, $5, \
             $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)"
        );
        let [code, message, kind, param] = words(job.error.as_ref());
        let params: Vec<Param> = vec![
            job.id.clone().into(),
            job.owner.to_string().into(),
            job.account.to_string().into(),
            job.account_name.clone().into(),
            job.kind.as_str().into(),
            job.model.clone().into(),
            job.prompt.clone().into(),
            job.seconds.map(i64::from).into(),
            job.size.clone().into(),
            job.state.name().into(),
            integer(job.created).into(),
            job.finished.map(integer).into(),
            job.expires.map(integer).into(),
            job.upstream_id.clone().into(),
            job.sealed_key.clone().into(),
            integer(job.next_look).into(),
            i64::from(job.looks).into(),
            written(&job.assets).into(),
            code.into(),
            message.into(),
            job.credits.map(integer).into(),
            kind.into(),
            param.into(),
            lease.holder.into(),
            integer(lease.until).into(),
        ];
        self.0.execute(sql, params).await.map(drop)
    }

    /// Notes the account to which a job is about to be submitted.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_account(&self, job: &Job) -> Result<(), StoreError> {
        let sql = "UPDATE jobs SET account = $2, account_name = $3, sealed_key = $4 \
                   WHERE id = $1 AND state = 'submitting'";
        let params: Vec<Param> = vec![
            job.id.clone().into(),
            job.account.to_string().into(),
            job.account_name.clone().into(),
            job.sealed_key.clone().into(),
        ];
        self.0.execute(sql.to_owned(), params).await.map(drop)
    }

    /// Notes that 1min.ai has accepted a job, also one of which that was given up to be known.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn accepted(&self, job: &Job, lease: Lease<'_>) -> Result<(), StoreError> {
        let sql = format!(
            "UPDATE jobs SET state = 'working', upstream_id = $2, sealed_key = $3, next_look = $4, \
             finished = NULL, error_code = NULL, error_message = NULL, error_kind = NULL, \
             lease_holder = $5, lease_until = $6 \
             WHERE id = $1 AND (state = 'submitting' OR error_code = '{UNKNOWN_OUTCOME}')"
        );
        let params: Vec<Param> = vec![
            job.id.clone().into(),
            job.upstream_id.clone().into(),
            job.sealed_key.clone().into(),
            integer(job.next_look).into(),
            lease.holder.into(),
            integer(lease.until).into(),
        ];
        self.0.execute(sql, params).await.map(drop)
    }

    /// Ends a job that has not ended, and tells whether it had not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn finish(&self, id: &str, end: &End) -> Result<bool, StoreError> {
        let sql = format!(
            "UPDATE jobs SET state = $2, finished = $3, expires = $4, assets = $5, error_code = $6, \
             error_message = $7, credits = $8, error_kind = $9, error_param = $10, \
             sealed_key = NULL, lease_holder = NULL, lease_until = 0 WHERE id = $1 AND {OPEN}"
        );
        let [code, message, kind, param] = words(end.error.as_ref());
        let params: Vec<Param> = vec![
            id.into(),
            end.state.name().into(),
            integer(end.at).into(),
            end.expires.map(integer).into(),
            written(&end.assets).into(),
            code.into(),
            message.into(),
            end.credits.map(integer).into(),
            kind.into(),
            param.into(),
        ];
        Ok(self.0.execute(sql, params).await? > 0)
    }

    /// Takes or prolongs the lease of an open job, if nobody else holds it, and tells whether it did.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lease(&self, id: &str, now: u64, lease: Lease<'_>) -> Result<bool, StoreError> {
        let sql = format!(
            "UPDATE jobs SET lease_holder = $2, lease_until = $3 \
             WHERE id = $1 AND {OPEN} AND (lease_holder = $2 OR lease_until <= $4)"
        );
        let params: Vec<Param> = vec![
            id.into(),
            lease.holder.into(),
            integer(lease.until).into(),
            integer(now).into(),
        ];
        Ok(self.0.execute(sql, params).await? > 0)
    }

    /// Sets when a job is polled next.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn look_again(
        &self,
        id: &str,
        next_look: u64,
        looks: u32,
        lease: Lease<'_>,
    ) -> Result<(), StoreError> {
        let sql = format!(
            "UPDATE jobs SET next_look = $2, looks = $3, lease_until = $5 \
             WHERE id = $1 AND {OPEN} AND lease_holder = $4"
        );
        let params: Vec<Param> = vec![
            id.into(),
            integer(next_look).into(),
            i64::from(looks).into(),
            lease.holder.into(),
            integer(lease.until).into(),
        ];
        self.0.execute(sql, params).await.map(drop)
    }

    /// Open jobs that this process may take care of now, those that wait longest first: accepted
    /// ones that are due, and ones whose submission nobody is at any more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn due(&self, now: u64, holder: &str, limit: u32) -> Result<Vec<Job>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM jobs WHERE {OPEN} AND next_look <= $1 AND (lease_until <= $1 \
             OR (lease_holder = $2 AND state = 'working')) ORDER BY next_look LIMIT $3"
        );
        let params: Vec<Param> = vec![integer(now).into(), holder.into(), i64::from(limit).into()];
        let rows = self.0.rows(sql, params).await?;
        Ok(readable(&rows))
    }

    /// When the next open job is due that is not due now, or the lease ends of one that another
    /// process follows; none if there is no such job.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn next_look(&self, now: u64, holder: &str) -> Result<Option<u64>, StoreError> {
        let sql = format!(
            "SELECT MIN(due) FROM (SELECT CASE WHEN lease_holder = $2 OR lease_until < next_look \
             THEN next_look ELSE lease_until END AS due FROM jobs WHERE {OPEN}) AS open_jobs \
             WHERE due > $1"
        );
        let params: Vec<Param> = vec![integer(now).into(), holder.into()];
        let rows = self.0.rows(sql, params).await?;
        let first = rows
            .first()
            .map(|row| row.optional_integer(0))
            .transpose()?;
        Ok(first.flatten().map(number))
    }

    /// Notes that a job is on its way again, to another account: 1min.ai has refused it after it had
    /// accepted it, and that cost nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn submitted_again(&self, id: &str, lease: Lease<'_>) -> Result<bool, StoreError> {
        let sql = "UPDATE jobs SET state = 'submitting', upstream_id = NULL, lease_holder = $2, \
                   lease_until = $3 WHERE id = $1 AND state = 'working'";
        let params: Vec<Param> = vec![id.into(), lease.holder.into(), integer(lease.until).into()];
        Ok(self.0.execute(sql.to_owned(), params).await? > 0)
    }

    /// The open jobs whose lease a process holds.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn followed_by(&self, holder: &str) -> Result<HashSet<String>, StoreError> {
        let sql = format!("SELECT id FROM jobs WHERE {OPEN} AND lease_holder = $1");
        let rows = self.0.rows(sql, vec![holder.into()]).await?;
        rows.iter().map(|row| row.text(0)).collect()
    }

    /// Jobs that ended before a time and whose cost is not booked: the process that was about to do
    /// it has died.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ended_and_held(&self, before: u64) -> Result<Vec<Job>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM jobs WHERE finished < $1 \
             AND id IN (SELECT id FROM holds WHERE job = 1)"
        );
        let rows = self.0.rows(sql, vec![integer(before).into()]).await?;
        Ok(readable(&rows))
    }

    /// Puts another key in the place of one that cannot be opened.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_key(&self, id: &str, sealed_key: String, now: u64) -> Result<(), StoreError> {
        let sql =
            format!("UPDATE jobs SET sealed_key = $2, next_look = $3 WHERE id = $1 AND {OPEN}");
        let params: Vec<Param> = vec![id.into(), sealed_key.into(), integer(now).into()];
        self.0.execute(sql, params).await.map(drop)
    }

    /// Notes where the files of a completed job are now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_assets(
        &self,
        id: &str,
        assets: &[ResultAsset],
        expires: Option<u64>,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE jobs SET assets = $2, expires = $3 WHERE id = $1 AND state = 'completed'";
        let params: Vec<Param> = vec![
            id.into(),
            written(assets).into(),
            expires.map(integer).into(),
        ];
        self.0.execute(sql.to_owned(), params).await.map(drop)
    }

    /// A job of this owner.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get(&self, owner: AccountId, id: &str) -> Result<Option<Job>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM jobs WHERE owner = $1 AND id = $2");
        let params: Vec<Param> = vec![owner.to_string().into(), id.into()];
        let rows = self.0.rows(sql, params).await?;
        rows.first().map(read).transpose()
    }

    /// A page of an owner's jobs whose ids begin so, and whether there are more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list(
        &self,
        owner: AccountId,
        prefix: &str,
        query: &PageQuery,
    ) -> Result<(Vec<Job>, bool), StoreError> {
        let backwards = query.before.is_some() && query.after.is_none();
        let falling = query.newest_first != backwards;
        let mut sql = format!(
            "SELECT {COLUMNS} FROM jobs WHERE owner = $1 AND substr(id, 1, length($2)) = $2"
        );
        let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
        let mut params: Vec<Param> = vec![
            owner.to_string().into(),
            prefix.into(),
            limit.saturating_add(1).into(),
        ];
        if let Some(cursor) = query.after.as_ref().or(query.before.as_ref()) {
            sql.push_str(if falling {
                " AND id < $4"
            } else {
                " AND id > $4"
            });
            params.push(cursor.clone().into());
        }
        sql.push_str(if falling {
            " ORDER BY id DESC LIMIT $3"
        } else {
            " ORDER BY id ASC LIMIT $3"
        });
        let rows = self.0.rows(sql, params).await?;
        let has_more = rows.len() > query.limit;
        let mut jobs = readable(rows.get(..query.limit).unwrap_or(&rows));
        if backwards {
            jobs.reverse();
        }
        Ok((jobs, has_more))
    }

    /// Deletes a job, and tells whether there was one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete(&self, owner: AccountId, id: &str) -> Result<bool, StoreError> {
        let sql = "DELETE FROM jobs WHERE owner = $1 AND id = $2";
        let params: Vec<Param> = vec![owner.to_string().into(), id.into()];
        Ok(self.0.delete(sql.to_owned(), params).await? > 0)
    }

    /// Deletes jobs that ended before a time.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sweep(&self, before: u64) -> Result<(), StoreError> {
        let sql = "DELETE FROM jobs WHERE finished < $1";
        let params: Vec<Param> = vec![integer(before).into()];
        self.0.delete(sql.to_owned(), params).await.map(drop)
    }
}

/// A file that was made, in the column `assets`.
#[derive(Serialize, Deserialize)]
struct StoredAsset {
    path: String,
    url: Option<String>,
}

fn written(assets: &[ResultAsset]) -> String {
    let stored = assets.iter().map(|asset| StoredAsset {
        path: asset.path.clone(),
        url: asset.temporary_url.clone(),
    });
    // Texts are written into memory, which cannot fail.
    serde_json::to_string(&stored.collect::<Vec<_>>()).unwrap_or_default()
}

fn assets(text: &str) -> Result<Vec<ResultAsset>, StoreError> {
    let stored: Vec<StoredAsset> =
        serde_json::from_str(text).map_err(|_| StoreError::unexpected(text))?;
    let assets = stored.into_iter().map(|asset| ResultAsset {
        path: asset.path,
        temporary_url: asset.url,
    });
    Ok(assets.collect())
}

/// Code, message, kind and parameter, as the columns have them.
fn words(error: Option<&JobError>) -> [Option<String>; 4] {
    [
        error.map(|error| error.code.clone()),
        error.map(|error| error.message.clone()),
        error.map(|error| error.kind.name().to_owned()),
        error.and_then(|error| error.param.clone()),
    ]
}

/// Why a job failed, by its columns: those of older relays have no kind.
fn error(row: &Row) -> Result<Option<JobError>, StoreError> {
    let Some(code) = row.optional_text(18)? else {
        return Ok(None);
    };
    let kind = row.optional_text(21)?;
    let kind = failure::Kind::of_name(kind.as_deref().unwrap_or(&code));
    Ok(Some(JobError {
        kind: kind.unwrap_or(failure::Kind::Upstream),
        code,
        message: row.optional_text(19)?.unwrap_or_default(),
        param: row.optional_text(22)?,
    }))
}

/// One job that cannot be read, as of a later version, keeps nobody from the others.
fn readable(rows: &[Row]) -> Vec<Job> {
    let jobs = rows.iter().map(read);
    jobs.filter_map(|job| {
        job.inspect_err(|error| warn_throttled!(%error, "a job cannot be read"))
            .ok()
    })
    .collect()
}

fn read(row: &Row) -> Result<Job, StoreError> {
    let unexpected = |text: &str| StoreError::unexpected(text);
    let account = |column| {
        let text = row.text(column)?;
        text.parse::<AccountId>().map_err(|_| unexpected(&text))
    };
    let (kind, state) = (row.text(4)?, row.text(9)?);
    Ok(Job {
        id: row.text(0)?,
        owner: account(1)?,
        account: account(2)?,
        account_name: row.optional_text(3)?,
        kind: Kind::of_name(&kind).ok_or_else(|| unexpected(&kind))?,
        model: row.text(5)?,
        prompt: row.text(6)?,
        seconds: row.optional_integer(7)?.and_then(|n| u32::try_from(n).ok()),
        size: row.optional_text(8)?,
        state: State::of_name(&state).ok_or_else(|| unexpected(&state))?,
        created: number(row.integer(10)?),
        finished: row.optional_integer(11)?.map(number),
        expires: row.optional_integer(12)?.map(number),
        upstream_id: row.optional_text(13)?,
        sealed_key: row.optional_text(14)?,
        next_look: number(row.integer(15)?),
        looks: u32::try_from(row.integer(16)?).unwrap_or(u32::MAX),
        assets: assets(&row.optional_text(17)?.unwrap_or_else(|| "[]".to_owned()))?,
        error: error(row)?,
        credits: row.optional_integer(20)?.map(number),
    })
}

fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn number(integer: i64) -> u64 {
    u64::try_from(integer).unwrap_or(0)
}

//! The job that deletes files whose time is over. Of replicas that share a store, one at a time
//! does it.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::access::account_id::AccountId;
use crate::clock;
use crate::media::image_history::GeneratedImage;
use crate::objects::Objects;
use crate::objects::files::File;
use crate::objects::responses::StoredResponse;
use crate::store::StoreError;
use crate::store::records::{Collection, Record, milliseconds};

/// Between two rounds.
const PAUSE: Duration = Duration::from_hours(1);

/// The first round comes sooner, but not while the relay starts.
const FIRST_PAUSE: Duration = Duration::from_mins(2);

/// The age at which a blob without an entry is no longer on its way.
const ORPHAN_AGE: Duration = Duration::from_hours(1);

/// How long a round may take before another replica takes over from one that died.
const ROUND: Duration = Duration::from_mins(30);

/// The kinds of records that expire by themselves, and whose room is freed here.
const SWEPT: [&str; 4] = [
    File::TABLE,
    StoredResponse::TABLE,
    GeneratedImage::TABLE,
    Lock::TABLE,
];

/// Held by the replica that is at work.
#[derive(Debug, Serialize, Deserialize)]
struct Lock {
    until: u64,
}

impl Record for Lock {
    const TABLE: &'static str = "locks";

    fn expires(&self) -> Option<SystemTime> {
        Some(SystemTime::UNIX_EPOCH + Duration::from_millis(self.until))
    }
}

/// Works for ever.
pub async fn run(objects: Objects) {
    let mut pause = FIRST_PAUSE;
    loop {
        tokio::time::sleep(pause).await;
        pause = PAUSE;
        match round(&objects).await {
            Ok(None | Some(0)) => {}
            Ok(Some(deleted)) => tracing::info!(deleted, "expired files were deleted"),
            Err(error) => {
                tracing::warn!(%error, "old files could not be deleted; tried again in an hour");
            }
        }
    }
}

/// One round; none if another replica is at work, or nothing was ever kept.
///
/// # Errors
/// The store.
pub async fn round(objects: &Objects) -> Result<Option<u64>, StoreError> {
    if !objects.records.is_in_use() {
        return Ok(None);
    }
    let locks = Collection::new(objects.records.clone());
    let lock = Lock {
        until: milliseconds(clock::system_time() + ROUND),
    };
    if !locks.create(AccountId::NOBODY, "retention", &lock).await? {
        return Ok(None);
    }
    let deleted = objects.files.delete_old(objects.file_retention).await;
    let orphans = objects.files.delete_orphans(ORPHAN_AGE).await?;
    if orphans > 0 {
        tracing::info!(orphans, "parts of interrupted uploads were deleted");
    }
    for table in SWEPT {
        objects.records.sweep(table).await?;
    }
    objects.records.tidy().await;
    locks.delete(AccountId::NOBODY, "retention").await?;
    deleted.map(Some)
}

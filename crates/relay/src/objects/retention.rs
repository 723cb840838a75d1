//! The job that deletes files whose time is over. Of replicas that share a store, one at a time
//! does it.

use std::sync::Weak;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::access::account_id::AccountId;
use crate::app::Relay;
use crate::media::image_history::GeneratedImage;
use crate::objects::files::File;
use crate::objects::responses::Stored;
use crate::store::StoreError;
use crate::store::state::{Collection, Record, milliseconds};

/// Between two rounds.
const PAUSE: Duration = Duration::from_hours(1);

/// The first round comes sooner, but not while the relay starts.
const FIRST_PAUSE: Duration = Duration::from_mins(2);

/// How long a round may take before another replica takes over from one that died.
const ROUND: Duration = Duration::from_mins(30);

/// The kinds of records that expire by themselves, and whose room is freed here.
const SWEPT: [&str; 4] = [
    File::SPACE,
    Stored::SPACE,
    GeneratedImage::SPACE,
    Lock::SPACE,
];

/// Held by the replica that is at work.
#[derive(Debug, Serialize, Deserialize)]
struct Lock {
    until: u64,
}

impl Record for Lock {
    const SPACE: &'static str = "lock";

    fn expires(&self) -> Option<SystemTime> {
        Some(SystemTime::UNIX_EPOCH + Duration::from_millis(self.until))
    }
}

/// Works until the relay is gone.
pub async fn run(relay: Weak<Relay>) {
    let mut pause = FIRST_PAUSE;
    loop {
        tokio::time::sleep(pause).await;
        pause = PAUSE;
        let Some(relay) = relay.upgrade() else {
            return;
        };
        match round(&relay).await {
            Ok(None | Some(0)) => {}
            Ok(Some(deleted)) => tracing::info!(deleted, "files whose time was over are deleted"),
            Err(error) => {
                tracing::warn!(%error, "old files could not be deleted; tried again in an hour");
            }
        }
    }
}

/// One round; none if another replica is at work.
///
/// # Errors
/// The store.
pub async fn round(relay: &Relay) -> Result<Option<u64>, StoreError> {
    let locks = Collection::new(relay.stores.state.clone());
    let lock = Lock {
        until: milliseconds(SystemTime::now() + ROUND),
    };
    if !locks.create(AccountId::NOBODY, "retention", &lock).await? {
        return Ok(None);
    }
    let deleted = relay.files.delete_old(relay.file_retention).await;
    for space in SWEPT {
        relay.stores.state.sweep(space).await?;
    }
    locks.delete(AccountId::NOBODY, "retention").await?;
    deleted.map(Some)
}

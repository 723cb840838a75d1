//! Keys that 1min.ai knows. What only the relay keeps (files, assistants, conversations) costs no
//! credits, so anybody could fill its disk under invented keys: 1min.ai is asked first. It is asked
//! for the list of models too, by which clients learn whether a key is good.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;
use onemin::{ApiKey, Client};
use tokio::time::timeout;
use translate::failure::{Failure, Kind};

use super::account_id::AccountId;
use crate::failure::of_upstream;

/// How long a key counts as known.
const KNOWN_KEY_TTL: Duration = Duration::from_hours(1);

/// How long upstream may take to say whether it knows a key.
const KEY_CHECK_TIMEOUT: Duration = Duration::from_secs(5);

/// Keys that are remembered.
const KNOWN_KEYS_MAX: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

/// Keys that were seen to be known.
#[derive(Clone)]
pub struct KnownKeys {
    client: Client,
    seen: Arc<Mutex<LruCache<AccountId, Instant>>>,
}

impl KnownKeys {
    /// Asks by this client.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self {
            client,
            seen: Arc::new(Mutex::new(LruCache::new(KNOWN_KEYS_MAX))),
        }
    }

    /// Whether a key was seen to be known, so that nobody need be asked.
    #[must_use]
    pub fn knows(&self, identity: AccountId) -> bool {
        let fresh = |seen: &Instant| seen.elapsed() < KNOWN_KEY_TTL;
        self.lock().get(&identity).is_some_and(fresh)
    }

    /// Lets a key pass that upstream knows, or that upstream cannot be asked about: its outage is
    /// no reason to refuse what needs nothing of it.
    ///
    /// # Errors
    /// A [`Kind::Unauthenticated`] failure.
    pub async fn check(&self, key: &ApiKey, identity: AccountId) -> Result<(), Failure> {
        if self.knows(identity) {
            return Ok(());
        }
        let refused = match timeout(KEY_CHECK_TIMEOUT, self.client.check_key(key)).await {
            Ok(Ok(())) => {
                self.lock().put(identity, Instant::now());
                return Ok(());
            }
            Ok(Err(error)) => of_upstream(&error),
            Err(_) => return Ok(()),
        };
        if refused.kind == Kind::Unauthenticated {
            return Err(refused);
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<AccountId, Instant>> {
        // A panic while the lock was held can at worst have lost an entry.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

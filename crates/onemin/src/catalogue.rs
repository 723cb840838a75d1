//! The lists of models, remembered: one fetch at a time for each feature, the last good list while
//! upstream fails, and the built-in list when there never was one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::client::Client;
use crate::models::{self, Feature, Model};

/// After a failure, upstream is left alone for so long.
const RETRY_AFTER_FAILURE: Duration = Duration::from_secs(10);

/// Where a list comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Upstream, and not older than asked for.
    Live,
    /// Upstream, but longer ago: it cannot be asked now.
    Stale,
    /// This program: upstream could never be asked.
    BuiltIn,
}

/// A list of models.
#[derive(Debug, Clone)]
pub struct Listing {
    /// The models, in upstream's order.
    pub models: Arc<[Model]>,
    /// Where they come from.
    pub source: Source,
    /// When they were fetched; None for the built-in list.
    pub fetched: Option<Instant>,
}

/// The lists, for as many callers as there are. Clones share them.
#[derive(Debug, Clone)]
pub struct Catalogue {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    client: Client,
    ttl: Duration,
    /// In the order of [`Feature::ALL`].
    lists: Mutex<Lists>,
}

type Lists = [CachedList; Feature::ALL.len()];

/// What is known of one feature's list.
#[derive(Debug, Default)]
struct CachedList {
    models: Option<(Arc<[Model]>, Instant)>,
    builtin: Option<Arc<[Model]>>,
    failed: Option<Instant>,
    /// Closed when the fetch that is under way has ended.
    fetching: Option<watch::Receiver<()>>,
}

impl Catalogue {
    /// A catalogue whose lists are asked for again when they are older than `ttl`.
    #[must_use]
    pub fn new(client: Client, ttl: Duration) -> Self {
        let lists = Mutex::default();
        let inner = Inner { client, ttl, lists };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The models of a feature. Always answers, within the client's limit for lists.
    pub async fn models(&self, feature: Feature) -> Listing {
        self.fresher_than(feature, self.inner.ttl).await
    }

    /// As [`Catalogue::models`], but asks again if the list is older than `at_most`.
    pub async fn fresher_than(&self, feature: Feature, at_most: Duration) -> Listing {
        let wanted = Freshness::now(at_most);
        // A fetch that was under way may have brought less than was wanted; a second look decides.
        while let Some(mut ended) = self.inner.fetch(feature, wanted) {
            // An error means that the sender is gone, which is what is waited for.
            let _ = ended.changed().await;
        }
        self.inner.listing(feature, wanted)
    }

    /// What is at hand, without asking anybody; None if upstream's list was never fetched.
    #[must_use]
    pub fn cached(&self, feature: Feature) -> Option<Listing> {
        let listing = self.inner.listing(feature, Freshness::now(self.inner.ttl));
        (listing.source != Source::BuiltIn).then_some(listing)
    }
}

/// How fresh a list is wanted. A list fetched after the call is always fresh enough.
#[derive(Debug, Clone, Copy)]
struct Freshness {
    since: Instant,
    at_most: Duration,
}

impl Freshness {
    fn now(at_most: Duration) -> Self {
        let since = Instant::now();
        Self { since, at_most }
    }

    fn is_met(self, fetched: Instant) -> bool {
        fetched
            .checked_add(self.at_most)
            .is_none_or(|until| until >= self.since)
    }
}

impl Inner {
    /// Joins or starts a fetch; None if the list is fresh enough or upstream is to be left alone.
    fn fetch(self: &Arc<Self>, feature: Feature, wanted: Freshness) -> Option<watch::Receiver<()>> {
        let mut kept = self.lock();
        let known = of(&mut kept, feature);
        let fresh = known
            .models
            .as_ref()
            .is_some_and(|(_, fetched)| wanted.is_met(*fetched));
        let backing_off = known
            .failed
            .is_some_and(|failed| failed.elapsed() < RETRY_AFTER_FAILURE);
        if fresh || backing_off {
            return None;
        }
        if let Some(fetching) = &known.fetching {
            return Some(fetching.clone());
        }
        let (end, ended) = watch::channel(());
        known.fetching = Some(ended.clone());
        let fetch = Fetch {
            catalogue: Arc::clone(self),
            feature,
            fetched: None,
            _end: end,
        };
        // A task of its own: the caller may go away, others wait for it too.
        #[expect(clippy::disallowed_methods, reason = "it outlives the caller")]
        tokio::spawn(fetch.run());
        Some(ended)
    }

    fn listing(&self, feature: Feature, wanted: Freshness) -> Listing {
        let mut kept = self.lock();
        let known = of(&mut kept, feature);
        match &known.models {
            Some((models, fetched)) => Listing {
                models: Arc::clone(models),
                source: if wanted.is_met(*fetched) {
                    Source::Live
                } else {
                    Source::Stale
                },
                fetched: Some(*fetched),
            },
            None => Listing {
                models: Arc::clone(
                    known
                        .builtin
                        .get_or_insert_with(|| models::builtin(feature).into()),
                ),
                source: Source::BuiltIn,
                fetched: None,
            },
        }
    }

    fn lock(&self) -> MutexGuard<'_, Lists> {
        // Every change is one assignment: a panic elsewhere leaves nothing half done.
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(
    clippy::indexing_slicing,
    reason = "there is a list for every feature, and a test counts them"
)]
fn of(lists: &mut Lists, feature: Feature) -> &mut CachedList {
    &mut lists[feature as usize]
}

/// One fetch. However it ends, the lists are changed before those who wait are woken.
struct Fetch {
    catalogue: Arc<Inner>,
    feature: Feature,
    fetched: Option<Vec<Model>>,
    /// Wakes those who wait when it goes, after everything else.
    _end: watch::Sender<()>,
}

impl Fetch {
    async fn run(mut self) {
        self.fetched = self.catalogue.client.models(self.feature).await.ok();
    }
}

impl Drop for Fetch {
    fn drop(&mut self) {
        let mut kept = self.catalogue.lock();
        let known = of(&mut kept, self.feature);
        known.fetching = None;
        match self.fetched.take() {
            Some(models) => {
                known.models = Some((models.into(), Instant::now()));
                known.builtin = None;
                known.failed = None;
            }
            None => known.failed = Some(Instant::now()),
        }
    }
}

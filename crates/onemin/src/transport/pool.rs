//! Connections that wait for their next request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use http::Uri;
use http::uri::{Authority, Scheme};
use tokio::time::Instant;

use super::connection::Connection;

/// Connections that are not used for so long are closed; upstream's edge closes them itself later.
const IDLE_CONNECTION: Duration = Duration::from_secs(75);

/// The most connections to one host that wait; each holds the buffers of its last exchange.
const MOST_IDLE: usize = 512;

/// Where a connection leads.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Origin(Scheme, Authority);

impl Origin {
    /// Of an address with scheme and host.
    pub(super) fn of(uri: &Uri) -> Option<Self> {
        Some(Self(uri.scheme()?.clone(), uri.authority()?.clone()))
    }
}

#[derive(Debug, Default)]
pub(super) struct Pool {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The last to come is the first to go, so that those too many grow old.
    idle: HashMap<Origin, Vec<Idle>>,
    /// Whether a task closes the old ones.
    swept: bool,
}

#[derive(Debug)]
struct Idle {
    connection: Box<Connection>,
    since: Instant,
}

impl Idle {
    fn is_fresh(&self, now: Instant) -> bool {
        now < self.since + IDLE_CONNECTION
    }
}

impl Pool {
    /// A connection that can take a request, as far as is known.
    pub(super) fn take(&self, origin: &Origin) -> Option<Box<Connection>> {
        loop {
            let Idle {
                mut connection,
                since: _,
            } = self.last(origin)?;
            if connection.is_ready() {
                return Some(connection);
            }
        }
    }

    fn last(&self, origin: &Origin) -> Option<Idle> {
        let last = self.state().idle.get_mut(origin)?.pop()?;
        last.is_fresh(Instant::now()).then_some(last)
    }

    /// Keeps a connection for the next request, if it can take one.
    pub(super) fn put(self: &Arc<Self>, origin: Origin, mut connection: Box<Connection>) {
        if !connection.is_ready() {
            return;
        }
        let since = Instant::now();
        let idle = Idle { connection, since };
        let mut state = self.state();
        let connections = state.idle.entry(origin).or_default();
        if connections.len() >= MOST_IDLE {
            return;
        }
        connections.push(idle);
        if !state.swept
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            state.swept = true;
            runtime.spawn(sweep(Arc::downgrade(self)));
        }
    }

    /// Takes out the connections that are too old; false if none is left.
    fn expire(&self, old: &mut Vec<Idle>) -> bool {
        let now = Instant::now();
        let mut state = self.state();
        for connections in state.idle.values_mut() {
            let fresh = connections.partition_point(|idle| !idle.is_fresh(now));
            old.extend(connections.drain(..fresh));
        }
        state.idle.retain(|_, connections| !connections.is_empty());
        state.swept = !state.idle.is_empty();
        state.swept
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes old connections until there are none, or nobody is left to use them.
async fn sweep(pool: Weak<Pool>) {
    loop {
        tokio::time::sleep(IDLE_CONNECTION).await;
        let Some(pool) = pool.upgrade() else { return };
        let mut old = Vec::new();
        let more = pool.expire(&mut old);
        drop(pool);
        drop(old);
        if !more {
            return;
        }
    }
}

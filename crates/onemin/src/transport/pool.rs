//! Connections that wait for their next request.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use http::Uri;
use http::uri::{Authority, Scheme};
use tokio::time::Instant;

use super::connection::Connection;

/// Connections that are not used for so long are closed; upstream's edge closes them itself later.
const IDLE_TIMEOUT: Duration = Duration::from_secs(75);

/// The same where there are more than usual: after many requests at once their buffers are given back.
const SPARE_TIMEOUT: Duration = Duration::from_secs(15);

/// So many idle connections to one host are usual.
const USUAL_CONNECTIONS: usize = 16;

/// An idle connection has no task that would see upstream close it; this often all are looked at.
const SWEEP_INTERVAL: Duration = Duration::from_secs(15);

/// The most connections to one host that wait; each holds the buffers of its last exchange.
const IDLE_CONNECTIONS_MAX: usize = 512;

/// Where a connection leads.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// There are two or three origins: to compare them is cheaper than to hash them.
    idle: Vec<(Origin, Vec<Idle>)>,
    /// Whether a task closes those that are over.
    swept: bool,
}

#[derive(Debug)]
struct Idle {
    connection: Box<Connection>,
    since: Instant,
}

impl State {
    fn of(&mut self, origin: &Origin) -> Option<&mut Vec<Idle>> {
        let mut origins = self.idle.iter_mut();
        origins.find_map(|(other, idle)| (other == origin).then_some(idle))
    }
}

impl Idle {
    fn is_fresh(&self) -> bool {
        self.is_within(IDLE_TIMEOUT)
    }

    fn is_within(&self, limit: Duration) -> bool {
        self.since.elapsed() < limit
    }
}

impl Pool {
    /// A connection that can take a request, as far as is known.
    pub(super) fn take(&self, origin: &Origin) -> Option<Box<Connection>> {
        while let Some(mut idle) = self.last(origin) {
            if idle.connection.is_ready() {
                return Some(idle.connection);
            }
        }
        None
    }

    fn last(&self, origin: &Origin) -> Option<Idle> {
        let last = self.state().of(origin)?.pop()?;
        last.is_fresh().then_some(last)
    }

    /// Keeps a connection for the next request, if it can take one.
    pub(super) fn put(self: &Arc<Self>, origin: Origin, mut connection: Box<Connection>) {
        if !connection.is_ready() {
            return;
        }
        let since = Instant::now();
        let idle = Idle { connection, since };
        let mut state = self.state();
        match state.of(&origin) {
            Some(connections) if connections.len() >= IDLE_CONNECTIONS_MAX => return,
            Some(connections) => connections.push(idle),
            None => state.idle.push((origin, vec![idle])),
        }
        if !state.swept
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            state.swept = true;
            #[expect(
                clippy::disallowed_methods,
                reason = "idle connections belong to no request"
            )]
            runtime.spawn(sweep(Arc::downgrade(self)));
        }
    }

    /// Takes out the connections that are too old or that upstream has closed; none if there are no
    /// others.
    fn expire(&self) -> Option<Vec<Idle>> {
        let mut state = self.state();
        let mut gone = Vec::new();
        for (_, idle) in &mut state.idle {
            // The oldest come first.
            let mut spare = idle.len().saturating_sub(USUAL_CONNECTIONS);
            let is_over = |idle: &mut Idle| {
                let limit = if spare > 0 {
                    SPARE_TIMEOUT
                } else {
                    IDLE_TIMEOUT
                };
                spare = spare.saturating_sub(1);
                !(idle.is_within(limit) && idle.connection.is_ready())
            };
            gone.extend(idle.extract_if(.., is_over));
        }
        state.idle.retain(|(_, idle)| !idle.is_empty());
        state.swept = !state.idle.is_empty();
        state.swept.then_some(gone)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes connections that are over until there are none, or nobody is left to use them.
async fn sweep(pool: Weak<Pool>) {
    loop {
        tokio::time::sleep(SWEEP_INTERVAL).await;
        let Some(pool) = pool.upgrade() else { return };
        if pool.expire().is_none() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use hyper_rustls::MaybeHttpsStream;
    use hyper_util::rt::TokioIo;
    use tokio::io::AsyncReadExt as _;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    fn origin() -> Origin {
        Origin::of(&Uri::from_static("http://here/")).unwrap()
    }

    /// A pool with so many idle connections, and their other ends.
    async fn filled(count: usize) -> (Arc<Pool>, Vec<TcpStream>) {
        let pool = Arc::new(Pool::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut ends = Vec::new();
        for _ in 0..count {
            let connecting = TcpStream::connect(listener.local_addr().unwrap());
            let (near, far) = tokio::join!(connecting, listener.accept());
            let socket = MaybeHttpsStream::Http(TokioIo::new(near.unwrap()));
            let connection = Connection::over(socket).await.unwrap();
            pool.put(origin(), Box::new(connection));
            ends.push(far.unwrap().0);
        }
        (pool, ends)
    }

    fn idle(pool: &Pool) -> usize {
        pool.state().idle.iter().map(|(_, idle)| idle.len()).sum()
    }

    async fn is_closed(end: &mut TcpStream) -> bool {
        let reading = tokio::time::timeout(Duration::from_secs(1), end.read_u8());
        reading.await.is_ok_and(|read| read.is_err())
    }

    #[tokio::test]
    async fn no_more_than_so_many_wait() {
        let (pool, mut ends) = filled(IDLE_CONNECTIONS_MAX + 1).await;
        assert_eq!(idle(&pool), IDLE_CONNECTIONS_MAX);
        assert!(is_closed(ends.last_mut().unwrap()).await);
        assert!(!is_closed(&mut ends[0]).await);
    }

    /// As if all that wait had waited for so long.
    fn age(pool: &Pool, by: Duration) {
        for idle in pool.state().idle.iter_mut().flat_map(|(_, idle)| idle) {
            idle.since -= by;
        }
    }

    #[tokio::test]
    async fn a_connection_that_is_too_old_is_not_used_and_is_closed() {
        let (pool, mut ends) = filled(2).await;
        age(&pool, IDLE_TIMEOUT / 2);
        assert!(pool.take(&origin()).is_some());
        assert_eq!(pool.expire().map(|gone| gone.len()), Some(0));
        age(&pool, IDLE_TIMEOUT / 2);
        assert!(pool.take(&origin()).is_none());
        assert!(is_closed(&mut ends[0]).await);
        let (pool, mut ends) = filled(1).await;
        age(&pool, IDLE_TIMEOUT);
        assert!(pool.expire().is_none());
        assert!(is_closed(&mut ends[0]).await);
    }

    #[tokio::test]
    async fn more_connections_than_usual_are_closed_soon() {
        let (pool, _ends) = filled(USUAL_CONNECTIONS + 5).await;
        assert_eq!(pool.expire().map(|gone| gone.len()), Some(0));
        age(&pool, SPARE_TIMEOUT);
        assert_eq!(pool.expire().map(|gone| gone.len()), Some(5));
        assert_eq!(idle(&pool), USUAL_CONNECTIONS);
    }

    #[tokio::test]
    async fn a_connection_that_upstream_closes_does_not_wait_until_it_is_old() {
        let (pool, mut ends) = filled(3).await;
        ends.remove(1);
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(pool.expire().map(|gone| gone.len()), Some(1));
        assert_eq!(idle(&pool), 2);
    }
}

//! Counters in memcached, by the two commands of its text protocol that counting needs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use super::shared::{Answer, Service};
use crate::store::StoreError;

/// Connections that are kept open between counts.
const KEPT: usize = 16;

/// How long one of several places may take to answer while it is looked for.
const LOOK: Duration = Duration::from_millis(250);

/// A counter's life in seconds: its window, and another for clocks that differ.
const COUNTER_TTL_SECONDS: u32 = 120;

/// No answer to the commands used here is longer.
const MAX_LINE: usize = 512;

/// memcached at the first of some places where it answers.
pub struct Memcached {
    places: Vec<String>,
    place: AtomicUsize,
    kept: Mutex<Vec<Connection>>,
}

impl Memcached {
    /// memcached at `host:port`.
    #[must_use]
    pub fn at(place: String) -> Self {
        Self::at_first_of(vec![place])
    }

    /// memcached at the first of these places where it answers.
    #[must_use]
    pub fn at_first_of(places: Vec<String>) -> Self {
        Self {
            places,
            place: AtomicUsize::new(0),
            kept: Mutex::default(),
        }
    }

    async fn count(&self, counter: &str, floor: u64, by: u64) -> Result<u64, StoreError> {
        // A kept connection may have been closed from the other side since.
        if let Some(mut kept) = self.take()
            && let Ok(count) = kept.count(counter, floor, by).await
        {
            self.keep(kept);
            return Ok(count);
        }
        let place = self.places.get(self.place.load(Ordering::Relaxed));
        let mut fresh = Connection::open(place.map_or("", String::as_str)).await?;
        let count = fresh.count(counter, floor, by).await?;
        self.keep(fresh);
        Ok(count)
    }

    async fn find(&self) -> Result<(), StoreError> {
        self.kept().clear();
        for (number, place) in self.places.iter().enumerate() {
            let looking = async {
                let mut connection = Connection::open(place).await?;
                connection.count("1min-relay:look", 0, 1).await
            };
            if let Ok(Ok(_)) = tokio::time::timeout(LOOK, looking).await {
                self.place.store(number, Ordering::Relaxed);
                return Ok(());
            }
        }
        Err(StoreError::Timeout)
    }

    fn take(&self) -> Option<Connection> {
        self.kept().pop()
    }

    fn keep(&self, connection: Connection) {
        let mut kept = self.kept();
        if kept.len() < KEPT {
            kept.push(connection);
        }
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Connection>> {
        // A panic while the lock was held can at worst have lost a connection.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service for Memcached {
    fn add(&self, counter: String, floor: u64, by: u64) -> Answer<'_, u64> {
        Box::pin(async move { self.count(&counter, floor, by).await })
    }

    fn health_check(&self) -> Answer<'_, ()> {
        Box::pin(self.find())
    }

    fn name(&self) -> String {
        format!("memcached at {}", self.places.join(" or "))
    }
}

struct Connection(BufReader<TcpStream>);

impl Connection {
    async fn open(place: &str) -> Result<Self, StoreError> {
        let stream = TcpStream::connect(place).await?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::with_capacity(MAX_LINE, stream)))
    }

    async fn count(&mut self, counter: &str, floor: u64, by: u64) -> Result<u64, StoreError> {
        // Another replica may make the counter between the two commands, and in theory it may be
        // forgotten again.
        for _ in 0..3 {
            let answer = self.ask(&format!("incr {counter} {by}\r\n")).await?;
            if let Ok(count) = answer.parse() {
                return Ok(count);
            }
            if answer != "NOT_FOUND" {
                return Err(StoreError::unexpected(&answer));
            }
            let first = (floor + by).to_string();
            let add = format!(
                "add {counter} 0 {COUNTER_TTL_SECONDS} {}\r\n{first}\r\n",
                first.len()
            );
            match self.ask(&add).await?.as_str() {
                "STORED" => return Ok(floor + by),
                "NOT_STORED" => {}
                answer => return Err(StoreError::unexpected(answer)),
            }
        }
        Err(StoreError::unexpected("a counter that comes and goes"))
    }

    async fn ask(&mut self, command: &str) -> Result<String, StoreError> {
        self.0.get_mut().write_all(command.as_bytes()).await?;
        let mut line = String::new();
        (&mut self.0)
            .take(MAX_LINE as u64)
            .read_line(&mut line)
            .await?;
        match line.strip_suffix("\r\n") {
            Some(answer) => Ok(answer.to_owned()),
            None => Err(StoreError::unexpected(&line)),
        }
    }
}

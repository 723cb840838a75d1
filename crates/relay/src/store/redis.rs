//! One connection to Redis that all requests share, opened when it is needed and opened again
//! when it broke.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, FromRedisValue, Pipeline};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use super::StoreError;

/// A way to a Redis server; clones share the connection.
#[derive(Clone)]
pub struct RedisConnection {
    client: Client,
    connection: Arc<Mutex<Option<Open>>>,
}

/// The connection, numbered, so that of many requests that saw it break one drops it.
#[derive(Clone)]
struct Open {
    number: u64,
    connection: MultiplexedConnection,
}

impl RedisConnection {
    /// A link to a `redis://` or `rediss://` URL. Opens no connection.
    ///
    /// # Errors
    /// Why the URL means nothing, without the URL: it may hold a password.
    pub fn new(url: &SecretString) -> Result<Self, String> {
        let client = Client::open(url.expose_secret())
            .map_err(|_| "must be a URL such as redis://host:6379/0".to_owned())?;
        Ok(Self {
            client,
            connection: Arc::default(),
        })
    }

    /// The server, for people; no secrets.
    #[must_use]
    pub fn name(&self) -> String {
        format!("Redis at {}", self.client.get_connection_info().addr())
    }

    /// Runs commands and waits for what they give.
    ///
    /// # Errors
    /// [`StoreError`] if the server does not answer in time or answers with an error.
    pub async fn run<T: FromRedisValue>(
        &self,
        commands: &Pipeline,
        within: Duration,
    ) -> Result<T, StoreError> {
        let mut number = None;
        let running = async {
            let mut open = self.open().await?;
            number = Some(open.number);
            commands.query_async(&mut open.connection).await
        };
        let error = match tokio::time::timeout(within, running).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => error.into(),
            Err(_) => StoreError::Timeout,
        };
        if let Some(number) = number {
            self.drop_broken(number, &error).await;
        }
        Err(error)
    }

    async fn open(&self) -> Result<Open, redis::RedisError> {
        let mut slot = self.connection.lock().await;
        if let Some(open) = &*slot {
            return Ok(open.clone());
        }
        // The time is bounded from outside, by each use as it can wait.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None);
        let connection = self
            .client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        let open = Open {
            number: next_number(),
            connection,
        };
        Ok(slot.insert(open).clone())
    }

    async fn drop_broken(&self, number: u64, error: &StoreError) {
        if matches!(error, StoreError::Refused(_)) {
            return;
        }
        let mut slot = self.connection.lock().await;
        slot.take_if(|open| open.number == number);
    }
}

fn next_number() -> u64 {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}

impl From<redis::RedisError> for StoreError {
    fn from(error: redis::RedisError) -> Self {
        if error.is_timeout() {
            Self::Timeout
        } else if error.is_io_error() || error.is_unrecoverable_error() {
            Self::Io(std::io::Error::other(error.to_string()))
        } else {
            Self::Refused(error.to_string())
        }
    }
}

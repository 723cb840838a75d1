//! Counters in Redis.

use redis::pipe;

use super::shared::{ANSWER_TIMEOUT, Answer, Service};
use crate::store::redis::RedisConnection;

/// A counter's life in seconds: its window, and another for clocks that differ.
const COUNTER_TTL_SECONDS: u32 = 120;

/// Redis as a counting service.
pub struct RedisCounters(RedisConnection);

impl RedisCounters {
    /// Counters over this link.
    #[must_use]
    pub fn new(link: RedisConnection) -> Self {
        Self(link)
    }
}

impl Service for RedisCounters {
    fn add(&self, counter: String, floor: u64, by: u64) -> Answer<'_, u64> {
        Box::pin(async move {
            let mut commands = pipe();
            commands
                .atomic()
                .cmd("SET")
                .arg(&[
                    counter.as_str(),
                    &floor.to_string(),
                    "EX",
                    &COUNTER_TTL_SECONDS.to_string(),
                    "NX",
                ])
                .ignore()
                .cmd("INCRBY")
                .arg(&counter)
                .arg(by);
            let (count,) = self.0.run(&commands, ANSWER_TIMEOUT).await?;
            Ok(count)
        })
    }

    fn health_check(&self) -> Answer<'_, ()> {
        Box::pin(async move { self.add("1min-relay:look".to_owned(), 0, 1).await.map(drop) })
    }

    fn name(&self) -> String {
        self.0.name()
    }
}

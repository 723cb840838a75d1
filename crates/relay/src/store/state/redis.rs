//! Records in Redis (6.2 or later): a key for each value, a sorted set of ids for each owner, one
//! of owners for each space.

use std::time::{Duration, SystemTime};

use redis::{Pipeline, pipe};

use super::{Answer, Engine, Key, Listing, Value, milliseconds};
use crate::access::account_id::AccountId;
use crate::store::StoreError;
use crate::store::redis::Link;

/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Ids asked for at once.
const PAGE: usize = 500;

/// What is written to see whether it can be.
const LOOK: &str = "1min-relay:look";

/// Owners in one answer.
const OWNERS: usize = 1000;

/// Compares and sets as one step. Keys: value, ids, owners. Arguments: whether and what was
/// before, whether and what comes after, its end or nothing, id, owner.
const SWAP: &str = r"
local now = redis.call('GET', KEYS[1])
if ARGV[1] == '1' then
  if now ~= ARGV[2] then return 0 end
elseif now then
  return 0
end
if ARGV[3] == '0' then
  redis.call('DEL', KEYS[1])
  redis.call('ZREM', KEYS[2], ARGV[6])
  return 1
end
if ARGV[5] == '' then
  redis.call('SET', KEYS[1], ARGV[4])
else
  redis.call('SET', KEYS[1], ARGV[4], 'PXAT', ARGV[5])
end
redis.call('ZADD', KEYS[2], 0, ARGV[6])
redis.call('ZADD', KEYS[3], 0, ARGV[7])
return 1";

/// Forgets an owner without records as one step, so that none made meanwhile is lost.
const FORGET: &str = r"
if redis.call('ZCARD', KEYS[1]) == 0 then redis.call('ZREM', KEYS[2], ARGV[1]) end
return 1";

/// The store in Redis.
#[derive(Clone)]
pub struct RedisState(Link);

impl RedisState {
    /// A store over this link.
    #[must_use]
    pub fn new(link: Link) -> Self {
        Self(link)
    }

    async fn run<T: redis::FromRedisValue>(&self, commands: &Pipeline) -> Result<T, StoreError> {
        self.0.run(commands, PATIENCE).await
    }

    /// One page of living records, and the last id that was looked at if there may be more.
    async fn page(
        &self,
        space: &'static str,
        owner: AccountId,
        listing: &Listing,
    ) -> Result<(Vec<(String, Vec<u8>)>, Option<String>), StoreError> {
        let mut commands = pipe();
        let command = commands.cmd("ZRANGE").arg(ids(space, owner));
        let (lowest, highest) = bounds(listing);
        if listing.falling {
            command.arg(highest).arg(lowest).arg("BYLEX").arg("REV");
        } else {
            command.arg(lowest).arg(highest).arg("BYLEX");
        }
        let size = listing.limit.min(PAGE);
        command.arg("LIMIT").arg(0).arg(size);
        let (found,): (Vec<String>,) = self.run(&commands).await?;
        let Some(last) = found.last().cloned() else {
            return Ok((Vec::new(), None));
        };
        let more = (found.len() == size).then_some(last);
        let mut commands = pipe();
        let command = commands.cmd("MGET");
        for id in &found {
            command.arg(record(space, owner, id));
        }
        let (values,): (Vec<Option<Vec<u8>>>,) = self.run(&commands).await?;
        let (mut living, mut gone) = (Vec::new(), Vec::new());
        for (id, value) in found.into_iter().zip(values) {
            match value {
                Some(value) => living.push((id, value)),
                None => gone.push(id),
            }
        }
        self.forget(space, owner, &gone).await?;
        Ok((living, more))
    }

    /// Takes the ids of expired records from the list.
    async fn forget(
        &self,
        space: &'static str,
        owner: AccountId,
        gone: &[String],
    ) -> Result<(), StoreError> {
        if gone.is_empty() {
            return Ok(());
        }
        let mut commands = pipe();
        commands
            .cmd("ZREM")
            .arg(ids(space, owner))
            .arg(gone)
            .ignore();
        self.run(&commands).await
    }
}

impl Engine for RedisState {
    fn get(&self, key: Key) -> Answer<'_, Option<Vec<u8>>> {
        Box::pin(async move {
            let mut commands = pipe();
            commands
                .cmd("GET")
                .arg(record(key.space, key.owner, &key.id));
            let (value,) = self.run(&commands).await?;
            Ok(value)
        })
    }

    fn put(&self, key: Key, value: Value) -> Answer<'_, ()> {
        Box::pin(async move {
            let mut commands = pipe();
            commands.atomic();
            let set = commands.cmd("SET");
            set.arg(record(key.space, key.owner, &key.id))
                .arg(value.bytes);
            if let Some(expires) = value.expires {
                set.arg("PXAT").arg(milliseconds(expires));
            }
            set.ignore();
            commands
                .cmd("ZADD")
                .arg(ids(key.space, key.owner))
                .arg(0)
                .arg(&key.id)
                .ignore();
            commands
                .cmd("ZADD")
                .arg(owners(key.space))
                .arg(0)
                .arg(key.owner.to_string())
                .ignore();
            self.run(&commands).await
        })
    }

    fn swap(&self, key: Key, before: Option<Vec<u8>>, after: Option<Value>) -> Answer<'_, bool> {
        Box::pin(async move {
            let expires = after.as_ref().and_then(|value| value.expires);
            let expires = expires.map(|at| milliseconds(at).to_string());
            let mut commands = pipe();
            commands
                .cmd("EVAL")
                .arg(SWAP)
                .arg(3)
                .arg(record(key.space, key.owner, &key.id))
                .arg(ids(key.space, key.owner))
                .arg(owners(key.space))
                .arg(i32::from(before.is_some()))
                .arg(before.unwrap_or_default())
                .arg(i32::from(after.is_some()))
                .arg(after.map(|value| value.bytes).unwrap_or_default())
                .arg(expires.unwrap_or_default())
                .arg(&key.id)
                .arg(key.owner.to_string());
            let (swapped,) = self.run(&commands).await?;
            Ok(swapped)
        })
    }

    fn delete(&self, key: Key) -> Answer<'_, bool> {
        Box::pin(async move {
            let mut commands = pipe();
            commands.atomic();
            commands
                .cmd("DEL")
                .arg(record(key.space, key.owner, &key.id));
            commands
                .cmd("ZREM")
                .arg(ids(key.space, key.owner))
                .arg(&key.id)
                .ignore();
            let (deleted,) = self.run(&commands).await?;
            Ok(deleted)
        })
    }

    fn list(
        &self,
        space: &'static str,
        owner: AccountId,
        mut listing: Listing,
    ) -> Answer<'_, Vec<(String, Vec<u8>)>> {
        Box::pin(async move {
            let mut all = Vec::new();
            while listing.limit > 0 {
                let (living, more) = self.page(space, owner, &listing).await?;
                listing.limit -= living.len();
                all.extend(living);
                if more.is_none() {
                    break;
                }
                listing.after = more;
            }
            Ok(all)
        })
    }

    fn owners(&self, space: &'static str, after: Option<AccountId>) -> Answer<'_, Vec<AccountId>> {
        Box::pin(async move {
            let from = after.map_or_else(|| "-".to_owned(), |after| format!("({after}"));
            let mut commands = pipe();
            commands
                .cmd("ZRANGE")
                .arg(owners(space))
                .arg(from)
                .arg("+")
                .arg(&["BYLEX", "LIMIT", "0"])
                .arg(OWNERS);
            let (found,): (Vec<String>,) = self.run(&commands).await?;
            Ok(found
                .iter()
                .filter_map(|owner| owner.parse().ok())
                .collect())
        })
    }

    /// Values go by themselves; what is left of them are ids, and owners who have none.
    fn sweep(&self, space: &'static str) -> Answer<'_, ()> {
        Box::pin(async move {
            let mut after = None;
            loop {
                let page = self.owners(space, after).await?;
                let Some(last) = page.last().copied() else {
                    return Ok(());
                };
                for owner in page {
                    let mut listing = Listing::default();
                    while let (_, Some(more)) = self.page(space, owner, &listing).await? {
                        listing.after = Some(more);
                    }
                    let mut commands = pipe();
                    commands
                        .cmd("EVAL")
                        .arg(FORGET)
                        .arg(2)
                        .arg(ids(space, owner))
                        .arg(owners(space))
                        .arg(owner.to_string())
                        .ignore();
                    self.run::<()>(&commands).await?;
                }
                after = Some(last);
            }
        })
    }

    fn look(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            // Older servers than those that are needed do not know this way to set an end.
            let end = milliseconds(SystemTime::now() + PATIENCE);
            let mut commands = pipe();
            commands.cmd("SET").arg(LOOK).arg(1).arg("PXAT").arg(end);
            self.run::<()>(&commands).await
        })
    }

    fn name(&self) -> String {
        self.0.name()
    }
}

/// The lexical bounds of a listing in Redis' notation.
fn bounds(listing: &Listing) -> (Vec<u8>, Vec<u8>) {
    let edge = |sign: u8, text: &str| [&[sign], text.as_bytes()].concat();
    let (mut lowest, mut highest) = if listing.prefix.is_empty() {
        (b"-".to_vec(), b"+".to_vec())
    } else {
        let highest = [edge(b'(', &listing.prefix), vec![0xff]].concat();
        (edge(b'[', &listing.prefix), highest)
    };
    if let Some(after) = &listing.after {
        if listing.falling {
            let is_beyond = after > &listing.prefix && !after.starts_with(&listing.prefix);
            if !is_beyond {
                highest = edge(b'(', after);
            }
        } else if after >= &listing.prefix {
            lowest = edge(b'(', after);
        }
    }
    (lowest, highest)
}

fn record(space: &str, owner: AccountId, id: &str) -> String {
    format!("1min-relay:{space}:{owner}:{id}")
}

fn ids(space: &str, owner: AccountId) -> String {
    format!("1min-relay:{space}-ids:{owner}")
}

fn owners(space: &str) -> String {
    format!("1min-relay:{space}-owners")
}

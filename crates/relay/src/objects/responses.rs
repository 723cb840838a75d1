//! Stored responses and conversations: what a later request may refer to.
//!
//! A response is kept with its own input and the id of the one before it, so that a chain of them
//! is a conversation and deleting one takes its words away. What was answered a moment ago is held
//! in memory until the store has it: a client may refer to it as soon as it has seen it.

mod writes;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::{self, Write};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::access::account_id::AccountId;
use crate::clock;
use crate::observe::throttle::warn_throttled;
use crate::store::StoreError;
use crate::store::records::{Collection, Record, RecordStore};
use writes::{ResponseKey, Writes};

/// The longest chain of responses that is followed. A part of one would be another conversation.
pub const MAX_CHAIN: usize = 500;

/// The most items of a conversation, and the most bytes of them as JSON: it is read and written as
/// a whole. The answer that goes beyond is kept, as it is paid; then the conversation is not continued.
pub const MAX_CONVERSATION: (usize, usize) = (10_000, 32 * 1024 * 1024);

/// The length of the stamp in the ids of a response and of its items.
const STAMP: usize = 32;

/// A response and what was asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredResponse {
    /// The response object.
    pub response: Value,
    /// The request's own input items.
    pub input: Vec<Value>,
    /// The response that it continues.
    pub previous: Option<String>,
    /// When it is forgotten, in seconds since 1970.
    expires: u64,
}

impl Record for StoredResponse {
    const TABLE: &'static str = "responses";

    fn expires(&self) -> Option<SystemTime> {
        Some(UNIX_EPOCH + Duration::from_secs(self.expires))
    }
}

impl StoredResponse {
    fn output(&self) -> Vec<Value> {
        let output = self.response.get("output").and_then(Value::as_array);
        output.cloned().unwrap_or_default()
    }

    fn has_failed(&self) -> bool {
        self.response.get("status").and_then(Value::as_str) == Some("failed")
    }
}

/// A conversation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Conversation {
    /// When it began, in seconds since 1970.
    pub created: u64,
    /// The client's labels.
    pub metadata: BTreeMap<String, String>,
    /// Everything said in it, oldest first.
    pub items: Vec<Value>,
}

impl Conversation {
    /// Whether these items are more than a conversation may have, together with those added.
    #[must_use]
    pub fn is_full(&self, added: &[Value]) -> bool {
        let (items, bytes) = MAX_CONVERSATION;
        let mut size = Size(0);
        let written = serde_json::to_writer(&mut size, &(&self.items, added));
        self.items.len() + added.len() > items || written.is_err() || size.0 > bytes
    }
}

/// Counts what is written.
struct Size(usize);

impl Write for Size {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Record for Conversation {
    const TABLE: &'static str = "conversations";
}

/// Keeps responses and conversations.
#[derive(Clone)]
pub struct Responses {
    stored: Collection<StoredResponse>,
    conversations: Collection<Conversation>,
    pending: Arc<Mutex<HashMap<ResponseKey, StoredResponse>>>,
    writes: Writes,
    kept_for: Duration,
}

/// What ends when an answer is in the store, and tells whether it is.
pub type Storing = Pin<Box<dyn Future<Output = bool> + Send>>;

/// Where an answer goes once it is complete.
#[derive(Debug, Clone)]
pub struct Destination {
    /// Whose it is.
    pub owner: AccountId,
    /// The response's id.
    pub id: String,
    /// The request's own input items.
    pub input: Vec<Value>,
    /// The response that it continues.
    pub previous: Option<String>,
    /// The conversation that it belongs to.
    pub conversation: Option<String>,
    /// Whether it may be asked for later.
    pub stores: bool,
}

/// What a request refers to, by ids.
#[derive(Debug, Clone)]
pub struct References<'r> {
    /// The response that it continues.
    pub previous: Option<&'r str>,
    /// The conversation that it belongs to.
    pub conversation: Option<&'r str>,
    /// Items of earlier responses.
    pub items: Vec<&'r str>,
}

/// What the store has of what a request refers to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// The items that stand before the request's own, oldest first.
    pub items: Vec<Value>,
    /// The items of [`References::items`] that are known, by id.
    pub referenced: BTreeMap<String, Value>,
}

/// Why there is no history.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// No response of this id is stored.
    #[error("no response `{0}`")]
    NoResponse(String),
    /// There is no conversation of this id.
    #[error("no conversation `{0}`")]
    NoConversation(String),
    /// More than [`MAX_CHAIN`] responses stand before this one.
    #[error("too many responses before `{0}`")]
    LongChain(String),
    /// The conversation of this id has more than [`MAX_CONVERSATION`].
    #[error("the conversation `{0}` is full")]
    FullConversation(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Responses {
    /// Over a store; what is older than `kept_for` is forgotten.
    #[must_use]
    pub fn new(store: &RecordStore, kept_for: Duration) -> Self {
        Self {
            stored: Collection::new(store.clone()),
            conversations: Collection::new(store.clone()),
            pending: Arc::default(),
            writes: Writes::default(),
            kept_for,
        }
    }

    /// One response.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn get(
        &self,
        owner: AccountId,
        id: &str,
    ) -> Result<Option<StoredResponse>, StoreError> {
        let pending = self.pending().get(&(owner, id.to_owned())).cloned();
        match pending {
            Some(stored) => Ok(Some(stored)),
            None => self.stored.get(owner, id).await,
        }
    }

    /// Forgets a response, and tells whether there was one.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn delete(&self, owner: AccountId, id: &str) -> Result<bool, StoreError> {
        let pending = self.pending().remove(&(owner, id.to_owned())).is_some();
        Ok(self.stored.delete(owner, id).await? || pending)
    }

    /// One conversation, with everything that was answered in it.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn conversation(
        &self,
        owner: AccountId,
        id: &str,
    ) -> Result<Option<Conversation>, StoreError> {
        self.writes.settled(&(owner, id.to_owned())).await;
        self.conversations.get(owner, id).await
    }

    /// Begins a conversation.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn begin(
        &self,
        owner: AccountId,
        id: &str,
        conversation: &Conversation,
    ) -> Result<(), StoreError> {
        self.conversations.put(owner, id, conversation).await
    }

    /// Changes a conversation behind everything that was answered in it, and gives it as it is
    /// then; none if there is none.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn change(
        &self,
        owner: AccountId,
        id: &str,
        change: impl FnMut(&mut Conversation) + Send,
    ) -> Result<Option<Conversation>, StoreError> {
        self.writes.settled(&(owner, id.to_owned())).await;
        self.conversations.update(owner, id, change).await
    }

    /// Forgets a conversation, and tells whether there was one.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn forget(&self, owner: AccountId, id: &str) -> Result<bool, StoreError> {
        self.conversations.delete(owner, id).await
    }

    /// What a request refers to.
    ///
    /// # Errors
    /// A response or conversation that is not there, or the store.
    pub async fn history(
        &self,
        owner: AccountId,
        references: References<'_>,
    ) -> Result<History, HistoryError> {
        let mut history = History::default();
        if let Some(id) = references.previous {
            history.items = self.chain(owner, id).await?;
        }
        if let Some(id) = references.conversation {
            let conversation = self.conversation(owner, id).await?;
            let conversation =
                conversation.ok_or_else(|| HistoryError::NoConversation(id.to_owned()))?;
            if conversation.is_full(&[]) {
                return Err(HistoryError::FullConversation(id.to_owned()));
            }
            history.items.extend(conversation.items);
        }
        let here = history.items.iter();
        let here: HashSet<&str> = here.filter_map(|item| item.get("id")?.as_str()).collect();
        let elsewhere: BTreeSet<&str> = references.items.into_iter().collect();
        let elsewhere: Vec<&str> = elsewhere
            .into_iter()
            .filter(|id| !here.contains(id))
            .collect();
        for id in elsewhere {
            let item = self.item(owner, id).await?;
            let item = item.map(|item| (id.to_owned(), item));
            history.referenced.extend(item);
        }
        Ok(history)
    }

    /// An item of a stored response. Its id says which response it came with.
    async fn item(&self, owner: AccountId, id: &str) -> Result<Option<Value>, StoreError> {
        let stamp = id.split_once('_').and_then(|(_, rest)| rest.get(..STAMP));
        let Some(stamp) = stamp else {
            return Ok(None);
        };
        let stored = self.get(owner, &format!("resp_{stamp}")).await?;
        let items = stored.map(|stored| [stored.output(), stored.input].concat());
        Ok(items.into_iter().flatten().find(|item| has_id(item, id)))
    }

    /// The items of a chain of responses, oldest first.
    async fn chain(&self, owner: AccountId, last: &str) -> Result<Vec<Value>, HistoryError> {
        let mut links = Vec::new();
        let mut next = Some(last.to_owned());
        while let Some(id) = next.take() {
            if links.len() == MAX_CHAIN {
                return Err(HistoryError::LongChain(last.to_owned()));
            }
            let stored = self.get(owner, &id).await?;
            let stored = stored.ok_or_else(|| HistoryError::NoResponse(id.clone()))?;
            next.clone_from(&stored.previous);
            links.push(stored);
        }
        let in_order = links.into_iter().rev();
        Ok(in_order
            .flat_map(|link| {
                let output = link.output();
                link.input.into_iter().chain(output)
            })
            .collect())
    }

    /// Stores a complete response where it belongs. The work goes on if nobody waits for its end.
    #[must_use]
    pub fn store(&self, to: Destination, response: &[u8]) -> Storing {
        let Ok(response) = serde_json::from_slice::<Value>(response) else {
            return Box::pin(async { false });
        };
        let stored = StoredResponse {
            response,
            input: to.input,
            previous: to.previous,
            expires: clock::now().saturating_add(self.kept_for.as_secs()),
        };
        // What failed was never said: the client will ask it again.
        let conversation = to.conversation.filter(|_| !stored.has_failed());
        let continued = conversation.map(|id| self.converse((to.owner, id), stored.clone()));
        let persisted = to.stores.then(|| {
            let key = (to.owner, to.id);
            self.pending().insert(key.clone(), stored.clone());
            let keeper = self.clone();
            let (done, ended) = oneshot::channel();
            self.writes.add(key.clone(), async move {
                let _ = done.send(keeper.persist(key, &stored).await);
            });
            ended
        });
        Box::pin(async move {
            let mut all = true;
            for ended in [continued, persisted].into_iter().flatten() {
                all &= ended.await.unwrap_or(false);
            }
            all
        })
    }

    /// Waits until everything that clients were told of is in the store.
    pub async fn written(&self) {
        self.writes.done().await;
    }

    async fn persist(&self, key: ResponseKey, stored: &StoredResponse) -> bool {
        let written = self.stored.put(key.0, &key.1, stored).await;
        if let Err(error) = &written {
            warn_throttled!(%error, "a response could not be stored");
        }
        // Deleted while it was written: then it must not come back.
        if self.pending().remove(&key).is_none() {
            let _ = self.stored.delete(key.0, &key.1).await;
        }
        written.is_ok()
    }

    fn converse(&self, key: ResponseKey, stored: StoredResponse) -> oneshot::Receiver<bool> {
        let conversations = self.conversations.clone();
        let (owner, id) = key.clone();
        let (done, ended) = oneshot::channel();
        self.writes.add(key, async move {
            let continued = conversations.update(owner, &id, |conversation| {
                conversation.items.extend(stored.input.iter().cloned());
                conversation.items.extend(stored.output());
            });
            let continued = continued.await;
            if let Err(error) = &continued {
                warn_throttled!(%error, "a conversation could not be continued");
            }
            let _ = done.send(continued.is_ok());
        });
        ended
    }

    fn pending(&self) -> MutexGuard<'_, HashMap<ResponseKey, StoredResponse>> {
        // A panic while the lock was held can at worst have lost an entry.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn has_id(item: &Value, id: &str) -> bool {
    item.get("id").and_then(Value::as_str) == Some(id)
}

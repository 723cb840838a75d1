//! Stored responses and conversations: what a later request may refer to.
//!
//! A response is kept with its own input and the id of the one before it, so that a chain of them
//! is a conversation and deleting one takes its words away. What was answered a moment ago is held
//! in memory until the store has it: a client may refer to it as soon as it has seen it.

mod writes;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use translate::dialect::openai::responses::decode::{
    History, ResponsesRequest, missing_conversation, missing_previous,
};
use translate::failure::Failure;

use crate::access::account_id::AccountId;
use crate::clock;
use crate::store::state::{Collection, Engine, Record};
use writes::Writes;

/// The longest chain of responses that is followed.
const MAX_CHAIN: usize = 500;

/// The length of the stamp in the ids of a response and of its items.
const STAMP: usize = 32;

/// A response and what was asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Stored {
    /// The response object.
    pub response: Value,
    /// The request's own input items.
    pub input: Vec<Value>,
    /// The response that it continues.
    pub previous: Option<String>,
    /// When it is forgotten, in seconds since 1970.
    expires: u64,
}

impl Record for Stored {
    const SPACE: &'static str = "responses";

    fn expires(&self) -> Option<SystemTime> {
        Some(UNIX_EPOCH + Duration::from_secs(self.expires))
    }
}

impl Stored {
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

impl Record for Conversation {
    const SPACE: &'static str = "conversations";
}

/// Keeps responses and conversations.
#[derive(Clone)]
pub struct Responses {
    stored: Collection<Stored>,
    conversations: Collection<Conversation>,
    pending: Arc<Mutex<HashMap<Place, Stored>>>,
    writes: Writes,
    kept_for: Duration,
}

/// Whose, and which.
type Place = (AccountId, String);

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

impl Responses {
    /// Over an engine; what is older than `kept_for` is forgotten.
    #[must_use]
    pub fn new(engine: &Arc<dyn Engine>, kept_for: Duration) -> Self {
        Self {
            stored: Collection::new(engine.clone()),
            conversations: Collection::new(engine.clone()),
            pending: Arc::default(),
            writes: Writes::default(),
            kept_for,
        }
    }

    /// One response.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn get(&self, owner: AccountId, id: &str) -> Result<Option<Stored>, Failure> {
        let pending = self.pending().get(&(owner, id.to_owned())).cloned();
        match pending {
            Some(stored) => Ok(Some(stored)),
            None => Ok(self.stored.get(owner, id).await?),
        }
    }

    /// Forgets a response, and tells whether there was one.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn delete(&self, owner: AccountId, id: &str) -> Result<bool, Failure> {
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
    ) -> Result<Option<Conversation>, Failure> {
        self.writes.settled(&(owner, id.to_owned())).await;
        Ok(self.conversations.get(owner, id).await?)
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
    ) -> Result<(), Failure> {
        Ok(self.conversations.put(owner, id, conversation).await?)
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
    ) -> Result<Option<Conversation>, Failure> {
        self.writes.settled(&(owner, id.to_owned())).await;
        Ok(self.conversations.update(owner, id, change).await?)
    }

    /// Forgets a conversation, and tells whether there was one.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn forget(&self, owner: AccountId, id: &str) -> Result<bool, Failure> {
        Ok(self.conversations.delete(owner, id).await?)
    }

    /// What a request refers to.
    ///
    /// # Errors
    /// A response or conversation that is not there.
    pub async fn past(
        &self,
        owner: AccountId,
        asked: &ResponsesRequest,
    ) -> Result<History, Failure> {
        let mut past = History::default();
        if let Some(id) = asked.previous_response_id() {
            past.items = self.chain(owner, id).await?;
        }
        if let Some(id) = asked.conversation() {
            let conversation = self.conversation(owner, id).await?;
            let conversation =
                conversation.ok_or_else(|| missing_conversation(id).with_param("conversation"))?;
            past.items.extend(conversation.items);
        }
        for id in asked.references() {
            let known = past.items.iter().find(|item| has_id(item, id)).cloned();
            let item = match known {
                Some(item) => Some(item),
                None => self.item(owner, id).await?,
            };
            past.referred.extend(item.map(|item| (id.to_owned(), item)));
        }
        Ok(past)
    }

    /// An item of a stored response. Its id says which response it came with.
    async fn item(&self, owner: AccountId, id: &str) -> Result<Option<Value>, Failure> {
        let stamp = id.split_once('_').and_then(|(_, rest)| rest.get(..STAMP));
        let Some(stamp) = stamp else {
            return Ok(None);
        };
        let stored = self.get(owner, &format!("resp_{stamp}")).await?;
        let items = stored.map(|stored| [stored.output(), stored.input].concat());
        Ok(items.into_iter().flatten().find(|item| has_id(item, id)))
    }

    /// The items of a chain of responses, oldest first.
    async fn chain(&self, owner: AccountId, last: &str) -> Result<Vec<Value>, Failure> {
        let mut links = Vec::new();
        let mut next = Some(last.to_owned());
        while let Some(id) = next.take().filter(|_| links.len() < MAX_CHAIN) {
            let stored = self.get(owner, &id).await?;
            let stored = stored.ok_or_else(|| missing_previous(&id))?;
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

    /// Keeps a complete response where it belongs, in the background; it can be referred to at once.
    pub fn keep(&self, to: Destination, response: &[u8]) {
        let Ok(response) = serde_json::from_slice::<Value>(response) else {
            return;
        };
        let stored = Stored {
            response,
            input: to.input,
            previous: to.previous,
            expires: clock::now().saturating_add(self.kept_for.as_secs()),
        };
        // What failed was never said: the client will ask it again.
        if let Some(id) = to.conversation.filter(|_| !stored.has_failed()) {
            self.converse((to.owner, id), stored.clone());
        }
        if to.stores {
            let place = (to.owner, to.id);
            self.pending().insert(place.clone(), stored.clone());
            let keeper = self.clone();
            self.writes.add(place.clone(), async move {
                keeper.persist(place, &stored).await;
            });
        }
    }

    /// Waits until everything that clients were told of is in the store.
    pub async fn written(&self) {
        self.writes.done().await;
    }

    async fn persist(&self, place: Place, stored: &Stored) {
        if let Err(error) = self.stored.put(place.0, &place.1, stored).await {
            tracing::warn!(%error, "a response could not be stored");
        }
        // Deleted while it was written: then it must not come back.
        if self.pending().remove(&place).is_none() {
            let _ = self.stored.delete(place.0, &place.1).await;
        }
    }

    fn converse(&self, place: Place, stored: Stored) {
        let conversations = self.conversations.clone();
        let (owner, id) = place.clone();
        self.writes.add(place, async move {
            let said = conversations.update(owner, &id, |conversation| {
                conversation.items.extend(stored.input.iter().cloned());
                conversation.items.extend(stored.output());
            });
            if let Err(error) = said.await {
                tracing::warn!(%error, "a conversation could not be continued");
            }
        });
    }

    fn pending(&self) -> MutexGuard<'_, HashMap<Place, Stored>> {
        // A panic while the lock was held can at worst have lost an entry.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn has_id(item: &Value, id: &str) -> bool {
    item.get("id").and_then(Value::as_str) == Some(id)
}

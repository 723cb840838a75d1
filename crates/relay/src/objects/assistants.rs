//! Assistants: a model, instructions and files under one id that can stand for a model.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use translate::failure::{Failure, Kind};
use translate::quote::quote;

use crate::access::account_id::AccountId;
use crate::clock;
use crate::store::build::Stores;
use crate::store::page::{self, PageError, PageQuery};
use crate::store::records::{Collection, Record};
use crate::store::{StoreError, id};

/// What the ids of assistants begin with, and no model's name.
pub const PREFIX: &str = "asst_";

/// What is set of an assistant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Its name.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The model that answers.
    pub model: String,
    /// What the model is told before everything else.
    pub instructions: Option<String>,
    /// Ids of files that the client named as the assistant's own.
    pub file_ids: Vec<String>,
    /// Ids of all its files, those of its tools too.
    pub all_files: Vec<String>,
    /// Its tools, as the client sent them.
    pub tools: Vec<Value>,
    /// Files and stores by tool.
    pub tool_resources: Map<String, Value>,
    /// The client's labels.
    pub metadata: BTreeMap<String, String>,
    /// A number.
    pub temperature: Value,
    /// A number.
    pub top_p: Value,
    /// The form of its answers.
    pub response_format: Value,
    /// A string, or null.
    pub reasoning_effort: Value,
}

/// A stored assistant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AssistantRecord {
    /// When it was made, in seconds since 1970.
    pub created: u64,
    /// What is set of it.
    pub settings: Settings,
}

impl Record for AssistantRecord {
    const TABLE: &'static str = "assistants";
}

/// What an assistant means for a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assistant {
    /// The model that answers.
    pub model: String,
    /// What the model is told before everything else.
    pub instructions: Option<String>,
    /// Ids of files of the same account.
    pub file_ids: Vec<String>,
}

/// The assistants of all accounts.
#[derive(Clone)]
pub struct Assistants(Collection<AssistantRecord>);

impl Assistants {
    /// Assistants in these stores.
    #[must_use]
    pub fn new(stores: &Stores) -> Self {
        Self(Collection::new(stores.records.clone()))
    }

    /// What a model's name means if it is an assistant's id; none if this account has no such
    /// assistant. Names that are no ids ask no store.
    ///
    /// # Errors
    /// The store.
    pub async fn resolve(
        &self,
        owner: AccountId,
        model: &str,
    ) -> Result<Option<Assistant>, StoreError> {
        if !model.starts_with(PREFIX) {
            return Ok(None);
        }
        let kept = self.0.get(owner, model).await?;
        Ok(kept.map(|kept| Assistant {
            file_ids: kept.settings.all_files,
            model: kept.settings.model,
            instructions: kept.settings.instructions,
        }))
    }

    /// Keeps a new one, and gives its id.
    ///
    /// # Errors
    /// The store.
    pub async fn create(
        &self,
        owner: AccountId,
        settings: Settings,
    ) -> Result<(String, AssistantRecord), StoreError> {
        let id = id::draw(PREFIX);
        let kept = AssistantRecord {
            created: clock::now(),
            settings,
        };
        self.0.put(owner, &id, &kept).await?;
        Ok((id, kept))
    }

    /// One of this account.
    ///
    /// # Errors
    /// There is none, or the store.
    pub async fn get(&self, owner: AccountId, id: &str) -> Result<AssistantRecord, Failure> {
        self.0.get(owner, id).await?.ok_or_else(|| unknown(id))
    }

    /// Puts new settings in the place of those that were read before.
    ///
    /// # Errors
    /// There is none, or the store.
    pub async fn change(
        &self,
        owner: AccountId,
        id: &str,
        settings: &Settings,
    ) -> Result<AssistantRecord, Failure> {
        let changed = self
            .0
            .update(owner, id, |kept| kept.settings = settings.clone())
            .await?;
        changed.ok_or_else(|| unknown(id))
    }

    /// A page of this account's.
    ///
    /// # Errors
    /// What is wrong with the query, or the store.
    pub async fn list(
        &self,
        owner: AccountId,
        query: &PageQuery,
    ) -> Result<(Vec<(String, AssistantRecord)>, bool), PageError> {
        page::read(&self.0, owner, query, |_| true).await
    }

    /// Deletes one.
    ///
    /// # Errors
    /// There is none, or the store.
    pub async fn delete(&self, owner: AccountId, id: &str) -> Result<(), Failure> {
        if self.0.delete(owner, id).await? {
            Ok(())
        } else {
            Err(unknown(id))
        }
    }
}

/// There is no assistant of this id, or it is another account's: a client is told the same.
#[must_use]
pub fn unknown(id: &str) -> Failure {
    let id = quote(id);
    Failure::new(Kind::NotFound, format!("There is no assistant `{id}`."))
        .with_param("id")
        .with_code("assistant_not_found")
}

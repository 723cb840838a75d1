//! Conversations, and deleting what is stored. None of it costs credits.

use bytes::Bytes;
use http::Method;

use super::Client;
use super::features::is_plain;
use crate::api_key::ApiKey;
use crate::assets::Deletion;
use crate::conversations::{self, Conversation, New};
use crate::error::Error;
use crate::transport::Outgoing;

impl Client {
    /// Begins a conversation.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn create_conversation(
        &self,
        key: &ApiKey,
        new: &New,
    ) -> Result<Conversation, Error> {
        let body = Outgoing::Bytes(Bytes::from(new.to_bytes()));
        let answer = self
            .small(Method::POST, key, "/api/conversations", body)
            .await?;
        conversations::created(&answer)
    }

    /// The conversations of the key's team. Not documented by upstream.
    ///
    /// # Errors
    /// Why there is no list.
    pub async fn conversations(&self, key: &ApiKey) -> Result<Vec<Conversation>, Error> {
        conversations::listed(&self.get(key, "/api/conversations").await?)
    }

    /// Deletes a conversation. Not documented by upstream, but in use.
    ///
    /// # Errors
    /// Why it was not tried, or what went wrong.
    pub async fn delete_conversation(&self, key: &ApiKey, id: &str) -> Result<Deletion, Error> {
        self.delete(key, "/api/conversations", id).await
    }

    /// Tries to delete a stored file by its uuid. Upstream documents no way; this is the address
    /// that others try, and nobody has shown it to work.
    ///
    /// # Errors
    /// Why it was not tried, or what went wrong.
    pub async fn delete_asset(&self, key: &ApiKey, uuid: &str) -> Result<Deletion, Error> {
        self.delete(key, "/api/assets", uuid).await
    }

    async fn delete(&self, key: &ApiKey, folder: &str, id: &str) -> Result<Deletion, Error> {
        if !is_plain(id) {
            return Err(Error::Invalid("this cannot be the id of something stored"));
        }
        let path = format!("{folder}/{id}");
        let deleted = self
            .small(Method::DELETE, key, &path, Outgoing::Empty)
            .await;
        match deleted {
            Ok(_) => Ok(Deletion::Deleted),
            Err(Error::Refused(refusal))
                if matches!(refusal.status, Some(404 | 405 | 410 | 501)) =>
            {
                Ok(Deletion::NotThere)
            }
            Err(error) => Err(error),
        }
    }
}

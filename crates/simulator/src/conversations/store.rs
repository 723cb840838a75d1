//! The conversations that were created.

use std::collections::VecDeque;

use serde_json::{Value, json};

/// Conversations remembered; the oldest go first.
const CONVERSATIONS_MAX: usize = 1000;

/// The conversations in the shape of `conversation-create.response.json`, newest last.
#[derive(Debug, Default)]
pub(crate) struct Conversations(VecDeque<Value>);

impl Conversations {
    pub(super) fn add(&mut self, conversation: Value) {
        if self.0.len() == CONVERSATIONS_MAX {
            self.0.pop_front();
        }
        self.0.push_back(conversation);
    }

    pub(super) fn find(&self, id: &str) -> Option<&Value> {
        self.0
            .iter()
            .find(|conversation| conversation.get("uuid").is_some_and(|uuid| uuid == id))
    }

    pub(super) fn list(&self) -> Vec<Value> {
        let short = |c: &Value| json!({"uuid": c["uuid"], "title": c["title"], "status": c["status"], "createdAt": c["createdAt"]});
        self.0.iter().map(short).collect()
    }

    pub(super) fn remove(&mut self, conversation: &Value) {
        self.0.retain(|other| other != conversation);
    }
}

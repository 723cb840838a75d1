//! What waits for the ledger's writer. Requests leave one message and go on.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::row::{HoldRow, LedgerRow};
use crate::accounts::balance::Balance;

/// What the writer is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// A paid call begins.
    Hold(Box<HoldRow>),
    /// A request has ended.
    Row(Box<LedgerRow>),
    /// 1min.ai said what an account has used. It can be compared with what was booked if no other call
    /// of the account was under way meanwhile.
    Balance {
        /// The account.
        account: String,
        /// What was said.
        balance: Balance,
        /// When the call began that it was said to, if it can be compared: in milliseconds since
        /// 1970.
        began: Option<i64>,
    },
}

/// Messages in the order in which they came.
#[derive(Debug, Default)]
pub struct Queue {
    state: Mutex<State>,
    /// Told when there is something to write.
    filled: Notify,
    /// Told when everything was written.
    emptied: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<Message>,
    /// Whether the writer holds messages that are not written yet.
    writing: bool,
}

impl Queue {
    /// Leaves a message.
    pub fn push(&self, message: Message) {
        let first = {
            let mut state = self.lock();
            state.waiting.push(message);
            state.waiting.len() == 1
        };
        if first {
            self.filled.notify_one();
        }
    }

    /// How many messages wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Whether none waits and none is being written.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        let state = self.lock();
        state.waiting.is_empty() && !state.writing
    }

    /// Waits until there is a message.
    pub async fn filled(&self) {
        while self.lock().waiting.is_empty() {
            self.filled.notified().await;
        }
    }

    /// Waits until everything that was left before is written.
    pub async fn idle(&self) {
        loop {
            let emptied = self.emptied.notified();
            tokio::pin!(emptied);
            emptied.as_mut().enable();
            if self.is_idle() {
                return;
            }
            emptied.await;
        }
    }

    /// Takes the oldest messages to write them.
    #[must_use]
    pub fn take(&self, most: usize) -> Vec<Message> {
        let mut state = self.lock();
        state.writing = true;
        let count = most.min(state.waiting.len());
        state.waiting.drain(..count).collect()
    }

    /// What was taken is written, or kept elsewhere.
    pub fn done(&self) {
        let is_empty = {
            let mut state = self.lock();
            state.writing = false;
            state.waiting.is_empty()
        };
        if is_empty {
            self.emptied.notify_waiters();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

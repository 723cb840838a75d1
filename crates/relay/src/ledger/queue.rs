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
        /// A digest of its key.
        key: String,
        /// What was said.
        balance: Balance,
        /// The call that it was said to, if no other of this process used the account meanwhile: then
        /// it can be compared.
        alone: Option<LoneCall>,
    },
}

/// A call that had its account for itself, as far as this process knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoneCall {
    /// When it began, in milliseconds since 1970.
    pub began: i64,
    /// The id of its request.
    pub request: String,
}

/// Messages in the order in which they came.
#[derive(Debug, Default)]
pub struct Queue {
    state: Mutex<State>,
    /// Told when there is something to write.
    filled: Notify,
    /// Told when messages were written.
    written: Notify,
    /// Told when the writer must not try any longer.
    giving_up: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<Message>,
    /// How many messages were left so far, how many of them the writer has taken, and how many are
    /// written or kept elsewhere.
    left: u64,
    taken: u64,
    written: u64,
}

impl Queue {
    /// Leaves a message.
    pub fn push(&self, message: Message) {
        let first = {
            let mut state = self.lock();
            state.waiting.push(message);
            state.left += 1;
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

    /// Waits until there is a message.
    pub async fn filled(&self) {
        while self.lock().waiting.is_empty() {
            self.filled.notified().await;
        }
    }

    /// Waits until everything that was left before is written.
    pub async fn written(&self) {
        let left = self.lock().left;
        loop {
            let written = self.written.notified();
            tokio::pin!(written);
            written.as_mut().enable();
            if self.lock().written >= left {
                return;
            }
            written.await;
        }
    }

    /// From now on the writer does not try again what the database does not take.
    pub fn give_up(&self) {
        self.giving_up.notify_one();
    }

    /// Waits until the writer must give up.
    pub async fn given_up(&self) {
        self.giving_up.notified().await;
    }

    /// Takes the oldest messages to write them.
    #[must_use]
    pub fn take(&self, most: usize) -> Vec<Message> {
        let mut state = self.lock();
        let count = most.min(state.waiting.len());
        state.taken += count as u64;
        state.waiting.drain(..count).collect()
    }

    /// What was taken is written, or kept elsewhere.
    pub fn done(&self) {
        {
            let mut state = self.lock();
            state.written = state.taken;
        }
        self.written.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

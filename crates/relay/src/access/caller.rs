//! Who a request comes from.

use std::sync::Arc;

use super::account_id::AccountId;

/// Whoever a request comes from: whose files, assistants and responses are meant, and whose use it
/// is. Which account of 1min.ai pays is another question: see [`crate::accounts::Lease`].
#[derive(Debug, Clone)]
pub struct Caller {
    /// Whose objects are meant.
    pub id: AccountId,
    /// What the operator calls the caller; none for whoever sends a 1min.ai key of their own.
    pub name: Option<Arc<str>>,
}

//! Accounts of 1min.ai: which of them a request uses.

use std::sync::Arc;

use onemin::ApiKey;

use crate::access::account_id::AccountId;

/// The account of 1min.ai that a request uses, for as long as it lasts.
#[derive(Debug, Clone)]
pub struct Lease {
    /// Its key, for upstream alone.
    pub key: ApiKey,
    /// Whose what lies at 1min.ai is: uploads and jobs.
    pub account: AccountId,
    /// What the operator calls it; none for the account of a client's own key.
    pub name: Option<Arc<str>>,
}

//! What a job is to make, and how that is prepared for an account.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use onemin::Payload;
use translate::failure::Failure;

use crate::ledger::Payer;

/// What is asked of 1min.ai, and how it is called.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// What the job's id begins with, such as `video_`.
    pub prefix: &'static str,
    /// The request.
    pub payload: Payload,
    /// What is asked for, in words.
    pub prompt: String,
    /// The length that is asked for, in seconds.
    pub seconds: Option<u32>,
    /// The size that is asked for.
    pub size: Option<String>,
    /// Whether another account gets it also where 1min.ai refuses it after it has accepted it, and that
    /// cost nothing. Its preparation is kept until then.
    pub moves: bool,
}

/// Prepares an order for the account that pays now: its uploads lie at that account alone. It must not
/// hold on to the payer of a request, which may end before it is used.
pub type Prepare = Arc<dyn Fn(Payer) -> BoxFuture<'static, Result<Order, Failure>> + Send + Sync>;

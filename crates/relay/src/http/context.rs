//! What is known of a request before its head is looked at.

use std::net::SocketAddr;

use crate::access::rate_limit::RateLimitSlot;
use crate::observe::RequestId;

/// What the server knows of every request; an extension of it.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// The request's id.
    pub id: RequestId,
    /// Who is at the other end of the connection.
    pub peer: SocketAddr,
    /// Where the rate limiter leaves what the response's headers tell.
    pub rate_limit: RateLimitSlot,
}

//! What is known of a request before its head is looked at.

use std::net::{Ipv4Addr, SocketAddr};

use http::{Extensions, Uri};

use crate::access::rate_limit::RateLimitSlot;
use crate::ledger::cost_slot::CostSlot;
use crate::observe::RequestId;

/// What the server knows of every request; an extension of it.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// The request's id.
    pub id: RequestId,
    /// Who is at the other end of the connection.
    pub peer: SocketAddr,
    /// The URL as the client wrote it, but for needless slashes.
    pub uri: Uri,
    /// Where the rate limiter leaves what the response's headers tell.
    pub rate_limit: RateLimitSlot,
    /// Where the gate of paid calls leaves what the response's headers tell.
    pub costs: CostSlot,
}

impl RequestContext {
    /// That of a request. The router gives every request one; without it, a new one of nobody.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Self {
        let context = extensions.get::<Self>().cloned();
        context.unwrap_or_else(|| Self {
            id: RequestId::draw(),
            peer: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            uri: Uri::default(),
            rate_limit: RateLimitSlot::default(),
            costs: CostSlot::default(),
        })
    }
}

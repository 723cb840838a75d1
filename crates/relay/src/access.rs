//! Who calls, and how often: the credentials of a request, the account they stand for, rate limits.

pub mod account_id;
pub mod client_address;
pub mod credentials;
pub mod known_keys;
pub mod rate_limit;
pub mod secret;

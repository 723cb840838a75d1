//! What outlives a request, and where it is kept. One trait a kind of keeping, one adapter a
//! service; replicas that share a service share what is in it.

pub mod blobs;
pub mod build;
pub mod counters;
pub mod database;
mod error;
pub mod folder;
pub mod id;
pub mod page;
pub mod records;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(not(feature = "redis"))]
#[path = "without/redis.rs"]
pub mod redis;

pub mod settings;

pub use error::StoreError;

//! What the operator, and each holder of a key, can see and change: keys, accounts, use. HTTP routes,
//! the page and the command line are views of it.

pub mod accounts;
pub mod gauges;
pub mod key_changes;
pub mod keys;
pub mod report;

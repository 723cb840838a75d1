//! 1min.ai accounts: the caller's own, or one that the operator lends to access keys; how they stand,
//! and which of them pays for a call.

pub mod account;
pub mod balance;
pub mod choice;
pub mod configured;
pub mod pool;
pub mod refusal;
pub mod store;

pub use account::Lease;

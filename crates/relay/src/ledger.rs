//! What was spent, by whom, on what: the gate of paid calls, holds, budgets, rows, sums.
//!
//! A request has one [`Payer`] from [`crate::access::Access`]. What costs credits goes through
//! [`Payer::hold`] and ends in the hold's settlement; `booking` says how that is kept.

pub mod booking;
pub mod cost_slot;
pub mod counters;
pub mod estimate;
pub mod gate;
pub mod hold;
mod hold_rows;
mod ledger_rows;
pub mod paid_call;
pub mod payer;
pub mod period;
pub mod queue;
pub mod request_entry;
pub mod row;
pub mod service;
pub mod shared;
pub mod spool;
pub mod usage;
pub mod usage_rows;
pub mod writer;

pub use paid_call::{Charge, NativeCall, PaidCall, PaidError};
pub use payer::{Hold, Payer};

#[cfg(test)]
mod tests;

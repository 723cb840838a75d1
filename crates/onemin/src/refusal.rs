//! 1min.ai says no: what kind of no, whose fault, whether trying again helps, what may be charged.
//!
//! The same refusal comes as an HTTP status with one of several bodies, as an event of a stream, or
//! inside a record that reports success. All end here.

mod catalogue;
mod cause;
mod kind;
mod privacy;
mod report;
mod retry_after;

pub use kind::{Charged, FieldProblem, Refusal, RefusalKind, Shortfall};
pub(crate) use report::Report;
pub(crate) use retry_after::retry_after;

impl Refusal {
    /// Reads the body of a refusal.
    #[must_use]
    pub fn from_body(status: Option<u16>, body: &[u8]) -> Self {
        Report::of_body(body).judge(status)
    }
}

#[cfg(test)]
mod tests;

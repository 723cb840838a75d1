//! The gate of every paid call: a hold before it, its settlement afterwards.
//!
//! A request has one [`Payer`] from [`crate::access::Access`]. What costs credits goes through
//! [`Payer::hold`], since only a [`Hold`] shows the key to a paid call's sender, and ends in
//! [`Hold::settle`]. What costs none (uploads, lists, results) takes the key of the lease.

use std::sync::Arc;

use onemin::chat::Accounting;
use onemin::{Accepted, ApiKey, Client, Error, Mode, Outcome, Payload, chat, code};
use translate::failure::Failure;

use crate::access::caller::Caller;
use crate::accounts::Lease;
use crate::failure::of_upstream;

/// Who calls and which account of 1min.ai pays; clones are handles of one request's payer.
#[derive(Debug, Clone)]
pub struct Payer(Arc<Parties>);

#[derive(Debug)]
struct Parties {
    caller: Caller,
    lease: Lease,
}

/// A call that 1min.ai charges for, as far as its price depends on it.
#[derive(Debug, Clone, Copy)]
pub enum PaidCall<'c> {
    /// An answer of a chat model.
    Chat(&'c chat::Request),
    /// An answer of the code generator.
    Code(&'c code::Request),
    /// Any other feature: images, speech, transcription, video.
    Feature(&'c Payload),
}

/// How a paid call ended, for what is booked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Charge {
    /// Upstream said what it cost, in credits.
    Reported(f64),
    /// It was or may have been charged, and upstream did not say how much.
    Unreported,
    /// It surely was not charged.
    Nothing,
}

/// Leave for one paid call. What is dropped without a settlement counts as [`Charge::Unreported`].
#[must_use = "a hold ends in its settlement"]
#[derive(Debug)]
pub struct Hold {
    payer: Payer,
}

impl Payer {
    /// A caller that uses this account.
    #[must_use]
    pub fn new(caller: Caller, lease: Lease) -> Self {
        Self(Arc::new(Parties { caller, lease }))
    }

    /// Who calls.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.0.caller
    }

    /// The account that pays. Its key is for calls that cost nothing; for those that do, see
    /// [`Payer::hold`].
    #[must_use]
    pub fn lease(&self) -> &Lease {
        &self.0.lease
    }

    /// Asks leave for a paid call, before anything of it is sent. Whoever sends a 1min.ai key of
    /// their own spends their own credits, and has leave.
    ///
    /// # Errors
    /// Why the call may not be made.
    #[expect(
        clippy::unused_async,
        reason = "budgets are kept where asking takes time"
    )]
    pub async fn hold(&self, _call: PaidCall<'_>) -> Result<Hold, Failure> {
        Ok(Hold {
            payer: self.clone(),
        })
    }

    /// Runs a feature through the gate: hold, call, settle.
    ///
    /// # Errors
    /// [`PaidError`].
    pub async fn feature(
        &self,
        client: &Client,
        payload: &Payload,
        mode: Mode,
    ) -> Result<Outcome, PaidError> {
        let hold = self.hold(PaidCall::Feature(payload)).await;
        let hold = hold.map_err(PaidError::Refused)?;
        let outcome = client.feature(hold.key(), payload, mode).await;
        hold.settle(match &outcome {
            Ok(outcome) => Charge::of(&outcome.accounting),
            Err(error) => Charge::of_error(error),
        });
        outcome.map_err(PaidError::Upstream)
    }
}

impl Hold {
    /// The key that pays, for the one call that the hold is for.
    #[must_use]
    pub fn key(&self) -> &ApiKey {
        &self.payer.lease().key
    }

    /// Books what the call cost.
    pub fn settle(self, _charge: Charge) {}
}

impl Charge {
    /// That of a call that was answered.
    #[must_use]
    pub fn of(accounting: &Accounting) -> Self {
        accounting.credits.map_or(Self::Unreported, Self::Reported)
    }

    /// That of a call that failed.
    #[must_use]
    pub fn of_error(error: &Error) -> Self {
        match error.was_accepted() {
            Accepted::No => Self::Nothing,
            Accepted::Maybe => Self::Unreported,
        }
    }
}

/// Why a paid call gave nothing.
#[derive(Debug)]
pub enum PaidError {
    /// It was not made: there was no leave.
    Refused(Failure),
    /// Upstream's refusal, or the way to it.
    Upstream(Error),
}

impl PaidError {
    /// Whether the call did no work for sure, so that another may be made in its place.
    #[must_use]
    pub fn did_no_work(&self) -> bool {
        match self {
            Self::Refused(_) => true,
            Self::Upstream(error) => error.was_accepted() == Accepted::No,
        }
    }
}

impl From<PaidError> for Failure {
    fn from(error: PaidError) -> Self {
        match error {
            PaidError::Refused(failure) => failure,
            PaidError::Upstream(error) => of_upstream(&error),
        }
    }
}

//! Leave for one paid call: asked for before anything is sent, ended by what the call has cost.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use onemin::chat::Accounting;
use onemin::drift;
use onemin::facts::Fact;
use onemin::prices::ChatPrice;
use onemin::{Accepted, ApiKey, Error};
use translate::failure::{Failure, Kind};
use translate::reply::{Usage, UsageSource};

use super::Payer;
use crate::accounts::Lease;
use crate::accounts::balance::{Balance, milli};
use crate::clock;
use crate::failure::of_upstream;
use crate::ledger::estimate::ESTIMATE_MAX;
use crate::ledger::gate::Estimate;
use crate::ledger::hold::Hold as Held;
use crate::ledger::paid_call::{Charge, PaidCall, PaidError};
use crate::ledger::queue::LoneCall;
use crate::ledger::row::CostSource;
use crate::ledger::service::NewCall;

/// The most accounts that one call is tried at.
const ACCOUNTS_MAX: usize = 3;

/// Leave for one paid call. Dropped without a settlement, it settles itself: as
/// [`Charge::Unreported`] once the call was sent, else as [`Charge::Nothing`].
#[must_use = "a hold ends in its settlement"]
pub struct Hold {
    payer: Payer,
    lease: Lease,
    model: String,
    estimate: i64,
    /// None where nothing is recorded.
    held: Option<Held>,
    /// For chat: what a token costs.
    price: Option<ChatPrice>,
    /// Whether 1min.ai's rule of prices says all that the call can cost.
    by_rule: bool,
    /// Accounts that have refused the call.
    tried: Vec<Arc<str>>,
    /// When it began, and its number at the account, if nobody else used that then.
    began: Option<(i64, u64)>,
}

impl Payer {
    /// Asks leave for a paid call, before anything of it is sent. Permissions of the access key are
    /// checked here, for whatever comes.
    ///
    /// # Errors
    /// Why the call may not be made.
    pub async fn hold(&self, call: PaidCall<'_>) -> Result<Hold, Failure> {
        let estimate = self.permitted(call).await?;
        self.0.costs.add(estimate.credits);
        self.hold_estimate(&estimate, None).await
    }

    /// As [`Payer::hold`], for a job that outlives the request and the process. Whoever cannot keep
    /// it until the job has ended leaves it by [`Hold::leave_to_job`] to
    /// [`Ledger::settle_job`](crate::ledger::service::Ledger::settle_job), which finds it by the job's id.
    ///
    /// # Errors
    /// Why the call may not be made.
    pub async fn hold_job(&self, call: PaidCall<'_>, job: &str) -> Result<Hold, Failure> {
        let estimate = self.permitted(call).await?;
        self.0.costs.add(estimate.credits);
        let hold = self.hold_estimate(&estimate, Some(job)).await?;
        // It is on the disk before anything is paid.
        if let (Some(gate), true) = (&self.0.gate, hold.held.is_some())
            && !gate.ledger.written().await
        {
            let message = "The relay's database does not answer, so the job cannot be recorded. It was not submitted; try again in a moment.";
            return Err(Failure::new(Kind::Overloaded, message)
                .with_retry_after(Some(5))
                .with_retry(true));
        }
        Ok(hold)
    }

    /// Whether a call would get leave, before its attachments are uploaded: the hold itself comes
    /// with the call. An account that can pay for it is chosen, unless the request has one already.
    ///
    /// # Errors
    /// Why the call may not be made.
    pub async fn check(&self, call: PaidCall<'_>) -> Result<(), Failure> {
        if self.0.key.is_none() && self.0.entry.is_none() {
            return Ok(());
        }
        let estimate = self.permitted(call).await?;
        if let Some(entry) = &self.0.entry {
            entry.pays(estimate.model);
        }
        self.lease_for(estimate.model, estimate.credits, &[])?;
        let (Some(gate), Some(entry)) = (&self.0.gate, &self.0.entry) else {
            return Ok(());
        };
        let checking = gate.ledger.check(entry, estimate.credits, estimate.kind);
        checking.await
    }

    async fn permitted<'c>(&self, call: PaidCall<'c>) -> Result<Estimate<'c>, Failure> {
        let of = call.use_of_model();
        let model = call.model();
        if let Some(known) = &self.0.key {
            known.key.check(of, model)?;
        }
        let mut estimate = Estimate::of(model);
        if let Some(gate) = &self.0.gate {
            gate.estimate(&mut estimate, call).await;
        }
        if !(0..=ESTIMATE_MAX).contains(&estimate.credits) {
            let message = format!(
                "By its numbers the request would cost more than {} credits.",
                ESTIMATE_MAX / 1000
            );
            return Err(Failure::new(Kind::Invalid, message));
        }
        Ok(estimate)
    }

    async fn hold_estimate(
        &self,
        estimate: &Estimate<'_>,
        job: Option<&str>,
    ) -> Result<Hold, Failure> {
        if let Some(entry) = &self.0.entry {
            entry.pays(estimate.model);
        }
        let lease = self.lease_for(estimate.model, estimate.credits, &[])?;
        let (began, held) = match (&self.0.gate, &self.0.entry) {
            (Some(gate), Some(entry)) => {
                let began = self.use_account(&lease);
                let call = NewCall {
                    entry,
                    model: estimate.model,
                    account: lease.name().unwrap_or_default(),
                    estimate: estimate.credits,
                    kind: estimate.kind,
                    job,
                };
                (began, Some(gate.ledger.reserve(call).await?))
            }
            _ => (None, None),
        };
        if let Some(left) = held.as_ref().and_then(Held::left) {
            self.0.costs.set_left(left);
        }
        let payer = match job {
            Some(_) => self.for_job(),
            None => self.clone(),
        };
        Ok(Hold {
            payer,
            lease,
            model: estimate.model.to_owned(),
            estimate: estimate.credits,
            held,
            price: estimate.price,
            by_rule: estimate.by_rule,
            tried: Vec::new(),
            began,
        })
    }
}

impl Hold {
    /// The key that pays, for the one call that the hold is for.
    #[must_use]
    pub fn key(&self) -> &ApiKey {
        &self.lease.key
    }

    /// The account that pays.
    #[must_use]
    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Who pays, by the account of the hold.
    #[must_use]
    pub fn payer(&self) -> &Payer {
        &self.payer
    }

    /// Notes that a job came to nothing, where its request was answered before that was known.
    pub fn job_failed(&self) {
        if let Some(entry) = &self.payer.0.entry {
            entry.job_failed();
        }
    }

    /// What the call is estimated to cost, in thousandths of a credit.
    #[must_use]
    pub fn estimate(&self) -> i64 {
        self.estimate
    }

    /// Notes that the call is on its way: from now on it may be charged.
    pub fn sent(&mut self) {
        if let Some(held) = &mut self.held {
            held.sent();
        }
    }

    /// Notes what was read of an answer so far: it costs that much at least.
    pub fn read(&mut self, input_tokens: u64, output_tokens: u64) {
        if let (Some(held), Some(price)) = (&mut self.held, self.price) {
            let cost = price.cost(input_tokens, output_tokens);
            held.at_least(i64::try_from(cost).unwrap_or(i64::MAX));
        }
    }

    /// The call was answered: books what the record says.
    pub fn answered(mut self, accounting: &Accounting) {
        self.payer.0.has_paid.store(true, Ordering::Relaxed);
        let usage = accounting.usage.map(|usage| Usage {
            input_tokens: usage.input,
            output_tokens: usage.output,
            source: UsageSource::Reported,
            credits: accounting.credits,
        });
        if let (true, Some(price), Some(usage)) = (self.by_rule, self.price, &usage)
            && usage.credits.is_some_and(|credits| {
                !price.explains(usage.input_tokens, usage.output_tokens, credits)
            })
        {
            drift::count(Fact::ChatPriceRule);
        }
        let by_rule = self.price.zip(usage.as_ref()).map(|(price, usage)| {
            let cost = price.cost(usage.input_tokens, usage.output_tokens);
            i64::try_from(cost).unwrap_or(i64::MAX)
        });
        if let (Some(gate), Some(price), Some(usage)) = (&self.payer.0.gate, self.price, &usage) {
            gate.estimator.observe(&self.model, price, usage);
        }
        let (credits, source) = match (accounting.credits, by_rule) {
            (Some(credits), _) => (milli(credits), CostSource::Reported),
            (None, Some(credits)) => (credits, CostSource::Estimated),
            (None, None) => (self.estimate, CostSource::Estimated),
        };
        if let Some(account) = &self.lease.pooled
            && let Some(balance) = Balance::of(accounting, clock::now_ms())
        {
            account.seen(balance, credits);
            let alone = self.began.filter(|(_, number)| account.was_alone(*number));
            if let Some(gate) = &self.payer.0.gate {
                let request = self.payer.entry().map(|entry| entry.names().0);
                let alone = alone.zip(request);
                let alone = alone.map(|((began, _), request)| LoneCall { began, request });
                let key = self.lease.key_digest();
                gate.ledger.balance(&account.name, key, balance, alone);
            }
        }
        if let Some(held) = self.held.take() {
            held.settle(credits, source);
        }
    }

    /// The call was refused or failed. If another account may be asked, the hold goes on with it;
    /// else it is settled.
    ///
    /// # Errors
    /// Why the call gave nothing.
    pub fn refused(mut self, error: Error) -> Result<Self, PaidError> {
        if error.was_accepted() == Accepted::Maybe {
            let answer = match &error {
                Error::Refused(refusal) => self.lease.untold(refusal),
                _ => None,
            };
            self.settle(Charge::Unreported);
            return Err(answer.map_or(PaidError::Upstream(error), PaidError::Failed));
        }
        let next = match &error {
            Error::Refused(refusal) => self
                .lease
                .pooled
                .as_ref()
                .is_some_and(|account| account.refused(refusal, &self.model)),
            _ => false,
        };
        if !next {
            self.settle(Charge::Nothing);
            return Err(PaidError::Upstream(error));
        }
        self.tried.extend(
            self.lease
                .pooled
                .as_ref()
                .map(|account| account.name.clone()),
        );
        let is_over =
            self.tried.len() >= ACCOUNTS_MAX || self.payer.0.has_paid.load(Ordering::Relaxed);
        let payer = self.payer.clone();
        let next = if is_over {
            Err(payer.refusal(&self.model, self.estimate, &self.tried))
        } else {
            payer.lease_for(&self.model, self.estimate, &self.tried)
        };
        match next {
            Ok(lease) => {
                self.began = payer.use_account(&lease);
                if let Some(entry) = payer.entry() {
                    entry.paid_by(lease.name().unwrap_or_default());
                }
                self.lease = lease;
                if let Some(held) = &mut self.held {
                    held.not_sent();
                }
                Ok(self)
            }
            Err(failure) => {
                self.settle(Charge::Nothing);
                let detail = of_upstream(&error).message;
                Err(PaidError::Refused(failure.with_detail(detail)))
            }
        }
    }

    /// Books what the call cost.
    pub fn settle(mut self, charge: Charge) {
        let Some(held) = self.held.take() else {
            if charge != Charge::Nothing {
                self.payer.0.has_paid.store(true, Ordering::Relaxed);
            }
            return;
        };
        match charge {
            Charge::Nothing => held.release(),
            Charge::Reported(credits) => {
                self.payer.0.has_paid.store(true, Ordering::Relaxed);
                held.settle(milli(credits), CostSource::Reported);
            }
            Charge::Unreported => {
                self.payer.0.has_paid.store(true, Ordering::Relaxed);
                held.settle_by_estimate();
            }
        }
    }

    /// Leaves the hold to whoever ends the job, who settles it by the job's id:
    /// [`Ledger::settle_job`](crate::ledger::service::Ledger::settle_job).
    pub fn leave_to_job(mut self) {
        self.payer.0.has_paid.store(true, Ordering::Relaxed);
        if let Some(held) = self.held.take() {
            held.leave_to_job();
        }
    }
}

impl std::fmt::Debug for Hold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hold")
            .field("model", &self.model)
            .field("estimate", &self.estimate)
            .finish_non_exhaustive()
    }
}

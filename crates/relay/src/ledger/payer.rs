//! The gate of every paid call: permission, a hold, an account, and the settlement afterwards.
//!
//! A request has one [`Payer`]. What costs credits goes through [`Payer::hold`], since only a
//! [`Hold`] shows the key to a paid call's sender, and ends in [`Hold::answered`],
//! [`Hold::settle`] or [`Hold::refused`]. What costs none (uploads, lists, results) takes the key
//! of the lease.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use onemin::chat::Accounting;
use onemin::native::{self, Gives};
use onemin::prices::ChatPrice;
use onemin::{Accepted, ApiKey, Client, Error, Mode, Outcome, Payload, chat, code, features};
use serde_json::{Map, Value};
use translate::failure::{Failure, Kind};
use translate::reply::{Usage, UsageSource};
use translate::tokens;

use super::counters::CallKind;
use super::estimate::{Estimator, unknown_chat_price};
use super::hold::Hold as Held;
use super::request_entry::RequestEntry;
use super::row::CostSource;
use super::service::{Ledger, NewCall};
use crate::access::caller::Caller;
use crate::access::keys::Use;
use crate::access::keys::cache::{KnownKey, Running};
use crate::accounts::Lease;
use crate::accounts::balance::{Balance, milli};
use crate::accounts::pool::Pool;
use crate::clock;
use crate::failure::of_upstream;
use crate::models::Models;

/// The most accounts that one call is tried at.
const ACCOUNTS_MAX: usize = 3;

/// What all payers need.
pub struct Gate {
    /// Where calls are held and booked.
    pub ledger: Ledger,
    /// What calls cost.
    pub estimator: Estimator,
    /// Prices.
    pub models: Arc<Models>,
    /// Accounts that pay for access keys.
    pub pool: Arc<Pool>,
}

/// Who calls and which account of 1min.ai pays; clones are handles of one request's payer.
#[derive(Clone)]
pub struct Payer(Arc<Parties>);

struct Parties {
    caller: Caller,
    /// None where nothing is recorded nor estimated.
    gate: Option<Arc<Gate>>,
    /// None for whoever pays with a key of 1min.ai's.
    key: Option<Arc<KnownKey>>,
    entry: Option<Arc<RequestEntry>>,
    costs: CostSlot,
    /// The account of the request's turn.
    lease: Mutex<Option<Lease>>,
    /// Whether a call of this request may have been charged: then no other account is asked.
    has_paid: AtomicBool,
    _running: Option<Running>,
}

impl std::fmt::Debug for Payer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Payer")
            .field("caller", &self.0.caller)
            .finish_non_exhaustive()
    }
}

/// What the headers of every answer tell of its cost: thousandths of a credit.
#[derive(Debug, Clone, Default)]
pub struct CostSlot(Arc<Costs>);

#[derive(Debug)]
struct Costs {
    estimate: AtomicI64,
    left: AtomicI64,
}

/// What is not known.
const UNSET: i64 = -1;

impl Default for Costs {
    fn default() -> Self {
        Self {
            estimate: AtomicI64::new(UNSET),
            left: AtomicI64::new(UNSET),
        }
    }
}

impl CostSlot {
    /// What the request's calls were estimated to cost, once one was asked for.
    #[must_use]
    pub fn estimate(&self) -> Option<i64> {
        Some(self.0.estimate.load(Ordering::Relaxed)).filter(|credits| *credits >= 0)
    }

    /// What is left of the caller's tightest budget, if it has any.
    #[must_use]
    pub fn left(&self) -> Option<i64> {
        Some(self.0.left.load(Ordering::Relaxed)).filter(|credits| *credits >= 0)
    }

    fn add(&self, estimate: i64) {
        let before = self.0.estimate.fetch_add(estimate, Ordering::Relaxed);
        if before == UNSET {
            self.0.estimate.fetch_add(-UNSET, Ordering::Relaxed);
        }
    }
}

/// A call that 1min.ai charges for, as far as its price depends on it.
#[derive(Debug, Clone, Copy)]
pub enum PaidCall<'c> {
    /// An answer of a chat model, and the client's bound on its tokens.
    Chat(&'c chat::Request, Option<u64>),
    /// An answer of the code generator.
    Code(&'c code::Request),
    /// Any other feature: images, speech, transcription, video.
    Feature(&'c Payload),
    /// A request that is passed on to 1min.ai as it came.
    Native(NativeCall<'c>),
}

/// What a request to 1min.ai's own API names.
#[derive(Debug, Clone, Copy)]
pub struct NativeCall<'c> {
    /// The feature, by upstream's name.
    pub feature: &'c str,
    /// The model.
    pub model: &'c str,
    /// The fields of its `promptObject`.
    pub fields: &'c Map<String, Value>,
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
pub struct Hold {
    payer: Payer,
    lease: Lease,
    model: String,
    estimate: i64,
    /// None where nothing is recorded.
    held: Option<Held>,
    /// For chat: what a token costs.
    price: Option<ChatPrice>,
    /// Accounts that have refused the call.
    tried: Vec<Arc<str>>,
    /// When it began, and its number at the account, if nobody else used that then.
    began: Option<(i64, u64)>,
}

/// What a call costs, before it is made.
struct Estimate<'c> {
    model: &'c str,
    kind: CallKind,
    credits: i64,
    price: Option<ChatPrice>,
}

impl Payer {
    /// A caller that uses this account; nothing is recorded.
    #[must_use]
    pub fn new(caller: Caller, lease: Lease) -> Self {
        Self::of(
            caller,
            Some(lease),
            None,
            None,
            None,
            CostSlot::default(),
            None,
        )
    }

    /// The payer of a request. `lease` is that of a caller's own key; for an access key one is
    /// chosen when it is needed. `running` counts the request while it lasts.
    #[must_use]
    pub fn of(
        caller: Caller,
        lease: Option<Lease>,
        gate: Option<Arc<Gate>>,
        key: Option<Arc<KnownKey>>,
        entry: Option<Arc<RequestEntry>>,
        costs: CostSlot,
        running: Option<Running>,
    ) -> Self {
        Self(Arc::new(Parties {
            caller,
            gate,
            key,
            entry,
            costs,
            lease: Mutex::new(lease),
            has_paid: AtomicBool::new(false),
            _running: running,
        }))
    }

    /// Who calls.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.0.caller
    }

    /// The access key; none for whoever pays with a key of 1min.ai's.
    #[must_use]
    pub fn key(&self) -> Option<&Arc<KnownKey>> {
        self.0.key.as_ref()
    }

    /// The ledger's entry of the request, if it is recorded.
    #[must_use]
    pub fn entry(&self) -> Option<&Arc<RequestEntry>> {
        self.0.entry.as_ref()
    }

    /// The account that pays. Its key is for calls that cost nothing; for those that do, see
    /// [`Payer::hold`].
    ///
    /// # Errors
    /// No account can pay for the access key.
    pub fn lease(&self) -> Result<Lease, Failure> {
        self.lease_for("", 0, &[])
    }

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

    /// As [`Payer::hold`], for a job that outlives the request and the process. When the call was
    /// taken, [`Hold::leave_to_job`] leaves the hold to [`Ledger::settle_job`], which finds it by
    /// the job's id.
    ///
    /// # Errors
    /// Why the call may not be made.
    pub async fn hold_job(&self, call: PaidCall<'_>, job: &str) -> Result<Hold, Failure> {
        let estimate = self.permitted(call).await?;
        self.0.costs.add(estimate.credits);
        let hold = self.hold_estimate(&estimate, Some(job)).await?;
        if let (Some(gate), true) = (&self.0.gate, hold.held.is_some()) {
            // It is on the disk before anything is paid.
            gate.ledger.written().await;
        }
        Ok(hold)
    }

    /// The account of a name, for what lies there; the payer's own where none is named.
    ///
    /// # Errors
    /// There is no such account any more.
    pub fn lease_of(&self, account: Option<&str>) -> Result<Lease, Failure> {
        let (Some(name), Some(gate)) = (account, &self.0.gate) else {
            return self.lease();
        };
        let gone = || Failure::new(Kind::NotFound, "The 1min.ai account that has it is gone.");
        gate.pool.lease_of(name).ok_or_else(gone)
    }

    /// Whether a call would get leave, before its attachments are uploaded: the hold itself comes
    /// with the call. An account is chosen that can pay for it.
    ///
    /// # Errors
    /// Why the call may not be made.
    pub async fn check(&self, call: PaidCall<'_>) -> Result<(), Failure> {
        if self.0.key.is_none() && self.0.entry.is_none() {
            return Ok(());
        }
        let estimate = self.permitted(call).await?;
        // Held and given back at once.
        let hold = self.hold_estimate(&estimate, None).await?;
        hold.settle(Charge::Nothing);
        Ok(())
    }

    /// Whether there is any room in the budgets, before something is uploaded.
    ///
    /// # Errors
    /// A [`Kind::OutOfCredits`] failure.
    pub async fn check_room(&self) -> Result<(), Failure> {
        match (&self.0.gate, &self.0.key) {
            (Some(gate), Some(known)) => gate.ledger.check_room(known).await,
            _ => Ok(()),
        }
    }

    /// Takes another account after an unpaid call was refused, and tells whether there is one. None
    /// is taken where the account is not at fault, or something was paid already.
    #[must_use]
    pub fn change_account(&self) -> bool {
        let Ok(lease) = self.lease() else {
            return false;
        };
        let Some(account) = lease.pooled.filter(|account| !account.is_ready()) else {
            return false;
        };
        let tried = [account.name.clone()];
        !self.0.has_paid.load(Ordering::Relaxed) && self.lease_for("", 0, &tried).is_ok()
    }

    async fn permitted<'c>(&self, call: PaidCall<'c>) -> Result<Estimate<'c>, Failure> {
        let of = use_of(call);
        let model = model_of(call);
        if let Some(known) = &self.0.key {
            known.key.check(of, model)?;
        }
        let mut estimate = Estimate {
            model,
            kind: CallKind::Media,
            credits: 0,
            price: None,
        };
        let Some(gate) = &self.0.gate else {
            return Ok(estimate);
        };
        match call {
            PaidCall::Chat(request, limit) => {
                let images = request.images.len();
                gate.chat(&mut estimate, &request.prompt, images, limit)
                    .await;
            }
            PaidCall::Code(request) => gate.chat(&mut estimate, &request.prompt, 0, None).await,
            PaidCall::Feature(payload) => estimate.credits = gate.feature(payload).await,
            PaidCall::Native(call) => gate.native(&mut estimate, call).await,
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
            self.0.costs.0.left.store(left, Ordering::Relaxed);
        }
        Ok(Hold {
            payer: self.clone(),
            lease,
            model: estimate.model.to_owned(),
            estimate: estimate.credits,
            held,
            price: estimate.price,
            tried: Vec::new(),
            began,
        })
    }

    /// Runs a feature through the gate: hold, call, settle; at another account where one has
    /// refused and that surely cost nothing.
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
        let mut hold = hold.map_err(PaidError::Refused)?;
        loop {
            hold.sent();
            match client.feature(hold.key(), payload, mode).await {
                Ok(outcome) => {
                    hold.answered(&outcome.accounting);
                    return Ok(outcome);
                }
                Err(error) => hold = hold.refused(error)?,
            }
        }
    }

    fn lease_for(&self, model: &str, estimate: i64, tried: &[Arc<str>]) -> Result<Lease, Failure> {
        let mut current = self.0.lease.lock().unwrap_or_else(PoisonError::into_inner);
        let known = current.as_ref().filter(|_| tried.is_empty());
        if let Some(lease) = known {
            return Ok(lease.clone());
        }
        let (Some(gate), Some(known)) = (&self.0.gate, &self.0.key) else {
            let message = "The request has no account of 1min.ai.";
            return Err(Failure::new(Kind::Internal, message));
        };
        let lease = gate.pool.lease(Some(&known.key), model, estimate, tried)?;
        *current = Some(lease.clone());
        Ok(lease)
    }

    /// Notes that the account is used until the request is booked, and tells when that began if
    /// nobody else uses it.
    fn use_account(&self, lease: &Lease) -> Option<(i64, u64)> {
        let (Some(account), Some(entry)) = (&lease.pooled, &self.0.entry) else {
            return None;
        };
        let began = clock::now_ms();
        let (in_use, number) = account.begin();
        entry.uses(in_use);
        Some((began, number?))
    }
}

impl Gate {
    async fn feature(&self, payload: &Payload) -> i64 {
        let metadata = self.models.price_of(payload.kind, &payload.model).await;
        self.estimator.media(metadata.as_ref(), payload, None)
    }

    async fn native(&self, estimate: &mut Estimate<'_>, call: NativeCall<'_>) {
        let media = features::Kind::of_name(call.feature)
            .filter(|kind| *kind != features::Kind::CodeGenerator);
        if let Some(kind) = media {
            let payload = Payload::new(kind, call.model.to_owned(), call.fields.clone());
            estimate.credits = self.feature(&payload).await;
        } else if native::gives(call.feature) == Some(Gives::Text) {
            let prompt = call.fields.get("prompt").and_then(Value::as_str);
            self.chat(estimate, prompt.unwrap_or_default(), 0, None)
                .await;
        } else {
            estimate.credits = self.estimator.unknown_media(call.model);
        }
    }

    async fn chat(
        &self,
        estimate: &mut Estimate<'_>,
        prompt: &str,
        images: usize,
        limit: Option<u64>,
    ) {
        estimate.kind = CallKind::Chat;
        estimate.price = match self.models.chat_price(estimate.model).await {
            Some(price) => Some(price),
            None => unknown_chat_price(),
        };
        if let Some(price) = estimate.price {
            let input = tokens::from_bytes(prompt.len() as u64);
            let model = estimate.model;
            estimate.credits = self.estimator.chat(model, price, input, images, limit);
        }
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
                let began = alone.map(|(began, _)| began);
                gate.ledger.balance(&account.name, balance, began);
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
            self.settle(Charge::Unreported);
            return Err(PaidError::Upstream(error));
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
        if is_over {
            self.settle(Charge::Nothing);
            return Err(PaidError::Upstream(error));
        }
        match payer.lease_for(&self.model, self.estimate, &self.tried) {
            Ok(lease) => {
                self.began = payer.use_account(&lease);
                if let Some(entry) = payer.entry() {
                    entry.paid_by(lease.name().unwrap_or_default());
                }
                self.lease = lease;
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

    /// Leaves the hold to a job, which settles it by its id: [`Ledger::settle_job`].
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

fn model_of(call: PaidCall<'_>) -> &str {
    match call {
        PaidCall::Chat(request, _) => &request.model,
        PaidCall::Code(request) => &request.model,
        PaidCall::Feature(payload) => &payload.model,
        PaidCall::Native(call) => call.model,
    }
}

fn use_of(call: PaidCall<'_>) -> Use {
    match call {
        PaidCall::Chat(..) | PaidCall::Code(_) => Use::Chat,
        PaidCall::Feature(payload) => match payload.kind {
            features::Kind::SpeechToText | features::Kind::AudioTranslator => Use::Audio,
            features::Kind::ImageToPrompt => Use::Images,
            kind => match native::gives(kind.as_str()) {
                Some(Gives::Video) => Use::Video,
                Some(Gives::Audio) => Use::Audio,
                Some(Gives::Images) => Use::Images,
                Some(Gives::Text) | None => Use::Chat,
            },
        },
        PaidCall::Native(_) => Use::Native,
    }
}

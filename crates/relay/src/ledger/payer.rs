//! The gate of every paid call: permission, a hold, an account, and the settlement afterwards.
//!
//! A request has one [`Payer`]. What costs credits goes through [`Payer::hold`], since only a
//! [`Hold`] shows the key to a paid call's sender, and ends in [`Hold::answered`],
//! [`Hold::settle`] or [`Hold::refused`]. What costs none (uploads, lists, results) takes the key
//! of the lease.

mod hold;

pub use hold::Hold;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use translate::failure::{Failure, Kind};

use super::cost_slot::CostSlot;
use super::gate::Gate;
use super::request_entry::RequestEntry;
use crate::access::caller::Caller;
use crate::access::keys::cache::{KnownKey, Running};
use crate::accounts::Lease;
use crate::clock;

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
    has_paid: Arc<AtomicBool>,
    _running: Option<Running>,
}

impl std::fmt::Debug for Payer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Payer")
            .field("caller", &self.0.caller)
            .finish_non_exhaustive()
    }
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
            has_paid: Arc::default(),
            _running: running,
        }))
    }

    /// The payer of a job: it changes its account for itself, and may outlive the request without
    /// counting as one that is under way.
    fn for_job(&self) -> Self {
        let parties = &self.0;
        let lease = parties.lease.lock();
        let lease = lease.unwrap_or_else(PoisonError::into_inner).clone();
        Self(Arc::new(Parties {
            caller: parties.caller.clone(),
            gate: parties.gate.clone(),
            key: parties.key.clone(),
            entry: parties.entry.clone(),
            costs: parties.costs.clone(),
            lease: Mutex::new(lease),
            has_paid: parties.has_paid.clone(),
            _running: None,
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

    /// The account of a name, for what lies there; the payer's own where none is named.
    ///
    /// # Errors
    /// There is no such account any more.
    pub fn lease_of(&self, account: Option<&str>) -> Result<Lease, Failure> {
        let (Some(name), Some(gate)) = (account, &self.0.gate) else {
            return self.lease();
        };
        let gone = || {
            Failure::new(
                Kind::NotFound,
                "The 1min.ai account that stores this object was removed from the relay.",
            )
        };
        gate.pool.lease_of(name).ok_or_else(gone)
    }

    /// Makes the account of a name that which pays for the request: what it names lies there.
    ///
    /// # Errors
    /// There is no such account any more, or the access key may not use it.
    pub fn choose_account(&self, name: &str) -> Result<(), Failure> {
        let lease = self.lease_of(Some(name))?;
        if let Some(known) = &self.0.key
            && !known.key.permits_account(name)
        {
            let message = "The request refers to an object in a 1min.ai account that this access key may not use.";
            return Err(Failure::new(Kind::Forbidden, message).with_retry(false));
        }
        let mut current = self.0.lease.lock().unwrap_or_else(PoisonError::into_inner);
        *current = Some(lease);
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

    /// Takes another account after an unpaid call was refused, and tells whether it has. None is
    /// taken where the account is not at fault, or something was paid already.
    ///
    /// # Errors
    /// No other account can do it, and why.
    pub fn change_account(&self) -> Result<bool, Failure> {
        let account = self.lease()?.pooled.filter(|account| !account.is_ready());
        let (Some(account), false) = (account, self.0.has_paid.load(Ordering::Relaxed)) else {
            return Ok(false);
        };
        self.lease_for("", 0, std::slice::from_ref(&account.name))
            .map(|_| true)
    }

    fn lease_for(&self, model: &str, estimate: i64, tried: &[Arc<str>]) -> Result<Lease, Failure> {
        let mut current = self.0.lease.lock().unwrap_or_else(PoisonError::into_inner);
        let known = current.as_ref().filter(|_| tried.is_empty());
        if let Some(lease) = known {
            return Ok(lease.clone());
        }
        let (Some(gate), Some(known)) = (&self.0.gate, &self.0.key) else {
            return Err(no_account());
        };
        let lease = gate.pool.lease(Some(&known.key), model, estimate, tried)?;
        *current = Some(lease.clone());
        Ok(lease)
    }

    /// The failure of a call that these accounts have refused.
    fn refusal(&self, model: &str, estimate: i64, tried: &[Arc<str>]) -> Failure {
        match &self.0.gate {
            Some(gate) => gate.pool.refusal(model, estimate, tried),
            None => no_account(),
        }
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

fn no_account() -> Failure {
    Failure::new(Kind::Internal, "The request has no account of 1min.ai.")
}

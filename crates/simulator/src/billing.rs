//! What accounts have used: credits by key, and every charge by the request that caused it.
//!
//! Each key is an account of its own. As upstream, a record shows what was used before its own
//! request, and a request is refused when its estimate exceeds what is left.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

/// Credits that an account may use in all, unless said otherwise, as in the fixtures.
const DEFAULT_LIMIT: u64 = 100_000_000;

/// Credits that an account has used when it is first seen, as in the fixtures.
const USED_AT_START: u64 = 125_034;

/// Charges remembered; the oldest go first.
const CHARGES_MAX: usize = 10_000;

/// Accounts remembered; when there are more, all are forgotten.
const ACCOUNTS_MAX: usize = 10_000;

/// The account of one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    /// First 16 hex digits of the key's SHA-256, as in the journal; never the key.
    pub api_key_hash: String,
    /// Credits that it may use in all.
    pub credit_limit: u64,
    /// Credits that it has used, the last request included.
    pub used_credit: u64,
    /// Requests that were charged.
    pub charges: u64,
}

/// One request that was charged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Charge {
    /// The `id` of the request's directive, else its header `x-request-id`, else the first 16 hex
    /// digits of its body's SHA-256. Two charges with one id are one request that was paid twice.
    pub request_id: String,
    /// The account that paid.
    pub api_key_hash: String,
    /// `UNIFY_CHAT_WITH_AI`, `IMAGE_GENERATOR`, …
    pub feature: String,
    /// The model.
    pub model: String,
    /// What it cost.
    pub credits: u64,
}

/// What an account has, as a record shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Balance {
    pub(crate) credit_limit: u64,
    pub(crate) used_credit: u64,
}

impl Balance {
    pub(crate) fn left(self) -> u64 {
        self.credit_limit.saturating_sub(self.used_credit)
    }
}

/// All accounts and charges.
#[derive(Debug, Default)]
pub(crate) struct Billing {
    accounts: BTreeMap<String, Account>,
    charges: VecDeque<Charge>,
}

impl Billing {
    fn account(&mut self, api_key_hash: &str) -> &mut Account {
        if self.accounts.len() > ACCOUNTS_MAX {
            self.accounts.clear();
        }
        self.accounts
            .entry(api_key_hash.to_owned())
            .or_insert_with(|| Account {
                api_key_hash: api_key_hash.to_owned(),
                credit_limit: DEFAULT_LIMIT,
                used_credit: USED_AT_START,
                charges: 0,
            })
    }

    /// What the account has now.
    pub(crate) fn balance(&mut self, api_key_hash: &str) -> Balance {
        let account = self.account(api_key_hash);
        Balance {
            credit_limit: account.credit_limit,
            used_credit: account.used_credit,
        }
    }

    /// Sets what an account may use and has used, where it is given.
    pub(crate) fn set(&mut self, api_key_hash: &str, limit: Option<u64>, used: Option<u64>) {
        let account = self.account(api_key_hash);
        account.credit_limit = limit.unwrap_or(account.credit_limit);
        account.used_credit = used.unwrap_or(account.used_credit);
    }

    /// Books a charge; one of no credits is none.
    pub(crate) fn book(&mut self, charge: &Charge) {
        if charge.credits == 0 {
            return;
        }
        let account = self.account(&charge.api_key_hash);
        account.used_credit = account.used_credit.saturating_add(charge.credits);
        account.charges += 1;
        if self.charges.len() == CHARGES_MAX {
            self.charges.pop_front();
        }
        self.charges.push_back(charge.clone());
    }

    /// The accounts, by their hash.
    pub(crate) fn accounts(&self) -> Vec<Account> {
        self.accounts.values().cloned().collect()
    }

    /// The charges, oldest first.
    pub(crate) fn charges(&self) -> Vec<Charge> {
        self.charges.iter().cloned().collect()
    }
}

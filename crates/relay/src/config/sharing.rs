//! Settings for sharing accounts: access keys, the pool of accounts, budgets, the ledger.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use secrecy::{ExposeSecret as _, SecretString};

use crate::access::KeyMode;
use crate::access::keys::Budget;
use crate::accounts::choice::Policy;
use crate::ledger::period::Per;
use crate::ledger::service::OnOutage;

/// What the operator sets about sharing 1min.ai accounts.
#[derive(Debug, Clone, Args)]
pub struct SharingSettings {
    /// Whose keys clients send: `off` is 1min.ai's own, `on` access keys of this relay, `both`
    /// either. Default: `on` if accounts are named here or in the database, or there are access keys;
    /// else `off`.
    #[arg(long, env = "RELAY_KEYS", value_enum, value_name = "WHOSE")]
    pub relay_keys: Option<KeyMode>,

    /// 1min.ai accounts that pay for access keys: `name=key`, separated by commas.
    #[arg(
        long,
        env = "ONEMIN_API_KEYS",
        hide_env_values = true,
        value_name = "NAME=KEY,…"
    )]
    pub onemin_api_keys: Option<SecretString>,

    /// A file with such accounts, one a line; it is read again when it changes.
    #[arg(long, env = "ONEMIN_API_KEYS_FILE", value_name = "FILE")]
    pub onemin_api_keys_file: Option<PathBuf>,

    /// How the account that pays is chosen: `spread` over all that can, or the first in `order`.
    #[arg(long, env = "POOL", value_enum, default_value = "spread")]
    pub pool: Policy,

    /// The operator's key for the management API and the page, of at least 24 characters. Without it
    /// nothing can be managed over HTTP. It opens nothing that is paid for.
    #[arg(long, env = "ADMIN_KEY", hide_env_values = true, value_name = "KEY")]
    pub admin_key: Option<SecretString>,

    /// What all keys together may spend, in credits: `month=500000,day=50000` (day, week, month,
    /// total). With `RELAY_KEYS=both`, callers who bring a 1min.ai key of their own do not count.
    #[arg(long, env = "BUDGETS", value_delimiter = ',', value_name = "PER=CREDITS,…", value_parser = budget)]
    pub budgets: Vec<Budget>,

    /// The time zone in which days, weeks and months of budgets begin, by its IANA name.
    #[arg(
        long,
        env = "BUDGET_TIMEZONE",
        default_value = "UTC",
        value_name = "ZONE"
    )]
    pub budget_timezone: String,

    /// What becomes of requests of keys with budgets while the database is away.
    #[arg(long, env = "BUDGET_ON_OUTAGE", value_enum, default_value = "refuse")]
    pub budget_on_outage: OnOutage,

    /// What a call of a model is estimated to cost, where the list is wrong: `gpt-*=2000`.
    #[arg(long, env = "CREDIT_ESTIMATES", value_delimiter = ',', value_name = "MODEL=CREDITS,…", value_parser = estimate)]
    pub credit_estimates: Vec<(String, i64)>,

    /// Credits that a dollar buys, for clients that show dollars. Without it dollar fields hold
    /// credits.
    #[arg(long, env = "CREDITS_PER_USD", value_name = "CREDITS", value_parser = positive)]
    pub credits_per_usd: Option<f64>,

    /// Whether requests are recorded: `auto` does if there are accounts, access keys or an `ADMIN_KEY`.
    #[arg(long, env = "LEDGER", value_enum, default_value = "auto")]
    pub ledger: LedgerMode,

    /// Days after which the ledger's rows are deleted; sums by day stay. 0 is never.
    #[arg(
        long,
        env = "LEDGER_RETENTION_DAYS",
        default_value_t = 400,
        value_name = "DAYS"
    )]
    pub ledger_retention_days: u32,
}

/// Whether requests are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LedgerMode {
    /// If there are accounts, access keys or an `ADMIN_KEY`.
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

impl SharingSettings {
    /// Whether the settings name accounts.
    #[must_use]
    pub fn names_accounts(&self) -> bool {
        given(self.onemin_api_keys.as_ref()).is_some() || self.onemin_api_keys_file.is_some()
    }

    /// The operator's key, if there is one.
    #[must_use]
    pub fn admin_key(&self) -> Option<&SecretString> {
        // One of blanks alone is too short, and not none.
        let key = self.admin_key.as_ref();
        key.filter(|key| !key.expose_secret().is_empty())
    }

    /// For how long rows are kept; none is for ever.
    #[must_use]
    pub fn retention(&self) -> Option<Duration> {
        let days = u64::from(self.ledger_retention_days);
        (days > 0).then(|| Duration::from_secs(days * 24 * 60 * 60))
    }
}

/// An empty setting is none.
fn given(secret: Option<&SecretString>) -> Option<&SecretString> {
    secret.filter(|secret| !secret.expose_secret().trim().is_empty())
}

/// A budget as settings and commands have it: `month=50000`, in credits.
///
/// # Errors
/// What is wrong with it.
pub fn budget(text: &str) -> Result<Budget, String> {
    let (per, credits) = text.split_once('=').ok_or("must be PER=CREDITS")?;
    let per = Per::of_word(per.trim()).ok_or("the period must be day, week, month or total")?;
    let credits = thousandths(credits)?;
    Ok(Budget { per, credits })
}

fn estimate(text: &str) -> Result<(String, i64), String> {
    let (model, credits) = text.rsplit_once('=').ok_or("must be MODEL=CREDITS")?;
    Ok((model.trim().to_owned(), thousandths(credits)?))
}

fn positive(text: &str) -> Result<f64, String> {
    let number: f64 = text.trim().parse().map_err(|_| "must be a number")?;
    if number.is_finite() && number > 0.0 {
        Ok(number)
    } else {
        Err("must be more than 0".to_owned())
    }
}

/// Credits as people write them, in thousandths.
fn thousandths(text: &str) -> Result<i64, String> {
    let credits: f64 = text
        .trim()
        .parse()
        .map_err(|_| "credits must be a number")?;
    if credits.is_finite() && (0.0..1e15).contains(&credits) {
        Ok(crate::accounts::balance::milli(credits))
    } else {
        Err("credits must be 0 or more".to_owned())
    }
}

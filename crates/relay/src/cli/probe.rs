//! `probe`: see [`crate::probe`] and [`crate::scorecard`].

use std::fmt::Write as _;
use std::path::Path;

use onemin::{ApiKey, Client};
use secrecy::{ExposeSecret as _, SecretString};
use translate::interpret::thinking::Thoughts;
use translate::plan::PlanSettings;

use super::commands::ProbeArgs;
use crate::access::account_id::AccountId;
use crate::access::caller::Caller;
use crate::accounts::Lease;
use crate::ledger::Payer;
use crate::scorecard::trial::Pipeline;
use crate::{probe, scorecard};

/// What asks 1min.ai, and under which settings.
pub struct Prober<'p> {
    /// The client.
    pub client: &'p Client,
    /// The key that asks and pays.
    pub key: Option<&'p SecretString>,
    /// How often an answer is corrected.
    pub plan: PlanSettings,
    /// What becomes of thoughts.
    pub thoughts: Thoughts,
}

impl Prober<'_> {
    /// Asks, and gives the table of what was found.
    ///
    /// # Errors
    /// There is no key, or the report cannot be written.
    pub async fn run(&self, args: &ProbeArgs) -> Result<String, String> {
        let key = self.key;
        let key = key.ok_or("set ONEMIN_API_KEY to the key that asks, and pays with --spend")?;
        let key = ApiKey::parse(key.expose_secret())
            .map_err(|error| format!("ONEMIN_API_KEY: {error}"))?;
        let spend = args.spend.map(|credits| credits.saturating_mul(1000));
        let now = jiff::Timestamp::now().to_string();
        let day = now.get(..10).unwrap_or_default();
        let (mut text, report) = if args.models.is_empty() {
            let findings = onemin::probe::run(self.client, &key, spend).await;
            (probe::table(&findings), probe::report(&findings, day))
        } else {
            let pipeline = Pipeline {
                client: self.client,
                payer: payer(key),
                plan: self.plan,
                thoughts: self.thoughts,
            };
            let spend = spend.unwrap_or_default();
            let card = scorecard::run(&pipeline, &args.models, spend).await;
            (card.table(), card.report(day))
        };
        if let Some(path) = &args.report {
            write(path, &report)?;
            let _ = writeln!(text, "The report is in {}.", path.display());
        }
        Ok(text)
    }
}

/// The key pays; nothing is recorded.
fn payer(key: ApiKey) -> Payer {
    let id = AccountId::NOBODY;
    let lease = Lease {
        key,
        account: id,
        pooled: None,
    };
    Payer::new(Caller { id, name: None }, lease)
}

fn write(path: &Path, report: &str) -> Result<(), String> {
    let written = std::fs::write(path, report);
    written.map_err(|error| format!("{}: {error}", path.display()))
}

//! `probe`: see [`crate::probe`].

use std::fmt::Write as _;

use onemin::{ApiKey, Client};
use secrecy::{ExposeSecret as _, SecretString};

use super::commands::ProbeArgs;
use crate::probe;

/// Asks 1min.ai, and gives the table of what was found.
///
/// # Errors
/// There is no key, or the report cannot be written.
pub async fn run(
    client: &Client,
    key: Option<&SecretString>,
    args: &ProbeArgs,
) -> Result<String, String> {
    let key = key.ok_or("set ONEMIN_API_KEY to the key that asks, and pays with --spend")?;
    let key =
        ApiKey::parse(key.expose_secret()).map_err(|error| format!("ONEMIN_API_KEY: {error}"))?;
    let spend = args.spend.map(|credits| credits.saturating_mul(1000));
    let findings = probe::run(client, &key, spend).await;
    let mut text = findings.table();
    if let Some(path) = &args.report {
        let now = jiff::Timestamp::now().to_string();
        let day = now.get(..10).unwrap_or_default().to_owned();
        let written = std::fs::write(path, findings.report(&day));
        let place = path.display();
        written.map_err(|error| format!("{place}: {error}"))?;
        let _ = writeln!(text, "The report is in {place}.");
    }
    Ok(text)
}

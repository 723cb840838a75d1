//! `--doctor`: checks whether 1min.ai and all configured services can be reached, and says what is
//! wrong and which setting helps. It costs no credits.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use onemin::models::Feature;
use onemin::{ApiKey, Client, Error, ResultAsset};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use url::Url;

use crate::config::in_force::SettingInForce;
use crate::embeddings::Embeddings;
use crate::failure::{of_upstream, with_cause};
use crate::sharing::Sharing;
use crate::store::build::Stores;

/// A neighbour that has said nothing for so long does not answer.
const CHECK_TIMEOUT: Duration = Duration::from_secs(20);

/// What is asked of the asset host: that it says anything at all is enough.
const NO_FILE: &str = "images/1min-relay-doctor.png";

/// What is examined.
pub struct Subjects {
    /// Where 1min.ai's API is.
    pub onemin_base_url: Url,
    /// Where 1min.ai's files are.
    pub onemin_asset_url: Url,
    /// A key to check, if one is given.
    pub key: Option<SecretString>,
    /// Whether requests are counted at all.
    pub is_rate_limited: bool,
    /// The way to upstream.
    pub client: Client,
    /// What outlives a request.
    pub stores: Stores,
    /// Who makes embeddings; none if nobody does.
    pub embeddings: Option<Arc<Embeddings>>,
    /// Access keys, accounts, the ledger.
    pub sharing: Sharing,
}

/// What is looked at, again and again.
pub struct Inspection {
    /// The neighbours.
    pub subjects: Subjects,
    /// The settings that name them, for people to read.
    pub settings_in_force: Vec<SettingInForce>,
}

impl Inspection {
    /// Looks at everything.
    pub async fn examine(&self) -> Vec<Finding> {
        examine(&self.subjects).await
    }
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub subject: &'static str,
    /// How it is.
    pub state: State,
    /// In words.
    pub words: String,
}

/// How a neighbour is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Good,
    /// Not looked at, or not there and not needed.
    Skipped,
    /// Something must be done.
    Trouble,
}

/// Looks at everything that the settings name.
async fn examine(subjects: &Subjects) -> Vec<Finding> {
    let checks: Vec<(&'static str, BoxFuture<'_, Check>)> = vec![
        ("1min.ai", Box::pin(upstream(subjects))),
        ("assets", Box::pin(assets(subjects))),
        ("key", Box::pin(key(subjects))),
        ("accounts", Box::pin(accounts(subjects))),
        ("ledger", Box::pin(ledger(subjects))),
        ("rate limit", Box::pin(counters(subjects))),
        ("state", Box::pin(state(subjects))),
        ("files", Box::pin(contents(subjects))),
        ("embeddings", Box::pin(embeddings(subjects))),
    ];
    let findings = checks.into_iter().map(async |(subject, check)| {
        let silent = || {
            trouble(format!(
                "no answer within {} seconds.",
                CHECK_TIMEOUT.as_secs()
            ))
        };
        let (state, words) = tokio::time::timeout(CHECK_TIMEOUT, check)
            .await
            .unwrap_or_else(|_| silent());
        Finding {
            subject,
            state,
            words,
        }
    });
    let mut findings = futures_util::future::join_all(findings).await;
    findings.push(drift());
    findings
}

/// Facts about 1min.ai that its answers to these checks contradict.
fn drift() -> Finding {
    let seen = onemin::drift::counts();
    let facts: Vec<&str> = seen.iter().map(|(fact, _)| fact.id()).collect();
    let (state, words) = if facts.is_empty() {
        good("1min.ai's answers are as known; `1min-relay probe` checks more.")
    } else {
        skipped(format!(
            "1min.ai's answers differ in {}; `1min-relay probe` shows more.",
            facts.join(", ")
        ))
    };
    Finding {
        subject: "drift",
        state,
        words,
    }
}

/// The findings as lines, for people.
#[must_use]
pub fn report(findings: &[Finding]) -> String {
    let mut text = format!("1min-relay {}\n\n", env!("CARGO_PKG_VERSION"));
    for Finding {
        subject,
        state,
        words,
    } in findings
    {
        let state = match state {
            State::Good => "good",
            State::Skipped => "-",
            State::Trouble => "TROUBLE",
        };
        let _ = writeln!(text, "  {state:<8} {subject:<11} {words}");
    }
    text
}

type Check = (State, String);

fn good(words: impl Into<String>) -> Check {
    (State::Good, words.into())
}

fn skipped(words: impl Into<String>) -> Check {
    (State::Skipped, words.into())
}

fn trouble(words: impl Into<String>) -> Check {
    (State::Trouble, words.into())
}

/// What upstream or the way to it has to say.
fn reason(error: &Error) -> String {
    match error {
        Error::Transport(_) => format!("{}.", with_cause(error)),
        _ => of_upstream(error).message,
    }
}

async fn upstream(subjects: &Subjects) -> Check {
    let place = &subjects.onemin_base_url;
    match subjects.client.models(Feature::Chat).await {
        Ok(models) => good(format!("{place} lists {} chat models.", models.len())),
        Err(error) => trouble(format!(
            "{place}: {} Until it answers the built-in list of models is used (ONEMIN_BASE_URL).",
            reason(&error)
        )),
    }
}

async fn assets(subjects: &Subjects) -> Check {
    let place = &subjects.onemin_asset_url;
    match subjects
        .client
        .download(&ResultAsset::of_path(NO_FILE))
        .await
    {
        Err(error @ Error::Transport(_)) => trouble(format!(
            "{place}: {} Images and speech cannot be fetched from there (ONEMIN_ASSET_URL).",
            reason(&error)
        )),
        _ => good(format!("{place} can be reached.")),
    }
}

async fn key(subjects: &Subjects) -> Check {
    let Some(key) = &subjects.key else {
        // Not to have one is no fault.
        return skipped(if subjects.sharing.is_used() {
            "none of the relay's own (ONEMIN_API_KEY), and none is needed: the keys of the accounts are checked below."
        } else {
            "none of the relay's own (ONEMIN_API_KEY), and none is needed: clients send theirs. If one is set, it is checked here."
        });
    };
    let key = match ApiKey::parse(key.expose_secret()) {
        Ok(key) => key,
        Err(error) => return trouble(format!("ONEMIN_API_KEY: {error}.")),
    };
    match subjects.client.check_key(&key).await {
        Ok(()) => good("1min.ai knows it."),
        Err(error) => trouble(reason(&error)),
    }
}

async fn accounts(subjects: &Subjects) -> Check {
    let sharing = &subjects.sharing;
    if !sharing.is_used() {
        return skipped("none: clients send their own keys (ONEMIN_API_KEYS).");
    }
    sharing.refresh().await;
    let looked = sharing.gate.pool.check_keys().await;
    if looked.is_empty() {
        return skipped("none yet: name them in ONEMIN_API_KEYS, or add one with `account add`.");
    }
    let refused: Vec<String> = looked
        .iter()
        .filter_map(|(name, error)| Some(format!("{name}: {}", reason(error.as_ref()?))))
        .collect();
    if refused.is_empty() {
        let names: Vec<&str> = looked.iter().map(|(name, _)| name.as_str()).collect();
        return good(format!("1min.ai knows the keys of {}.", names.join(", ")));
    }
    trouble(refused.join(" "))
}

async fn ledger(subjects: &Subjects) -> Check {
    let ledger = &subjects.sharing.gate.ledger;
    if !ledger.is_on() {
        return skipped("off: nothing is recorded (LEDGER).");
    }
    match subjects.sharing.keys.store().snapshot().await {
        Ok(snapshot) => good(format!(
            "{} access keys; days and months begin in {}.",
            snapshot.keys.len(),
            ledger.calendar().zone()
        )),
        Err(error) => trouble(format!(
            "{error}. Access keys and budgets need the database (DATA_DIR, DATABASE_URL)."
        )),
    }
}

async fn counters(subjects: &Subjects) -> Check {
    let place = subjects.stores.counters.name();
    if !subjects.is_rate_limited {
        return skipped("off (RATE_LIMIT_PER_MINUTE).");
    }
    match subjects.stores.counters.health_check().await {
        Ok(()) => good(format!("counted {place}.")),
        Err(_) if subjects.stores.counters.is_optional() => {
            skipped(format!("counted {place}: there is none, so in process."))
        }
        Err(error) => trouble(format!(
            "counted {place}: {error}. Until it answers each replica counts for itself."
        )),
    }
}

async fn state(subjects: &Subjects) -> Check {
    let place = subjects.stores.records.name();
    match subjects.stores.records.health_check().await {
        Ok(()) => good(format!("{place} can be read and written.")),
        Err(error) => trouble(format!(
            "{place}: {error}. Files, assistants and stored responses need it."
        )),
    }
}

async fn contents(subjects: &Subjects) -> Check {
    let place = subjects.stores.blobs.name();
    match subjects.stores.blobs.health_check().await {
        Ok(()) => good(format!("{place} can be read and written.")),
        Err(error) => trouble(format!("{place}: {error}. Files need it.")),
    }
}

async fn embeddings(subjects: &Subjects) -> Check {
    let Some(elsewhere) = &subjects.embeddings else {
        return skipped("no server is named (EMBEDDINGS_BASE_URL), so they answer 501.");
    };
    match elsewhere.health_check().await {
        Ok(()) => good("the server can be reached."),
        Err(reason) => trouble(format!("EMBEDDINGS_BASE_URL: {reason}.")),
    }
}

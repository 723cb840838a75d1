//! `--demo`: a simulated 1min.ai as the upstream, two weeks of use to look at, and a data folder that
//! is gone with it, so that trying the relay leaves nothing behind.

mod history;

use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use simulator::{Options, Simulator};
use translate::failure::Failure;
use url::Url;

use crate::access::KeyMode;
use crate::access::keys::{AccessKey, Budget, Use, format};
use crate::accounts::balance::Balance;
use crate::clock;
use crate::config::sharing::SharingSettings;
use crate::config::upstream::UpstreamSettings;
use crate::ledger::booking::{Booking, OpenRows, Repeats};
use crate::ledger::period::Per;
use crate::ledger::queue::{LoneCall, Message};
use crate::ledger::row::{CostSource, LedgerRow, RowKind};
use crate::sharing::Sharing;
use crate::store::settings as store;

/// Between two events of an answer: a stream that can be seen to be one.
const PACE: Duration = Duration::from_millis(30);

/// The account that has paid for it all, and its key at the simulator.
const ACCOUNT: &str = "family";
const ACCOUNT_KEY: &str = "key-of-the-demonstration";

/// Thousandths of a credit that the account may use, and that were used elsewhere.
const LIMIT: i64 = 20_000_000_000;
const OUTSIDE: i64 = 43_500_000;

/// What the whole relay may spend, in thousandths of a credit.
const BUDGETS: [(Per, i64); 2] = [(Per::Day, 1_500_000_000), (Per::Month, 15_000_000_000)];

/// Rows of one transaction.
const GROUP: usize = 500;

/// What the demonstration needs while it runs.
pub struct Demo {
    simulator: Simulator,
    folder: Option<PathBuf>,
}

impl Demo {
    /// Starts the simulator, makes it the upstream and shares its account.
    ///
    /// # Errors
    /// Why it did not start.
    pub fn start(
        upstream: &mut UpstreamSettings,
        store: &mut store::Settings,
        sharing: &mut SharingSettings,
    ) -> Result<Self, String> {
        let simulator = Simulator::start(Options {
            pace: PACE,
            ..Options::default()
        });
        let simulator = simulator.map_err(|e| e.to_string())?;
        let url = Url::parse(&simulator.url()).map_err(|e| e.to_string())?;
        upstream.onemin_base_url = url.clone();
        upstream.onemin_asset_url = url;
        let folder = store.data_dir.is_none().then(|| {
            let name = format!("1min-relay-demo-{}", uuid::Uuid::new_v4().simple());
            std::env::temp_dir().join(name)
        });
        if folder.is_some() {
            store.data_dir.clone_from(&folder);
        }
        if sharing.admin_key().is_none() {
            let key = format!("demo-{}", uuid::Uuid::new_v4().simple());
            sharing.admin_key = Some(key.into());
        }
        if !sharing.names_accounts() {
            sharing.onemin_api_keys = Some(format!("{ACCOUNT}={ACCOUNT_KEY}").into());
            // The first command of the README sends any key.
            sharing.relay_keys = sharing.relay_keys.or(Some(KeyMode::Both));
        }
        if sharing.budgets.is_empty() {
            let budgets = BUDGETS.map(|(per, credits)| Budget { per, credits });
            sharing.budgets = budgets.to_vec();
        }
        Ok(Self { simulator, folder })
    }

    /// Fills the demonstration's own database with keys and two weeks of use; one that was there
    /// before is left as it is. To be called before the relay serves. Tells how one signs in to the
    /// page.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn fill(
        &self,
        settings: &SharingSettings,
        sharing: &Sharing,
    ) -> Result<String, Failure> {
        let admin = settings.admin_key().cloned().unwrap_or_default();
        let ledger = &sharing.gate.ledger;
        let database = ledger.database();
        if self.folder.is_none() || database.is_shared() || !ledger.is_on() {
            return Ok(sign_in(&admin, None));
        }
        let mut ids = Vec::new();
        let mut holder = None;
        for key in keys() {
            let drawn = format::draw().map_err(|_| no_random())?;
            ids.push(drawn.id.clone());
            let key = AccessKey {
                id: drawn.id,
                hash: drawn.hash,
                ..key
            };
            sharing.keys.store().add(key).await?;
            holder = holder.or(Some(drawn.text));
        }
        let now = clock::now_ms();
        let mut rows = history::rows(now, &ids, ACCOUNT);
        rows.push(outside(now));
        let used: i64 = rows.iter().map(|row| row.credits).sum();
        let messages = rows.into_iter().map(|row| Message::Row(Box::new(row)));
        let balance = Message::Balance {
            account: ACCOUNT.to_owned(),
            key: String::new(),
            balance: Balance {
                limit: Some(LIMIT),
                used,
                at: now,
            },
            alone: Some(LoneCall {
                began: now,
                request: String::new(),
            }),
        };
        let messages: Vec<Message> = messages.chain([balance]).collect();
        for group in messages.chunks(GROUP) {
            let (group, calendar) = (group.to_vec(), ledger.calendar().clone());
            let scopes = ledger.scopes_rule();
            let booking = database.transaction(move |transaction| {
                Box::pin(async move {
                    let mut booking = Booking::new(
                        transaction,
                        calendar,
                        scopes,
                        OpenRows::default(),
                        Repeats::None,
                    );
                    booking.book(&group).await?;
                    booking.finish().await.map(drop)
                })
            });
            booking.await?;
        }
        let credits = |thousandths: i64| u64::try_from(thousandths / 1000).ok();
        self.simulator
            .set_account(ACCOUNT_KEY, credits(LIMIT), credits(used));
        Ok(sign_in(&admin, holder.as_ref()))
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            // It is only there if something was kept.
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

/// How one signs in to the page.
fn sign_in(admin: &SecretString, holder: Option<&SecretString>) -> String {
    let admin = admin.expose_secret();
    match holder {
        Some(holder) => {
            let holder = holder.expose_secret();
            format!("sign in with {admin}, or as a holder with {holder}")
        }
        None => format!("sign in with {admin}"),
    }
}

/// The keys of a family, without ids.
fn keys() -> Vec<AccessKey> {
    let now = clock::now_ms();
    let key = |name: &str, budgets: &[(Per, i64)]| AccessKey {
        name: name.to_owned(),
        created: now,
        updated: now,
        budgets: budgets
            .iter()
            .map(|&(per, credits)| Budget {
                per,
                credits: credits * 1000,
            })
            .collect(),
        ..AccessKey::default()
    };
    vec![
        AccessKey {
            uses: vec![Use::Chat, Use::Images],
            ..key("Anna", &[(Per::Day, 120_000), (Per::Month, 2_000_000)])
        },
        AccessKey {
            models: vec!["gpt-*".to_owned(), "*claude*".to_owned()],
            parallel: Some(4),
            ..key("Coding agent", &[(Per::Month, 8_000_000)])
        },
        AccessKey {
            rpm: Some(30),
            ..key("Home Assistant", &[(Per::Day, 40_000)])
        },
        key("Open WebUI", &[]),
    ]
}

/// What somebody spent in 1min.ai's own app.
fn outside(now: i64) -> LedgerRow {
    LedgerRow {
        id: "demo-outside".to_owned(),
        at: now - 3 * 24 * 60 * 60 * 1000,
        kind: RowKind::Outside,
        account: ACCOUNT.to_owned(),
        credits: OUTSIDE,
        source: CostSource::Inferred,
        ..LedgerRow::default()
    }
}

fn no_random() -> Failure {
    let message = "The operating system has no random numbers.";
    Failure::new(translate::failure::Kind::Internal, message)
}

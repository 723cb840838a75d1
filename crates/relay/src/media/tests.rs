//! Media against a simulated 1min.ai, without stores, access keys and rate limits.

use std::sync::Arc;
use std::time::Duration;

use onemin::{ApiKey, Catalogue, Client};
use secrecy::SecretString;
use simulator::{Options, Simulator};
use translate::failure::Kind;
use translate::media::ImageRequest;
use url::Url;

use super::image_history::ImageHistory;
use super::{Media, Settings};
use crate::access::account_id::AccountId;
use crate::access::caller::Caller;
use crate::access::sealing::Sealer;
use crate::accounts::Lease;
use crate::jobs::{Jobs, LongJobs};
use crate::ledger::Payer;
use crate::ledger::counters::Scopes;
use crate::ledger::period::Calendar;
use crate::ledger::service::{Ledger, LedgerSettings, OnOutage};
use crate::models::Models;
use crate::store::database::Database;
use crate::store::folder::DataFolder;
use crate::uploads::Uploads;
use crate::uploads::fetch::Fetcher;

const MIB: usize = 1024 * 1024;

fn client(simulator: &Simulator) -> Client {
    let url = Url::parse(&simulator.url()).unwrap();
    Client::new(onemin::Options {
        base_url: url.clone(),
        asset_url: url,
        ..onemin::Options::default()
    })
    .unwrap()
}

/// Jobs in this database, which nobody follows.
fn long_jobs(simulator: &Simulator, database: &Database) -> LongJobs {
    let folder = DataFolder::new("/proc/no/folder".into());
    let calendar = Calendar::of_zone("UTC").unwrap();
    let settings = LedgerSettings {
        is_on: false,
        budgets: Vec::new(),
        scopes: Scopes {
            own_keys_count: true,
        },
        on_outage: OnOutage::Refuse,
        hold_for: Duration::from_mins(1),
        retention: None,
    };
    let ledger = Ledger::new(database.clone(), folder, calendar, settings);
    let sealer = Sealer::kept(|| SecretString::from("secret-of-tests"));
    let pause = Duration::from_millis(100);
    LongJobs {
        jobs: Jobs::new(client(simulator), database.clone(), sealer, ledger, pause),
        limit: Duration::from_mins(1),
    }
}

fn media(simulator: &Simulator) -> Media {
    let url = Url::parse(&simulator.url()).unwrap();
    let client = client(simulator);
    let catalogue = Catalogue::new(client.clone(), Duration::from_mins(5));
    let models = Arc::new(Models::new(catalogue, None, Vec::new()));
    let uploads = Uploads::new(client.clone(), Fetcher::new(MIB, false), None);
    let settings = Settings {
        asset_url: url,
        max_calls: 2,
        max_file: MIB as u64,
    };
    Media::new(client, models, uploads, ImageHistory::none(), settings)
}

fn payer() -> Payer {
    let caller = Caller {
        id: AccountId::NOBODY,
        name: None,
    };
    let lease = Lease {
        key: ApiKey::parse("key").unwrap(),
        account: AccountId::NOBODY,
        pooled: None,
    };
    Payer::new(caller, lease)
}

/// The paths of requests that the simulator has seen, but for those that ask for the list of
/// models or for a result.
fn requests(simulator: &Simulator) -> Vec<String> {
    let entries = simulator.journal().entries();
    let paths = entries.into_iter().map(|entry| entry.path);
    let is_asked = |path: &String| !path.contains("/models") && !path.contains("/results");
    paths.filter(is_asked).collect()
}

fn request(prompt: &str) -> ImageRequest {
    ImageRequest {
        model: Some("gpt-image-1-mini".to_owned()),
        prompt: prompt.to_owned(),
        inline: Some(false),
        ..ImageRequest::default()
    }
}

#[tokio::test]
async fn preparing_sends_nothing_and_running_one_payload() {
    let simulator = Simulator::start(Options::default()).unwrap();
    let media = media(&simulator);
    let payer = payer();
    let prepared = media.prepare_generation(&payer, request("a cat")).await;
    let prepared = prepared.unwrap();
    assert_eq!(requests(&simulator), Vec::<String>::new());
    let database = Database::in_folder(DataFolder::new("/proc/no/folder".into()));
    let long = long_jobs(&simulator, &database);
    let made = media.run_images(&payer, &long, prepared).await;
    assert_eq!(made.unwrap().images.len(), 1);
    assert_eq!(requests(&simulator).len(), 1, "{:?}", requests(&simulator));
    assert!(!database.is_in_use(), "nothing is recorded of this payer");
}

#[tokio::test]
async fn what_a_model_does_not_accept_is_refused_before_anything_is_sent() {
    let simulator = Simulator::start(Options::default()).unwrap();
    let media = media(&simulator);
    let payer = payer();
    for refused in [
        request(" "),
        ImageRequest {
            strict: true,
            ignored: vec!["partial_images".to_owned()],
            ..request("a cat")
        },
    ] {
        let failure = media.prepare_generation(&payer, refused).await.unwrap_err();
        assert!(
            matches!(failure.kind, Kind::Invalid | Kind::Unsupported),
            "{failure:?}"
        );
    }
    let edit = media.prepare_edit(&request("a cat"), Vec::new(), None);
    assert_eq!(edit.unwrap_err().param.as_deref(), Some("image"));
    assert_eq!(requests(&simulator), Vec::<String>::new());
}

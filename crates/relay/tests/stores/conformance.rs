//! What every store of records does, one list for all adapters.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use futures_util::future::join_all;
use relay::access::account_id::{AccountId, AccountIds};
use relay::store::database::Database;
use relay::store::folder::DataFolder;
use relay::store::records::{Key, Listing, RecordStore, Value};

use crate::rig::Folder;
use crate::service::Server;

/// Tables of the schema: what is tested is the same for all.
const TABLE: &str = "files";
const OTHER_TABLE: &str = "assistants";

fn owner(name: &str) -> AccountId {
    AccountIds::under(&"sixteen and more".into()).of_key(&onemin::ApiKey::parse(name).unwrap())
}

fn key(name: &str, id: &str) -> Key {
    Key {
        table: TABLE,
        owner: owner(name),
        id: id.to_owned(),
    }
}

fn lasting(text: &str) -> Value {
    Value {
        text: text.to_owned(),
        expires: None,
    }
}

fn until(text: &str, from_now: Duration) -> Value {
    Value {
        expires: Some(SystemTime::now() + from_now),
        ..lasting(text)
    }
}

async fn get(store: &RecordStore, name: &str, id: &str) -> Option<String> {
    store.get(key(name, id)).await.unwrap()
}

async fn list(store: &RecordStore, name: &str, listing: Listing) -> Vec<String> {
    let found = store.list(TABLE, owner(name), listing).await.unwrap();
    found.into_iter().map(|(id, _)| id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_in_the_data_folder_conforms() {
    let folder = Folder::new();
    let store = in_folder(folder.0.clone());
    conforms(&store).await;
    drop(store);
    let again = in_folder(folder.0.clone());
    assert_eq!(get(&again, "kept", "k").await.as_deref(), Some("lasting"));
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_conforms_in_memory_where_no_folder_can_be_made() {
    conforms(&in_folder(PathBuf::from("/proc/no/such/folder"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_conforms() {
    let Some(server) = Server::postgres() else {
        return;
    };
    let store = || RecordStore::new(Database::postgres(&server.url().into()).unwrap());
    conforms(&store()).await;
    let other_replica = store();
    assert_eq!(
        get(&other_replica, "kept", "k").await.as_deref(),
        Some("lasting")
    );
}

fn in_folder(folder: PathBuf) -> RecordStore {
    RecordStore::new(Database::in_folder(DataFolder::new(folder)))
}

async fn conforms(store: &RecordStore) {
    keeps_and_forgets(store).await;
    keeps_owners_apart(store).await;
    lists_in_order(store).await;
    pages(store).await;
    lets_values_expire(store).await;
    swaps(store).await;
    lets_one_of_many_win(store).await;
    finds_owners(store).await;
    store
        .put(key("kept", "k"), lasting("lasting"))
        .await
        .unwrap();
}

async fn keeps_and_forgets(store: &RecordStore) {
    assert_eq!(get(store, "a", "1").await, None);
    store.put(key("a", "1"), lasting("one")).await.unwrap();
    store.put(key("a", "1"), lasting("uno")).await.unwrap();
    assert_eq!(get(store, "a", "1").await.as_deref(), Some("uno"));
    assert!(store.delete(key("a", "1")).await.unwrap());
    assert!(!store.delete(key("a", "1")).await.unwrap());
    assert_eq!(get(store, "a", "1").await, None);
    let text: String = ('\u{1}'..'\u{2fff}').cycle().take(300_000).collect();
    let value = Value {
        text: text.clone(),
        expires: None,
    };
    store.put(key("a", "big"), value).await.unwrap();
    assert_eq!(store.get(key("a", "big")).await.unwrap(), Some(text));
    store.delete(key("a", "big")).await.unwrap();
}

async fn keeps_owners_apart(store: &RecordStore) {
    store.put(key("b", "1"), lasting("of b")).await.unwrap();
    assert_eq!(get(store, "c", "1").await, None);
    assert!(!store.delete(key("c", "1")).await.unwrap());
    assert_eq!(
        list(store, "c", Listing::default()).await,
        Vec::<String>::new()
    );
    assert_eq!(get(store, "b", "1").await.as_deref(), Some("of b"));
    let elsewhere = Key {
        table: OTHER_TABLE,
        ..key("b", "1")
    };
    assert_eq!(store.get(elsewhere).await.unwrap(), None);
}

#[expect(clippy::too_many_lines, reason = "a table")]
async fn lists_in_order(store: &RecordStore) {
    for id in ["y-2", "x-1", "x-3", "x-2", "x", "z~"] {
        store.put(key("d", id), lasting(id)).await.unwrap();
    }
    let table: &[(Listing, &[&str])] = &[
        (Listing::default(), &["x", "x-1", "x-2", "x-3", "y-2", "z~"]),
        (
            Listing {
                falling: true,
                ..Listing::default()
            },
            &["z~", "y-2", "x-3", "x-2", "x-1", "x"],
        ),
        (
            Listing {
                prefix: "x-".into(),
                ..Listing::default()
            },
            &["x-1", "x-2", "x-3"],
        ),
        (
            Listing {
                prefix: "x".into(),
                falling: true,
                ..Listing::default()
            },
            &["x-3", "x-2", "x-1", "x"],
        ),
        (
            Listing {
                prefix: "x-".into(),
                after: Some("x-1".into()),
                ..Listing::default()
            },
            &["x-2", "x-3"],
        ),
        (
            Listing {
                prefix: "x-".into(),
                after: Some("x-3".into()),
                falling: true,
                ..Listing::default()
            },
            &["x-2", "x-1"],
        ),
        (
            Listing {
                prefix: "x-".into(),
                after: Some("a".into()),
                ..Listing::default()
            },
            &["x-1", "x-2", "x-3"],
        ),
        (
            Listing {
                prefix: "x-".into(),
                after: Some("y".into()),
                ..Listing::default()
            },
            &[],
        ),
        (
            Listing {
                prefix: "x-".into(),
                after: Some("a".into()),
                falling: true,
                ..Listing::default()
            },
            &[],
        ),
        (
            Listing {
                prefix: "x-".into(),
                after: Some("z".into()),
                falling: true,
                ..Listing::default()
            },
            &["x-3", "x-2", "x-1"],
        ),
        (
            Listing {
                after: Some("x-15".into()),
                limit: 2,
                ..Listing::default()
            },
            &["x-2", "x-3"],
        ),
        (
            Listing {
                limit: 0,
                ..Listing::default()
            },
            &[],
        ),
    ];
    for (listing, expected) in table {
        assert_eq!(
            list(store, "d", listing.clone()).await,
            *expected,
            "{listing:?}"
        );
    }
}

async fn pages(store: &RecordStore) {
    let id = |n: usize| format!("{n:05}");
    // Each write waits for the disk: more at once than it takes in two seconds would be refused.
    for chunk in (0..1203).collect::<Vec<_>>().chunks(32) {
        let puts = chunk
            .iter()
            .map(|&n| store.put(key("e", &id(n)), lasting("v")));
        join_all(puts)
            .await
            .into_iter()
            .for_each(|put| put.unwrap());
    }
    let all: Vec<String> = (0..1203).map(id).collect();
    assert_eq!(list(store, "e", Listing::default()).await, all);
    let mut paged = Vec::new();
    loop {
        let after = paged.last().cloned();
        let page = list(
            store,
            "e",
            Listing {
                after,
                limit: 100,
                ..Listing::default()
            },
        )
        .await;
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!(paged, all);
}

async fn lets_values_expire(store: &RecordStore) {
    let short = Duration::from_millis(300);
    store
        .put(key("f", "1"), until("short", short))
        .await
        .unwrap();
    store
        .put(key("f", "2"), until("long", Duration::from_mins(10)))
        .await
        .unwrap();
    store
        .put(key("f", "3"), until("past", Duration::ZERO))
        .await
        .unwrap();
    assert_eq!(get(store, "f", "1").await.as_deref(), Some("short"));
    tokio::time::sleep(short + Duration::from_millis(50)).await;
    assert_eq!(get(store, "f", "1").await, None);
    assert_eq!(get(store, "f", "3").await, None);
    let first = Listing {
        limit: 1,
        ..Listing::default()
    };
    assert_eq!(list(store, "f", first).await, ["2"]);
    assert!(!store.delete(key("f", "1")).await.unwrap());
    store
        .put(key("f", "4"), until("short", short))
        .await
        .unwrap();
    store
        .put(key("f", "4"), lasting("now for ever"))
        .await
        .unwrap();
    tokio::time::sleep(short + Duration::from_millis(50)).await;
    store.sweep(TABLE).await.unwrap();
    assert_eq!(list(store, "f", Listing::default()).await, ["2", "4"]);
}

async fn swaps(store: &RecordStore) {
    let text = |text: &str| Some(text.to_owned());
    let steps: &[(Option<&str>, Option<&str>, bool)] = &[
        (Some("x"), Some("y"), false),
        (Some("x"), None, false),
        (None, Some("1"), true),
        (None, Some("2"), false),
        (Some("2"), Some("3"), false),
        (Some("1"), Some("2"), true),
        (Some("2"), None, true),
        (None, Some(""), true),
        (Some(""), Some("3"), true),
    ];
    for (before, after, swapped) in steps {
        let done = store
            .swap(key("g", "1"), before.and_then(text), after.map(lasting))
            .await;
        assert_eq!(done.unwrap(), *swapped, "{before:?} {after:?}");
    }
    assert_eq!(get(store, "g", "1").await.as_deref(), Some("3"));
    assert_eq!(list(store, "g", Listing::default()).await, ["1"]);
    let brief = until("brief", Duration::from_millis(800));
    assert!(
        store
            .swap(key("g", "lock"), None, Some(brief))
            .await
            .unwrap()
    );
    assert!(
        !store
            .swap(key("g", "lock"), None, Some(lasting("mine")))
            .await
            .unwrap()
    );
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert!(
        store
            .swap(key("g", "lock"), None, Some(lasting("mine")))
            .await
            .unwrap()
    );
}

async fn lets_one_of_many_win(store: &RecordStore) {
    let takers = (0..20).map(|n| {
        let store = store.clone();
        tokio::spawn(async move {
            let mine = lasting(&n.to_string());
            store
                .swap(key("h", "lock"), None, Some(mine))
                .await
                .unwrap()
        })
    });
    let taken = join_all(takers).await;
    assert_eq!(
        taken
            .into_iter()
            .filter(|taken| *taken.as_ref().unwrap())
            .count(),
        1
    );
}

async fn finds_owners(store: &RecordStore) {
    let all: BTreeSet<AccountId> = store
        .owners(TABLE, None)
        .await
        .unwrap()
        .into_iter()
        .collect();
    assert!(
        ["b", "d", "e", "f", "g", "h"]
            .iter()
            .all(|name| all.contains(&owner(name)))
    );
    let (mut one_by_one, mut after) = (BTreeSet::new(), None);
    while let Some(next) = store.owners(TABLE, after).await.unwrap().first().copied() {
        one_by_one.insert(next);
        after = Some(next);
    }
    assert_eq!(one_by_one, all);
    assert_eq!(store.owners(OTHER_TABLE, None).await.unwrap(), []);
}

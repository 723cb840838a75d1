use super::*;
use crate::access::account_id::AccountIds;
use std::collections::HashMap;
use std::net::Ipv4Addr;
use tokio::time::Instant;

/// A service that does as it is told.
#[derive(Clone, Default)]
struct ScriptedService(Arc<Mutex<Orders>>);

#[derive(Default)]
struct Orders {
    mode: Mode,
    looks: u32,
    counts: HashMap<String, u64>,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum Mode {
    #[default]
    Well,
    Failing,
    Hanging,
}

impl ScriptedService {
    fn is(&self, mode: Mode) {
        self.0.lock().unwrap().mode = mode;
    }

    fn forgets(&self) {
        self.0.lock().unwrap().counts.clear();
    }

    fn sum(&self) -> u64 {
        self.0.lock().unwrap().counts.values().sum()
    }

    async fn answer(&self) -> Result<(), StoreError> {
        let mode = self.0.lock().unwrap().mode;
        match mode {
            Mode::Well => Ok(()),
            Mode::Failing => Err(StoreError::Timeout),
            Mode::Hanging => std::future::pending().await,
        }
    }
}

impl Service for ScriptedService {
    fn add(&self, counter: String, floor: u64, by: u64) -> Answer<'_, u64> {
        Box::pin(async move {
            self.answer().await?;
            let mut orders = self.0.lock().unwrap();
            let count = orders.counts.entry(counter).or_insert(floor);
            *count += by;
            Ok(*count)
        })
    }

    fn health_check(&self) -> Answer<'_, ()> {
        self.0.lock().unwrap().looks += 1;
        Box::pin(self.answer())
    }

    fn name(&self) -> String {
        "a service".to_owned()
    }
}

fn who() -> AccountId {
    AccountIds::fresh().of_address(Ipv4Addr::LOCALHOST.into())
}

async fn found(service: &ScriptedService) -> Shared {
    let shared = Shared::new(Box::new(service.clone()), Search::Steady);
    shared.warm();
    back(&shared).await;
    shared
}

async fn back(shared: &Shared) {
    while !shared.is_here() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn count(shared: &Shared, who: AccountId, times: u64) -> u64 {
    let mut last = 0;
    for _ in 0..times {
        last = shared.count(who, 1).await;
    }
    last
}

#[tokio::test(start_paused = true)]
async fn counts_go_on_without_the_service_and_are_told_to_it_when_it_is_back() {
    let (service, who) = (ScriptedService::default(), who());
    let shared = found(&service).await;
    assert_eq!(count(&shared, who, 10).await, 10);
    service.is(Mode::Failing);
    assert_eq!(count(&shared, who, 10).await, 20);
    assert_eq!(service.sum(), 10);
    service.is(Mode::Well);
    back(&shared).await;
    assert_eq!(count(&shared, who, 1).await, 21);
    assert_eq!(service.sum(), 21);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_comes_back_empty_is_told_what_is_known() {
    let (service, who) = (ScriptedService::default(), who());
    let (one, two) = (found(&service).await, found(&service).await);
    count(&one, who, 10).await;
    assert_eq!(count(&two, who, 10).await, 20);
    service.forgets();
    assert_eq!(count(&two, who, 1).await, 21);
    assert_eq!(count(&one, who, 1).await, 22);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_service_costs_each_request_under_way_a_short_time_and_later_ones_none() {
    let (service, who) = (ScriptedService::default(), who());
    let shared = found(&service).await;
    service.is(Mode::Hanging);
    let began = Instant::now();
    let mut counts = futures_util::future::join_all((0..50).map(|_| shared.count(who, 1))).await;
    assert_eq!(began.elapsed(), ANSWER_TIMEOUT);
    counts.sort_unstable();
    assert_eq!(counts, (1..=50).collect::<Vec<_>>());
    assert_eq!(count(&shared, who, 10).await, 60);
    assert_eq!(began.elapsed(), ANSWER_TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_dropped_while_it_is_counted_counts() {
    let (service, who) = (ScriptedService::default(), who());
    let shared = found(&service).await;
    service.is(Mode::Hanging);
    for _ in 0..3 {
        let counting = shared.count(who, 1);
        let given_up = tokio::time::timeout(Duration::from_millis(5), counting).await;
        assert!(given_up.is_err());
    }
    service.is(Mode::Well);
    assert_eq!(count(&shared, who, 1).await, 4);
}

#[tokio::test(start_paused = true)]
async fn requests_do_not_wait_for_a_service_that_was_never_seen() {
    let (service, who) = (ScriptedService::default(), who());
    service.is(Mode::Hanging);
    let shared = Shared::new(Box::new(service.clone()), Search::Steady);
    let began = Instant::now();
    assert_eq!(count(&shared, who, 5).await, 5);
    assert!(began.elapsed().is_zero());
    service.is(Mode::Well);
    back(&shared).await;
    assert_eq!(count(&shared, who, 1).await, 6);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_only_may_be_there_is_not_looked_for_for_ever() {
    let (service, who) = (ScriptedService::default(), who());
    service.is(Mode::Failing);
    let shared = Shared::new(Box::new(service.clone()), Search::Tentative);
    shared.warm();
    tokio::time::sleep(Duration::from_mins(2)).await;
    service.is(Mode::Well);
    assert_eq!(count(&shared, who, 5).await, 5);
    tokio::time::sleep(Duration::from_mins(2)).await;
    assert_eq!(service.0.lock().unwrap().looks, TENTATIVE_ATTEMPTS);
    assert!(!shared.is_here());
}

#[tokio::test(start_paused = true)]
async fn a_new_window_begins_at_one_whatever_was_not_sent_of_the_last() {
    let (service, who) = (ScriptedService::default(), who());
    let shared = found(&service).await;
    service.is(Mode::Failing);
    assert_eq!(count(&shared, who, 7).await, 7);
    assert_eq!(shared.count(who, 2).await, 1);
}

//! Shared counts: exact while the service lives, and never lost for longer than they must be.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use relay::access::account_id::{AccountId, AccountIds};
use relay::store::counters::Counters as _;
use relay::store::counters::memcached::Memcached;
use relay::store::counters::redis::RedisCounters;
use relay::store::counters::shared::{ANSWER_TIMEOUT, Search, Shared};
use relay::store::redis::RedisConnection;

use crate::rig::Rig;
use crate::service::{Server, free_port};

const WINDOW: u64 = 29_000_000;
const LIMIT: u64 = 60;

/// Scheduling on a busy machine.
const SLACK: Duration = Duration::from_millis(400);

fn memcached(server: &Server) -> Shared {
    Shared::new(Box::new(Memcached::at(server.place())), Search::Steady)
}

fn redis(server: &Server) -> Shared {
    let link = RedisConnection::new(&server.url().into()).unwrap();
    Shared::new(Box::new(RedisCounters::new(link)), Search::Steady)
}

type Replica = fn(&Server) -> Shared;

/// Each service, and how a replica uses it.
fn services() -> Vec<(Server, Replica)> {
    let memcached = Server::memcached().map(|server| (server, memcached as Replica));
    let redis = Server::redis().map(|server| (server, redis as Replica));
    memcached.into_iter().chain(redis).collect()
}

fn who() -> AccountId {
    AccountIds::under(&"the secret of all replicas".into())
        .of_address(std::net::Ipv4Addr::LOCALHOST.into())
}

async fn back(shared: &Shared) {
    shared.warm();
    let began = Instant::now();
    while !shared.is_here() {
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "it is not found again"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_let_pass_together_what_the_limit_says() {
    for (server, replica) in services() {
        let replicas = [replica(&server), replica(&server)];
        for shared in &replicas {
            back(shared).await;
        }
        let requests = (0..200).map(|n: usize| replicas[n % 2].count(who(), WINDOW));
        let counts = join_all(requests).await;
        let passed = counts.iter().filter(|count| **count <= LIMIT).count();
        assert_eq!(passed as u64, LIMIT, "{}", replicas[0].name());
        assert_eq!(counts.iter().max(), Some(&200));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_relays_answer_together_as_many_requests_as_the_limit_says() {
    let (memcached, redis) = (Server::memcached(), Server::redis());
    let port = memcached.as_ref().map(Server::port).unwrap_or_default();
    let (port, url) = (
        port.to_string(),
        redis.as_ref().map(Server::url).unwrap_or_default(),
    );
    let at_memcached = [
        "--counters",
        "memcached",
        "--memcached-host",
        "127.0.0.1",
        "--memcached-port",
        &port,
    ];
    let in_redis = ["--counters", "redis", "--redis-url", &url];
    let common = [
        "--rate-limit-per-minute",
        "60",
        "--relay-secret",
        "the same in all replicas",
    ];
    for (service, flags) in [(&memcached, &at_memcached[..]), (&redis, &in_redis[..])] {
        if service.is_none() {
            continue;
        }
        let flags = [flags, &common].concat();
        let relays = [Rig::new(&flags), Rig::new(&flags)];
        for rig in &relays {
            rig.app.state.services().access.warm();
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        within_one_minute(Duration::from_secs(10)).await;
        let asked = (0..200).map(|n: usize| relays[n % 2].get("alice-key", "/v1/assistants"));
        let answers = join_all(asked).await;
        let passed = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(passed as u64, LIMIT);
        let refused = answers.iter().find(|answer| answer.status != 200).unwrap();
        assert_eq!(refused.status, 429);
        assert!(refused.headers.contains_key("retry-after"));
        assert_eq!(relays[0].get("bob-key", "/v1/assistants").await.status, 200);
    }
}

/// Waits until so much of the minute is left.
pub(crate) async fn within_one_minute(needed: Duration) {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let left = Duration::from_secs(60 - since.as_secs() % 60);
    if left < needed {
        tokio::time::sleep(left + Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_and_started_again_under_load_no_request_fails_waits_long_or_is_forgotten() {
    for (mut server, replica) in services() {
        let shared = replica(&server);
        back(&shared).await;
        let mut slowest = Duration::ZERO;
        for n in 1..=600 {
            match n {
                200 => server.kill(),
                400 => {
                    server.start();
                    back(&shared).await;
                }
                _ => {}
            }
            let began = Instant::now();
            assert_eq!(shared.count(who(), WINDOW).await, n, "{}", shared.name());
            slowest = slowest.max(began.elapsed());
        }
        assert!(slowest < ANSWER_TIMEOUT + SLACK, "{slowest:?}");
        // The started one was empty; another replica learns from it all the same.
        let other = replica(&server);
        back(&other).await;
        assert_eq!(other.count(who(), WINDOW).await, 601);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hanging_it_costs_one_short_wait_and_what_was_counted_meanwhile_is_told_it() {
    for (server, replica) in services() {
        let replicas = [replica(&server), replica(&server)];
        for shared in &replicas {
            back(shared).await;
            shared.count(who(), WINDOW).await;
        }
        server.stop();
        let began = Instant::now();
        for shared in &replicas {
            join_all((0..50).map(|_| shared.count(who(), WINDOW))).await;
        }
        assert!(
            began.elapsed() < 2 * (ANSWER_TIMEOUT + SLACK),
            "{:?}",
            began.elapsed()
        );
        let began = Instant::now();
        for n in 0..200 {
            replicas[n % 2].count(who(), WINDOW).await;
        }
        assert!(began.elapsed() < SLACK, "{:?}", began.elapsed());
        server.go_on();
        let mut last = 0;
        for shared in &replicas {
            back(shared).await;
            last = shared.count(who(), WINDOW).await;
        }
        // What it had received and not answered when it was stopped, it may count as well.
        let (sent, doubtful) = (2 + 100 + 200 + 2, 100);
        assert!((sent..=sent + doubtful).contains(&last), "{last}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn memcached_is_found_at_the_first_place_where_it_answers_also_if_it_comes_later() {
    let Some(mut server) = Server::memcached() else {
        return;
    };
    let places = vec![format!("127.0.0.1:{}", free_port()), server.place()];
    server.kill();
    let shared = Shared::new(Box::new(Memcached::at_first_of(places)), Search::Tentative);
    shared.warm();
    assert_eq!(shared.count(who(), WINDOW).await, 1);
    server.start();
    back(&shared).await;
    assert_eq!(shared.count(who(), WINDOW).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn something_else_at_memcacheds_port_is_no_counter() {
    let Some(redis) = Server::redis() else {
        return;
    };
    let shared = memcached(&redis);
    shared.warm();
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert!(!shared.is_here());
    assert_eq!(shared.count(who(), WINDOW).await, 1);
}

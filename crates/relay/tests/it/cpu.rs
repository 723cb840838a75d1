//! What a request costs in CPU time, whoever sends it: linear in its size, and nobody else waits.
//!
//! Time is taken from the process's own account, so that a busy machine does not matter. The bound
//! is for an unoptimised binary; `RELAY_BINARY` names a release binary, whose bound is a tenth.

mod bodies;

use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Map, Value, json};

use bodies::{ROUTES, mutations, particular, with};

use crate::rig::{AUTHORIZED, Rig, asks, other_binary};

/// The size of each body, in bytes: what takes the square of it shows.
const BODY_BYTES: usize = 1 << 18;

/// CPU time of one body. A tenth of a second a megabyte is the aim with optimisation, and nearly all
/// bodies keep to it. The dearest are schemas of a quarter of a megabyte that the model answers with
/// more than half a megabyte, or misses three times: 0.15 to 0.17 s, spread over the reading of the
/// answer; without optimisation 0.9 to 1.1 s. Work that is quadratic takes minutes.
fn cpu_max() -> Duration {
    let is_optimised = cfg!(not(debug_assertions)) || other_binary().is_some();
    Duration::from_millis(if is_optimised { 250 } else { 1800 })
}

/// The CPU time that a process has used.
fn cpu(rig: &Rig) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", rig.child.id())).unwrap();
    // Behind the name in parentheses: the state is the first field, times are the 12th and 13th.
    let fields = stat.rsplit_once(") ").unwrap().1;
    let ticks = fields.split(' ').skip(11).take(2);
    let ticks: u64 = ticks.map(|field| field.parse::<u64>().unwrap()).sum();
    // The kernel counts in hundredths of a second for programs.
    Duration::from_millis(10 * ticks)
}

/// Every body at every route, and what is good once before, so that what is done once is done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_body_costs_more_cpu_than_its_size_warrants() {
    let rig = Rig::start();
    rig.jobs_are_done_at_once(ROUTES.len());
    let mut bodies = Vec::new();
    for (path, good) in ROUTES {
        rig.send(Method::POST, path, &AUTHORIZED, good).await;
        for (name, more) in mutations() {
            bodies.push((path, name.to_owned(), with(good, &more)));
        }
    }
    bodies.extend(particular());
    let mut dear = Vec::new();
    for (path, name, body) in bodies {
        let before = cpu(&rig);
        let sending = rig.send(Method::POST, path, &AUTHORIZED, body);
        let answered = tokio::time::timeout(Duration::from_mins(1), sending).await;
        let spent = cpu(&rig).saturating_sub(before);
        let status = answered.as_ref().map_or(0, |answer| answer.status);
        if std::env::var_os("SHOW_CPU").is_some() {
            eprintln!("{:>6} ms {status} {path} {name}", spent.as_millis());
        }
        if spent > cpu_max() {
            dear.push(format!("{} ms: {path} {name}", spent.as_millis()));
        }
        if let Ok(answer) = answered
            && answer.status >= 400
        {
            assert!(
                answer.text.len() < 8000,
                "{path} {name}: {}",
                answer.text.len()
            );
        }
    }
    assert!(dear.is_empty(), "{dear:#?}");
    let output = rig.output();
    let longest = output.lines().map(str::len).max().unwrap_or_default();
    assert!(longest < 4000, "a log line of {longest} bytes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_the_work_of_large_requests() {
    let text = "word ".repeat((16 << 20) / 5);
    let tool = json!({"type": "function", "function": {"name": "f"}});
    others_are_answered_beside(&json!({"tools": [tool], "user": text})).await;
}

/// Little of a schema can ask for much work, and a small body's work is done at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_the_work_of_small_requests() {
    let property = |n: usize| {
        let pattern = format!(r"^(?=.*\p{{L}})(?!.*\p{{N}}).{{1,{n}}}$");
        (
            format!("p{n}"),
            json!({"type": "string", "pattern": pattern}),
        )
    };
    let tool = |strict: bool, first: usize| {
        let properties: Map<String, Value> = (first..first + 200).map(property).collect();
        let names: Vec<&String> = properties.keys().collect();
        let parameters = json!({"type": "object", "required": names,
            "additionalProperties": false, "properties": properties});
        json!({"type": "function", "function":
            {"name": format!("f{first}"), "strict": strict, "parameters": parameters}})
    };
    for strict in [true, false] {
        let tools: Vec<Value> = (0..4).map(|n| tool(strict, 1 + 200 * n)).collect();
        others_are_answered_beside(&json!({ "tools": tools })).await;
    }
}

/// Ten requests at once, and the health that is asked for meanwhile.
async fn others_are_answered_beside(more: &Value) {
    let rig = Rig::start();
    let request = asks(&json!({}), more).to_string();
    let large = (0..10).map(|_| {
        rig.send(
            Method::POST,
            "/v1/chat/completions",
            &AUTHORIZED,
            request.clone(),
        )
    });
    let mut large = std::pin::pin!(futures_util::future::join_all(large));
    let mut waits = Vec::new();
    loop {
        let since = Instant::now();
        tokio::select! {
            answers = &mut large => {
                assert!(answers.iter().all(|answer| answer.status == 200));
                break;
            }
            health = rig.get("/health") => {
                assert_eq!(health.status, 200);
                waits.push(since.elapsed());
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    waits.sort();
    let usual = waits.get(waits.len() / 2).copied().unwrap_or_default();
    // Other programs have their share of the processors, too.
    assert!(usual < Duration::from_millis(250), "{waits:?}");
}

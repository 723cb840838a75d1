//! Sends one request again and again over a number of connections, checks every answer, and
//! prints as JSON how many there were and how long they took.
//!
//! `load '{"address": "127.0.0.1:5001", "path": "/", "headers": {}, "body": "", "expect": "",
//! "connections": 32, "requests": 1000, "rate": 0, "hold": false}'`
//!
//! With a rate (requests per second, all connections together) every connection keeps its own
//! beat, and a beat that comes too late for the next request is skipped. With `hold` every
//! connection sends one request, `open` is printed once all answers have begun, and they are read
//! until standard input ends.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use load::{Failure, connect};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt;
use tokio::sync::Semaphore;
use tokio::time::MissedTickBehavior;

/// How much of an answer's end is kept for the check, in bytes.
const TAIL: usize = 8 * 1024;

/// How many connections are opened at a time.
const OPENING: usize = 64;

#[derive(Deserialize)]
struct Plan {
    address: String,
    path: String,
    headers: BTreeMap<String, String>,
    body: String,
    /// What the end of a good answer holds.
    expect: String,
    connections: u32,
    requests: u32,
    rate: u32,
    hold: bool,
}

#[derive(Default, Serialize)]
struct Report {
    requests: usize,
    failed: usize,
    seconds: f64,
    bytes: u64,
    p50_us: f64,
    p99_us: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let plan = std::env::args().nth(1).ok_or("the plan is missing")?;
    let plan: Plan = serde_json::from_str(&match plan.strip_prefix('@') {
        Some(file) => std::fs::read_to_string(file)?,
        None => plan,
    })?;
    let plan = Arc::new(plan);
    if plan.hold {
        hold(plan).await
    } else {
        let report = drive(plan).await?;
        println!("{}", serde_json::to_string(&report)?);
        Ok(())
    }
}

async fn drive(plan: Arc<Plan>) -> Result<Report, Failure> {
    let mut senders = Vec::new();
    for _ in 0..plan.connections {
        senders.push(connect(&plan.address).await?);
    }
    let begun = Instant::now();
    let tasks: Vec<_> = (0..)
        .zip(senders)
        .map(|(number, sender)| tokio::spawn(one_connection(plan.clone(), number, sender)))
        .collect();
    let mut report = Report::default();
    let mut times = Vec::new();
    for task in tasks {
        let done = task.await?;
        times.extend(done.times);
        report.bytes += done.bytes;
        report.failed += done.failed;
        report.failure = report.failure.or(done.failure);
    }
    report.seconds = begun.elapsed().as_secs_f64();
    times.sort_unstable();
    report.requests = times.len();
    report.p50_us = quantile(&times, 0.50);
    report.p99_us = quantile(&times, 0.99);
    Ok(report)
}

fn quantile(sorted: &[Duration], share: f64) -> f64 {
    let place = (sorted.len() as f64 * share) as usize;
    sorted
        .get(place)
        .map_or(0.0, |time| time.as_secs_f64() * 1e6)
}

#[derive(Default)]
struct Done {
    times: Vec<Duration>,
    bytes: u64,
    failed: usize,
    failure: Option<String>,
}

async fn one_connection(
    plan: Arc<Plan>,
    number: u32,
    mut sender: SendRequest<Full<Bytes>>,
) -> Done {
    let mut done = Done::default();
    let share = plan.requests / plan.connections;
    let mut beat = (plan.rate > 0).then(|| {
        let every = Duration::from_secs(1) * plan.connections / plan.rate;
        let first = tokio::time::Instant::now() + every * number / plan.connections;
        let mut beat = tokio::time::interval_at(first, every);
        beat.set_missed_tick_behavior(MissedTickBehavior::Skip);
        beat
    });
    for _ in 0..share {
        if let Some(beat) = &mut beat {
            beat.tick().await;
        }
        let begun = Instant::now();
        match one_request(&plan, &mut sender).await {
            Ok(bytes) => {
                done.times.push(begun.elapsed());
                done.bytes += bytes;
            }
            Err(failure) => {
                done.failed += 1;
                done.failure.get_or_insert(failure.to_string());
                match connect(&plan.address).await {
                    Ok(again) => sender = again,
                    Err(_) => return done,
                }
            }
        }
    }
    done
}

/// The length of the answer, if it is good.
async fn one_request(plan: &Plan, sender: &mut SendRequest<Full<Bytes>>) -> Result<u64, Failure> {
    let mut body = begin(plan, sender).await?;
    let mut tail = Vec::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        if let Ok(bytes) = frame?.into_data() {
            length += bytes.len() as u64;
            tail.extend_from_slice(&bytes);
            tail.drain(..tail.len().saturating_sub(TAIL));
        }
    }
    let expected = plan.expect.as_bytes();
    if !expected.is_empty() && !tail.windows(expected.len()).any(|part| part == expected) {
        let last = &tail[tail.len().saturating_sub(500)..];
        return Err(format!("unexpected end: {}", String::from_utf8_lossy(last)).into());
    }
    Ok(length)
}

async fn begin(plan: &Plan, sender: &mut SendRequest<Full<Bytes>>) -> Result<Incoming, Failure> {
    let mut request = Request::new(Full::from(Bytes::from(plan.body.clone())));
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = plan.path.parse::<Uri>()?;
    let headers = request.headers_mut();
    headers.insert(http::header::HOST, HeaderValue::from_str(&plan.address)?);
    for (name, value) in &plan.headers {
        headers.insert(
            HeaderName::from_bytes(name.as_bytes())?,
            HeaderValue::from_str(value)?,
        );
    }
    sender.ready().await?;
    let response = sender.send_request(request).await?;
    if !response.status().is_success() {
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        return Err(format!("{status}: {}", String::from_utf8_lossy(&body)).into());
    }
    Ok(response.into_body())
}

async fn hold(plan: Arc<Plan>) -> Result<(), Failure> {
    let opening = Arc::new(Semaphore::new(OPENING));
    let (begun, mut all_begun) = tokio::sync::mpsc::unbounded_channel();
    for _ in 0..plan.connections {
        let (plan, begun, permit) = (
            plan.clone(),
            begun.clone(),
            opening.clone().acquire_owned().await?,
        );
        tokio::spawn(async move {
            let opened = open(&plan).await;
            drop(permit);
            let (body, problem) = match opened {
                Ok(body) => (Some(body), None),
                Err(failure) => (None, Some(failure.to_string())),
            };
            let _ = begun.send(problem);
            if let Some((_sender, mut body)) = body {
                while let Some(Ok(_)) = body.frame().await {}
            }
        });
    }
    for _ in 0..plan.connections {
        if let Some(Some(problem)) = all_begun.recv().await {
            return Err(problem.into());
        }
    }
    println!("open");
    let _ = tokio::io::stdin().read(&mut [0]).await;
    // Reading standard input holds a thread that a proper end would wait for.
    std::process::exit(0)
}

async fn open(plan: &Plan) -> Result<(SendRequest<Full<Bytes>>, Incoming), Failure> {
    let mut sender = connect(&plan.address).await?;
    let mut body = begin(plan, &mut sender).await?;
    body.frame().await.ok_or("the stream is empty")??;
    Ok((sender, body))
}

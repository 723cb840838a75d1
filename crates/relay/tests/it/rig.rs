//! A relay and its upstream, and a client that sees everything on the wire.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use simulator::{Entry, Simulator};

/// The binary, running, with a simulator as its upstream.
pub(crate) struct Rig {
    folder: Option<Folder>,
    pub(crate) simulator: Simulator,
    pub(crate) url: String,
    pub(crate) child: Child,
    output: Arc<Mutex<String>>,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The data of every event of a stream.
    pub(crate) fn events(&self) -> Vec<&str> {
        self.text
            .split("\n\n")
            .filter_map(|frame| {
                // A comment stands before the event that it rides with.
                let line = frame.lines().find(|line| !line.starts_with(':'))?;
                line.strip_prefix("data: ")
            })
            .collect()
    }

    /// The text of a chat completion, whole or streamed.
    pub(crate) fn said(&self) -> String {
        if !self.text.starts_with("data: ") {
            let content = &self.json()["choices"][0]["message"]["content"];
            return content.as_str().unwrap_or_default().to_owned();
        }
        self.chunks()
            .iter()
            .filter_map(|chunk| {
                chunk["choices"][0]["delta"]["content"]
                    .as_str()
                    .map(str::to_owned)
            })
            .collect()
    }

    pub(crate) fn chunks(&self) -> Vec<Value> {
        let events = self.events().into_iter().filter(|event| *event != "[DONE]");
        events
            .map(|event| serde_json::from_str(event).unwrap())
            .collect()
    }

    pub(crate) fn is_done(&self) -> bool {
        self.text.ends_with("data: [DONE]\n\n")
    }
}

impl Rig {
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// With these flags.
    pub(crate) fn with(flags: &[&str]) -> Self {
        let simulator = Simulator::start(simulator::Options::default()).unwrap();
        let mut command = command();
        command
            .args(["--host", "127.0.0.1", "--port", "0"])
            .env("ONEMIN_BASE_URL", simulator.url())
            .env("ONEMIN_ASSET_URL", simulator.url())
            .args(flags);
        Self::run(command, simulator)
    }

    pub(crate) fn run(mut command: Command, simulator: Simulator) -> Self {
        let folder = Folder::new();
        command.env("DATA_DIR", &folder.0);
        Self::spawn(command, simulator, Some(folder))
    }

    /// As the command says: with an upstream and a folder of its own.
    pub(crate) fn bare(command: Command) -> Self {
        let unused = Simulator::start(simulator::Options::default()).unwrap();
        Self::spawn(command, unused, None)
    }

    /// Where the relay keeps what outlives it.
    pub(crate) fn folder(&self) -> &std::path::Path {
        &self.folder.as_ref().unwrap().0
    }

    fn spawn(mut command: Command, simulator: Simulator, folder: Option<Folder>) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = Arc::new(Mutex::new(String::new()));
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        stdout.read_line(&mut first).unwrap();
        collect(stdout, &output);
        collect(BufReader::new(child.stderr.take().unwrap()), &output);
        let address = first
            .trim()
            .rsplit(' ')
            .next()
            .filter(|address| address.contains(':'));
        let address = address.unwrap_or_else(|| {
            // A panic that holds the lock would end in another one, of the thread that collects.
            let said = output.lock().unwrap().clone();
            panic!("did not start: {first}{said}")
        });
        Self {
            folder,
            simulator,
            url: format!("http://{address}"),
            child,
            output,
            client: Client::builder(TokioExecutor::new()).build_http(),
        }
    }

    /// The most memory that the process has held so far, in kB.
    pub(crate) fn peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM"));
        let kilobytes = line.unwrap().split_whitespace().nth(1).unwrap();
        kilobytes.parse().unwrap()
    }

    /// Everything the process has written so far.
    pub(crate) fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    pub(crate) async fn open(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> http::Response<Incoming> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).unwrap();
        self.client.request(request).await.unwrap()
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let response = self.open(method, path, headers, body).await;
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], "").await
    }

    /// A request for a chat completion.
    pub(crate) async fn chat(&self, body: &Value) -> Answer {
        self.post("/v1/chat/completions", body).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, &AUTHORIZED, body.to_string())
            .await
    }

    /// An open stream of a chat completion.
    pub(crate) async fn chat_stream(&self, body: &Value) -> Incoming {
        self.post_stream("/v1/chat/completions", body).await
    }

    /// An answer as it comes.
    pub(crate) async fn post_stream(&self, path: &str, body: &Value) -> Incoming {
        let body = body.to_string();
        let response = self.open(Method::POST, path, &AUTHORIZED, body).await;
        assert_eq!(response.status(), 200);
        response.into_body()
    }

    /// The next jobs of upstream are done when they are submitted.
    pub(crate) fn jobs_are_done_at_once(&self, jobs: usize) {
        let done = json!({"endpoint": "features", "polls": 0});
        self.simulator.script(vec![done; jobs].into()).unwrap();
    }

    /// The chat requests that upstream has seen.
    pub(crate) fn asked(&self) -> Vec<Entry> {
        let journal = self.simulator.journal();
        journal.matching(|entry| entry.path.starts_with("/api/chat-with-ai"))
    }

    /// Waits for an upstream chat request whose client left; how long that took, in milliseconds.
    pub(crate) async fn left(&self) -> Option<u128> {
        let since = std::time::Instant::now();
        let journal = self.simulator.journal();
        let found = journal
            .wait_for(Entry::client_left, Duration::from_secs(5))
            .await;
        found.map(|_| since.elapsed().as_millis())
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder for what the relay keeps, gone with the rig.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("data-{}-{number}", std::process::id());
        Self(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Another build of the program that the tests are to run, if there is one: a release build, say.
pub(crate) fn other_binary() -> Option<std::ffi::OsString> {
    std::env::var_os("RELAY_BINARY")
}

/// A child without what this process has in its environment.
pub(crate) fn command() -> Command {
    let built = env!("CARGO_BIN_EXE_1min-relay");
    let mut command = Command::new(other_binary().unwrap_or_else(|| built.into()));
    command.env_clear().current_dir(env!("CARGO_TARGET_TMPDIR"));
    command
}

fn collect(mut from: BufReader<impl std::io::Read + Send + 'static>, into: &Arc<Mutex<String>>) {
    let into = into.clone();
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(read @ 1..) = from.read(&mut bytes) {
            into.lock()
                .unwrap()
                .push_str(&String::from_utf8_lossy(&bytes[..read]));
        }
    });
}

pub(crate) const AUTHORIZED: [(&str, &str); 2] = [
    ("authorization", "Bearer key-of-tests"),
    ("content-type", "application/json"),
];

/// A request with one user message and a directive for the simulator.
pub(crate) fn asks(directive: &Value, more: &Value) -> Value {
    let mut request = json!({
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": format!("Hi. [[sim {directive}]]")}],
    });
    for (name, value) in more.as_object().unwrap() {
        request[name] = value.clone();
    }
    request
}

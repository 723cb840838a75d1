//! A relay with stores of its own, in front of a simulated 1min.ai.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use clap::Parser as _;
use futures_util::stream;
use http::{HeaderMap, Method, Request};
use http_body_util::BodyExt as _;
use relay::app::App;
use relay::config::Settings;
use relay::http::router;
use relay::objects::Objects;
use serde_json::Value;
use simulator::Simulator;

/// A folder that is gone when the test is.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(std::env::temp_dir().join(format!("relay-test-{}", uuid::Uuid::new_v4())))
    }

    /// Files that lie in its contents.
    pub(crate) fn contents(&self) -> usize {
        files_in(&self.0.join("contents"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn files_in(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    entries
        .map(|entry| entry.unwrap())
        .map(|entry| {
            if entry.file_type().unwrap().is_dir() {
                files_in(&entry.path())
            } else {
                1
            }
        })
        .sum()
}

/// A relay.
pub(crate) struct Rig {
    pub(crate) app: App,
    pub(crate) simulator: Arc<Simulator>,
    pub(crate) folder: Arc<Folder>,
    service: router::Service,
}

/// What it answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Asserts a failure, and gives its message.
    pub(crate) fn refused(&self, status: u16, param: Option<&str>) -> String {
        let error = &self.json()["error"];
        assert_eq!(self.status, status, "{error}");
        assert_eq!(error["param"].as_str(), param, "{error}");
        error["message"].as_str().unwrap().to_owned()
    }
}

impl Rig {
    /// A relay with these flags.
    pub(crate) fn new(flags: &[&str]) -> Self {
        let simulator = Simulator::start(simulator::Options::default()).unwrap();
        Self::over(Arc::new(simulator), Arc::new(Folder::new()), flags)
    }

    /// A replica of this relay: the same upstream and the same data folder.
    pub(crate) fn replica(&self, flags: &[&str]) -> Self {
        Self::over(self.simulator.clone(), self.folder.clone(), flags)
    }

    pub(crate) fn over(simulator: Arc<Simulator>, folder: Arc<Folder>, flags: &[&str]) -> Self {
        let url = simulator.url();
        let data = folder.0.to_str().unwrap();
        let mut first = vec![
            "relay",
            "--onemin-base-url",
            &url,
            "--onemin-asset-url",
            &url,
            "--data-dir",
            data,
        ];
        if !flags.contains(&"--counters") {
            first.extend(["--counters", "process"]);
        }
        let settings = Settings::try_parse_from(first.iter().chain(flags)).unwrap();
        let app = App::new(&settings).unwrap();
        Self {
            service: router::service(app.state.clone()),
            app,
            simulator,
            folder,
        }
    }

    pub(crate) fn objects(&self) -> &Objects {
        &self.app.state.services().objects
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let peer = SocketAddr::from(([127, 0, 0, 1], 5000));
        let (head, body) = self.service.answer(request, peer).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
        }
    }

    /// A request without a body.
    pub(crate) async fn ask(&self, key: &str, method: Method, path: &str) -> Answer {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("authorization", format!("Bearer {key}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn get(&self, key: &str, path: &str) -> Answer {
        self.ask(key, Method::GET, path).await
    }

    pub(crate) async fn post(&self, key: &str, path: &str, body: &Value) -> Answer {
        let request = Request::post(path).header("authorization", format!("Bearer {key}"));
        let request = request.header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap())
            .await
    }

    /// Uploads a form.
    pub(crate) async fn upload(&self, key: &str, form: Form) -> Answer {
        let request = Request::post("/v1/files").header("authorization", format!("Bearer {key}"));
        let request = request.header("content-type", "multipart/form-data; boundary=BOUNDARY");
        self.send(request.body(form.body()).unwrap()).await
    }

    /// Uploads a file, and gives its id.
    pub(crate) async fn uploaded(&self, key: &str, name: &str, bytes: &[u8]) -> String {
        let form = Form::default()
            .text("purpose", "user_data")
            .file(name, bytes);
        let answer = self.upload(key, form).await;
        assert_eq!(answer.status, 200, "{}", answer.json());
        answer.json()["id"].as_str().unwrap().to_owned()
    }
}

/// A form, sent in small pieces.
#[derive(Default)]
pub(crate) struct Form(Vec<u8>);

impl Form {
    pub(crate) fn text(mut self, name: &str, value: &str) -> Self {
        let part = format!(
            "--BOUNDARY\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        );
        self.0.extend(part.as_bytes());
        self
    }

    pub(crate) fn file(self, name: &str, bytes: &[u8]) -> Self {
        self.part(&format!("name=\"file\"; filename=\"{name}\""), bytes)
    }

    pub(crate) fn part(mut self, disposition: &str, bytes: &[u8]) -> Self {
        let head = format!(
            "--BOUNDARY\r\nContent-Disposition: form-data; {disposition}\r\nContent-Type: application/octet-stream\r\n\r\n"
        );
        self.0.extend(head.as_bytes());
        self.0.extend(bytes);
        self.0.extend(b"\r\n");
        self
    }

    /// The form as it stands, whatever is missing at its end.
    pub(crate) fn cut(self) -> Body {
        let pieces: Vec<_> = self
            .0
            .chunks(777)
            .map(|c| Ok::<_, std::io::Error>(Bytes::copy_from_slice(c)))
            .collect();
        Body::from_stream(stream::iter(pieces))
    }

    fn body(mut self) -> Body {
        self.0.extend(b"--BOUNDARY--\r\n");
        self.cut()
    }
}

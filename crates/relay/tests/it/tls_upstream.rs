//! An upstream over TLS, as 1min.ai is: who is trusted, and how rarely hands are shaken.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;
use simulator::Simulator;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::rustls::{self, HandshakeKind, ServerConfig};

use crate::rig::{Rig, asks, command};

/// A server that decrypts TLS for the simulator.
struct Front {
    url: String,
    /// The certificate of its authority.
    authority: String,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    full: AtomicUsize,
    resumed: AtomicUsize,
    failed: AtomicUsize,
    /// Told, all connections are closed.
    closing: Notify,
}

impl Front {
    async fn before(simulator: &Simulator) -> Self {
        let issuer = {
            let mut params = CertificateParams::default();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
        };
        let key = KeyPair::generate().unwrap();
        let names = vec!["127.0.0.1".to_owned()];
        let params = CertificateParams::new(names).unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            )
            .unwrap();
        config.ticketer = rustls::crypto::ring::Ticketer::new().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let seen = Arc::<Seen>::default();
        let upstream = simulator.url().trim_start_matches("http://").to_owned();
        tokio::spawn(serve(
            listener,
            TlsAcceptor::from(Arc::new(config)),
            upstream,
            seen.clone(),
        ));
        let authority = issuer.pem();
        Self {
            url,
            authority,
            seen,
        }
    }

    fn handshakes(&self) -> (usize, usize) {
        let full = self.seen.full.load(Ordering::SeqCst);
        (full, self.seen.resumed.load(Ordering::SeqCst))
    }
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, upstream: String, seen: Arc<Seen>) {
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        let (acceptor, upstream, seen) = (acceptor.clone(), upstream.clone(), seen.clone());
        tokio::spawn(async move {
            socket.set_nodelay(true).unwrap();
            let Ok(mut near) = acceptor.accept(socket).await else {
                seen.failed.fetch_add(1, Ordering::SeqCst);
                return;
            };
            let is_resumed = near.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed);
            let counter = if is_resumed {
                &seen.resumed
            } else {
                &seen.full
            };
            counter.fetch_add(1, Ordering::SeqCst);
            let mut far = TcpStream::connect(upstream).await.unwrap();
            far.set_nodelay(true).unwrap();
            let passing = tokio::io::copy_bidirectional(&mut near, &mut far);
            tokio::select! {
                _ = passing => {}
                () = seen.closing.notified() => {}
            }
        });
    }
}

/// A relay whose upstream is the front; with its authority trusted, or not.
async fn behind_tls(is_trusted: bool) -> (Rig, Front) {
    let simulator = Simulator::start(simulator::Options::default()).unwrap();
    let front = Front::before(&simulator).await;
    let mut command = command();
    command
        .args(["--host", "127.0.0.1", "--port", "0"])
        .env("ONEMIN_BASE_URL", &front.url)
        .env("ONEMIN_ASSET_URL", &front.url);
    if is_trusted {
        let file = written("authority", &front.authority);
        command.arg("--onemin-ca-file").arg(file);
    }
    (Rig::run(command, simulator), front)
}

fn written(name: &str, text: &str) -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join(format!("{name}-{}-{number}.pem", std::process::id()));
    std::fs::write(&file, text).unwrap();
    file
}

#[tokio::test]
async fn a_connection_is_used_again_and_a_session_resumed() {
    let (rig, front) = behind_tls(true).await;
    // The lists of models are asked for at once, each on a connection of its own; this waits for all.
    assert_eq!(rig.get("/v1/models").await.status, 200);
    let (full, resumed) = front.handshakes();
    let turns = 100;
    for turn in 0..turns {
        let streamed = turn % 2 == 1;
        let body = asks(&json!({"reply": "Jupiter"}), &json!({"stream": streamed}));
        let answer = rig.chat(&body).await;
        assert_eq!((answer.status, answer.said().as_str()), (200, "Jupiter"));
    }
    // A connection whose body has yet to end is not waited for: on a busy machine a few more are opened.
    let (full, resumed) = {
        let (full_later, resumed_later) = front.handshakes();
        let opened = full_later + resumed_later - full - resumed;
        assert!(
            opened <= turns / 10,
            "{opened} handshakes in {turns} requests"
        );
        (full_later, resumed_later)
    };

    // A client has as many tickets as the server gave it, two for each handshake.
    for _ in 0..6 {
        front.seen.closing.notify_waiters();
        tokio::time::sleep(Duration::from_millis(50)).await;
        let answer = rig
            .chat(&asks(&json!({"reply": "Jupiter"}), &json!({})))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let (full_later, resumed_later) = front.handshakes();
    assert_eq!(full_later, full);
    assert!(resumed_later >= resumed + 5, "{resumed_later} resumed");
}

#[tokio::test]
async fn an_unknown_authority_is_named_to_the_client() {
    let (rig, front) = behind_tls(false).await;
    let answer = rig.chat(&asks(&json!({}), &json!({}))).await;
    assert_eq!(answer.status, 502, "{}", answer.text);
    let message = answer.json()["error"]["message"].to_string();
    assert!(message.contains("certificate"), "{message}");
    assert!(front.seen.failed.load(Ordering::SeqCst) >= 1);
    assert!(rig.asked().is_empty());
}

#[test]
fn a_file_without_certificates_ends_the_start() {
    for (file, why) in [
        (written("none", "nothing"), "no certificate in PEM"),
        (PathBuf::from("/no/such/file.pem"), "No such file"),
    ] {
        let mut command = command();
        command
            .args(["--port", "0"])
            .arg("--onemin-ca-file")
            .arg(&file);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success());
        assert!(
            said.contains("ONEMIN_CA_FILE") && said.contains(why),
            "{said}"
        );
    }
}

//! Sends small chat requests to an upstream over TLS by HTTP/1.1 or HTTP/2, to compare what each
//! costs: `versions 1|2 ADDRESS AUTHORITY.pem CONNECTIONS REQUESTS`. By HTTP/2 all share one
//! connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{Request, Version, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

type Fault = Box<dyn std::error::Error + Send + Sync>;

const BODY: &str =
    r#"{"type":"UNIFY_CHAT_WITH_AI","model":"gpt-4o-mini","promptObject":{"prompt":"Tell a story. [[sim {\"reply\":\"Jupiter\"}]]"}}"#;

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [version, address, authority, connections, requests] = arguments.as_slice() else {
        return Err("versions 1|2 ADDRESS AUTHORITY.pem CONNECTIONS REQUESTS".into());
    };
    let left = Arc::new(AtomicUsize::new(requests.parse()?));
    let connections: usize = connections.parse()?;
    let mut tasks = Vec::new();
    if version == "2" {
        let socket = TokioIo::new(connect(address, authority, "h2").await?);
        let (sender, wire) = http2::handshake(TokioExecutor::new(), socket).await?;
        tokio::spawn(wire);
        for _ in 0..connections {
            let (mut sender, address, left) = (sender.clone(), address.clone(), left.clone());
            tasks.push(tokio::spawn(async move {
                while take(&left) {
                    let request = ask(&address, Version::HTTP_2)?;
                    read(sender.send_request(request).await?).await?;
                }
                Ok::<_, Fault>(())
            }));
        }
    } else {
        for _ in 0..connections {
            let socket = TokioIo::new(connect(address, authority, "http/1.1").await?);
            let (mut sender, wire) = http1::handshake(socket).await?;
            tokio::spawn(wire);
            let (address, left) = (address.clone(), left.clone());
            tasks.push(tokio::spawn(async move {
                while take(&left) {
                    sender.ready().await?;
                    let request = ask(&address, Version::HTTP_11)?;
                    read(sender.send_request(request).await?).await?;
                }
                Ok::<_, Fault>(())
            }));
        }
    }
    for task in tasks {
        task.await??;
    }
    Ok(())
}

async fn connect(
    address: &str,
    authority: &str,
    protocol: &str,
) -> Result<TlsStream<TcpStream>, Fault> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority)?)?;
    let mut config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let name = ServerName::try_from("127.0.0.1")?;
    Ok(TlsConnector::from(Arc::new(config))
        .connect(name, socket)
        .await?)
}

fn take(left: &AtomicUsize) -> bool {
    let taken = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
    taken.is_ok()
}

fn ask(address: &str, version: Version) -> Result<Request<Full<Bytes>>, Fault> {
    let path = "/api/chat-with-ai";
    let (uri, host) = match version {
        Version::HTTP_2 => (format!("https://{address}{path}"), None),
        _ => (path.to_owned(), Some(address)),
    };
    let mut request = Request::post(uri)
        .version(version)
        .header("api-key", "bench-key")
        .header(header::CONTENT_TYPE, "application/json");
    if let Some(host) = host {
        request = request.header(header::HOST, host);
    }
    Ok(request.body(Full::from(BODY))?)
}

async fn read(response: http::Response<hyper::body::Incoming>) -> Result<(), Fault> {
    let status = response.status();
    let bytes = response.into_body().collect().await?.to_bytes();
    let is_answer = status == 200 && bytes.windows(7).any(|part| part == b"Jupiter");
    is_answer
        .then_some(())
        .ok_or_else(|| format!("{status}: {bytes:?}").into())
}

//! `POST /api/assets`: uploads, kept in memory while small; and the files that features make.

mod paced;
pub(crate) mod store;

use axum::body::Body;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, Multipart};
use http::request::Parts;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::account::{self, TEAM, USER};
use crate::answer::Answer;
use crate::answer::refused;
use crate::chat::usage::tokens;
use crate::clock::{iso, key_stamp, now_ms};
use crate::digest::hex;
use crate::fault::Faults;
use crate::journal::Ticket;
use crate::media::wav_seconds;
use crate::refusal::Refusal;
use crate::script::Script;
use crate::state::State;
use paced::Paced;
use store::{Asset, Assets, extension, folder};

/// Bytes up to which a file's contents are kept; of a larger one only length and hash.
const KEPT_BYTES_MAX: usize = 1024 * 1024;

/// Answers an upload.
pub(crate) async fn upload(
    state: &State,
    head: Parts,
    body: Body,
    faults: &Faults,
    ticket: &Ticket,
) -> Answer {
    let admitted = account::admit(&head.headers);
    let part = read(head, body).await;
    ticket.body(|| part.as_ref().map_or(Value::Null, Part::note));
    if let Err(refusal) = admitted {
        return refused(refusal, faults);
    }
    if let Some(refusal) = faults.iter().find_map(Refusal::of_fault) {
        return refused(refusal, faults);
    }
    match part.and_then(|part| store(state, part)) {
        Ok(body) => Answer::json(body.to_string(), &Script::default(), faults),
        Err(refusal) => refused(refusal, faults),
    }
}

/// The part named `asset` of a form.
struct Part {
    filename: String,
    mime: String,
    size: usize,
    sha256: String,
    /// The first bytes, at most [`KEPT_BYTES_MAX`].
    start: Vec<u8>,
}

impl Part {
    fn note(&self) -> Value {
        json!({
            "filename": self.filename,
            "mime": self.mime,
            "length": self.size,
            "sha256": self.sha256,
        })
    }
}

/// Reads the form to its end. A form that is too large is refused as such.
async fn read(head: Parts, body: Body) -> Result<Part, Refusal> {
    let missing = || Refusal::body_validation("asset");
    let refusal = |error: MultipartError| {
        if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Refusal::too_large()
        } else {
            missing()
        }
    };
    let request = Request::from_parts(head, Body::new(Paced::new(body)));
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|_| missing())?;
    while let Some(field) = form.next_field().await.map_err(refusal)? {
        if field.name() == Some("asset") {
            let filename = field.file_name().ok_or_else(missing)?.to_owned();
            return read_part(filename, field).await.map_err(refusal);
        }
    }
    Err(missing())
}

async fn read_part(filename: String, mut field: Field<'_>) -> Result<Part, MultipartError> {
    let mime = field.content_type().unwrap_or("application/octet-stream");
    let mime = mime.to_owned();
    let (mut size, mut start, mut hash) = (0, Vec::new(), Sha256::new());
    while let Some(piece) = field.chunk().await? {
        size += piece.len();
        hash.update(&piece);
        let room = KEPT_BYTES_MAX.saturating_sub(start.len());
        start.extend_from_slice(piece.get(..room).unwrap_or(&piece));
    }
    Ok(Part {
        filename,
        mime,
        size,
        sha256: hex(&hash.finalize()),
        start,
    })
}

/// Keeps the file and describes it in the shape of the fixtures `asset-upload-*`.
fn store(state: &State, part: Part) -> Result<Value, Refusal> {
    let extension = extension(&part.filename)
        .ok_or_else(Refusal::unsupported_file_type)?
        .to_lowercase();
    if part.mime.starts_with("text/markdown") {
        return Err(Refusal::unsupported_file_type());
    }
    let (token, character) = counts(&part);
    let uuid = state.uuid();
    let mut assets = state.assets();
    let (name, key) = free_key(&assets, &part);
    let whole = part.start.len() == part.size;
    let asset = Asset {
        uuid,
        key,
        filename: part.filename,
        mime: part.mime,
        size: part.size,
        tokens: token,
        seconds: wav_seconds(&part.start),
        faults: Vec::new(),
        content: whole.then(|| part.start.into()),
        sha256: part.sha256,
    };
    let described = describe(&asset, &name, &extension, character);
    assets.add(asset);
    Ok(described)
}

/// Tokens and characters, which upstream counts for documents only. What stands in a document that
/// is large or not plain text is guessed from its size.
fn counts(part: &Part) -> (u64, usize) {
    if folder(&part.mime) != "documents" {
        return (0, 0);
    }
    match std::str::from_utf8(&part.start) {
        Ok(text) if text.len() == part.size => (tokens(text), text.chars().count()),
        _ => (u64::try_from(part.size / 160).unwrap_or(0), part.size / 40),
    }
}

/// A stored name and key that no other file has: stamp and name, as upstream makes them.
fn free_key(assets: &Assets, part: &Part) -> (String, String) {
    let safe = |c: char| {
        if c.is_ascii_alphanumeric() || "._-".contains(c) {
            c
        } else {
            '_'
        }
    };
    let filename: String = part.filename.chars().map(safe).collect();
    let mut ms = now_ms();
    loop {
        let name = format!("{}_{filename}", key_stamp(ms));
        let key = format!("{}/{name}", folder(&part.mime));
        if assets.by_key(&key).is_none() {
            return (name, key);
        }
        ms += 1;
    }
}

fn describe(asset: &Asset, name: &str, extension: &str, characters: usize) -> Value {
    json!({
        "asset": {
            "fieldname": "asset",
            "originalname": asset.filename,
            "encoding": "7bit",
            "mimetype": asset.mime,
            "size": asset.size,
            "bucket": "asset.1min.ai",
            "key": asset.key,
            "acl": "private",
            "contentType": "application/octet-stream",
            "contentDisposition": null,
            "contentEncoding": null,
            "storageClass": "STANDARD",
            "serverSideEncryption": null,
            "metadata": {
                "team-id": TEAM,
                "user-id": USER,
                "fieldname": "asset",
                "originalname": asset.filename,
                "encoding": "7bit",
                "mimetype": asset.mime,
            },
            "location": format!("https://s3.us-east-1.amazonaws.com/asset.1min.ai/{}", asset.key),
            "etag": format!("\"{}\"", asset.sha256.get(..32).unwrap_or_default()),
        },
        "fileContent": {
            "uuid": asset.uuid,
            "path": asset.key,
            "type": extension,
            "name": name,
            "content": "",
            "status": "ACTIVE",
            "metadata": {"token": asset.tokens, "character": characters},
            "createdAt": iso(now_ms()),
        },
    })
}

//! `POST /api/assets`: uploads, kept in memory while small; and the files that features make.

mod paced;

use std::collections::VecDeque;

use axum::body::{Body, Bytes};
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, Multipart};
use http::request::Parts;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::account::{self, TEAM, USER};
use crate::answer::Answer;
use crate::chat::usage::tokens;
use crate::clock::{iso, key_stamp, now_ms};
use crate::fault::{Fault, Faults};
use crate::journal::{Ticket, hex};
use crate::media::wav_seconds;
use crate::refusal::Refusal;
use crate::script::Script;
use crate::state::State;
use crate::upstream::refused;
use paced::Paced;

/// Bytes up to which a file's contents are kept; of a larger one only length and hash.
const CONTENT_KEPT: usize = 1024 * 1024;

/// Bytes of contents kept in all, and number of files remembered; the oldest go first.
const ALL_KEPT: usize = 64 * 1024 * 1024;
const FILES_KEPT: usize = 10_000;

/// An uploaded file.
#[derive(Clone, Debug)]
pub(crate) struct Asset {
    pub(crate) uuid: String,
    pub(crate) key: String,
    pub(crate) filename: String,
    pub(crate) mime: String,
    pub(crate) size: usize,
    pub(crate) tokens: u64,
    /// Length of a sound, where the file tells it.
    pub(crate) seconds: Option<f64>,
    /// What happens when it is fetched.
    pub(crate) faults: Vec<Fault>,
    pub(crate) content: Option<Bytes>,
    sha256: String,
}

/// A file that was made here.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) mime: &'static str,
    /// The ending of its name.
    pub(crate) extension: &'static str,
    pub(crate) bytes: Bytes,
}

/// The uploaded files, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Assets {
    files: VecDeque<Asset>,
    kept: usize,
}

impl Assets {
    /// The file with this key (as pictures and sound are named).
    pub(crate) fn by_key(&self, key: &str) -> Option<&Asset> {
        self.files.iter().rev().find(|asset| asset.key == key)
    }

    /// The file with this UUID (as documents are named).
    pub(crate) fn by_uuid(&self, uuid: &str) -> Option<&Asset> {
        self.files.iter().rev().find(|asset| asset.uuid == uuid)
    }

    fn add(&mut self, asset: Asset) {
        self.kept += asset.content.as_ref().map_or(0, Bytes::len);
        self.files.push_back(asset);
        while self.kept > ALL_KEPT || self.files.len() > FILES_KEPT {
            let oldest = self.files.pop_front();
            self.kept -= oldest
                .and_then(|asset| asset.content)
                .map_or(0, |content| content.len());
        }
    }
}

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
    /// The first bytes, at most [`CONTENT_KEPT`].
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
        let room = CONTENT_KEPT.saturating_sub(start.len());
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

fn extension(filename: &str) -> Option<&str> {
    let (stem, extension) = filename.rsplit_once('.')?;
    (!stem.is_empty() && !extension.is_empty()).then_some(extension)
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

/// Keeps a file that was made here; returns its key.
pub(crate) fn keep_made(
    assets: &mut Assets,
    uuid: String,
    number: u64,
    file: File,
    faults: Vec<Fault>,
) -> String {
    let stamp = key_stamp(now_ms());
    let name = format!("{stamp}_{number:06}.{}", file.extension);
    let key = format!("{}/{name}", folder(file.mime));
    assets.add(Asset {
        uuid,
        key: key.clone(),
        filename: name,
        mime: file.mime.to_owned(),
        size: file.bytes.len(),
        tokens: 0,
        seconds: wav_seconds(&file.bytes),
        faults,
        sha256: String::new(),
        content: Some(file.bytes),
    });
    key
}

fn folder(mime: &str) -> &'static str {
    match mime.split('/').next() {
        Some("image") => "images",
        Some("audio") => "audios",
        Some("video") => "videos",
        _ => "documents",
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

#[cfg(test)]
mod tests {
    use axum::body::Bytes;

    use super::{ALL_KEPT, Asset, Assets, extension, folder};

    fn asset(key: &str, content: usize) -> Asset {
        Asset {
            uuid: format!("uuid of {key}"),
            key: key.to_owned(),
            filename: key.to_owned(),
            mime: "image/png".to_owned(),
            size: content,
            tokens: 0,
            seconds: None,
            faults: Vec::new(),
            sha256: String::new(),
            content: Some(Bytes::from(vec![0; content])),
        }
    }

    #[test]
    fn the_oldest_contents_go_first() {
        let mut assets = Assets::default();
        assets.add(asset("a", ALL_KEPT / 2));
        assets.add(asset("b", ALL_KEPT / 2));
        assert!(assets.by_key("a").is_some());
        assets.add(asset("c", 1));
        assert!(assets.by_key("a").is_none());
        assert!(assets.by_key("b").is_some() && assets.by_uuid("uuid of c").is_some());
    }

    #[test]
    fn names_need_an_extension_and_types_choose_the_folder() {
        assert_eq!(extension("a.b.png"), Some("png"));
        assert_eq!(
            [extension("png"), extension(".png"), extension("a.")],
            [None; 3]
        );
        assert_eq!(
            ["image/webp", "audio/mpeg", "video/mp4", "text/plain"].map(folder),
            ["images", "audios", "videos", "documents"]
        );
    }
}

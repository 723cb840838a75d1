//! Pictures and documents on their way into a prompt: fetched if they are URLs, checked by their
//! bytes, uploaded to 1min.ai once per content and account.

pub mod fetch;
pub mod file_type;
pub mod guard;

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures_util::future::try_join_all;
use futures_util::stream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use http_body::Frame;
use http_body_util::StreamBody;
use lru::LruCache;
use onemin::assets::Upload;
use onemin::{ApiKey, Client};
use sha2::{Digest, Sha256};
use translate::chat_request::{Attachment, ChatRequest, Part, Source};
use translate::failure::{Failure, Kind};

use crate::access::account_id::{AccountId, AccountIds};
use crate::failure::of_upstream;
use crate::objects::files::Files;
use crate::store::StoreError;
use crate::store::contents::Content;
use fetch::Fetcher;

/// What a prompt refers to, in the order of the turn's parts.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Attached {
    /// Asset paths of pictures.
    pub images: Vec<String>,
    /// Ids of documents.
    pub files: Vec<String>,
}

/// Brings media to upstream.
#[derive(Clone)]
pub struct Attacher {
    client: Client,
    fetcher: Fetcher,
    account_ids: AccountIds,
    files: Files,
    uploaded: Arc<Mutex<Uploaded>>,
}

/// What was uploaded: by whom, and the hash of its bytes.
type Uploaded = LruCache<(AccountId, [u8; 32]), Reference>;

#[derive(Debug, Clone)]
struct Reference {
    image: String,
    file: String,
    since: Instant,
}

/// Uploads that are remembered. At some 300 bytes each that is 1.2 MB.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

/// How long an upload is relied upon. How long upstream keeps one is not known; a further one costs
/// no credits.
const RELIED_ON: Duration = Duration::from_hours(6);

/// Bytes of a stored file that are looked at to tell what it is.
const BEGINNING: usize = 8 * 1024;

/// The most pictures and documents of one request: each may be a fetch and an upload.
const MAX_MEDIA: usize = 64;

impl Attacher {
    /// An attacher over this client and fetcher.
    #[must_use]
    pub fn new(client: Client, fetcher: Fetcher, account_ids: AccountIds, files: Files) -> Self {
        Self {
            client,
            fetcher,
            account_ids,
            files,
            uploaded: Arc::new(Mutex::new(LruCache::new(REMEMBERED))),
        }
    }

    /// Brings every picture and document of a turn to upstream.
    ///
    /// # Errors
    /// What the client can mend (an address that may not be fetched, bytes that are no picture) or
    /// what upstream answers to the upload.
    pub async fn attach(&self, key: &ApiKey, chat: &ChatRequest) -> Result<Attached, Failure> {
        let media: Vec<Wanted<'_>> = wanted(chat);
        if media.is_empty() {
            return Ok(Attached::default());
        }
        if media.len() > MAX_MEDIA {
            let message = format!("At most {MAX_MEDIA} images and files may stand in one request.");
            return Err(Failure::invalid("messages", message));
        }
        let whose = self.account_ids.of_key(key);
        let references =
            try_join_all(media.iter().map(|wanted| self.bring(key, whose, wanted))).await?;
        let mut attached = Attached::default();
        for (wanted, reference) in media.iter().zip(references) {
            match wanted {
                Wanted::Image(_) => attached.images.push(reference.image),
                Wanted::File(_) | Wanted::Recording(_) => attached.files.push(reference.file),
            }
        }
        Ok(attached)
    }

    /// The bytes of a part, fetched if need be.
    ///
    /// # Errors
    /// An address that may not be fetched; a stored file, which goes to upstream by itself.
    pub async fn bytes(&self, media: &Attachment) -> Result<Bytes, Failure> {
        match &media.source {
            Source::Inline(bytes) => Ok(bytes.clone()),
            Source::Url(url) => self.fetcher.get(url).await,
            Source::FileId(id) => Err(unknown_file(id)),
        }
    }

    /// Brings a recording to upstream, and gives its path there.
    ///
    /// # Errors
    /// What is no recording, or what upstream answers to the upload.
    pub async fn recording(
        &self,
        key: &ApiKey,
        bytes: Bytes,
        name: Option<&str>,
    ) -> Result<String, Failure> {
        let kind = file_type::of_recording(&bytes, name)?;
        let content = (self.account_ids.of_key(key), Sha256::digest(&bytes).into());
        if let Some(reference) = self.remembered(&content) {
            return Ok(reference.image);
        }
        let upload = Upload::from_bytes(kind.file_name(name), kind.mime.to_owned(), bytes);
        Ok(self.send(key, content, upload).await?.image)
    }

    /// As [`Attacher::recording`], for a recording wherever it is, a stored file included.
    ///
    /// # Errors
    /// As [`Attacher::attach`].
    pub async fn recording_of(&self, key: &ApiKey, media: &Attachment) -> Result<String, Failure> {
        let whose = self.account_ids.of_key(key);
        let reference = self.bring(key, whose, &Wanted::Recording(media)).await?;
        Ok(reference.image)
    }

    /// Brings one picture to upstream, and gives the path by which upstream knows it.
    ///
    /// # Errors
    /// As [`Attacher::attach`].
    pub async fn picture(&self, key: &ApiKey, media: &Attachment) -> Result<String, Failure> {
        let whose = self.account_ids.of_key(key);
        let reference = self.bring(key, whose, &Wanted::Image(media)).await?;
        Ok(reference.image)
    }

    async fn bring(
        &self,
        key: &ApiKey,
        whose: AccountId,
        wanted: &Wanted<'_>,
    ) -> Result<Reference, Failure> {
        let media = wanted.media();
        let bytes = match &media.source {
            Source::Inline(bytes) => bytes.clone(),
            Source::Url(url) => self.fetcher.get(url).await?,
            Source::FileId(id) => return self.bring_stored(key, whose, wanted, id).await,
        };
        let kind = match wanted {
            Wanted::Image(_) => file_type::of_image(&bytes)?,
            Wanted::Recording(media) => file_type::of_recording(&bytes, media.name.as_deref())?,
            Wanted::File(media) => {
                file_type::of_document(&bytes, media.name.as_deref(), media.mime.as_deref())?
            }
        };
        let content = (whose, Sha256::digest(&bytes).into());
        if let Some(reference) = self.remembered(&content) {
            return Ok(reference);
        }
        let name = kind.file_name(media.name.as_deref());
        let upload = Upload::from_bytes(name, kind.mime.to_owned(), bytes);
        self.send(key, content, upload).await
    }

    /// A file of the Files API: streamed from the store to upstream, and only when it is needed.
    async fn bring_stored(
        &self,
        key: &ApiKey,
        whose: AccountId,
        wanted: &Wanted<'_>,
        id: &str,
    ) -> Result<Reference, Failure> {
        let file = self.files.get(whose, id).await?;
        let file = file.ok_or_else(|| unknown_file(id))?;
        let content = (whose, file.sha256);
        if let Some(reference) = self.remembered(&content) {
            return Ok(reference);
        }
        let stored = self.files.content(whose, id).await?;
        let mut stored = stored.ok_or_else(|| unknown_file(id))?;
        let beginning = beginning(&mut stored).await?;
        let kind = match wanted {
            Wanted::Image(_) => file_type::of_image(&beginning)?,
            Wanted::Recording(_) => file_type::of_recording(&beginning, Some(&file.name))?,
            Wanted::File(_) => {
                let (name, claimed) = (Some(file.name.as_str()), file.mime.as_deref());
                file_type::of_beginning(&beginning, || file.is_text, name, claimed)?
            }
        };
        let bytes = stream::iter([Ok(beginning)]).chain(stored.bytes);
        let upload = Upload::from_body(
            kind.file_name(Some(&file.name)),
            kind.mime.to_owned(),
            Some(stored.size),
            StreamBody::new(bytes.map_ok(Frame::data)),
        );
        self.send(key, content, upload).await
    }

    async fn send(
        &self,
        key: &ApiKey,
        content: (AccountId, [u8; 32]),
        upload: Upload,
    ) -> Result<Reference, Failure> {
        let asset = self
            .client
            .upload(key, upload)
            .await
            .map_err(|e| of_upstream(&e))?;
        let reference = Reference {
            image: asset.image_reference().to_owned(),
            file: asset.file_reference().to_owned(),
            since: Instant::now(),
        };
        self.lock().put(content, reference.clone());
        Ok(reference)
    }

    fn remembered(&self, content: &(AccountId, [u8; 32])) -> Option<Reference> {
        let fresh = |reference: &&Reference| reference.since.elapsed() < RELIED_ON;
        self.lock().get(content).filter(fresh).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Uploaded> {
        // A panic while the lock was held can at worst have lost an entry.
        self.uploaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Wanted<'t> {
    Image(&'t Attachment),
    File(&'t Attachment),
    Recording(&'t Attachment),
}

impl Wanted<'_> {
    fn media(&self) -> &Attachment {
        match self {
            Self::Image(media) | Self::File(media) | Self::Recording(media) => media,
        }
    }
}

fn wanted(chat: &ChatRequest) -> Vec<Wanted<'_>> {
    fn walk<'t>(parts: &'t [Part], wanted: &mut Vec<Wanted<'t>>) {
        for part in parts {
            match part {
                Part::Image(media) => wanted.push(Wanted::Image(media)),
                Part::File(media) => wanted.push(Wanted::File(media)),
                Part::Result(result) => walk(&result.parts, wanted),
                _ => {}
            }
        }
    }
    let mut wanted = Vec::new();
    chat.messages
        .iter()
        .for_each(|message| walk(&message.parts, &mut wanted));
    wanted
}

/// The first bytes of a content, enough to tell what it is.
async fn beginning(content: &mut Content) -> Result<Bytes, StoreError> {
    let mut beginning = BytesMut::new();
    while beginning.len() < BEGINNING {
        match content.bytes.try_next().await? {
            Some(bytes) => beginning.extend_from_slice(&bytes),
            None => break,
        }
    }
    Ok(beginning.freeze())
}

/// Neither this account nor, as far as this account is told, any other has such a file.
fn unknown_file(id: &str) -> Failure {
    let id: String = id.chars().take(80).collect();
    Failure::new(
        Kind::NotFound,
        format!(
            "There is no file `{id}`: send the bytes as `file_data`, or upload the file again."
        ),
    )
    .with_param("file_id")
    .with_code("file_not_found")
}

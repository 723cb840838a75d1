//! Images, audio and documents of a request on their way to 1min.ai: fetched if they are URLs,
//! checked by their bytes, uploaded once per content and account.

pub mod fetch;
pub mod file_type;
pub mod guard;
pub mod settings;

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
use onemin::{Client, Error, ResultAsset};
use sha2::{Digest, Sha256};
use translate::chat_request::{Attachment, ChatRequest, Part, Source};
use translate::failure::{Failure, Kind};
use translate::quote::quote;

use crate::access::account_id::AccountId;
use crate::accounts::Lease;
use crate::failure::of_upstream;
use crate::ledger::Payer;
use crate::objects::files::Files;
use crate::store::StoreError;
use crate::store::blobs::Blob;
use fetch::Fetcher;

/// What a prompt refers to, in the order of the request's parts.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct UploadedParts {
    /// Asset paths of images.
    pub images: Vec<String>,
    /// Ids of documents.
    pub files: Vec<String>,
}

/// Uploads attachments to 1min.ai. Clones share what they remember.
#[derive(Clone)]
pub struct Uploads {
    client: Client,
    fetcher: Fetcher,
    /// None where no files are kept: then no id is known.
    files: Option<Files>,
    cache: Arc<Mutex<UploadCache>>,
}

/// A content: whose, and the SHA-256 of its bytes.
type ContentKey = (AccountId, [u8; 32]);

/// What was uploaded, and its names at upstream.
type UploadCache = LruCache<ContentKey, Reference>;

#[derive(Debug, Clone)]
struct Reference {
    image: String,
    file: String,
    since: Instant,
}

/// Uploads that are remembered. At some 300 bytes each that is 1.2 MB.
const CACHED_UPLOADS_MAX: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

/// How long an upload is relied upon. How long upstream keeps one is not known; a further one costs
/// no credits.
const CACHE_TTL: Duration = Duration::from_hours(6);

/// Bytes of a stored file that are looked at to tell what it is.
const SNIFF_BYTES: usize = 8 * 1024;

/// The most accounts to which one request's attachments are uploaded.
const ACCOUNTS_MAX: usize = 3;

/// The most images and documents of one request: each may be a fetch and an upload.
const ATTACHMENTS_MAX: usize = 64;

impl Uploads {
    /// Uploads by this client, of what this fetcher fetches and of these stored files.
    #[must_use]
    pub fn new(client: Client, fetcher: Fetcher, files: Option<Files>) -> Self {
        Self {
            client,
            fetcher,
            files,
            cache: Arc::new(Mutex::new(LruCache::new(CACHED_UPLOADS_MAX))),
        }
    }

    /// Uploads every image and document of a chat request to the account of the lease: that which
    /// pays, which may be another than the request's own by now.
    ///
    /// # Errors
    /// What the client can mend (an address that may not be fetched, bytes that are not an image)
    /// or what upstream answers to the upload.
    pub async fn upload_all(
        &self,
        payer: &Payer,
        lease: &Lease,
        chat: &ChatRequest,
    ) -> Result<UploadedParts, Failure> {
        let attachments = attachments(chat);
        if attachments.is_empty() {
            return Ok(UploadedParts::default());
        }
        if attachments.len() > ATTACHMENTS_MAX {
            let message =
                format!("A request may contain at most {ATTACHMENTS_MAX} images and files.");
            return Err(Failure::invalid("messages", message));
        }
        let uploading = attachments
            .iter()
            .map(|(kind, attachment)| self.upload(payer, lease, *kind, attachment));
        let references = try_join_all(uploading).await?;
        let mut uploaded = UploadedParts::default();
        for ((kind, _), reference) in attachments.iter().zip(references) {
            match kind {
                AttachmentKind::Image => uploaded.images.push(reference.image),
                AttachmentKind::Document | AttachmentKind::Audio => {
                    uploaded.files.push(reference.file);
                }
            }
        }
        Ok(uploaded)
    }

    /// Gives documents the names that are known of them, where the request has none: a stored file's
    /// own, or the last part of an address.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn name_documents(
        &self,
        account: AccountId,
        chat: &mut ChatRequest,
    ) -> Result<(), Failure> {
        let nameless = nameless_documents(chat);
        if nameless.is_empty() || nameless.len() > ATTACHMENTS_MAX {
            return Ok(());
        }
        for document in nameless {
            document.name = match &document.source {
                Source::Inline(_) => None,
                Source::Url(url) => name_in_url(url),
                Source::FileId(id) => match &self.files {
                    Some(files) => {
                        let file = Box::pin(files.get(account, id)).await?;
                        file.map(|file| file.name)
                    }
                    None => None,
                },
            };
        }
        Ok(())
    }

    /// The bytes of a part, fetched if need be.
    ///
    /// # Errors
    /// An address that may not be fetched; a stored file, which goes to upstream by itself.
    pub async fn bytes(&self, attachment: &Attachment) -> Result<Bytes, Failure> {
        match &attachment.source {
            Source::Inline(bytes) => Ok(bytes.clone()),
            Source::Url(url) => self.fetcher.get(url).await,
            Source::FileId(id) => Err(unknown_file(id)),
        }
    }

    /// Uploads audio that is in memory, and gives its path at upstream.
    ///
    /// # Errors
    /// Bytes that are not audio, or what upstream answers to the upload.
    pub async fn upload_audio_bytes(
        &self,
        payer: &Payer,
        bytes: Bytes,
        name: Option<&str>,
    ) -> Result<String, Failure> {
        let kind = file_type::of_audio(&bytes, name)?;
        let lease = payer.lease()?;
        let content = (lease.account, Sha256::digest(&bytes).into());
        if let Some(reference) = self.cached(&content) {
            return Ok(reference.image);
        }
        let upload = Upload::from_bytes(kind.file_name(name), kind.mime.to_owned(), bytes);
        Ok(self.send(payer, &lease, content, upload).await?.image)
    }

    /// As [`Uploads::upload_audio_bytes`], for audio wherever it is, a stored file included.
    ///
    /// # Errors
    /// As [`Uploads::upload_all`].
    pub async fn upload_audio(&self, payer: &Payer, audio: &Attachment) -> Result<String, Failure> {
        let lease = payer.lease()?;
        let uploading = self.upload(payer, &lease, AttachmentKind::Audio, audio);
        Ok(uploading.await?.image)
    }

    /// Uploads one image, and gives the path by which upstream knows it.
    ///
    /// # Errors
    /// As [`Uploads::upload_all`].
    pub async fn upload_image(&self, payer: &Payer, image: &Attachment) -> Result<String, Failure> {
        let lease = payer.lease()?;
        let uploading = self.upload(payer, &lease, AttachmentKind::Image, image);
        Ok(uploading.await?.image)
    }

    /// Copies a file that lies at another account to that of the lease, as it comes, and gives its path
    /// there; none if there is no such file.
    ///
    /// # Errors
    /// What upstream answers, or the way to it.
    pub async fn copy(&self, lease: &Lease, path: &str) -> Result<Option<String>, Failure> {
        let download = match self.client.download(&ResultAsset::of_path(path)).await {
            Ok(download) => download,
            Err(Error::Refused(_)) => return Ok(None),
            Err(error) => return Err(of_upstream(&error)),
        };
        let name = path.rsplit('/').next().unwrap_or(path).to_owned();
        let mime = download.content_type.clone();
        let mime = mime.unwrap_or_else(|| "application/octet-stream".to_owned());
        let length = download.length;
        let bytes = stream::unfold(download, async |mut download| {
            download.next().await.map(|bytes| (bytes, download))
        });
        let body = StreamBody::new(bytes.map_ok(Frame::data));
        let upload = Upload::from_body(name, mime, length, body);
        let copied = self.client.upload(&lease.key, upload).await;
        let asset = copied.map_err(|error| lease.failed(&error))?;
        Ok(Some(asset.image_reference().to_owned()))
    }

    async fn upload(
        &self,
        payer: &Payer,
        lease: &Lease,
        kind: AttachmentKind,
        attachment: &Attachment,
    ) -> Result<Reference, Failure> {
        let bytes = match &attachment.source {
            Source::Inline(bytes) => bytes.clone(),
            Source::Url(url) => self.fetcher.get(url).await?,
            Source::FileId(id) => return self.upload_stored(payer, lease, kind, id).await,
        };
        let name = attachment.name.as_deref();
        let file_type = match kind {
            AttachmentKind::Image => file_type::of_image(&bytes)?,
            AttachmentKind::Audio => file_type::of_audio(&bytes, name)?,
            AttachmentKind::Document => {
                file_type::of_document(&bytes, name, attachment.mime.as_deref())?
            }
        };
        let content = (lease.account, Sha256::digest(&bytes).into());
        if let Some(reference) = self.cached(&content) {
            return Ok(reference);
        }
        let file_name = file_type.file_name(name);
        let upload = Upload::from_bytes(file_name, file_type.mime.to_owned(), bytes);
        self.send(payer, lease, content, upload).await
    }

    /// A file of the Files API: streamed from the store to upstream, and only when it is needed.
    async fn upload_stored(
        &self,
        payer: &Payer,
        lease: &Lease,
        kind: AttachmentKind,
        id: &str,
    ) -> Result<Reference, Failure> {
        let files = self.files.as_ref().ok_or_else(|| unknown_file(id))?;
        let owner = payer.caller().id;
        let file = files.get(owner, id).await?;
        let file = file.ok_or_else(|| unknown_file(id))?;
        let content = (lease.account, file.sha256);
        if let Some(reference) = self.cached(&content) {
            return Ok(reference);
        }
        let stored = files.content(owner, id).await?;
        let mut stored = stored.ok_or_else(|| unknown_file(id))?;
        let beginning = beginning(&mut stored).await?;
        let file_type = match kind {
            AttachmentKind::Image => file_type::of_image(&beginning)?,
            AttachmentKind::Audio => file_type::of_audio(&beginning, Some(&file.name))?,
            AttachmentKind::Document => {
                let (name, claimed) = (Some(file.name.as_str()), file.mime.as_deref());
                file_type::of_beginning(&beginning, || file.is_text, name, claimed)?
            }
        };
        let bytes = stream::iter([Ok(beginning)]).chain(stored.bytes);
        let upload = Upload::from_body(
            file_type.file_name(Some(&file.name)),
            file_type.mime.to_owned(),
            Some(stored.size),
            StreamBody::new(bytes.map_ok(Frame::data)),
        );
        self.send(payer, lease, content, upload).await
    }

    async fn send(
        &self,
        payer: &Payer,
        lease: &Lease,
        content: ContentKey,
        upload: Upload,
    ) -> Result<Reference, Failure> {
        payer.check_room().await?;
        let uploaded = self.client.upload(&lease.key, upload).await;
        let asset = uploaded.map_err(|error| lease.failed(&error))?;
        let reference = Reference {
            image: asset.image_reference().to_owned(),
            file: asset.file_reference().to_owned(),
            since: Instant::now(),
        };
        self.lock().put(content, reference.clone());
        Ok(reference)
    }

    fn cached(&self, content: &ContentKey) -> Option<Reference> {
        let is_fresh = |reference: &&Reference| reference.since.elapsed() < CACHE_TTL;
        self.lock().get(content).filter(is_fresh).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, UploadCache> {
        // A panic while the lock was held can at worst have lost an entry.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The way of a request's uploads to another account where one has refused them. All of them are
/// begun anew there, since a call needs its files at one account, and before a call is held, since a
/// hold stays at its account.
#[derive(Debug, Default)]
pub struct OtherAccounts(usize);

impl OtherAccounts {
    /// Changes the payer's account after this failure, so that the uploads can be tried again.
    ///
    /// # Errors
    /// The failure, if it is not the account's; why no account can do it, if there is no other.
    pub fn change(&mut self, payer: &Payer, failure: Failure) -> Result<(), Failure> {
        self.0 += 1;
        if self.0 == ACCOUNTS_MAX {
            return Err(failure);
        }
        match payer.change_account() {
            Ok(true) => Ok(()),
            Ok(false) => Err(failure),
            Err(answer) => Err(answer.with_detail(failure.detail.unwrap_or_default())),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AttachmentKind {
    Image,
    Document,
    Audio,
}

/// Whether a request has images or documents.
#[must_use]
pub fn has_attachments(chat: &ChatRequest) -> bool {
    !attachments(chat).is_empty()
}

/// How many images a request has.
#[must_use]
pub fn images(chat: &ChatRequest) -> usize {
    let is_image = |kind: &AttachmentKind| matches!(kind, AttachmentKind::Image);
    let attachments = attachments(chat).into_iter();
    attachments.filter(|(kind, _)| is_image(kind)).count()
}

/// The images and documents of a request, those in results of tools included.
fn attachments(chat: &ChatRequest) -> Vec<(AttachmentKind, &Attachment)> {
    fn collect<'c>(parts: &'c [Part], found: &mut Vec<(AttachmentKind, &'c Attachment)>) {
        for part in parts {
            match part {
                Part::Image(image) => found.push((AttachmentKind::Image, image)),
                Part::File(file) => found.push((AttachmentKind::Document, file)),
                Part::Result(result) => collect(&result.parts, found),
                _ => {}
            }
        }
    }
    let mut found = Vec::new();
    for message in &chat.messages {
        collect(&message.parts, &mut found);
    }
    found
}

/// The documents of a request that have no name.
fn nameless_documents(chat: &mut ChatRequest) -> Vec<&mut Attachment> {
    fn collect<'c>(parts: &'c mut [Part], found: &mut Vec<&'c mut Attachment>) {
        for part in parts {
            match part {
                Part::File(file) if file.name.is_none() => found.push(file),
                Part::Result(result) => collect(&mut result.parts, found),
                _ => {}
            }
        }
    }
    let mut found = Vec::new();
    for message in &mut chat.messages {
        collect(&mut message.parts, &mut found);
    }
    found
}

/// The name of the file at an address, if its path ends with one.
fn name_in_url(url: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    let last = url.path_segments()?.next_back()?;
    let name = percent_encoding::percent_decode_str(last)
        .decode_utf8()
        .ok()?;
    (!name.starts_with('.') && name.contains('.')).then(|| name.into_owned())
}

/// The first bytes of a content, enough to tell what it is.
async fn beginning(content: &mut Blob) -> Result<Bytes, StoreError> {
    let mut beginning = BytesMut::new();
    while beginning.len() < SNIFF_BYTES {
        match content.bytes.try_next().await? {
            Some(bytes) => beginning.extend_from_slice(&bytes),
            None => break,
        }
    }
    Ok(beginning.freeze())
}

/// Neither this account nor, as far as this account is told, any other has such a file.
fn unknown_file(id: &str) -> Failure {
    let id = quote(id);
    Failure::new(
        Kind::NotFound,
        format!(
            "There is no file `{id}`: send the bytes as `file_data`, or upload the file again."
        ),
    )
    .with_param("file_id")
    .with_code("file_not_found")
}

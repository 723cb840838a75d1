//! Contents of files: in a folder, or in a bucket of an S3-compatible service. They are written and
//! read as streams; what is held in memory is one piece.

mod bucket;
#[cfg(feature = "s3")]
mod s3;
#[cfg(not(feature = "s3"))]
#[path = "../without/s3.rs"]
mod s3;

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path as Name;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt as _, PutPayload, PutPayloadMut};
use tokio::sync::OnceCell;

use super::StoreError;
use super::folder::DataFolder;
use crate::clock;
use crate::observe::throttle::warn_throttled;
use crate::task;

pub use bucket::Bucket;

/// Pieces in which a file is written. S3 takes no smaller ones, but for the last.
const BUCKET_PIECE: usize = 5 * 1024 * 1024;
const FOLDER_PIECE: usize = 64 * 1024;

/// Where in the data folder.
const SUBFOLDER: &str = "contents";

/// The most bytes of a file that is kept in memory, where there is no folder.
const MAX_IN_MEMORY: usize = 8 * 1024 * 1024;

/// The store of contents; clones share it.
#[derive(Clone)]
pub struct BlobStore {
    place: Place,
    opened: Arc<OnceCell<Opened>>,
}

#[derive(Clone)]
enum Place {
    Folder(DataFolder),
    Bucket(Box<Bucket>),
}

#[derive(Clone)]
struct Opened {
    store: Arc<dyn ObjectStore>,
    piece: usize,
    /// Bytes that one file may have.
    max: usize,
}

/// A content on its way out.
pub struct Blob {
    /// Its size in bytes.
    pub size: u64,
    /// Its bytes.
    pub bytes: BoxStream<'static, Result<Bytes, StoreError>>,
}

impl BlobStore {
    /// Contents in the data folder. It is made when it is needed.
    #[must_use]
    pub fn in_folder(folder: DataFolder) -> Self {
        Self::new(Place::Folder(folder))
    }

    /// Contents in a bucket. It is not asked before it is needed.
    #[must_use]
    pub fn in_bucket(bucket: Bucket) -> Self {
        Self::new(Place::Bucket(Box::new(bucket)))
    }

    fn new(place: Place) -> Self {
        Self {
            place,
            opened: Arc::default(),
        }
    }

    /// Begins to write a content. What is not finished leaves nothing behind.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn write(&self, name: &str) -> Result<Writer, StoreError> {
        Ok(Writer {
            name: Name::from(name),
            opened: self.open().await?.clone(),
            piece: PutPayloadMut::new(),
            written: 0,
            upload: None,
        })
    }

    /// A content; none if there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn read(&self, name: &str) -> Result<Option<Blob>, StoreError> {
        match self.open().await?.store.get(&Name::from(name)).await {
            Ok(found) => Ok(Some(Blob {
                size: found.meta.size,
                bytes: found.into_stream().map_err(StoreError::from).boxed(),
            })),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes a content away; one that is not there is gone already.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete(&self, name: &str) -> Result<(), StoreError> {
        match self.open().await?.store.delete(&Name::from(name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Names of the blobs that were written longer ago than `age`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn older_than(&self, age: Duration) -> Result<Vec<String>, StoreError> {
        let latest = clock::now().saturating_sub(age.as_secs());
        let mut found = self.open().await?.store.list(None);
        let mut names = Vec::new();
        while let Some(blob) = found.next().await {
            let blob = blob?;
            if u64::try_from(blob.last_modified.timestamp()).is_ok_and(|time| time <= latest) {
                names.push(blob.location.to_string());
            }
        }
        Ok(names)
    }

    /// Deletes what uploads that broke off with the process left in the folder, if nothing was
    /// written to it for `idle`. A bucket has a rule of its own for them. Gives how many.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_unfinished(&self, idle: Duration) -> Result<u64, StoreError> {
        let Place::Folder(folder) = self.place.clone() else {
            return Ok(0);
        };
        let deleting = tokio::task::spawn_blocking(move || match folder.path() {
            Some(folder) => delete_unfinished(&folder.join(SUBFOLDER), idle),
            None => Ok(0),
        });
        let deleted = deleting.await;
        deleted.unwrap_or_else(|error| Err(StoreError::unexpected(&error.to_string())))
    }

    /// Whether contents can be written, read and taken away, and outlive this process.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn health_check(&self) -> Result<(), StoreError> {
        if self.open().await?.max == MAX_IN_MEMORY {
            return Err(StoreError::Ephemeral);
        }
        let name = format!("look-{}", uuid::Uuid::new_v4().simple());
        let mut writer = self.write(&name).await?;
        writer.write(Bytes::from_static(b"look")).await?;
        writer.finish().await?;
        let found = self.read(&name).await?;
        self.delete(&name).await?;
        match found {
            Some(_) => Ok(()),
            None => Err(StoreError::unexpected(
                "what was written cannot be read back",
            )),
        }
    }

    /// What it is and where, for people; no secrets.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.place {
            Place::Folder(folder) => folder.name(),
            Place::Bucket(bucket) => format!("bucket {}", bucket.name),
        }
    }

    async fn open(&self) -> Result<&Opened, StoreError> {
        self.opened
            .get_or_try_init(|| async {
                match self.place.clone() {
                    Place::Bucket(bucket) => Ok(Opened {
                        store: s3::open(&bucket)?,
                        piece: BUCKET_PIECE,
                        max: usize::MAX,
                    }),
                    Place::Folder(folder) => {
                        let opening = tokio::task::spawn_blocking(move || in_folder(folder.path()));
                        opening
                            .await
                            .unwrap_or_else(|e| Err(StoreError::Unexpected(e.to_string())))
                    }
                }
            })
            .await
    }
}

fn in_folder(folder: Option<&Path>) -> Result<Opened, StoreError> {
    let Some(folder) = folder else {
        return Ok(Opened {
            store: Arc::new(InMemory::new()),
            piece: FOLDER_PIECE,
            max: MAX_IN_MEMORY,
        });
    };
    let folder = folder.join(SUBFOLDER);
    std::fs::create_dir_all(&folder)?;
    let store = LocalFileSystem::new_with_prefix(folder)?.with_automatic_cleanup(true);
    Ok(Opened {
        store: Arc::new(store),
        piece: FOLDER_PIECE,
        max: usize::MAX,
    })
}

/// The library writes `name#1` until the blob `name` is whole.
fn delete_unfinished(folder: &Path, idle: Duration) -> Result<u64, StoreError> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    let mut deleted = 0;
    for entry in entries {
        let entry = entry?;
        let found = entry.metadata()?;
        if found.is_dir() {
            deleted += delete_unfinished(&entry.path(), idle)?;
        } else if entry.file_name().to_string_lossy().contains('#')
            && found.modified()?.elapsed().is_ok_and(|since| since >= idle)
        {
            std::fs::remove_file(entry.path())?;
            deleted += 1;
        }
    }
    Ok(deleted)
}

/// A content on its way in. Dropped before it is finished, it takes away what it wrote.
pub struct Writer {
    name: Name,
    opened: Opened,
    piece: PutPayloadMut,
    written: usize,
    upload: Option<Box<dyn MultipartUpload>>,
}

impl Writer {
    /// Writes some bytes.
    ///
    /// # Errors
    /// [`StoreError`]; the content is lost.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        self.written = self.written.saturating_add(bytes.len());
        if self.written > self.opened.max {
            return Err(StoreError::TooLarge(self.opened.max));
        }
        self.piece.push(bytes);
        if self.piece.content_length() >= self.opened.piece {
            self.send().await?;
        }
        Ok(())
    }

    async fn send(&mut self) -> Result<(), StoreError> {
        let piece = std::mem::take(&mut self.piece).freeze();
        let upload = match &mut self.upload {
            Some(upload) => upload,
            slot => slot.insert(self.opened.store.put_multipart(&self.name).await?),
        };
        Ok(upload.put_part(piece).await?)
    }

    /// The content is whole; from now on it can be read.
    ///
    /// # Errors
    /// [`StoreError`]; the content is lost.
    pub async fn finish(mut self) -> Result<(), StoreError> {
        if self.upload.is_none() {
            let all: PutPayload = std::mem::take(&mut self.piece).freeze();
            self.opened.store.put(&self.name, all).await?;
            return Ok(());
        }
        if !self.piece.is_empty() {
            self.send().await?;
        }
        if let Some(upload) = &mut self.upload {
            upload.complete().await?;
        }
        self.upload = None;
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Some(mut upload) = self.upload.take() {
            task::spawn_from_drop(async move {
                if let Err(error) = upload.abort().await {
                    warn_throttled!(%error, "the parts of an interrupted upload could not be deleted");
                }
            });
        }
    }
}

impl From<object_store::Error> for StoreError {
    fn from(error: object_store::Error) -> Self {
        let reason: &(dyn std::error::Error + 'static) = &error;
        let mut reasons = std::iter::successors(Some(reason), |reason| reason.source());
        let is_full = reasons.any(|reason| {
            let kind = reason
                .downcast_ref::<std::io::Error>()
                .map(std::io::Error::kind);
            matches!(
                kind,
                Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
            )
        });
        if is_full {
            return Self::Full;
        }
        Self::Io(std::io::Error::other(error))
    }
}

//! Uploaded files: whose they are, what they are, and their contents.
//!
//! A file goes to the relay's own store. 1min.ai gets it when a prompt first refers to it, and not
//! before: what is deleted unused never was there, and upstream has no way to delete.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;
use translate::failure::{Failure, Kind};

use crate::access::account_id::AccountId;
use crate::clock;
use crate::failure::file_too_large;
use crate::store::blobs::{Blob, BlobStore, Writer};
use crate::store::build::Stores;
use crate::store::page::{self, PageError, PageQuery};
use crate::store::records::{Collection, Listing, Record};
use crate::store::{StoreError, id};

/// What is known of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its name, free of folders.
    pub name: String,
    /// The type the client claimed; the bytes decide.
    pub mime: Option<String>,
    /// What it was uploaded for.
    pub purpose: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// Whether its bytes are text in UTF-8.
    pub is_text: bool,
    /// When it came, in seconds since 1970.
    pub created: u64,
    /// When it goes, in seconds since 1970; none is never.
    pub expires: Option<u64>,
}

/// The end of a file is not left to the store: its contents must go too.
impl Record for File {
    const TABLE: &'static str = "files";
}

impl File {
    fn is_over(&self) -> bool {
        self.expires.is_some_and(|expires| expires <= clock::now())
    }
}

/// What an upload says of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDetails {
    /// Its name, free of folders.
    pub name: String,
    /// The type that the client claims.
    pub mime: Option<String>,
    /// What it is for.
    pub purpose: String,
    /// Seconds after which it is deleted; none is never.
    pub life: Option<u64>,
}

/// The files of all accounts.
#[derive(Clone)]
pub struct Files {
    records: Collection<File>,
    blobs: BlobStore,
    max: u64,
    max_account: Option<u64>,
    /// Held while a file's entry is made, so that of several that are uploaded at once no two take the
    /// same room.
    entering: Arc<Mutex<()>>,
}

impl Files {
    /// Files in these stores: at most `max` bytes each, and `max_account` for one account's
    /// together.
    #[must_use]
    pub fn new(stores: &Stores, max: u64, max_account: Option<u64>) -> Self {
        Self {
            records: Collection::new(stores.records.clone()),
            blobs: stores.blobs.clone(),
            max,
            max_account,
            entering: Arc::default(),
        }
    }

    /// The most bytes that a file may have.
    #[must_use]
    pub fn max(&self) -> u64 {
        self.max
    }

    /// Begins to take a file in.
    ///
    /// # Errors
    /// The account's files take too much already, or the store.
    pub async fn begin(&self, owner: AccountId) -> Result<Upload<'_>, Failure> {
        let room = match self.max_account {
            None => self.max,
            Some(max) => self.room(owner, max).await?,
        };
        let id = id::draw("file-");
        Ok(Upload {
            files: self,
            writer: self.blobs.write(&content(owner, &id)).await?,
            owner,
            id,
            room,
            bytes: 0,
            hash: Sha256::new(),
            text: Text::default(),
        })
    }

    /// Makes the entry of a file whose content is written, if there is still room for it.
    async fn enter(&self, owner: AccountId, id: &str, file: &File) -> Result<(), Failure> {
        let Some(max) = self.max_account else {
            return Ok(self.records.put(owner, id, file).await?);
        };
        let _turn = self.entering.lock().await;
        if file.bytes > self.room(owner, max).await? {
            return Err(no_room(max));
        }
        Ok(self.records.put(owner, id, file).await?)
    }

    async fn room(&self, owner: AccountId, max: u64) -> Result<u64, Failure> {
        let all = self.records.list(owner, Listing::default());
        let used: u64 = all.await?.iter().map(|(_, file)| file.bytes).sum();
        Ok(max.saturating_sub(used))
    }

    /// A file of this account.
    ///
    /// # Errors
    /// The store.
    pub async fn get(&self, owner: AccountId, id: &str) -> Result<Option<File>, StoreError> {
        let file = self.records.get(owner, id).await?;
        Ok(file.filter(|file| !file.is_over()))
    }

    /// A file's bytes; none if there is no such file.
    ///
    /// # Errors
    /// The store.
    pub async fn content(&self, owner: AccountId, id: &str) -> Result<Option<Blob>, StoreError> {
        self.blobs.read(&content(owner, id)).await
    }

    /// A page of this account's files, of all purposes or one.
    ///
    /// # Errors
    /// What is wrong with the query, or the store.
    pub async fn list(
        &self,
        owner: AccountId,
        query: &PageQuery,
        purpose: Option<&str>,
    ) -> Result<(Vec<(String, File)>, bool), PageError> {
        page::read(&self.records, owner, query, |file| {
            !file.is_over() && purpose.is_none_or(|purpose| purpose == file.purpose)
        })
        .await
    }

    /// Deletes a file, and tells whether there was one.
    ///
    /// # Errors
    /// The store.
    pub async fn delete(&self, owner: AccountId, id: &str) -> Result<bool, StoreError> {
        let file = self.records.get(owner, id).await?;
        if !self.records.delete(owner, id).await? {
            return Ok(false);
        }
        self.blobs.delete(&content(owner, id)).await?;
        Ok(file.is_some_and(|file| !file.is_over()))
    }

    /// Ids of the newest files of this account, the newest first.
    ///
    /// # Errors
    /// The store.
    pub async fn newest(&self, owner: AccountId, most: usize) -> Result<Vec<String>, Failure> {
        let query = PageQuery {
            after: None,
            before: None,
            limit: most,
            newest_first: true,
        };
        let (files, _) = self.list(owner, &query, None).await?;
        Ok(files.into_iter().map(|(id, _)| id).collect())
    }

    /// Deletes all files of this account, and tells how many there were.
    ///
    /// # Errors
    /// The store; what was deleted before stays deleted.
    pub async fn delete_all(&self, owner: AccountId) -> Result<u64, StoreError> {
        let mut deleted = 0;
        for (id, _) in self.records.list(owner, Listing::default()).await? {
            deleted += u64::from(self.delete(owner, &id).await?);
        }
        Ok(deleted)
    }

    /// Deletes the files whose life is over, and those that came longer ago than `retention`.
    /// Gives how many.
    ///
    /// # Errors
    /// The store; what was deleted before stays deleted.
    pub async fn delete_old(&self, retention: Option<Duration>) -> Result<u64, StoreError> {
        let oldest = retention.map_or(0, |age| clock::now().saturating_sub(age.as_secs()));
        let (mut deleted, mut after) = (0, None);
        loop {
            let owners = self.records.owners(after).await?;
            let Some(last) = owners.last().copied() else {
                return Ok(deleted);
            };
            for owner in owners {
                let all = self.records.list(owner, Listing::default());
                for (id, file) in all.await? {
                    if file.is_over() || file.created < oldest {
                        self.delete(owner, &id).await?;
                        deleted += 1;
                    }
                }
            }
            after = Some(last);
        }
    }

    /// Deletes blobs that no entry names: the process died between writing one and its entry, or
    /// in the middle of writing. What is younger than `age` may be on its way. Gives how many.
    ///
    /// # Errors
    /// The store; what was deleted before stays deleted.
    pub async fn delete_orphans(&self, age: Duration) -> Result<u64, StoreError> {
        let mut deleted = self.blobs.delete_unfinished(age).await?;
        // A database without a single file is rather the wrong one than one that lost them all.
        if self.records.owners(None).await?.is_empty() {
            return Ok(deleted);
        }
        for name in self.blobs.older_than(age).await? {
            let mut parts = name.strip_prefix("files/").unwrap_or_default().split('/');
            let (Some(owner), Some(id)) = (parts.next(), parts.next()) else {
                continue;
            };
            let Ok(owner) = owner.parse() else {
                continue;
            };
            if self.records.get(owner, id).await?.is_none() {
                self.blobs.delete(&name).await?;
                deleted += 1;
            }
        }
        Ok(deleted)
    }
}

/// A file on its way in. Dropped before it is finished, it leaves nothing behind.
pub struct Upload<'f> {
    files: &'f Files,
    writer: Writer,
    owner: AccountId,
    id: String,
    room: u64,
    bytes: u64,
    hash: Sha256,
    text: Text,
}

impl Upload<'_> {
    /// Takes some bytes.
    ///
    /// # Errors
    /// Too many, or the store.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), Failure> {
        self.bytes += bytes.len() as u64;
        if self.bytes > self.files.max {
            return Err(file_too_large(self.files.max));
        }
        if self.bytes > self.room {
            return Err(no_room(self.files.max_account.unwrap_or_default()));
        }
        self.hash.update(&bytes);
        self.text.push(&bytes);
        Ok(self.writer.write(bytes).await?)
    }

    /// The file is whole. Gives its id and what is known of it.
    ///
    /// # Errors
    /// It is empty, or the store.
    pub async fn finish(self, details: FileDetails) -> Result<(String, File), Failure> {
        if self.bytes == 0 {
            return Err(empty());
        }
        let created = clock::now();
        let file = File {
            name: details.name,
            mime: details.mime,
            purpose: details.purpose,
            bytes: self.bytes,
            sha256: self.hash.finalize().into(),
            is_text: self.text.is_text(),
            created,
            expires: details.life.map(|life| created + life),
        };
        self.writer.finish().await?;
        let (files, owner, id) = (self.files, self.owner, self.id);
        if let Err(failure) = files.enter(owner, &id, &file).await {
            let _ = files.blobs.delete(&content(owner, &id)).await;
            return Err(failure);
        }
        Ok((id, file))
    }
}

/// Whether bytes that come in pieces are text in UTF-8.
#[derive(Debug, Default)]
struct Text {
    is_not: bool,
    /// The beginning of a character that goes on in the next piece.
    begun: Vec<u8>,
}

impl Text {
    fn push(&mut self, piece: &[u8]) {
        if self.is_not {
            return;
        }
        let mut piece = piece;
        while !self.begun.is_empty() {
            let Some((next, rest)) = piece.split_first() else {
                return;
            };
            self.begun.push(*next);
            piece = rest;
            match std::str::from_utf8(&self.begun) {
                Ok(_) => self.begun.clear(),
                Err(error) if error.error_len().is_some() => {
                    self.is_not = true;
                    return;
                }
                Err(_) => {}
            }
        }
        self.is_not = piece.contains(&0);
        if let Err(error) = std::str::from_utf8(piece) {
            self.is_not |= error.error_len().is_some();
            self.begun = piece
                .get(error.valid_up_to()..)
                .unwrap_or_default()
                .to_vec();
        }
    }

    fn is_text(&self) -> bool {
        !self.is_not && self.begun.is_empty()
    }
}

fn content(owner: AccountId, id: &str) -> String {
    format!("files/{owner}/{id}")
}

fn no_room(max: u64) -> Failure {
    let message = format!(
        "With this file your files would take more than {} MiB together (MAX_ACCOUNT_FILES_MB): delete some first.",
        max / (1024 * 1024)
    );
    Failure::new(Kind::TooLarge, message)
        .with_param("file")
        .with_code("storage_limit_exceeded")
}

fn empty() -> Failure {
    Failure::invalid("file", "The file is empty.").with_code("empty_file")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is_text(pieces: &[&[u8]]) -> bool {
        let mut text = Text::default();
        for piece in pieces {
            text.push(piece);
        }
        text.is_text()
    }

    #[test]
    fn text_is_utf_8_without_zeros_and_not_cut() {
        let table: &[(&[u8], bool)] = &[
            (b"plain", true),
            ("\u{e4}\u{20ac}\u{1f600}".as_bytes(), true),
            (b"a\0b", false),
            (b"\xff\xfe", false),
            (b"cut \xe2\x82", false),
            (b"\xe2(\xa1", false),
        ];
        for (bytes, expected) in table {
            assert_eq!(is_text(&[bytes]), *expected, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn text_is_text_however_it_is_cut(
            bytes in prop_oneof![".{0,20}".prop_map(String::into_bytes), prop::collection::vec(any::<u8>(), 0..20)],
            cut in any::<prop::sample::Index>(),
        ) {
            let whole = std::str::from_utf8(&bytes).is_ok_and(|text| !text.contains('\0'));
            let at = cut.index(bytes.len() + 1);
            prop_assert_eq!(is_text(&[&bytes[..at], &bytes[at..]]), whole);
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            prop_assert_eq!(is_text(&single), whole);
        }
    }
}

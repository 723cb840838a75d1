//! Objects that clients store and name by id: files, assistants, responses, conversations.

pub mod assistants;
pub mod files;
pub mod responses;
pub mod retention;

use std::time::Duration;

use crate::store::build::Stores;
use crate::store::records::RecordStore;
use assistants::Assistants;
use files::Files;
use responses::Responses;

/// How much is kept, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// The largest file, in bytes.
    pub max_file: u64,
    /// The most that one account's files may take together, in bytes; none is no limit.
    pub max_account_files: Option<u64>,
    /// The age at which files are deleted; none if they stay.
    pub file_retention: Option<Duration>,
    /// The age at which stored responses are deleted.
    pub response_retention: Duration,
}

/// The objects of all accounts; clones share them.
#[derive(Clone)]
pub struct Objects {
    /// Uploaded files.
    pub files: Files,
    /// Assistants.
    pub assistants: Assistants,
    /// Stored responses and conversations.
    pub responses: Responses,
    records: RecordStore,
    file_retention: Option<Duration>,
}

impl Objects {
    /// Objects in these stores. Opens nothing.
    #[must_use]
    pub fn new(stores: &Stores, settings: Settings) -> Self {
        Self {
            files: Files::new(stores, settings.max_file, settings.max_account_files),
            assistants: Assistants::new(stores),
            responses: Responses::new(&stores.records, settings.response_retention),
            records: stores.records.clone(),
            file_retention: settings.file_retention,
        }
    }
}

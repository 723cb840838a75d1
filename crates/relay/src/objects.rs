//! Objects that clients store and name by id: files, assistants, responses, conversations.

pub mod assistants;
pub mod files;
pub mod responses;
pub mod retention;
pub mod settings;

use std::time::Duration;

use crate::store::build::Stores;
use crate::store::records::RecordStore;
use assistants::Assistants;
use files::Files;
use responses::Responses;
use settings::Settings;

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
    pub fn new(stores: &Stores, settings: &Settings) -> Self {
        Self {
            files: Files::new(stores, settings.max_file(), settings.max_account_files()),
            assistants: Assistants::new(stores),
            responses: Responses::new(&stores.records, settings.response_retention()),
            records: stores.records.clone(),
            file_retention: settings.file_retention(),
        }
    }
}

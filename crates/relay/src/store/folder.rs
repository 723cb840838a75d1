//! The data folder: found when something is first to be kept, and not before.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Where this process keeps what outlives it; clones share what was found.
#[derive(Debug, Clone)]
pub struct DataFolder {
    wanted: PathBuf,
    found: Arc<OnceLock<Option<PathBuf>>>,
}

impl DataFolder {
    /// A folder that is made when it is needed.
    #[must_use]
    pub fn new(wanted: PathBuf) -> Self {
        Self {
            wanted,
            found: Arc::default(),
        }
    }

    /// The folder, which exists and can be written; none if it cannot be made. Blocks the first
    /// time.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        let found = self.found.get_or_init(|| match make(&self.wanted) {
            Ok(()) => Some(self.wanted.clone()),
            Err(error) => {
                let folder = self.wanted.display();
                tracing::warn!(%error, "the data folder {folder} cannot be written: what should be kept is kept in memory and lost when the relay stops (DATA_DIR names another folder)");
                None
            }
        });
        found.as_deref()
    }

    /// Whether a file of this name is there; makes nothing.
    #[must_use]
    pub fn has(&self, file: &str) -> bool {
        self.wanted.join(file).exists()
    }

    /// The folder, for people.
    #[must_use]
    pub fn name(&self) -> String {
        self.wanted.display().to_string()
    }
}

fn make(folder: &Path) -> std::io::Result<()> {
    // Whose machine it is besides has no business in it.
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let trial = folder.join(format!(".trial-{}", uuid::Uuid::new_v4().simple()));
    std::fs::write(&trial, b"")?;
    std::fs::remove_file(trial)
}

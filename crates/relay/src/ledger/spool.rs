//! A file for what the database cannot take: while it is away and too much waits, and when the
//! relay stops meanwhile. One message a line.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use super::queue::Message;
use crate::store::folder::DataFolder;

/// In the data folder.
const FILE: &str = "ledger-spool.ndjson";

/// The spool file of a data folder. All of it blocks.
#[derive(Debug, Clone)]
pub struct Spool(DataFolder);

impl Spool {
    /// The spool file of this folder.
    #[must_use]
    pub fn new(folder: DataFolder) -> Self {
        Self(folder)
    }

    /// Whether there is anything in it.
    #[must_use]
    pub fn is_filled(&self) -> bool {
        self.0.has(FILE)
    }

    /// Puts messages at its end.
    ///
    /// # Errors
    /// There is no folder, or it cannot be written.
    pub fn append(&self, messages: &[Message]) -> io::Result<()> {
        let mut lines = Vec::new();
        for message in messages {
            serde_json::to_writer(&mut lines, message)?;
            lines.push(b'\n');
        }
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(self.path()?)?;
        file.write_all(&lines)?;
        file.sync_data()
    }

    /// Everything in it, in its order. Lines that cannot be read (the last, if the process died)
    /// are left out.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(&self) -> io::Result<Vec<Message>> {
        match fs::read_to_string(self.path()?) {
            Ok(text) => {
                let lines = text.lines();
                Ok(lines
                    .filter_map(|line| serde_json::from_str(line).ok())
                    .collect())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Empties it.
    ///
    /// # Errors
    /// It cannot be deleted.
    pub fn clear(&self) -> io::Result<()> {
        match fs::remove_file(self.path()?) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }

    fn path(&self) -> io::Result<PathBuf> {
        let folder = self.0.path();
        let folder = folder.ok_or_else(|| io::Error::other("there is no data folder"))?;
        Ok(folder.join(FILE))
    }
}

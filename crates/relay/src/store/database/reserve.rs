//! Room on the disk that is kept for deleting: SQLite must write to delete, which a full disk would
//! refuse, so that nobody could make room.

use std::path::{Path, PathBuf};

/// In the data folder.
const FILE: &str = "reserve";

/// Bytes: the journal of some deletions.
const SIZE: usize = 1024 * 1024;

/// Keeps the room, if there is any. A disk that is full already has none to spare; that is tried
/// again later.
pub(super) async fn keep(folder: PathBuf) {
    let keeping = tokio::task::spawn_blocking(move || {
        let path = folder.join(FILE);
        let is_kept = std::fs::metadata(&path).is_ok_and(|found| found.len() == SIZE as u64);
        if is_kept {
            return Ok(());
        }
        // Zeros might take no room.
        std::fs::write(&path, vec![0xa5; SIZE]).inspect_err(|_| {
            let _ = std::fs::remove_file(&path);
        })
    });
    if let Ok(Err(error)) = keeping.await {
        tracing::debug!(%error, "no disk space could be reserved");
    }
}

/// Gives the room to whoever writes next.
pub(super) fn release(folder: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(folder.join(FILE)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

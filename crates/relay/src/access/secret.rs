//! The server's secret: drawn once, kept in the data folder where only its owner can read it.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use secrecy::SecretString;
use uuid::Uuid;

const FILE: &str = "secret";

/// A new secret of 244 random bits.
#[must_use]
pub fn draw() -> SecretString {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()).into()
}

/// The secret of a data folder; drawn and written if it has none.
///
/// # Errors
/// The folder cannot be made, or the file cannot be read or written.
pub fn of_folder(folder: &Path) -> io::Result<SecretString> {
    let file = folder.join(FILE);
    match read(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => keep(folder, &draw()),
        read => read,
    }
}

/// Keeps a secret in a data folder that has none, and gives the one that is kept: another process may
/// have been quicker.
///
/// # Errors
/// As of [`of_folder`].
pub fn keep(folder: &Path, secret: &SecretString) -> io::Result<SecretString> {
    let file = folder.join(FILE);
    fs::create_dir_all(folder)?;
    // Two processes may start at once: each writes a file of its own, one of them gets the name.
    let mine = folder.join(format!("{FILE}.{}", Uuid::new_v4().simple()));
    let written = write(&mine, secret);
    let linked = written.and_then(|()| fs::hard_link(&mine, &file));
    let removed = fs::remove_file(&mine);
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => removed.and_then(|()| read(&file)),
    }
}

fn read(file: &Path) -> io::Result<SecretString> {
    let text = fs::read_to_string(file)?;
    let text = text.trim();
    if text.is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is empty"));
    }
    Ok(text.into())
}

fn write(file: &Path, secret: &SecretString) -> io::Result<()> {
    use secrecy::ExposeSecret as _;
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)?;
    file.write_all(secret.expose_secret().as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn many_that_start_at_once_get_one_secret_that_only_the_owner_reads() {
        let folder = std::env::temp_dir().join(format!("relay-secret-{}", Uuid::new_v4()));
        let secrets: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| of_folder(&folder).unwrap()))
                .collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        for secret in &secrets {
            assert_eq!(secret.expose_secret(), secrets[0].expose_secret());
        }
        assert_eq!(secrets[0].expose_secret().len(), 64);
        let files: Vec<_> = fs::read_dir(&folder).unwrap().collect();
        assert_eq!(files.len(), 1);
        let mode = fs::metadata(folder.join(FILE))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::remove_dir_all(folder).unwrap();
    }
}

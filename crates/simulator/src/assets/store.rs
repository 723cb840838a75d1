//! The files that are kept: uploaded ones and those that features made.

use std::collections::VecDeque;

use axum::body::Bytes;

use crate::clock::{key_stamp, now_ms};
use crate::fault::Fault;
use crate::media::wav_seconds;

/// Bytes of contents kept in all, and number of files remembered; the oldest go first.
const TOTAL_BYTES_MAX: usize = 64 * 1024 * 1024;
const FILES_MAX: usize = 10_000;

/// An uploaded file.
#[derive(Clone, Debug)]
pub(crate) struct Asset {
    pub(crate) uuid: String,
    pub(crate) key: String,
    pub(crate) filename: String,
    pub(crate) mime: String,
    pub(crate) size: usize,
    pub(crate) tokens: u64,
    /// Length of a sound, where the file tells it.
    pub(crate) seconds: Option<f64>,
    /// What happens when it is fetched.
    pub(crate) faults: Vec<Fault>,
    pub(crate) content: Option<Bytes>,
    pub(super) sha256: String,
}

/// A file that was made here.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) mime: &'static str,
    /// The ending of its name.
    pub(crate) extension: &'static str,
    pub(crate) bytes: Bytes,
}

/// The uploaded files, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Assets {
    files: VecDeque<Asset>,
    kept: usize,
}

impl Assets {
    /// The file with this key (as images and sound are named).
    pub(crate) fn by_key(&self, key: &str) -> Option<&Asset> {
        self.files.iter().rev().find(|asset| asset.key == key)
    }

    /// The file with this UUID (as documents are named).
    pub(crate) fn by_uuid(&self, uuid: &str) -> Option<&Asset> {
        self.files.iter().rev().find(|asset| asset.uuid == uuid)
    }

    pub(super) fn add(&mut self, asset: Asset) {
        self.kept += asset.content.as_ref().map_or(0, Bytes::len);
        self.files.push_back(asset);
        while self.kept > TOTAL_BYTES_MAX || self.files.len() > FILES_MAX {
            let oldest = self.files.pop_front();
            self.kept -= oldest
                .and_then(|asset| asset.content)
                .map_or(0, |content| content.len());
        }
    }
}

/// The extension of a file name.
pub(super) fn extension(filename: &str) -> Option<&str> {
    let (stem, extension) = filename.rsplit_once('.')?;
    (!stem.is_empty() && !extension.is_empty()).then_some(extension)
}

/// Keeps a file that was made here; returns its key.
pub(crate) fn keep_made(
    assets: &mut Assets,
    uuid: String,
    number: u64,
    file: File,
    faults: Vec<Fault>,
) -> String {
    let stamp = key_stamp(now_ms());
    let name = format!("{stamp}_{number:06}.{}", file.extension);
    let key = format!("{}/{name}", folder(file.mime));
    assets.add(Asset {
        uuid,
        key: key.clone(),
        filename: name,
        mime: file.mime.to_owned(),
        size: file.bytes.len(),
        tokens: 0,
        seconds: wav_seconds(&file.bytes),
        faults,
        sha256: String::new(),
        content: Some(file.bytes),
    });
    key
}

/// The folder of a MIME type, which begins the key.
pub(super) fn folder(mime: &str) -> &'static str {
    match mime.split('/').next() {
        Some("image") => "images",
        Some("audio") => "audios",
        Some("video") => "videos",
        _ => "documents",
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;

    use super::{Asset, Assets, TOTAL_BYTES_MAX, extension, folder};

    fn asset(key: &str, content: usize) -> Asset {
        Asset {
            uuid: format!("uuid of {key}"),
            key: key.to_owned(),
            filename: key.to_owned(),
            mime: "image/png".to_owned(),
            size: content,
            tokens: 0,
            seconds: None,
            faults: Vec::new(),
            sha256: String::new(),
            content: Some(Bytes::from(vec![0; content])),
        }
    }

    #[test]
    fn the_oldest_contents_go_first() {
        let mut assets = Assets::default();
        assets.add(asset("a", TOTAL_BYTES_MAX / 2));
        assets.add(asset("b", TOTAL_BYTES_MAX / 2));
        assert!(assets.by_key("a").is_some());
        assets.add(asset("c", 1));
        assert!(assets.by_key("a").is_none());
        assert!(assets.by_key("b").is_some() && assets.by_uuid("uuid of c").is_some());
    }

    #[test]
    fn names_need_an_extension_and_types_choose_the_folder() {
        assert_eq!(extension("a.b.png"), Some("png"));
        assert_eq!(
            [extension("png"), extension(".png"), extension("a.")],
            [None; 3]
        );
        assert_eq!(
            ["image/webp", "audio/mpeg", "video/mp4", "text/plain"].map(folder),
            ["images", "audios", "videos", "documents"]
        );
    }
}

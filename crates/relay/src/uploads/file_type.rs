//! What a file is, by its bytes: names and claimed types are only asked where bytes tell nothing.

use translate::failure::Failure;

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileKind {
    /// Its media type.
    pub mime: &'static str,
    /// Its extension.
    pub extension: &'static str,
}

impl FileKind {
    const TEXT: Self = Self {
        mime: "text/plain",
        extension: "txt",
    };

    /// A name with the right extension. Upstream refuses names without one.
    #[must_use]
    pub fn file_name(&self, given: Option<&str>) -> String {
        let base = given
            .and_then(|name| name.rsplit(['/', '\\']).next())
            .unwrap_or_default();
        let stem = base.rsplit_once('.').map_or(base, |(stem, _)| stem);
        let safe: String = stem
            .chars()
            .filter(|c| c.is_alphanumeric() || "_- .".contains(*c))
            .take(80)
            .collect();
        let safe = safe.trim_matches([' ', '.']);
        let stem = if safe.is_empty() { "file" } else { safe };
        let extension = match base.rsplit_once('.') {
            Some((_, given)) if self.mime == "text/plain" && is_text_extension(given) => given,
            _ => self.extension,
        };
        format!("{stem}.{extension}")
    }
}

/// Text formats that keep their own extension; markdown is sent as plain text, which upstream wants.
fn is_text_extension(extension: &str) -> bool {
    ["txt", "csv", "json", "xml", "html", "log"].contains(&extension.to_ascii_lowercase().as_str())
}

/// A name for a file that came without one: by the type that the client claims, else by its first
/// bytes.
#[must_use]
pub fn name_without_one(claimed: Option<&str>, beginning: &[u8]) -> String {
    let claimed = claimed.and_then(|claimed| claimed.split(';').next());
    let claimed = claimed.unwrap_or_default().trim().to_ascii_lowercase();
    let known = EXTENSIONS.iter().find(|(mime, _)| *mime == claimed);
    let extension = known.map(|(_, extension)| *extension);
    match extension.or_else(|| infer::get(beginning).map(|kind| kind.extension())) {
        Some(extension) => format!("file.{extension}"),
        None => "file".to_owned(),
    }
}

/// The extensions of the types that clients claim for files: of documents all that tell them apart,
/// for they are archives or text.
const EXTENSIONS: [(&str, &str); 19] = [
    ("application/pdf", "pdf"),
    ("application/json", "json"),
    ("application/jsonl", "jsonl"),
    ("application/xml", "xml"),
    ("application/msword", "doc"),
    ("application/vnd.ms-excel", "xls"),
    ("application/vnd.ms-powerpoint", "ppt"),
    (DOCX, "docx"),
    (XLSX, "xlsx"),
    (PPTX, "pptx"),
    ("text/plain", "txt"),
    ("text/markdown", "md"),
    ("text/csv", "csv"),
    ("text/html", "html"),
    ("text/xml", "xml"),
    ("image/png", "png"),
    ("image/jpeg", "jpg"),
    ("audio/mpeg", "mp3"),
    ("audio/wav", "wav"),
];

const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const PPTX: &str = "application/vnd.openxmlformats-officedocument.presentationml.presentation";

/// The most pixels of an image: what 200-megapixel cameras give, and not what a few kilobytes of
/// nothing unfold to at whoever decodes them.
const MAX_PIXELS: usize = 1 << 28;

/// The formats that models see.
const IMAGE_TYPES: [&str; 10] = [
    "image/png",
    "image/jpeg",
    "image/webp",
    "image/gif",
    "image/bmp",
    "image/tiff",
    "image/heif",
    "image/heic",
    "image/avif",
    "image/jxl",
];

/// Those of them whose first bytes tell the size.
const SIZED: [&str; 3] = ["image/png", "image/gif", "image/bmp"];

/// An image's kind, by its first bytes. Nothing of it is decoded here.
///
/// # Errors
/// Bytes that are not an image in a format a model can see, or an image of too many pixels.
pub fn of_image(bytes: &[u8]) -> Result<FileKind, Failure> {
    let size = imagesize::blob_size(bytes).ok();
    if let Some(size) = &size
        && size.width.saturating_mul(size.height) > MAX_PIXELS
    {
        let message = format!(
            "An image of the request has {} x {} pixels: send one of at most {} megapixels.",
            size.width,
            size.height,
            MAX_PIXELS / 1_000_000
        );
        return Err(Failure::invalid("messages", message).with_code("invalid_image"));
    }
    let kind = infer::get(bytes).filter(|kind| IMAGE_TYPES.contains(&kind.mime_type()));
    // Of these the size stands at the beginning: where it is not, the rest is not either.
    let is_cut = |kind: &infer::Type| SIZED.contains(&kind.mime_type()) && size.is_none();
    let kind = kind.filter(|kind| !is_cut(kind)).map(|kind| FileKind {
        mime: kind.mime_type(),
        extension: kind.extension(),
    });
    kind.ok_or_else(|| {
        Failure::invalid(
            "messages",
            "An image of the request is not a supported image: its bytes are neither PNG, JPEG, WebP, GIF, BMP, TIFF, HEIC nor AVIF.",
        )
        .with_code("invalid_image")
    })
}

/// An audio file's kind: audio, or video with audio.
///
/// # Errors
/// An empty file, or bytes that are not audio.
pub fn of_audio(beginning: &[u8], name: Option<&str>) -> Result<FileKind, Failure> {
    if beginning.is_empty() {
        return Err(
            Failure::invalid("file", "`file` is empty: send an audio file.")
                .with_code("invalid_file"),
        );
    }
    let found = infer::get(beginning).filter(|kind| {
        matches!(
            kind.matcher_type(),
            infer::MatcherType::Audio | infer::MatcherType::Video
        )
    });
    if let Some(found) = found {
        return Ok(FileKind {
            mime: found.mime_type(),
            extension: found.extension(),
        });
    }
    // An MP3 may begin with any frame, which looks like nothing in particular.
    let extension = name
        .and_then(|name| name.rsplit_once('.'))
        .map(|(_, extension)| extension.to_ascii_lowercase());
    let is_frame = matches!(beginning, [0xff, second, ..] if second & 0xe0 == 0xe0);
    let is_named = matches!(extension.as_deref(), Some("mp3" | "mpga" | "mpeg"));
    if (is_named && is_frame) || is_layer_three(beginning) {
        Ok(FileKind {
            mime: "audio/mpeg",
            extension: "mp3",
        })
    } else {
        Err(Failure::invalid(
            "file",
            "`file` is not a supported audio file: send flac, mp3, mp4, mpeg, mpga, m4a, ogg, wav or webm.",
        )
        .with_code("invalid_file"))
    }
}

/// Whether bytes begin with the header of a frame of MPEG audio layer III whose fields all mean
/// something: browsers name recordings `blob`, and other clients not at all.
fn is_layer_three(beginning: &[u8]) -> bool {
    let &[0xff, version, rates, ..] = beginning else {
        return false;
    };
    let is_synchronised = version & 0xe6 == 0xe2 && version & 0x18 != 0x08;
    let (bit_rate, sample_rate) = (rates >> 4, rates >> 2 & 3);
    is_synchronised && !matches!(bit_rate, 0 | 15) && sample_rate != 3
}

/// A document's kind: by its bytes, else text if it is text.
///
/// # Errors
/// An empty file, or bytes of no known kind.
pub fn of_document(
    bytes: &[u8],
    name: Option<&str>,
    claimed: Option<&str>,
) -> Result<FileKind, Failure> {
    if bytes.is_empty() {
        return Err(
            Failure::invalid("messages", "A file of the request is empty.")
                .with_code("invalid_file"),
        );
    }
    let is_text = || std::str::from_utf8(bytes).is_ok_and(|text| !text.contains('\0'));
    of_beginning(bytes, is_text, name, claimed)
}

/// A document's kind by its first bytes, some thousand of them, and whether all of it is text.
///
/// # Errors
/// Bytes of no known kind.
pub fn of_beginning(
    bytes: &[u8],
    is_text: impl FnOnce() -> bool,
    name: Option<&str>,
    claimed: Option<&str>,
) -> Result<FileKind, Failure> {
    if let Some(kind) = infer::get(bytes) {
        return Ok(office(kind, name).unwrap_or(FileKind {
            mime: kind.mime_type(),
            extension: kind.extension(),
        }));
    }
    if is_text() {
        return Ok(FileKind::TEXT);
    }
    let claimed = claimed.unwrap_or("none");
    Err(Failure::invalid(
        "messages",
        format!("A file of the request has an unsupported type (declared: {claimed}): send PDF, an office document, or text in UTF-8."),
    )
    .with_code("invalid_file"))
}

/// Office documents are zip archives; where the archive's order hides which, the name tells.
fn office(kind: infer::Type, name: Option<&str>) -> Option<FileKind> {
    if kind.mime_type() != "application/zip" {
        return None;
    }
    let (_, extension) = name?.rsplit_once('.')?;
    let known = [("docx", DOCX), ("xlsx", XLSX), ("pptx", PPTX)];
    let found = known
        .into_iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(extension));
    found.map(|(extension, mime)| FileKind { mime, extension })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_decide_what_an_image_is() {
        let table: &[(&[u8], Option<&str>)] = &[
            (
                b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x08\0\0\0\x08",
                Some("image/png"),
            ),
            (b"\x89PNG\r\n\x1a\n\0\0\0\r", None),
            (b"8BPS\0\x01\0\0\0\0\0\0\0\0\0\0", None),
            (b"\0\0\x01\0\x01\0\x10\x10", None),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", Some("image/jpeg")),
            (b"GIF89a\x01\0\x01\0\x80\0\0", Some("image/gif")),
            (b"RIFF\x24\0\0\0WEBPVP8 ", Some("image/webp")),
            (
                b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x08\0\0\0\x08\0\0\0",
                Some("image/bmp"),
            ),
            (b"<html></html>", None),
            (b"%PDF-1.7", None),
            (b"", None),
        ];
        for (bytes, mime) in table {
            assert_eq!(of_image(bytes).ok().map(|k| k.mime), *mime, "{bytes:?}");
        }
    }

    #[test]
    fn an_image_of_too_many_pixels_is_refused_unseen() {
        let png = |width: u32, height: u32| {
            let sides = [width.to_be_bytes(), height.to_be_bytes()].concat();
            [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", &*sides, b"\x08\x06\0\0\0"].concat()
        };
        assert!(of_image(&png(16_384, 16_384)).is_ok());
        for (width, height) in [(16_385, 16_384), (60_000, 60_000), (u32::MAX, u32::MAX)] {
            let message = of_image(&png(width, height)).unwrap_err().message;
            assert!(message.contains("268 megapixels"), "{message}");
        }
    }

    #[test]
    fn an_mp3_is_known_by_its_first_frame_or_its_name() {
        for (bytes, name, is_mp3) in [
            (b"\xff\xfb\x90\x64", None, true),
            (b"\xff\xf3\x40\xc4", Some("blob"), true),
            (b"\xff\xe3\x18\xc4", None, true),
            (b"\xff\xe3\xf0\xc4", None, false),
            (b"\xff\xe3\x4c\xc4", None, false),
            (b"\xff\xea\x40\xc4", None, false),
            (b"\xff\xfe\x61\x00", None, false),
            (b"\xff\xfd\x61\x00", Some("a.mp3"), true),
            (b"\xff\xd8\xff\xe0", Some("a.mp3"), false),
        ] {
            let mime = of_audio(bytes, name).ok().map(|kind| kind.mime);
            assert_eq!(mime, is_mp3.then_some("audio/mpeg"), "{bytes:?} {name:?}");
        }
    }

    #[test]
    fn a_file_without_a_name_is_named_by_what_it_is() {
        for (claimed, bytes, name) in [
            (Some("application/pdf"), b"x".as_slice(), "file.pdf"),
            (Some("Text/Markdown; charset=utf-8"), b"# a", "file.md"),
            (Some(DOCX), b"PK\x03\x04", "file.docx"),
            (Some("application/octet-stream"), b"%PDF-1.7", "file.pdf"),
            (None, b"%PDF-1.7", "file.pdf"),
            (None, b"words", "file"),
            (None, b"", "file"),
        ] {
            assert_eq!(name_without_one(claimed, bytes), name, "{claimed:?}");
        }
    }

    #[test]
    fn documents_keep_a_name_that_upstream_takes() {
        let text = of_document(b"# Title", Some("notes.md"), Some("text/markdown")).unwrap();
        assert_eq!(
            (text.mime, text.file_name(Some("notes.md")).as_str()),
            ("text/plain", "notes.txt")
        );
        assert_eq!(
            text.file_name(Some("../../etc/pass\"wd\n.csv")),
            "passwd.csv"
        );
        assert_eq!(text.file_name(None), "file.txt");
        let pdf = of_document(b"%PDF-1.7\n", Some("report"), None).unwrap();
        assert_eq!(pdf.file_name(Some("report")), "report.pdf");
        assert!(of_document(b"", None, None).is_err());
        assert!(of_document(b"\xff\xfe\0\x01\x02garbage", None, None).is_err());
    }
}

//! The name under which a file is sent: short, harmless, and with an extension.

/// The longest name, in bytes. Upstream puts it into a storage key.
const NAME_BYTES_MAX: usize = 120;

/// Types and the extension that upstream knows them by.
const EXTENSIONS: &[(&str, &str)] = &[
    ("image/png", "png"),
    ("image/jpeg", "jpg"),
    ("image/jpg", "jpg"),
    ("image/webp", "webp"),
    ("image/gif", "gif"),
    ("image/bmp", "bmp"),
    ("image/tiff", "tiff"),
    ("image/heic", "heic"),
    ("image/heif", "heif"),
    ("image/avif", "avif"),
    ("image/svg+xml", "svg"),
    ("application/pdf", "pdf"),
    ("application/json", "json"),
    ("application/xml", "xml"),
    ("application/rtf", "rtf"),
    ("application/msword", "doc"),
    (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "docx",
    ),
    ("application/vnd.ms-excel", "xls"),
    (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "xlsx",
    ),
    ("application/vnd.ms-powerpoint", "ppt"),
    (
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "pptx",
    ),
    ("application/epub+zip", "epub"),
    ("application/zip", "zip"),
    ("text/csv", "csv"),
    ("text/html", "html"),
    ("text/xml", "xml"),
    ("audio/mpeg", "mp3"),
    ("audio/mp3", "mp3"),
    ("audio/wav", "wav"),
    ("audio/x-wav", "wav"),
    ("audio/wave", "wav"),
    ("audio/mp4", "m4a"),
    ("audio/x-m4a", "m4a"),
    ("audio/aac", "aac"),
    ("audio/ogg", "ogg"),
    ("audio/opus", "opus"),
    ("audio/flac", "flac"),
    ("audio/x-flac", "flac"),
    ("audio/webm", "webm"),
    ("video/mp4", "mp4"),
    ("video/webm", "webm"),
    ("video/mpeg", "mpeg"),
    ("video/quicktime", "mov"),
];

/// Makes a name fit to be sent.
pub(super) fn clean(name: &str, mime: &str) -> String {
    let name: String = name
        .rsplit(['/', '\\'])
        .next()
        .unwrap_or_default()
        .chars()
        .filter(|c| is_harmless(*c))
        .collect();
    let (stem, extension) = split(name.trim());
    let stem = match stem.trim_matches(['.', ' ']) {
        "" => "file",
        stem => stem,
    };
    let extension = match extension {
        None => of_mime(mime).to_owned(),
        Some(extension) if is_markdown(extension) => "txt".to_owned(),
        Some(extension) => extension.to_owned(),
    };
    let mut end = stem.len().min(NAME_BYTES_MAX - extension.len() - 1);
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}.{extension}", stem.get(..end).unwrap_or_default())
}

/// Not what ends a header, hides, or turns the direction of reading.
fn is_harmless(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The name and its extension, if it has one that can be one.
fn split(name: &str) -> (&str, Option<&str>) {
    match name.rsplit_once('.') {
        Some((stem, extension))
            if !stem.is_empty()
                && (1..=16).contains(&extension.len())
                && extension.bytes().all(|byte| byte.is_ascii_alphanumeric()) =>
        {
            (stem, Some(extension))
        }
        _ => (name, None),
    }
}

fn is_markdown(extension: &str) -> bool {
    ["md", "markdown", "mdown", "mkd"]
        .iter()
        .any(|of| extension.eq_ignore_ascii_case(of))
}

fn of_mime(mime: &str) -> &'static str {
    let known = EXTENSIONS
        .iter()
        .find(|(of, _)| mime.eq_ignore_ascii_case(of));
    known.map_or_else(
        || {
            if mime.starts_with("text/") {
                "txt"
            } else {
                "bin"
            }
        },
        |(_, extension)| extension,
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{NAME_BYTES_MAX, clean};

    #[test]
    fn names_are_harmless_and_have_an_extension() {
        for (name, mime, sent) in [
            ("cat.png", "image/png", "cat.png"),
            ("cat", "image/png", "cat.png"),
            ("cat", "image/jpeg", "cat.jpg"),
            ("notes.md", "text/plain", "notes.txt"),
            ("READ.ME.Markdown", "text/plain", "READ.ME.txt"),
            ("notes", "text/plain", "notes.txt"),
            ("main.rs", "text/plain", "main.rs"),
            ("thing", "application/x-unknown", "thing.bin"),
            ("../../etc/passwd", "text/plain", "passwd.txt"),
            ("C:\\Users\\me\\a b.pdf", "application/pdf", "a b.pdf"),
            (
                "a\r\nContent-Type: x\u{0}.png",
                "image/png",
                "aContent-Type: x.png",
            ),
            ("say \"hi\".png", "image/png", "say \"hi\".png"),
            (".htaccess", "text/plain", "htaccess.txt"),
            ("", "image/png", "file.png"),
            ("...", "image/png", "file.png"),
            ("dir/", "image/png", "file.png"),
            ("v1.2 final", "application/pdf", "v1.2 final.pdf"),
            ("東京.png", "image/png", "東京.png"),
            ("gpj.\u{202e}exe.png", "image/png", "gpj.exe.png"),
        ] {
            assert_eq!(clean(name, mime), sent, "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn every_name_becomes_a_short_one_with_an_extension(name in any::<String>(), mime in "[a-z/+.-]{0,20}") {
            let sent = clean(&name, &mime);
            prop_assert!(sent.len() <= NAME_BYTES_MAX);
            let (stem, extension) = sent.rsplit_once('.').unwrap();
            prop_assert!(!stem.is_empty() && !extension.is_empty());
            prop_assert!(!sent.contains(['/', '\\', '\r', '\n', '\0']));
        }
    }
}

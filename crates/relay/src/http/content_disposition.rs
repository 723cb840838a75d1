//! `Content-Disposition` of a form's part (RFC 7578): the names of its field and of its file. The
//! file's name may stand there plain, encoded (`filename*=UTF-8''…`, RFC 8187), or both.

use std::borrow::Cow;

/// What a part of a form says that it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContentDisposition {
    /// The name of the field; empty if there is none.
    pub name: String,
    /// The name of the file as the client gave it, which may be hostile; none if the part names no
    /// file.
    pub file_name: Option<String>,
}

impl ContentDisposition {
    /// Reads the value of the header. The encoded name of a file wins where it can be read.
    #[must_use]
    pub fn parse(value: &[u8]) -> Self {
        let text = text(value);
        let (mut name, mut plain, mut encoded) = (None, None, None);
        let (_, mut rest) = text.split_once(';').unwrap_or_default();
        while let Some((parameter, after)) = parameter(rest) {
            rest = after;
            let Parameter { key, value } = parameter;
            match key.to_ascii_lowercase().as_str() {
                "name" => name = name.or(Some(value)),
                "filename" => plain = plain.or(Some(value)),
                "filename*" => encoded = encoded.or(Some(value)),
                _ => {}
            }
        }
        let readable = encoded.as_deref().and_then(decoded);
        Self {
            name: name.unwrap_or_default().into_owned(),
            file_name: readable
                .or_else(|| plain.map(without_escapes))
                .or_else(|| encoded.map(|_| String::new())),
        }
    }
}

/// Header values are UTF-8 today and were Latin-1 once.
fn text(value: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(value).map_or_else(|_| latin1(value).into(), Cow::Borrowed)
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

struct Parameter<'v> {
    key: &'v str,
    value: Cow<'v, str>,
}

/// The next parameter, and what stands behind it.
fn parameter(rest: &str) -> Option<(Parameter<'_>, &str)> {
    let rest = rest.trim_start_matches([';', ' ', '\t']);
    if rest.is_empty() {
        return None;
    }
    let end = rest.find(['=', ';']).unwrap_or(rest.len());
    let (key, behind) = rest.split_at(end);
    let key = key.trim();
    let Some(value) = behind.strip_prefix('=') else {
        let value = Cow::Borrowed("");
        return Some((Parameter { key, value }, behind));
    };
    let value = value.trim_start();
    let (value, rest) = if let Some(quoted) = value.strip_prefix('"') {
        unquoted(quoted)
    } else {
        let end = value.find(';').unwrap_or(value.len());
        let (value, rest) = value.split_at(end);
        (Cow::Borrowed(value.trim_end()), rest)
    };
    Some((Parameter { key, value }, rest))
}

/// A quoted value from behind its first quote, and what follows it. Clients on Windows write the
/// backslashes of a path as they are, so only that before a quote or another backslash is an escape.
fn unquoted(quoted: &str) -> (Cow<'_, str>, &str) {
    let mut value = String::new();
    let mut rest = quoted;
    while let Some(at) = rest.find(['"', '\\']) {
        let (before, special) = rest.split_at(at);
        value.push_str(before);
        if let Some(behind) = special.strip_prefix('"') {
            // Whatever stands between the quote and the next semicolon belongs to nothing.
            let next = behind.find(';').unwrap_or(behind.len());
            return (value.into(), behind.get(next..).unwrap_or_default());
        }
        let escaped = special
            .get(1..2)
            .filter(|next| matches!(*next, "\"" | "\\"));
        value.push_str(escaped.unwrap_or("\\"));
        let taken = if escaped.is_some() { 2 } else { 1 };
        rest = special.get(taken..).unwrap_or_default();
    }
    value.push_str(rest);
    (value.into(), "")
}

/// An encoded value, `charset'language'text`, in the two character sets that the RFCs know.
fn decoded(value: &str) -> Option<String> {
    let (charset, value) = value.split_once('\'')?;
    let (_, value) = value.split_once('\'')?;
    let bytes = unescaped(value);
    match charset.to_ascii_lowercase().as_str() {
        "utf-8" => String::from_utf8(bytes).ok(),
        "iso-8859-1" => Some(latin1(&bytes)),
        _ => None,
    }
}

/// A plain name without the escapes that clients put there: browsers write a quote as `%22`, and some
/// clients escape a whole name in UTF-8.
fn without_escapes(plain: Cow<'_, str>) -> String {
    if !plain.contains('%') {
        return plain.into_owned();
    }
    let unescaped = String::from_utf8(unescaped(&plain)).ok();
    let is_escaped = |name: &String| plain.is_ascii() && !name.is_ascii();
    unescaped
        .filter(is_escaped)
        .unwrap_or_else(|| plain.replace("%22", "\""))
}

/// The bytes of a text with `%XX` in it; what is no such escape stays.
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'%');
        let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let code = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = after
            .get(if code.is_some() { 2 } else { 0 }..)
            .unwrap_or_default();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &[u8]) -> (String, Option<String>) {
        let read = ContentDisposition::parse(value);
        (read.name, read.file_name)
    }

    /// A value, the field's name, and the file's.
    const NAMES: [(&[u8], &str, Option<&str>); 27] = [
        (b"", "", None),
        (b"form-data", "", None),
        (b"form-data; name=\"a\"", "a", None),
        (b"form-data; name=a; x=y", "a", None),
        (
            b"form-data;Name = a ;FileName = b c.txt ",
            "a",
            Some("b c.txt"),
        ),
        (b"form-data; name=\"a\"; filename=\"\"", "a", Some("")),
        (
            b"form-data; filename=\"x; name=evil\"; name=\"file\"",
            "file",
            Some("x; name=evil"),
        ),
        (
            b"form-data; name=\"a\"; filename=\"say \\\"hi\\\".txt\"",
            "a",
            Some("say \"hi\".txt"),
        ),
        (
            b"form-data; name=\"a\"; filename=\"say %22hi%22.txt\"",
            "a",
            Some("say \"hi\".txt"),
        ),
        (
            b"form-data; name=\"a\"; filename=\"100%25.txt\"",
            "a",
            Some("100%25.txt"),
        ),
        (
            b"form-data; name=\"a\"; filename=\"%D0%B0.txt\"",
            "a",
            Some("\u{430}.txt"),
        ),
        (
            b"form-data; name=\"a\"; filename=\"%E4.txt\"",
            "a",
            Some("%E4.txt"),
        ),
        (
            br#"form-data; name="a"; filename="C:\Users\me\b.txt""#,
            "a",
            Some(r"C:\Users\me\b.txt"),
        ),
        (
            br#"form-data; name="a"; filename="C:\\b.txt"; x=y"#,
            "a",
            Some(r"C:\b.txt"),
        ),
        (b"form-data; name=\"a\"; filename=\"open", "a", Some("open")),
        (
            b"form-data; name=\"a\"; filename=\"\xc3\xa4.txt\"",
            "a",
            Some("\u{e4}.txt"),
        ),
        (
            b"form-data; name=\"a\"; filename=\"\xe4.txt\"",
            "a",
            Some("\u{e4}.txt"),
        ),
        (
            b"form-data; filename*=utf-8''%D0%B0%2Etxt; name=file",
            "file",
            Some("\u{430}.txt"),
        ),
        (
            b"form-data; name=f; FileName*=\"UTF-8'en'%zz%2\"",
            "f",
            Some("%zz%2"),
        ),
        (
            b"form-data; name=f; filename*=ISO-8859-1''Bericht%20%E4.pdf",
            "f",
            Some("Bericht \u{e4}.pdf"),
        ),
        (
            b"form-data; name=f; filename*=iso-8859-1'de'%A3.pdf; filename=\"x.pdf\"",
            "f",
            Some("\u{a3}.pdf"),
        ),
        (
            b"form-data; name=f; filename=\"x.pdf\"; filename*=UTF-8''%C3%A4.pdf",
            "f",
            Some("\u{e4}.pdf"),
        ),
        (
            b"form-data; name=f; filename=\"\xe4.pdf\"; filename*=UTF-8''%C3%A4.pdf",
            "f",
            Some("\u{e4}.pdf"),
        ),
        (
            b"form-data; name=f; filename*=koi8-r''%C1; filename=\"x.pdf\"",
            "f",
            Some("x.pdf"),
        ),
        (
            b"form-data; name=f; filename=\"x.pdf\"; filename*=utf-8''%ff",
            "f",
            Some("x.pdf"),
        ),
        (b"form-data; name=f; filename*=koi8-r''%C1", "f", Some("")),
        (b"form-data; name=f; filename*", "f", Some("")),
    ];

    #[test]
    fn names_are_read_in_all_their_forms() {
        for (value, name, file_name) in NAMES {
            let expected = (name.to_owned(), file_name.map(str::to_owned));
            assert_eq!(read(value), expected, "{}", latin1(value));
        }
    }

    proptest::proptest! {
        #[test]
        fn no_value_makes_the_reader_panic(value: Vec<u8>, text in "[;=\"'\\\\ *%a-f\u{e4}filename]{0,60}") {
            let _ = read(&value);
            let _ = read(text.as_bytes());
        }

        #[test]
        fn a_quoted_name_is_read_as_it_was_written(name in "[^%]{0,40}") {
            let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
            let value = format!("form-data; name=\"f\"; filename=\"{quoted}\"; x=y");
            proptest::prop_assert_eq!(read(value.as_bytes()), ("f".to_owned(), Some(name)));
        }
    }
}

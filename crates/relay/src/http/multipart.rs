//! Forms with files (`multipart/form-data`), read part by part within bounds.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest as _};
use bytes::{Bytes, BytesMut};
use http::header;
use http::request::Parts;
use serde_json::{Map, Value};
use translate::dialect::openai::media::files;
use translate::failure::{Failure, Kind};
use translate::quote::quote;

use crate::http::content_disposition::ContentDisposition;
use crate::http::deployment::Deployment;
use crate::http::reply;

/// Parts of one form.
const PARTS_MAX: usize = 64;

/// Bytes of one part that is not a file.
const FIELD_BYTES_MAX: usize = 64 * 1024;

/// Bytes that a form may have beside its files.
const FIELDS_BYTES_MAX: u64 = (PARTS_MAX * FIELD_BYTES_MAX) as u64;

/// Bytes that a form with one file has beside it, about: an announced length beyond the file's
/// limit and these is refused before the body is read.
pub const SMALL_FIELDS_BYTES: u64 = FIELD_BYTES_MAX as u64;

/// A file of a form, small enough to be held.
#[derive(Debug, Clone)]
pub struct FormFile {
    /// The name of its field.
    pub field: String,
    /// Its own name; none if the client gave none.
    pub file_name: Option<String>,
    /// Its type, as the client claims.
    pub mime: Option<String>,
    /// Its bytes.
    pub bytes: Bytes,
}

/// A form that was read whole.
#[derive(Debug, Default)]
pub struct Form {
    /// Its texts. A name that came more than once, or ends with `[]` or `[0]`, is a list.
    pub fields: Map<String, Value>,
    /// Its files, in order.
    pub files: Vec<FormFile>,
}

/// A form, read part by part.
pub struct FormReader {
    multipart: Multipart,
    parts: usize,
}

impl FormReader {
    /// Begins to read the form in a request's body.
    ///
    /// # Errors
    /// The request has none.
    pub async fn new(head: Parts, body: Body) -> Result<Self, Failure> {
        let body = Body::new(FrameByFrame {
            body,
            yielded: false,
        });
        let mut request = http::Request::from_parts(head, body);
        // Who reads a form counts what it takes.
        DefaultBodyLimit::disable().apply(&mut request);
        let multipart = Multipart::from_request(request, &()).await;
        let multipart = multipart.map_err(|_| {
            let message = "This endpoint takes a form: send multipart/form-data with the file and the parameters as parts.";
            Failure::new(Kind::Invalid, message)
        })?;
        Ok(Self {
            multipart,
            parts: 0,
        })
    }

    /// The next part; none at the form's end. What is left of the part before is passed over.
    ///
    /// # Errors
    /// Too many parts, or a form that cannot be read on.
    pub async fn next(&mut self) -> Result<Option<FormPart<'_>>, Failure> {
        let Some(field) = self.multipart.next_field().await.map_err(broken)? else {
            return Ok(None);
        };
        self.parts += 1;
        if self.parts > PARTS_MAX {
            let message = format!("The form has more than {PARTS_MAX} parts.");
            return Err(Failure::new(Kind::Invalid, message));
        }
        Ok(Some(FormPart::new(field)))
    }
}

/// One part of a form.
pub struct FormPart<'f> {
    field: Field<'f>,
    disposition: ContentDisposition,
}

impl<'f> FormPart<'f> {
    fn new(field: Field<'f>) -> Self {
        let disposition = field.headers().get(header::CONTENT_DISPOSITION);
        let disposition = disposition.map(|value| ContentDisposition::parse(value.as_bytes()));
        Self {
            field,
            disposition: disposition.unwrap_or_default(),
        }
    }

    /// The name of its field.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.disposition.name
    }

    /// Whether it says that it is a file: by a file's name, or by a type that no text has.
    #[must_use]
    pub fn is_file(&self) -> bool {
        self.disposition.file_name.is_some() || self.content_type().is_some_and(is_media)
    }

    /// The name of the file that it is, as it can be shown and kept; none if it has none.
    #[must_use]
    pub fn file_name(&self) -> Option<String> {
        let given = self.disposition.file_name.as_deref();
        given
            .filter(|given| !given.is_empty())
            .map(files::file_name)
    }

    /// Its type, as the client claims.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.field.content_type()
    }

    /// Its next bytes; none at its end.
    ///
    /// # Errors
    /// A form that cannot be read on.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Failure> {
        self.field.chunk().await.map_err(broken)
    }

    /// Its text.
    ///
    /// # Errors
    /// Too long, not UTF-8, or broken.
    pub async fn text(&mut self) -> Result<String, Failure> {
        let mut bytes = Vec::new();
        while let Some(piece) = self.chunk().await? {
            bytes.extend_from_slice(&piece);
            if bytes.len() > FIELD_BYTES_MAX {
                let reason = format!("has more than {FIELD_BYTES_MAX} bytes");
                return Err(self.invalid(&reason));
            }
        }
        String::from_utf8(bytes).map_err(|_| self.invalid("is not text in UTF-8"))
    }

    fn invalid(&self, reason: &str) -> Failure {
        let name = quote(self.name());
        let message = format!("`{name}` {reason}.");
        Failure::invalid(name, message)
    }

    /// All of its bytes; none if they are more than there is room for.
    async fn bytes(&mut self, room: &mut usize) -> Result<Option<Bytes>, Failure> {
        let mut bytes = BytesMut::new();
        while let Some(piece) = self.chunk().await? {
            let Some(left) = room.checked_sub(piece.len()) else {
                return Ok(None);
            };
            *room = left;
            bytes.extend_from_slice(&piece);
        }
        Ok(Some(bytes.freeze()))
    }

    /// It as a file of these bytes.
    fn file(&self, bytes: Bytes) -> FormFile {
        FormFile {
            field: plain(self.name()).to_owned(),
            file_name: self.file_name(),
            mime: self.content_type().map(str::to_owned),
            bytes,
        }
    }

    /// What a page's form sends for a field of files that was left empty.
    fn is_left_empty(&self, bytes: &Bytes) -> bool {
        bytes.is_empty() && self.disposition.file_name.as_deref() == Some("")
    }
}

/// Reads a whole form whose files have at most so many bytes together. What stands in one of the
/// `file_fields` is a file without being named as one, unless it is text, such as an address.
///
/// # Errors
/// There is none, or it is too large or broken.
pub async fn read(
    head: Parts,
    body: Body,
    max: usize,
    file_fields: &[&str],
) -> Result<Form, Failure> {
    let announced = reply::announced(&head.headers);
    if announced.is_some_and(|length| length > max as u64 + FIELDS_BYTES_MAX) {
        return Err(too_large(max));
    }
    let deployment = head.extensions.get::<Deployment>().cloned();
    let mut reader = FormReader::new(head, body).await?;
    let mut form = Form::default();
    let mut room = max;
    while let Some(mut part) = reader.next().await? {
        let is_file = part.is_file();
        if !is_file && !file_fields.contains(&plain(part.name())) {
            let text = part.text().await?;
            form.insert(part.name(), text);
            continue;
        }
        let bytes = part.bytes(&mut room).await?;
        let bytes = bytes.ok_or_else(|| too_large(max))?;
        match std::str::from_utf8(&bytes) {
            Ok(text) if !is_file && is_plain(text) => form.insert(part.name(), text.to_owned()),
            _ if part.is_left_empty(&bytes) => {}
            _ => form.files.push(part.file(bytes)),
        }
    }
    form.use_model_of(deployment);
    Ok(form)
}

/// A field's name without the sign that it is one of a list: `[]`, or a number in brackets.
fn plain(name: &str) -> &str {
    let bracketed = name
        .strip_suffix(']')
        .and_then(|name| name.rsplit_once('['));
    match bracketed {
        Some((plain, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => plain,
        _ => name,
    }
}

impl Form {
    /// Gives it the model that the URL names, if it names one.
    pub fn use_model_of(&mut self, deployment: Option<Deployment>) {
        if let Some(Deployment(model)) = deployment {
            self.fields.insert("model".to_owned(), model.into());
        }
    }

    /// Takes in a text.
    pub fn insert(&mut self, name: &str, value: String) {
        let value = Value::from(value);
        let plain = plain(name);
        match self.fields.get_mut(plain) {
            None if plain != name => {
                self.fields
                    .insert(plain.to_owned(), Value::Array(vec![value]));
            }
            None => {
                self.fields.insert(plain.to_owned(), value);
            }
            Some(Value::Array(list)) => list.push(value),
            Some(one) => *one = Value::Array(vec![one.take(), value]),
        }
    }
}

/// Whether a part of this type is no text, whatever else it is.
fn is_media(content_type: &str) -> bool {
    let (family, _) = content_type.split_once('/').unwrap_or_default();
    ["image", "audio", "video"].contains(&family.trim().to_ascii_lowercase().as_str())
}

/// Whether a text has only characters that texts are written in.
fn is_plain(text: &str) -> bool {
    text.chars().all(|c| !c.is_control() || c.is_whitespace())
}

/// A form that cannot be read on.
#[expect(clippy::needless_pass_by_value, reason = "it is what map_err gives")]
fn broken(error: MultipartError) -> Failure {
    Failure::new(
        Kind::Invalid,
        "The form cannot be read: it broke off, or its parts are not delimited as its Content-Type says.",
    )
    .with_detail(error.body_text())
}

fn too_large(max: usize) -> Failure {
    let message = format!(
        "The files of the form have more than {} MiB (MAX_BODY_MB).",
        max / (1024 * 1024)
    );
    Failure::new(Kind::TooLarge, message)
}

/// A body that gives one frame and then yields until it is polled again. The parser of forms takes
/// all that is ready before it gives any of it out: of a fast client that would be the whole file.
struct FrameByFrame {
    body: Body,
    yielded: bool,
}

impl http_body::Body for FrameByFrame {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        if std::mem::take(&mut self.yielded) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
        self.yielded = true;
        Poll::Ready(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A form with these parts, in the body of a request.
    fn form(parts: &[(&str, &[u8])]) -> (Parts, Body) {
        let mut body = Vec::new();
        for (name, value) in parts {
            let head = format!("--cut\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(value);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--cut--\r\n");
        let request = http::Request::post("/")
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=cut")
            .body(Body::from(body))
            .unwrap();
        request.into_parts()
    }

    #[tokio::test]
    async fn a_field_that_is_too_long_or_not_text_is_refused_by_its_name() {
        let long = vec![b'a'; FIELD_BYTES_MAX + 1];
        for value in [long.as_slice(), &[0xff]] {
            let (head, body) = form(&[("model", b"whisper-1"), ("prompt", value)]);
            let failure = read(head, body, 1024, &[]).await.unwrap_err();
            assert_eq!(failure.kind, Kind::Invalid);
            assert_eq!(failure.param.as_deref(), Some("prompt"));
            assert!(failure.message.starts_with("`prompt` "), "{failure:?}");
            assert!(failure.message.len() < 200, "{failure:?}");
        }
        let (head, body) = form(&[("prompt", long.get(1..).unwrap())]);
        assert!(read(head, body, 1024, &[]).await.is_ok());
    }

    /// The form of one part with these headers, whose fields `file` and `image` are files.
    async fn form_of_part(headers: &str, value: &[u8]) -> Form {
        let head = format!("--cut\r\nContent-Disposition: form-data; {headers}\r\n\r\n");
        let body = [head.as_bytes(), value, b"\r\n--cut--\r\n"].concat();
        let request = http::Request::post("/")
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=cut")
            .body(Body::from(body))
            .unwrap();
        let (head, body) = request.into_parts();
        read(head, body, 1024, &["file", "image"]).await.unwrap()
    }

    #[tokio::test]
    async fn a_file_has_its_name_in_whichever_form_it_came() {
        let encoded = "filename*=UTF-8''Bericht%20%C3%A4.pdf";
        for (names, expected) in [
            ("filename=\"a.pdf\"".to_owned(), Some("a.pdf")),
            (encoded.to_owned(), Some("Bericht \u{e4}.pdf")),
            (
                format!("filename=\"a.pdf\"; {encoded}"),
                Some("Bericht \u{e4}.pdf"),
            ),
            (
                "filename*=ISO-8859-1''%E4.pdf".to_owned(),
                Some("\u{e4}.pdf"),
            ),
            ("x=y".to_owned(), None),
        ] {
            let form = form_of_part(&format!("name=\"file\"; {names}"), b"abc").await;
            let name = form
                .files
                .first()
                .and_then(|file| file.file_name.as_deref());
            assert_eq!(name, expected, "{names}");
            assert_eq!(
                form.fields.contains_key("file"),
                expected.is_none(),
                "{names}"
            );
        }
    }

    #[tokio::test]
    async fn bytes_are_a_file_without_a_name_too() {
        let png = b"\x89PNG\r\n\x1a\n";
        for (headers, value, is_file) in [
            ("name=\"image\"", png.as_slice(), true),
            ("name=\"image[]\"\r\nContent-Type: image/png", png, true),
            ("name=\"other\"\r\nContent-Type: Image/PNG", png, true),
            (
                "name=\"file\"\r\nContent-Type: application/octet-stream",
                b"a\0b",
                true,
            ),
            ("name=\"image\"", b"https://example.org/a.png", false),
            (
                "name=\"image\"\r\nContent-Type: application/octet-stream",
                b"data:image/png;base64,AAAA\n",
                false,
            ),
            ("name=\"other\"\r\nContent-Type: text/plain", b"abc", false),
            ("name=\"image\"", b"", false),
        ] {
            let form = form_of_part(headers, value).await;
            let counted = (form.files.len(), form.fields.len());
            assert_eq!(counted, if is_file { (1, 0) } else { (0, 1) }, "{headers}");
            assert!(form.files.iter().all(|file| file.file_name.is_none()));
        }
        let empty = "name=\"image\"; filename=\"\"\r\nContent-Type: application/octet-stream";
        let form = form_of_part(empty, b"").await;
        assert_eq!((form.files.len(), form.fields.len()), (0, 0));
        assert_eq!(form_of_part(empty, png).await.files.len(), 1);
    }

    #[tokio::test]
    async fn a_form_has_a_limit_of_parts() {
        for (parts, is_read) in [(PARTS_MAX, true), (PARTS_MAX + 1, false)] {
            let (head, body) = form(&vec![("n", b"1".as_slice()); parts]);
            assert_eq!(
                read(head, body, 1024, &[]).await.is_ok(),
                is_read,
                "{parts}"
            );
        }
    }
}

//! Forms with files (`multipart/form-data`), read part by part within bounds.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest as _};
use bytes::{Bytes, BytesMut};
use http::request::Parts;
use serde_json::{Map, Value};
use translate::failure::{Failure, Kind};

use crate::http::reply;

/// Parts of one form.
const MAX_PARTS: usize = 64;

/// Bytes of one part that is no file.
const MAX_FIELD: usize = 64 * 1024;

/// A file of a form, small enough to be held.
#[derive(Debug, Clone)]
pub struct Part {
    /// The name of its field.
    pub field: String,
    /// Its own name.
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
    pub files: Vec<Part>,
}

/// Begins to read a form.
///
/// # Errors
/// The request is none.
pub async fn multipart(head: Parts, body: Body) -> Result<Multipart, Failure> {
    let body = Body::new(OneByOne { body, rests: false });
    let mut request = http::Request::from_parts(head, body);
    // Who reads a form counts what it takes.
    DefaultBodyLimit::disable().apply(&mut request);
    Multipart::from_request(request, &()).await.map_err(|_| {
        let message = "This endpoint takes a form: send multipart/form-data with the file and the parameters as parts.";
        Failure::new(Kind::Invalid, message)
    })
}

/// Reads a whole form whose files have at most so many bytes together.
///
/// # Errors
/// It is none, too large, or broken.
pub async fn read(head: Parts, body: Body, max: usize) -> Result<Form, Failure> {
    let most = max.saturating_add(MAX_PARTS * MAX_FIELD) as u64;
    if reply::announced(&head.headers).is_some_and(|length| length > most) {
        return Err(too_large(max));
    }
    let mut multipart = multipart(head, body).await?;
    let mut form = Form::default();
    let mut room = max;
    for _ in 0..MAX_PARTS {
        let Some(mut field) = multipart.next_field().await.map_err(broken)? else {
            return Ok(form);
        };
        let name = field.name().unwrap_or_default().to_owned();
        if field.file_name().is_none() {
            form.text(&name, text(&mut field).await?);
        } else {
            let file = file(&mut field, &mut room).await?;
            form.files.push(file.ok_or_else(|| too_large(max))?);
        }
    }
    Err(Failure::new(
        Kind::Invalid,
        format!("The form has more than {MAX_PARTS} parts."),
    ))
}

/// A part that is a file; none if it has more bytes than there is room for.
async fn file(field: &mut Field<'_>, room: &mut usize) -> Result<Option<Part>, Failure> {
    let mut bytes = BytesMut::new();
    while let Some(piece) = field.chunk().await.map_err(broken)? {
        let Some(left) = room.checked_sub(piece.len()) else {
            return Ok(None);
        };
        *room = left;
        bytes.extend_from_slice(&piece);
    }
    let name = field.name().unwrap_or_default();
    Ok(Some(Part {
        field: plain(name).to_owned(),
        file_name: field.file_name().map(str::to_owned),
        mime: field.content_type().map(str::to_owned),
        bytes: bytes.freeze(),
    }))
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
    /// Takes in a text.
    pub fn text(&mut self, name: &str, value: String) {
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

/// The text of a part.
///
/// # Errors
/// Too long, no UTF-8, or broken.
pub async fn text(field: &mut Field<'_>) -> Result<String, Failure> {
    let name = field.name().unwrap_or_default().to_owned();
    let mut bytes = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(broken)? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > MAX_FIELD {
            return Err(Failure::invalid(
                name,
                format!("A parameter has more than {MAX_FIELD} bytes."),
            ));
        }
    }
    String::from_utf8(bytes)
        .map_err(|_| Failure::invalid(name, "A parameter is not text in UTF-8."))
}

/// A form that cannot be read on.
#[must_use]
#[expect(clippy::needless_pass_by_value, reason = "it is what map_err gives")]
pub fn broken(error: MultipartError) -> Failure {
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

/// A body that gives one frame and then rests until it is asked again. The parser of forms takes
/// all that is ready before it gives any of it out: of a fast client that would be the whole file.
struct OneByOne {
    body: Body,
    rests: bool,
}

impl http_body::Body for OneByOne {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        if std::mem::take(&mut self.rests) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
        self.rests = true;
        Poll::Ready(frame)
    }
}

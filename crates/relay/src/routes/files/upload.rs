//! An upload's form, read as it comes: the file goes to the store piece by piece, whatever its
//! place among the fields.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::FromRequest as _;
use axum::extract::multipart::{Field, Multipart, MultipartError};
use bytes::Bytes;
use http::header;
use translate::dialect::openai::media::files::{self as wire, Form};
use translate::failure::{Failure, Kind};

use crate::account::Identity;
use crate::app::Relay;
use crate::endpoint::Asked;
use crate::files::{File, Files, Upload};

/// Fields of one form.
const MAX_FIELDS: usize = 32;

/// Bytes of one field that is no file.
const MAX_FIELD: usize = 64 * 1024;

/// How long a refused upload is still read, so that a client that writes before it reads gets its
/// answer instead of a broken connection; and how much of it.
const DRAIN_TIME: Duration = Duration::from_secs(20);
const DRAINED: usize = 1 << 30;

/// Takes the file of a form into the store.
///
/// # Errors
/// What is wrong with the key, the form or the file, or the store. Nothing is kept then.
pub(super) async fn take(relay: &Relay, asked: Asked) -> Result<(String, File), Failure> {
    let files = &relay.files;
    let owner = asked.owner;
    let announced = asked.head.headers.get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let known = relay.known_keys.check(&asked.caller.key, owner).await;
    let mut form = multipart(asked).await?;
    let taken = if let Err(unknown) = known {
        Err(unknown)
    } else if announced.is_some_and(|length| length > files.max() + MAX_FIELD as u64) {
        Err(crate::files::too_large(files.max()))
    } else {
        read(files, owner, &mut form).await
    };
    if taken.is_err() {
        let _ = tokio::time::timeout(DRAIN_TIME, drain(&mut form)).await;
    }
    taken
}

async fn multipart(asked: Asked) -> Result<Multipart, Failure> {
    let body = Body::new(OneByOne {
        body: asked.body,
        rests: false,
    });
    let request = http::Request::from_parts(asked.head, body);
    Multipart::from_request(request, &()).await.map_err(|_| {
        Failure::new(
            Kind::Invalid,
            "An upload is a form: send it as multipart/form-data with the parts `file` and `purpose`.",
        )
    })
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

async fn read(
    files: &Files,
    owner: Identity,
    multipart: &mut Multipart,
) -> Result<(String, File), Failure> {
    let mut form = Form::default();
    let mut file: Option<(Upload<'_>, String, Option<String>)> = None;
    let mut fields = 0;
    while let Some(field) = multipart.next_field().await.map_err(broken)? {
        fields += 1;
        if fields > MAX_FIELDS {
            let message = format!("The form has more than {MAX_FIELDS} parts.");
            return Err(Failure::new(Kind::Invalid, message));
        }
        let name = field.name().unwrap_or_default().to_owned();
        if name != "file" {
            let value = text(field).await?;
            form.field(&name, &value)?;
        } else if file.is_some() {
            return Err(Failure::invalid(
                "file",
                "The form has two parts named `file`: upload one file at a time.",
            ));
        } else {
            let (file_name, mime) = (file_name(&field), field.content_type().map(str::to_owned));
            let upload = stored(files.begin(owner).await?, field).await?;
            file = Some((upload, file_name, mime));
        }
    }
    let (upload, name, mime) = file.ok_or_else(|| form.no_file())?;
    upload.finish(name, mime, form.wanted()?).await
}

async fn stored<'f>(mut upload: Upload<'f>, mut field: Field<'_>) -> Result<Upload<'f>, Failure> {
    while let Some(bytes) = field.chunk().await.map_err(broken)? {
        upload.write(bytes).await?;
    }
    Ok(upload)
}

/// A field's text. What is too long or no text is cut or replaced: no field that means something
/// is either.
async fn text(mut field: Field<'_>) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(broken)? {
        let room = MAX_FIELD - bytes.len();
        bytes.extend(piece.iter().take(room));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn file_name(field: &Field<'_>) -> String {
    let disposition = field.headers().get(header::CONTENT_DISPOSITION);
    let disposition = disposition.and_then(|value| value.to_str().ok());
    wire::file_name(disposition.unwrap_or_default(), field.file_name())
}

async fn drain(multipart: &mut Multipart) {
    let mut left = DRAINED;
    while let Ok(Some(mut field)) = multipart.next_field().await {
        while let Ok(Some(bytes)) = field.chunk().await {
            left = left.saturating_sub(bytes.len());
            if left == 0 {
                return;
            }
        }
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what a failed read gives"
)]
fn broken(error: MultipartError) -> Failure {
    Failure::new(
        Kind::Invalid,
        "The form cannot be read: it broke off, or its parts are not delimited as its Content-Type says.",
    )
    .with_detail(error.body_text())
}

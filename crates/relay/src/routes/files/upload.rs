//! An upload's form, read as it comes: the file goes to the store piece by piece, whatever its
//! place among the fields.

use axum::extract::multipart::{Field, Multipart};
use http::header;
use translate::dialect::openai::media::files::{self as wire, Form};
use translate::failure::{Failure, Kind};

use crate::access::account_id::AccountId;
use crate::app::Relay;
use crate::http::admit::AdmittedRequest;
use crate::http::multipart::{self, broken};
use crate::http::reply;
use crate::objects::files::{File, Files, Upload};

/// Fields of one form.
const MAX_FIELDS: usize = 32;

/// Bytes of one field that is no file.
const MAX_FIELD: usize = 64 * 1024;

/// Takes the file of a form into the store.
///
/// # Errors
/// What is wrong with the key, the form or the file, or the store. Nothing is kept then.
pub(super) async fn take(relay: &Relay, asked: AdmittedRequest) -> Result<(String, File), Failure> {
    let files = &relay.files;
    let owner = asked.owner;
    if reply::announced(&asked.head.headers)
        .is_some_and(|length| length > files.max() + MAX_FIELD as u64)
    {
        return Err(crate::objects::files::too_large(files.max()));
    }
    relay.known_keys.check(&asked.caller.key, owner).await?;
    let form = multipart::multipart(asked.head, asked.body).await;
    let mut form = form.map_err(|_| {
        Failure::new(
            Kind::Invalid,
            "An upload is a form: send it as multipart/form-data with the parts `file` and `purpose`.",
        )
    })?;
    read(files, owner, &mut form).await
}

async fn read(
    files: &Files,
    owner: AccountId,
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

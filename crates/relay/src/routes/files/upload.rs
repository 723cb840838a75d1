//! An upload's form, read as it comes: the file goes to the store piece by piece, whatever its
//! place among the fields.

use translate::dialect::openai::media::files::Form;
use translate::failure::{Failure, Kind};

use crate::access::Access;
use crate::access::account_id::AccountId;
use crate::failure::file_too_large;
use crate::http::admit::AdmittedRequest;
use crate::http::multipart::{FormPart, FormReader, SMALL_FIELDS_BYTES};
use crate::http::reply;
use crate::objects::files::{File, FileDetails, Files, Upload};
use crate::uploads::file_type;

/// Takes the file of a form into the store.
///
/// # Errors
/// What is wrong with the key, the form or the file, or the store. Nothing is kept then.
pub(super) async fn take(
    access: &Access,
    files: &Files,
    asked: AdmittedRequest,
) -> Result<(String, File), Failure> {
    let owner = asked.caller.id;
    let announced = reply::announced(&asked.head.headers);
    if announced.is_some_and(|length| length > files.max() + SMALL_FIELDS_BYTES) {
        return Err(file_too_large(files.max()));
    }
    access.require_known(&asked.payer).await?;
    let form = FormReader::new(asked.head, asked.body).await;
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
    reader: &mut FormReader,
) -> Result<(String, File), Failure> {
    let mut form = Form::default();
    let mut file: Option<(Upload<'_>, String, Option<String>)> = None;
    while let Some(mut part) = reader.next().await? {
        if part.name() != "file" {
            let value = part.text().await?;
            form.field(part.name(), &value)?;
        } else if file.is_some() {
            return Err(Failure::invalid(
                "file",
                "The form has two parts named `file`: upload one file at a time.",
            ));
        } else {
            let given = part.file_name();
            let mime = part.content_type().map(str::to_owned);
            let beginning = part.chunk().await?.unwrap_or_default();
            let name =
                given.unwrap_or_else(|| file_type::name_without_one(mime.as_deref(), &beginning));
            let mut upload = files.begin(owner).await?;
            upload.write(beginning).await?;
            file = Some((store(upload, part).await?, name, mime));
        }
    }
    let (upload, name, mime) = file.ok_or_else(|| form.no_file())?;
    let wanted = form.wanted()?;
    let details = FileDetails {
        name,
        mime,
        purpose: wanted.purpose.to_owned(),
        life: wanted.life,
    };
    upload.finish(details).await
}

async fn store<'f>(mut upload: Upload<'f>, mut part: FormPart<'_>) -> Result<Upload<'f>, Failure> {
    while let Some(bytes) = part.chunk().await? {
        upload.write(bytes).await?;
    }
    Ok(upload)
}

//! Stored files: sent by `POST /api/assets`, and fetched by a signed URL or from the asset host.

pub(crate) mod address;
mod download;
mod file_name;
mod multipart;

use bytes::Bytes;
use http::HeaderValue;
use http_body::Body;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use serde_json::Value;

use crate::drift;
use crate::error::{Error, ProtocolError};
use crate::facts::Fact;
use crate::refusal::Refusal;
use crate::transport::{BoxError, Outgoing};
pub use address::expires_at;
pub(crate) use address::of_path;
pub use download::Download;
use multipart::Part;

/// A file to be stored.
#[derive(Debug)]
pub struct Upload {
    /// Its name. What is dangerous in it is taken out, and an extension is added if it has none:
    /// upstream refuses files without.
    pub file_name: String,
    /// Its type. Markdown is sent as plain text: upstream refuses it under its own name.
    pub mime: String,
    /// Its size in bytes, if known.
    pub length: Option<u64>,
    /// Its bytes, sent as they come and never held whole.
    pub body: UploadBody,
}

/// The bytes of an [`Upload`].
#[derive(Debug)]
pub struct UploadBody(UnsyncBoxBody<Bytes, BoxError>);

impl UploadBody {
    /// Bytes that come from somewhere.
    pub fn new<B>(body: B) -> Self
    where
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        Self(body.map_err(Into::into).boxed_unsync())
    }
}

impl Upload {
    /// A file that is all here.
    #[must_use]
    pub fn from_bytes(file_name: String, mime: String, bytes: Bytes) -> Self {
        Self {
            file_name,
            mime,
            length: Some(bytes.len() as u64),
            body: UploadBody::new(Full::new(bytes)),
        }
    }

    /// A file whose bytes are still coming.
    pub fn from_body<B>(file_name: String, mime: String, length: Option<u64>, body: B) -> Self
    where
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        Self {
            file_name,
            mime,
            length,
            body: UploadBody::new(body),
        }
    }

    /// The `content-type` and body of the request.
    pub(crate) fn into_body(self) -> Result<(HeaderValue, Outgoing), Error> {
        let mime = accepted_mime(&self.mime);
        let part = Part {
            name: "asset",
            file_name: &file_name::clean(&self.file_name, mime),
            mime,
            length: self.length,
        };
        let boundary = multipart::boundary();
        let content_type =
            HeaderValue::from_str(&format!("multipart/form-data; boundary={boundary}"))
                .map_err(|_| Error::Invalid("the upload cannot be sent"))?;
        let body = part.into_body(&boundary, self.body.0);
        Ok((content_type, Outgoing::Stream(body.boxed_unsync())))
    }
}

/// What became of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// Upstream says that it is deleted.
    Deleted,
    /// Upstream knows no such thing, or no way to delete it: it may still be there.
    NotThere,
}

/// The type under which upstream takes a file.
fn accepted_mime(mime: &str) -> &str {
    let essence = mime.split(';').next().unwrap_or_default().trim();
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
    let parts = essence.split_once('/');
    let is_mime = parts.is_some_and(|(kind, of)| {
        !kind.is_empty() && !of.is_empty() && kind.bytes().chain(of.bytes()).all(is_token)
    });
    if !is_mime {
        "application/octet-stream"
    } else if ["text/markdown", "text/x-markdown", "application/markdown"]
        .iter()
        .any(|m| essence.eq_ignore_ascii_case(m))
    {
        "text/plain"
    } else {
        essence
    }
}

/// A stored file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Where it is stored, relative to the asset host.
    pub path: String,
    /// Its id.
    pub uuid: String,
    /// Its size in bytes, as upstream counted.
    pub size: Option<u64>,
    /// Its type, as upstream took it.
    pub mime: Option<String>,
    /// Tokens of a document's text; zero or None for what is no text.
    pub tokens: Option<u64>,
}

impl Asset {
    /// What `attachments.images` and media features take.
    #[must_use]
    pub fn image_reference(&self) -> &str {
        &self.path
    }

    /// What `attachments.files` takes.
    #[must_use]
    pub fn file_reference(&self) -> &str {
        &self.uuid
    }
}

/// Reads the answer to an upload.
///
/// # Errors
/// The refusal it reports, or that it does not say where the file is.
pub(crate) fn stored(body: &[u8]) -> Result<Asset, Error> {
    let malformed = ProtocolError::Malformed("a stored file was expected");
    let answer: Value = serde_json::from_slice(body).map_err(|_| malformed.clone())?;
    let text = |places: &[&str]| {
        let found = places.iter().find_map(|place| {
            answer
                .pointer(place)?
                .as_str()
                .filter(|text| !text.is_empty())
        });
        found.map(str::to_owned)
    };
    let path = text(&["/fileContent/path", "/asset/key", "/asset/path"]);
    let uuid = text(&["/fileContent/uuid", "/asset/uuid", "/fileContent/id"]);
    let (Some(path), Some(uuid)) = (path, uuid) else {
        let reports = ["error", "errorCode", "message"]
            .iter()
            .any(|name| answer.get(*name).is_some());
        if reports {
            return Err(Refusal::from_body(None, body).into());
        }
        drift::count(Fact::AssetNames);
        return Err(malformed.into());
    };
    let documented = ["/asset/key", "/fileContent/path", "/fileContent/uuid"];
    if documented.iter().any(|place| text(&[*place]).is_none()) {
        drift::count(Fact::AssetNames);
    }
    Ok(Asset {
        path,
        uuid,
        size: answer.pointer("/asset/size").and_then(Value::as_u64),
        mime: text(&["/asset/mimetype"]),
        tokens: answer
            .pointer("/fileContent/metadata/token")
            .and_then(Value::as_u64),
    })
}

#[cfg(test)]
mod tests {
    use super::{accepted_mime, stored};
    use crate::{Error, RefusalKind};

    #[test]
    fn a_type_that_upstream_refuses_or_no_header_can_hold_is_replaced() {
        for (mime, sent) in [
            ("image/png", "image/png"),
            ("text/plain; charset=utf-8", "text/plain"),
            ("text/markdown; charset=utf-8", "text/plain"),
            ("Text/X-Markdown", "text/plain"),
            ("application/vnd.ms-excel", "application/vnd.ms-excel"),
            ("image/svg+xml", "image/svg+xml"),
            ("", "application/octet-stream"),
            ("image/", "application/octet-stream"),
            ("a/b\r\nx: y", "application/octet-stream"),
        ] {
            assert_eq!(accepted_mime(mime), sent, "{mime:?}");
        }
    }

    #[test]
    fn where_a_file_is_can_be_said_in_several_places() {
        let asset = stored(br#"{"asset":{"key":"images/a.png","uuid":"u"}}"#).unwrap();
        assert_eq!(
            (asset.image_reference(), asset.file_reference(), asset.size),
            ("images/a.png", "u", None)
        );
        assert!(matches!(
            stored(br#"{"asset":{}}"#),
            Err(Error::Protocol(_))
        ));
        assert!(matches!(stored(b"<html>"), Err(Error::Protocol(_))));
        let refused =
            stored(br#"{"success":false,"error":{"code":"UNSUPPORTED_FILE_TYPE","message":"no"}}"#);
        assert!(
            matches!(refused, Err(Error::Refused(r)) if r.kind == RefusalKind::UnsupportedFile)
        );
    }
}

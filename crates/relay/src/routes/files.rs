//! `/v1/files`: uploaded, listed, looked at, fetched and deleted.

mod upload;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Request, Uri};
use translate::dialect::anthropic;
use translate::dialect::list_query::ListQuery;
use translate::dialect::openai::media::files::{Deleted, FileObject, unknown};
use translate::dialect::openai::page::Page;
use translate::failure::Failure;

use crate::access::Access;
use crate::access::account_id::AccountId;
use crate::http::admit::{self, AdmittedRequest, speaks_anthropic};
use crate::http::reply;
use crate::objects::Objects;
use crate::objects::files::{File, Files};
use crate::store::page::PageQuery;

/// The most entries of a page, and as many as a page has if the client does not say.
const PAGE: usize = 10_000;

/// Takes a file in.
pub async fn create(
    State(access): State<Arc<Access>>,
    State(objects): State<Objects>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        &access,
        "files.create",
        request,
        async |asked: AdmittedRequest| {
            let speaks = asked.head.headers.clone();
            let (id, file) = upload::take(&access, &objects.files, asked).await?;
            Ok(file_response(&speaks, id, &file))
        },
    )
    .await
}

/// A page of the caller's files.
pub async fn list(
    State(access): State<Arc<Access>>,
    State(objects): State<Objects>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        &access,
        "files.list",
        request,
        async |asked: AdmittedRequest| {
            if speaks_anthropic(&asked.head.headers) {
                return for_anthropic(&objects.files, asked.caller.id, &asked.head.uri).await;
            }
            let query = query(&asked.head.uri, PAGE, PAGE)?;
            let (files, has_more) = objects
                .files
                .list(
                    asked.caller.id,
                    &page_query(&query),
                    query.purpose.as_deref(),
                )
                .await?;
            let objects = files
                .into_iter()
                .map(|(id, file)| (id.clone(), object(id, &file)));
            Ok(admit::json(&Page::new(objects.collect(), has_more)))
        },
    )
    .await
}

/// One file's entry.
pub async fn entry(
    State(access): State<Arc<Access>>,
    State(objects): State<Objects>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        &access,
        "files.get",
        request,
        async |asked: AdmittedRequest| {
            let file = objects.files.get(asked.caller.id, &id).await?;
            let file = file.ok_or_else(|| unknown(&id))?;
            Ok(file_response(&asked.head.headers, id, &file))
        },
    )
    .await
}

/// A file's entry as its client reads it.
fn file_response(headers: &HeaderMap, id: String, file: &File) -> Response {
    if speaks_anthropic(headers) {
        return reply::json(
            200,
            anthropic::files::entry(&anthropic_file(id, file.clone())),
        );
    }
    admit::json(&object(id, file))
}

/// A file as OpenAI's clients read it.
fn object(id: String, file: &File) -> FileObject {
    FileObject::new(
        id,
        file.name.clone(),
        file.purpose.clone(),
        file.bytes,
        file.created,
        file.expires,
    )
}

/// A file as Anthropic's clients read it.
fn anthropic_file(id: String, file: File) -> anthropic::files::File {
    anthropic::files::File {
        id,
        name: file.name,
        mime: file.mime,
        bytes: file.bytes,
        created: file.created,
        expires: file.expires,
    }
}

/// A page of the caller's files, or those that are asked for by their ids.
async fn for_anthropic(stored: &Files, owner: AccountId, uri: &Uri) -> Result<Response, Failure> {
    let query = uri.query().unwrap_or_default();
    let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).collect();
    let named = |name: &str| matches!(name, "ids" | "ids[]");
    let ids = pairs.iter().filter(|(name, _)| named(name));
    let ids: BTreeSet<&str> = ids.map(|(_, id)| id.as_ref()).collect();
    let mut files = Vec::new();
    if ids.is_empty() {
        let (standard, most) = anthropic::files::PAGE;
        let pairs = pairs.into_iter();
        let pairs = pairs.map(|(name, value)| anthropic::files::query(name, value));
        let query = ListQuery::read(pairs, standard, most)?;
        let (page, has_more) = stored.list(owner, &page_query(&query), None).await?;
        files.extend(page.into_iter().map(|(id, file)| anthropic_file(id, file)));
        return Ok(reply::json(200, anthropic::files::list(&files, has_more)));
    }
    for id in ids {
        let file = stored.get(owner, id).await?;
        files.extend(file.map(|file| anthropic_file(id.to_owned(), file)));
    }
    Ok(reply::json(200, anthropic::files::list(&files, false)))
}

/// Deletes a file.
pub async fn delete(
    State(access): State<Arc<Access>>,
    State(objects): State<Objects>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        &access,
        "files.delete",
        request,
        async |asked: AdmittedRequest| {
            if !objects.files.delete(asked.caller.id, &id).await? {
                return Err(unknown(&id));
            }
            if speaks_anthropic(&asked.head.headers) {
                return Ok(reply::json(200, anthropic::files::deleted(&id)));
            }
            Ok(admit::json(&Deleted::file(id)))
        },
    )
    .await
}

/// A file's bytes.
pub async fn content(
    State(access): State<Arc<Access>>,
    State(objects): State<Objects>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        &access,
        "files.content",
        request,
        async |asked: AdmittedRequest| sent(&objects.files, asked.caller.id, &id).await,
    )
    .await
}

/// A browser must save what others uploaded, and never show it as a page of this server's.
async fn sent(files: &Files, owner: AccountId, id: &str) -> Result<Response, Failure> {
    let file = files.get(owner, id).await?;
    let file = file.ok_or_else(|| unknown(id))?;
    let content = files.content(owner, id).await?;
    let content = content.ok_or_else(|| unknown(id))?;
    let mut response = Response::new(Body::from_stream(content.bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(content.size));
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    headers.insert(
        HeaderName::from_static("x-content-type-options"),
        HeaderValue::from_static("nosniff"),
    );
    if let Ok(disposition) = HeaderValue::try_from(disposition(&file.name)) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    Ok(response)
}

/// The name in both forms: for old clients in ASCII, for the others in full (RFC 6266).
fn disposition(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || " ._-()".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect();
    let full = name.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"._-".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    });
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{full}")
}

/// What a URL asks of a list.
///
/// # Errors
/// A value that means nothing.
pub(super) fn query(uri: &Uri, standard: usize, most: usize) -> Result<ListQuery, Failure> {
    let pairs = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    ListQuery::read(pairs, standard, most)
}

/// What of a list's query the store is asked for.
pub(super) fn page_query(query: &ListQuery) -> PageQuery {
    PageQuery {
        after: query.after.clone(),
        before: query.before.clone(),
        limit: query.limit,
        newest_first: query.newest_first,
    }
}

#[cfg(test)]
mod tests {
    use super::disposition;

    #[test]
    fn a_hostile_name_stays_within_its_header() {
        assert_eq!(
            disposition("a\"b;\u{e4}.txt"),
            "attachment; filename=\"a_b__.txt\"; filename*=UTF-8''a%22b%3B%C3%A4.txt"
        );
    }
}

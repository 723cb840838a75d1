//! What a feature answered: files, text, or that it is still at work.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::kind::Kind;
use crate::assets::address;
use crate::chat::{Accounting, record};
use crate::drift;
use crate::error::{Error, ProtocolError};
use crate::facts::Fact;
use crate::refusal::{Refusal, Report};

/// The result of a feature.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// Files that were made, in upstream's order.
    pub assets: Vec<ResultAsset>,
    /// Text that was made. Empty if a recording was silent.
    pub text: Option<String>,
    /// A file that came in place of a record. Documented for speech, never seen.
    pub inline: Option<Inline>,
    /// Parts of the result that are objects, as they came.
    pub objects: Vec<Value>,
    /// What the record says of the cost. Records of files have no `credits` so far; the movement
    /// of `used_credit` tells what they cost, one request late.
    pub accounting: Accounting,
}

/// A file that upstream made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResultAsset {
    /// Where it is stored, relative to the asset host; or a URL, should upstream give one.
    pub path: String,
    /// A signed URL of it, good for days. Upstream signs only the first file of a result.
    pub temporary_url: Option<String>,
}

/// A file in the answer itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inline {
    /// Its type.
    pub content_type: String,
    /// The file.
    pub bytes: Bytes,
}

impl ResultAsset {
    /// The file of a path without a signed URL.
    #[must_use]
    pub fn of_path(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            temporary_url: None,
        }
    }

    /// The last part of its path.
    #[must_use]
    pub fn file_name(&self) -> &str {
        let path = self.path.split(['?', '#']).next().unwrap_or_default();
        path.rsplit('/').next().unwrap_or_default()
    }

    /// The extension of its name, in small letters.
    #[must_use]
    pub fn extension(&self) -> Option<String> {
        let (_, extension) = self.file_name().rsplit_once('.')?;
        let plain = !extension.is_empty() && extension.bytes().all(|b| b.is_ascii_alphanumeric());
        plain.then(|| extension.to_ascii_lowercase())
    }
}

/// The state of a job.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum JobState {
    /// There is no such job, or it is forgotten.
    Unknown,
    /// It is being worked on.
    Working {
        id: String,
    },
    Done(Box<Outcome>),
}

/// How long a signed URL of a result is good: 7 days, in seconds.
pub(crate) const SIGNED_SECONDS: u64 = 604_800;

/// Words of a status that mean that the end is still to come. Documented is only the first.
const WORKING_STATUSES: [&str; 7] = [
    "PROCESSING",
    "PENDING",
    "QUEUED",
    "IN_PROGRESS",
    "RUNNING",
    "STARTED",
    "WAITING",
];

/// Reads the body of a record.
///
/// # Errors
/// The refusal that it reports, or that there is no result although success is reported.
pub(crate) fn read(kind: Kind, body: &[u8]) -> Result<JobState, Error> {
    let malformed = ProtocolError::Malformed("a record of the result was expected");
    let whole: Value = serde_json::from_slice(body).map_err(|_| malformed.clone())?;
    if whole.get("aiRecord").is_some_and(Value::is_null) && whole.get("error").is_none() {
        return Ok(JobState::Unknown);
    }
    let text = str::from_utf8(body).map_err(|_| malformed.clone())?;
    let record = record::read_where(text, is_result)?;
    let accounting = record.accounting();
    let fields = whole
        .get("aiRecord")
        .filter(|r| r.is_object())
        .unwrap_or(&whole);
    if fields
        .get("status")
        .and_then(Value::as_str)
        .is_some_and(is_working)
    {
        if fields
            .get("status")
            .is_some_and(|word| word != "PROCESSING")
        {
            drift::count(Fact::AsyncProcessing);
        }
        let id = accounting.record_id.ok_or(malformed)?;
        return Ok(JobState::Working { id });
    }
    if !kind.gives_text() && accounting.credits.is_some() {
        drift::count(Fact::MediaNoCredits);
    }
    let mut pieces = Pieces::new(kind);
    for place in [
        "/aiRecordDetail/resultObject",
        "/aiRecordDetail/responseObject",
    ] {
        if pieces.is_empty() {
            pieces.take(fields.pointer(place).unwrap_or(&Value::Null));
        }
    }
    let mut outcome = pieces.into_outcome()?;
    sign(&mut outcome.assets, [fields, &whole]);
    if let Some(first) = outcome.assets.first()
        && !first
            .temporary_url
            .as_deref()
            .is_some_and(is_signed_for_days)
    {
        drift::count(Fact::SignedUrl);
    }
    outcome.accounting = accounting;
    Ok(JobState::Done(Box::new(outcome)))
}

/// Whether a body speaks of a job.
pub(crate) fn is_record(body: &[u8]) -> bool {
    let whole: Option<Value> = serde_json::from_slice(body).ok();
    whole.is_some_and(|whole| {
        whole.get("aiRecord").is_some_and(Value::is_object) || whole.get("aiRecordDetail").is_some()
    })
}

pub(crate) fn is_working(status: &str) -> bool {
    WORKING_STATUSES
        .iter()
        .any(|word| word.eq_ignore_ascii_case(status.trim()))
}

const TEXT_FIELDS: [&str; 3] = ["text", "transcript", "content"];
const FILE_FIELDS: [&str; 7] = [
    "path", "key", "url", "imageUrl", "audioUrl", "videoUrl", "fileUrl",
];

/// Whether an object is a result; else it is the report of a failure.
pub(crate) fn is_result(object: &Map<String, Value>) -> bool {
    let holds = |name: &str| object.get(name).is_some_and(Value::is_string);
    TEXT_FIELDS
        .iter()
        .chain(&FILE_FIELDS)
        .any(|name| holds(name))
        || object.contains_key("segments")
        || object.contains_key("temporaryUrl")
}

/// What was found in a result.
struct Pieces {
    kind: Kind,
    found: Outcome,
    texts: Vec<String>,
}

impl Pieces {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            found: Outcome::default(),
            texts: Vec::new(),
        }
    }

    fn is_empty(&self) -> bool {
        self.found.assets.is_empty() && self.texts.is_empty()
    }

    fn take(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.take_text(text),
            Value::Array(list) => list.iter().for_each(|value| self.take(value)),
            Value::Object(object) => self.take_object(object),
            _ => {}
        }
    }

    fn take_text(&mut self, text: &str) {
        if !self.kind.gives_text() && is_file(text) {
            self.found.assets.push(ResultAsset::of_path(text.trim()));
        } else if !text.is_empty() || self.kind.may_be_empty() {
            self.texts.push(text.to_owned());
        }
    }

    fn take_object(&mut self, object: &Map<String, Value>) {
        let named = |names: &[&str]| {
            names
                .iter()
                .find_map(|name| object.get(*name)?.as_str())
                .filter(|t| !t.is_empty())
        };
        let signed = named(&["temporaryUrl"]);
        if !self.kind.gives_text()
            && let Some(path) = named(&FILE_FIELDS).or(signed)
        {
            self.found.assets.push(ResultAsset {
                path: path.to_owned(),
                temporary_url: signed.map(str::to_owned),
            });
        } else if let Some(text) = named(&TEXT_FIELDS) {
            self.texts.push(text.to_owned());
        }
        if !object.is_empty() {
            self.found.objects.push(Value::Object(object.clone()));
        }
    }

    fn into_outcome(self) -> Result<Outcome, Error> {
        let Self {
            kind,
            mut found,
            texts,
        } = self;
        let text = (!texts.is_empty()).then(|| texts.join("\n"));
        let complete = if kind.gives_text() {
            text.is_some()
        } else {
            !found.assets.is_empty()
        };
        if !complete {
            return Err(match text {
                // Where a file should be, words say why there is none.
                Some(reason) => Report::of_text(&reason).judge(None),
                None => Refusal::no_result(),
            }
            .into());
        }
        found.text = text;
        Ok(found)
    }
}

/// Whether a text is where a file is, and not words.
fn is_file(text: &str) -> bool {
    let text = text.trim();
    let is_url = ["https://", "http://"]
        .iter()
        .any(|scheme| text.starts_with(scheme));
    let is_path = text.contains('/')
        || ResultAsset::of_path(text)
            .extension()
            .is_some_and(|e| e.len() <= 5);
    let spoken = text.contains(|c: char| c.is_whitespace() || c.is_control());
    !text.is_empty() && text.len() <= 4096 && !spoken && (is_url || is_path)
}

/// Whether a URL is signed for as long as those of upstream are.
fn is_signed_for_days(url: &str) -> bool {
    address::good_for(url) == Some(SIGNED_SECONDS)
}

/// Puts the signed URLs to their files. They stand in the record, or beside it.
fn sign(assets: &mut [ResultAsset], places: [&Value; 2]) {
    let first = places.iter().find_map(|place| place.get("temporaryUrl"));
    let list = places
        .iter()
        .find_map(|place| place.get("resultList")?.as_array());
    let each = list
        .into_iter()
        .flatten()
        .map(|item| item.get("temporaryUrl"));
    let several = match first {
        Some(Value::Array(urls)) => urls.iter().map(Some).collect(),
        Some(Value::String(_)) => vec![first],
        _ => Vec::new(),
    };
    for urls in [several, each.collect()] {
        for (asset, url) in assets.iter_mut().zip(urls) {
            let url = url.and_then(Value::as_str).filter(|url| is_file(url));
            asset.temporary_url = asset.temporary_url.take().or(url.map(str::to_owned));
        }
    }
}

#[cfg(test)]
mod tests;

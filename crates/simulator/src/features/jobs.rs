//! Records that can be asked after, and how often they are still said to be in work.

use std::collections::VecDeque;

use serde_json::{Map, Value, json};

/// Records remembered; the oldest go first.
const JOBS_MAX: usize = 1000;

/// A finished record.
#[derive(Debug)]
pub(crate) struct Record {
    pub(super) fields: Map<String, Value>,
    /// The link to the first file.
    pub(super) url: Option<String>,
    /// Whether the link stands beside the record instead of within.
    pub(super) outside: bool,
}

impl Record {
    pub(super) fn uuid(&self) -> &str {
        self.fields
            .get("uuid")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// The record as an answer: in work while polls are left, then as it is.
    pub(super) fn shown(&self, polls: u32) -> Value {
        let mut fields = self.fields.clone();
        if polls > 0 {
            fields.insert("status".to_owned(), "PROCESSING".into());
            fields.insert("metadata".to_owned(), json!({}));
            if let Some(detail) = fields
                .get_mut("aiRecordDetail")
                .and_then(Value::as_object_mut)
            {
                detail.insert("resultObject".to_owned(), json!([]));
                detail.remove("errorMessage");
            }
            return json!({"aiRecord": fields});
        }
        let url = self.url.as_deref().map(Value::from);
        if self.outside {
            return json!({"aiRecord": fields, "temporaryUrl": url});
        }
        fields.extend(url.map(|url| ("temporaryUrl".to_owned(), url)));
        json!({"aiRecord": fields})
    }
}

/// The records, newest last.
#[derive(Debug, Default)]
pub(crate) struct Jobs(VecDeque<Job>);

#[derive(Debug)]
struct Job {
    record: Record,
    /// How often it is still in work when it is asked after.
    polls: u32,
}

impl Jobs {
    pub(super) fn add(&mut self, record: Record, polls: u32) {
        if self.0.len() == JOBS_MAX {
            self.0.pop_front();
        }
        // The answer that submits it is not a poll: the first poll may find it done.
        self.0.push_back(Job {
            record,
            polls: polls.saturating_sub(1),
        });
    }

    /// The record as it stands now.
    pub(super) fn poll(&mut self, id: &str) -> Option<Value> {
        let job = self
            .0
            .iter_mut()
            .rev()
            .find(|job| job.record.uuid() == id)?;
        let shown = job.record.shown(job.polls);
        job.polls = job.polls.saturating_sub(1);
        Some(shown)
    }
}

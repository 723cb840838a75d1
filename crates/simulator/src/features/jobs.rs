//! Records that can be asked after, and how often they are still said to be in work.

use std::collections::VecDeque;

use serde_json::Value;

use crate::features::record::Record;

/// Records remembered; the oldest go first.
const KEPT: usize = 1000;

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
        if self.0.len() == KEPT {
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

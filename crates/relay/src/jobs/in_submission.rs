//! Jobs that this process is submitting: whatever their leases say, nobody else of it gives them up.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The ids of jobs that are being submitted.
#[derive(Debug, Default)]
pub(super) struct InSubmission(Mutex<HashSet<String>>);

/// A job that is being submitted until this is dropped.
pub(super) struct Submitting<'a> {
    all: &'a InSubmission,
    id: String,
}

impl InSubmission {
    /// Notes a job.
    #[must_use]
    pub(super) fn begin(&self, id: &str) -> Submitting<'_> {
        self.ids().insert(id.to_owned());
        Submitting {
            all: self,
            id: id.to_owned(),
        }
    }

    /// Whether a job is being submitted.
    #[must_use]
    pub(super) fn has(&self, id: &str) -> bool {
        self.ids().contains(id)
    }

    fn ids(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Submitting<'_> {
    fn drop(&mut self) {
        self.all.ids().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_in_submission_until_it_is_dropped() {
        let all = InSubmission::default();
        let submitting = all.begin("video_1");
        assert!(all.has("video_1") && !all.has("video_2"));
        drop(submitting);
        assert!(!all.has("video_1"));
    }
}

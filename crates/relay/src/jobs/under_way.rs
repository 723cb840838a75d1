//! What this process holds for the jobs that it has submitted and that 1min.ai works on: so the cost of
//! a job is booked in the row of its request. What another process ends, or this one after a restart, is
//! found by the hold's row.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::order::Prepare;
use crate::ledger::Hold;

/// Holds by their jobs' ids.
#[derive(Default)]
pub(super) struct UnderWay(Mutex<HashMap<String, Kept>>);

/// The hold of a job, left to the job if it is dropped.
pub(super) struct Kept {
    hold: Option<Hold>,
    /// How the request is made for another account, should this one refuse the job later.
    pub(super) prepare: Option<Prepare>,
}

impl Kept {
    pub(super) fn new(hold: Hold, prepare: Option<Prepare>) -> Self {
        Self {
            hold: Some(hold),
            prepare,
        }
    }

    /// The hold, to be settled.
    pub(super) fn into_hold(mut self) -> Option<Hold> {
        self.hold.take()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(hold) = self.hold.take() {
            hold.leave_to_job();
        }
    }
}

impl UnderWay {
    pub(super) fn keep(&self, job: &str, kept: Kept) {
        self.jobs().insert(job.to_owned(), kept);
    }

    pub(super) fn take(&self, job: &str) -> Option<Kept> {
        self.jobs().remove(job)
    }

    /// Whether another account may do a job.
    pub(super) fn is_movable(&self, job: &str) -> bool {
        let jobs = self.jobs();
        jobs.get(job).is_some_and(|kept| kept.prepare.is_some())
    }

    /// Takes a job that another account may do.
    pub(super) fn take_movable(&self, job: &str) -> Option<(Hold, Prepare)> {
        let mut jobs = self.jobs();
        jobs.get(job)?.prepare.as_ref()?;
        let mut kept = jobs.remove(job)?;
        let prepare = kept.prepare.take()?;
        Some((kept.into_hold()?, prepare))
    }

    /// Leaves all but these jobs to whoever follows them now.
    pub(super) fn leave_all_but(&self, followed: &HashSet<String>) {
        self.jobs().retain(|job, _| followed.contains(job));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.jobs().is_empty()
    }

    fn jobs(&self) -> MutexGuard<'_, HashMap<String, Kept>> {
        // What is kept there is whole after every statement.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! A paid call of a feature, at another account where one refuses it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use onemin::chat::Accounting;
use onemin::native::{is_words, possible_paths};
use onemin::{Mode, Outcome, Payload};
use serde_json::Value;
use translate::failure::Failure;

use super::Media;
use crate::accounts::Lease;
use crate::jobs::{LongJobs, Order, Prepare};
use crate::ledger::{Charge, PaidCall, PaidError, Payer};

impl Media {
    /// Runs a feature through the gate: hold, call, settle; at another account where one has
    /// refused and that surely cost nothing. The files that the payload names are copied to that.
    ///
    /// # Errors
    /// [`PaidError`].
    pub(super) async fn feature(
        &self,
        payer: &Payer,
        payload: &Payload,
        mode: Mode,
    ) -> Result<Outcome, PaidError> {
        let hold = payer.hold(PaidCall::Feature(payload)).await;
        let mut hold = hold.map_err(PaidError::Refused)?;
        let mut asked = Cow::Borrowed(payload);
        loop {
            hold.sent();
            match self.client.feature(hold.key(), &asked, mode).await {
                Ok(outcome) => {
                    hold.answered(&outcome.accounting);
                    return Ok(outcome);
                }
                Err(error) => hold = hold.refused(error)?,
            }
            match self.with_files_at(hold.lease(), payload).await {
                Ok(changed) => asked = Cow::Owned(changed),
                Err(failure) => {
                    hold.settle(Charge::Nothing);
                    return Err(PaidError::Refused(failure));
                }
            }
        }
    }

    /// Runs a feature as a job: it is recorded before it is sent, and goes on whoever leaves meanwhile.
    ///
    /// # Errors
    /// [`PaidError`].
    pub(super) async fn feature_by_job(
        &self,
        payer: &Payer,
        long: &LongJobs,
        prefix: &'static str,
        payload: &Payload,
    ) -> Result<Outcome, PaidError> {
        let order = Order {
            prefix,
            payload: payload.clone(),
            // Nobody can ask for the job by its id: what was asked for need not be kept.
            prompt: String::new(),
            seconds: None,
            size: None,
            moves: true,
        };
        let (media, first) = (self.clone(), order.clone());
        let prepare: Prepare = Arc::new(move |payer| {
            let (media, mut order) = (media.clone(), first.clone());
            Box::pin(async move {
                let lease = payer.lease()?;
                order.payload = media.with_files_at(&lease, &order.payload).await?;
                Ok(order)
            })
        });
        let job = long.make(payer, order, prepare).await?;
        Ok(Outcome {
            assets: job.assets,
            accounting: Accounting {
                credits: job.credits.map(onemin::prices::to_credits),
                ..Accounting::default()
            },
            ..Outcome::default()
        })
    }

    /// The payload with copies of its files that lie at the account of the lease.
    async fn with_files_at(&self, lease: &Lease, payload: &Payload) -> Result<Payload, Failure> {
        let mut copies = HashMap::new();
        for path in possible_paths(&payload.prompt_object) {
            if let Some(copy) = self.uploads.copy(lease, &path).await? {
                copies.insert(path, copy);
            }
        }
        let mut changed = payload.clone();
        for (field, value) in &mut changed.prompt_object {
            if !is_words(field) {
                replace(value, &copies);
            }
        }
        Ok(changed)
    }
}

fn replace(value: &mut Value, copies: &HashMap<String, String>) {
    match value {
        Value::String(text) => {
            if let Some(copy) = copies.get(text) {
                copy.clone_into(text);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|item| replace(item, copies)),
        Value::Object(fields) => fields.values_mut().for_each(|item| replace(item, copies)),
        _ => {}
    }
}

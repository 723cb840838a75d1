//! What all payers share, and what a paid call is estimated to cost.

use std::sync::Arc;

use onemin::native::{self, Gives};
use onemin::prices::ChatPrice;
use onemin::{Payload, features};
use serde_json::Value;
use translate::tokens;

use super::counters::CallKind;
use super::estimate::{Estimator, unknown_chat_price};
use super::paid_call::{NativeCall, PaidCall};
use super::service::Ledger;
use crate::accounts::pool::Pool;
use crate::models::Models;

/// What all payers need.
pub struct Gate {
    /// Where calls are held and booked.
    pub ledger: Ledger,
    /// What calls cost.
    pub estimator: Estimator,
    /// Prices.
    pub models: Arc<Models>,
    /// Accounts that pay for access keys.
    pub pool: Arc<Pool>,
}

/// What a call costs, before it is made.
pub(super) struct Estimate<'c> {
    pub(super) model: &'c str,
    pub(super) kind: CallKind,
    pub(super) credits: i64,
    pub(super) price: Option<ChatPrice>,
    /// Whether 1min.ai's rule of prices says all that the call can cost.
    pub(super) by_rule: bool,
}

impl<'c> Estimate<'c> {
    /// Of a call of a model of which nothing is known yet: free.
    pub(super) fn of(model: &'c str) -> Self {
        Self {
            model,
            kind: CallKind::Media,
            credits: 0,
            price: None,
            by_rule: false,
        }
    }
}

impl Gate {
    /// Estimates what a call costs.
    pub(super) async fn estimate(&self, estimate: &mut Estimate<'_>, call: PaidCall<'_>) {
        match call {
            PaidCall::Chat { request, images } => {
                let is_listed = self.chat(estimate, &request.prompt, images).await;
                // What images and searches cost beside their tokens is not known.
                estimate.by_rule = is_listed && images == 0 && request.web_search.is_none();
            }
            PaidCall::Code(request) => {
                self.chat(estimate, &request.prompt, 0).await;
            }
            PaidCall::Feature(payload) => estimate.credits = self.feature(payload).await,
            PaidCall::Native(call) => self.native(estimate, call).await,
        }
    }

    async fn feature(&self, payload: &Payload) -> i64 {
        let metadata = self.models.price_of(payload.kind, &payload.model).await;
        self.estimator.media(metadata.as_ref(), payload, None)
    }

    async fn native(&self, estimate: &mut Estimate<'_>, call: NativeCall<'_>) {
        let media = features::Kind::of_name(call.feature)
            .filter(|kind| *kind != features::Kind::CodeGenerator);
        if let Some(kind) = media {
            let payload = Payload::new(kind, call.model.to_owned(), call.fields.clone());
            estimate.credits = self.feature(&payload).await;
        } else if native::gives(call.feature) == Some(Gives::Text) {
            let prompt = call.fields.get("prompt").and_then(Value::as_str);
            self.chat(estimate, prompt.unwrap_or_default(), 0).await;
        } else {
            estimate.credits = self.estimator.unknown_media(call.model);
        }
    }

    /// Estimates an answer of a chat model, and tells whether its price is listed.
    async fn chat(&self, estimate: &mut Estimate<'_>, prompt: &str, images: usize) -> bool {
        estimate.kind = CallKind::Chat;
        let listed = self.models.chat_price(estimate.model).await;
        let is_listed = listed.is_some();
        estimate.price = listed.or_else(unknown_chat_price);
        if let Some(price) = estimate.price {
            let input = tokens::from_bytes(prompt.len() as u64);
            let model = estimate.model;
            estimate.credits = self.estimator.chat(model, price, input, images);
        }
        is_listed
    }
}

//! How one request is to be answered: the queued script, overridden by the directive in the prompt,
//! overridden by that of the header; their faults and the standing ones.

use http::HeaderMap;
use serde_json::{Map, Value};

use crate::account;
use crate::billing::Charge;
use crate::digest::short;
use crate::directive::{self, Directive, DirectiveError, Endpoint};
use crate::fault::{Fault, FaultKind, Faults};
use crate::script::Script;
use crate::state::State;

/// What to answer and how to misbehave.
#[derive(Clone, Debug, Default)]
pub(crate) struct Behavior {
    pub(crate) script: Script,
    pub(crate) faults: Faults,
    /// Faults of the files that the request makes, when they are fetched.
    pub(crate) file_faults: Vec<Fault>,
    /// The id that its directive gives the request.
    pub(crate) request_id: Option<String>,
}

impl Behavior {
    /// Gathers it; scripts and faults that hold for a number of requests are used up by this.
    pub(crate) fn of(
        state: &State,
        endpoint: Endpoint,
        headers: &HeaderMap,
        prompt: &str,
    ) -> Result<Self, DirectiveError> {
        let key = account::key(headers);
        let mut pending = state.pending();
        let mut directive = pending
            .take_script(endpoint, prompt, key)
            .unwrap_or_default();
        directive.extend(directive::last_in(prompt)?.unwrap_or_default());
        if let Some(header) = headers.get("x-sim") {
            directive.extend(serde_json::from_slice::<Map<String, Value>>(
                header.as_bytes(),
            )?);
        }
        let standing = pending.take_faults(endpoint, prompt, key);
        if directive.is_empty() {
            return Ok(Self {
                faults: Faults::new(standing),
                ..Self::default()
            });
        }
        let directive = Directive::from_json(directive.into())?;
        if !directive.replies.is_empty() {
            return Err(DirectiveError::RepliesHere);
        }
        let mut faults = directive.faults()?;
        faults.retain(|fault| fault.kind != FaultKind::Http500Once || pending.fails_now(prompt));
        faults.extend(standing);
        Ok(Self {
            script: directive.script(),
            faults: Faults::new(faults),
            file_faults: directive.file_faults()?,
            request_id: directive.id,
        })
    }

    /// The charge for this request.
    pub(crate) fn charge(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        feature: &str,
        model: &str,
        credits: u64,
    ) -> Charge {
        let header = || Some(headers.get("x-request-id")?.to_str().ok()?.to_owned());
        let id = self.request_id.clone().or_else(header);
        Charge {
            request_id: id.unwrap_or_else(|| short(body)),
            api_key_hash: account::key_hash(headers),
            feature: feature.to_owned(),
            model: model.to_owned(),
            credits,
        }
    }
}

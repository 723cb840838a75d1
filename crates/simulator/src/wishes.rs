//! What is wanted of one request: the queue's script, over it the directive in the prompt, over it
//! the header's; and the faults of these and those that stand for all.

use http::HeaderMap;
use serde_json::{Map, Value};

use crate::directive::{self, Directive, DirectiveError, Endpoint};
use crate::fault::{Fault, Faults, Kind};
use crate::script::Script;
use crate::state::State;

/// The wishes, told apart.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wishes {
    pub(crate) script: Script,
    pub(crate) faults: Faults,
    /// Faults of the files that the request makes, when they are fetched.
    pub(crate) file_faults: Vec<Fault>,
}

impl Wishes {
    /// Gathers them; scripts and faults that hold for a number of requests are used up by this.
    pub(crate) fn of(
        state: &State,
        endpoint: Endpoint,
        headers: &HeaderMap,
        prompt: &str,
    ) -> Result<Self, DirectiveError> {
        let mut orders = state.orders();
        let mut wish = orders.take_script(endpoint, prompt).unwrap_or_default();
        wish.extend(directive::last_in(prompt)?.unwrap_or_default());
        if let Some(header) = headers.get("x-sim") {
            wish.extend(serde_json::from_slice::<Map<String, Value>>(
                header.as_bytes(),
            )?);
        }
        let standing = orders.take_faults(endpoint, prompt);
        if wish.is_empty() {
            return Ok(Self {
                faults: Faults::new(standing),
                ..Self::default()
            });
        }
        let directive = Directive::from_json(wish.into())?;
        if !directive.replies.is_empty() {
            return Err(DirectiveError::RepliesHere);
        }
        let mut faults = directive.faults()?;
        faults.retain(|fault| fault.kind != Kind::Http500Once || orders.fails_now(prompt));
        faults.extend(standing);
        Ok(Self {
            script: directive.script(),
            faults: Faults::new(faults),
            file_faults: directive.file_faults()?,
        })
    }
}

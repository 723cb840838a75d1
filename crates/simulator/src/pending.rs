//! Directives for requests to come: the queue of scripts and the standing faults.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Map, Value};

use crate::directive::{Directive, DirectiveError, Endpoint};
use crate::fault::{Fault, FaultKind};

/// Prompts that `http-500-once` remembers at most.
const PROMPTS_REMEMBERED_MAX: usize = 10_000;

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct PendingDirectives {
    scripts: VecDeque<Queued>,
    faults: Vec<Standing>,
    failed: HashSet<u64>,
}

#[derive(Debug)]
struct Queued {
    json: Map<String, Value>,
    endpoint: Endpoint,
    scope: Scope,
}

#[derive(Debug)]
struct Standing {
    faults: Vec<Fault>,
    endpoint: Endpoint,
    scope: Scope,
}

/// Which requests a directive is for.
#[derive(Debug)]
struct Scope {
    when: Option<String>,
    key: Option<String>,
    /// How many are left; `None` for no limit.
    left: Option<u32>,
}

impl Scope {
    fn new(directive: &Directive, default: Option<u32>) -> Self {
        let left = directive
            .times
            .map_or(default, |times| Some(times).filter(|&times| times > 0));
        Self {
            when: directive.when.clone(),
            key: directive.key.clone(),
            left,
        }
    }

    fn fits(&self, prompt: &str, key: Option<&str>) -> bool {
        self.left != Some(0)
            && (self.key.is_none() || self.key.as_deref() == key)
            && self
                .when
                .as_ref()
                .is_none_or(|text| prompt.contains(text.as_str()))
    }

    fn take(&mut self) {
        self.left = self.left.map(|left| left.saturating_sub(1));
    }
}

impl PendingDirectives {
    /// Queues a script, or one for each of its `replies`.
    pub(crate) fn queue(&mut self, json: Value) -> Result<(), DirectiveError> {
        let directive = Directive::from_json(json.clone())?;
        directive.faults()?;
        directive.file_faults()?;
        let mut json = match json {
            Value::Object(json) => json,
            _ => Map::new(),
        };
        for field in ["replies", "when", "key", "times", "endpoint"] {
            json.remove(field);
        }
        if directive.replies.is_empty() {
            self.push(json, &directive);
            return Ok(());
        }
        for reply in &directive.replies {
            let mut json = json.clone();
            json.insert("reply".to_owned(), reply.clone().into());
            self.push(json, &directive);
        }
        Ok(())
    }

    fn push(&mut self, json: Map<String, Value>, directive: &Directive) {
        self.scripts.push_back(Queued {
            json,
            endpoint: directive.endpoint,
            scope: Scope::new(directive, Some(1)),
        });
    }

    /// Adds a standing fault.
    pub(crate) fn add_fault(&mut self, json: Value) -> Result<(), DirectiveError> {
        let directive = Directive::from_json(json)?;
        let faults = directive.faults()?;
        if faults.is_empty() {
            return Err(DirectiveError::NoFault);
        }
        let once = faults
            .iter()
            .any(|fault| fault.kind == FaultKind::Http500Once);
        let scope = Scope::new(&directive, once.then_some(1));
        self.faults.push(Standing {
            faults,
            endpoint: directive.endpoint,
            scope,
        });
        Ok(())
    }

    pub(crate) fn clear_faults(&mut self) {
        self.faults.clear();
        self.failed.clear();
    }

    pub(crate) fn clear_scripts(&mut self) {
        self.scripts.clear();
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The script for a request: the first limited one that fits, else the first unlimited.
    pub(crate) fn take_script(
        &mut self,
        endpoint: Endpoint,
        prompt: &str,
        key: Option<&str>,
    ) -> Option<Map<String, Value>> {
        let here = move |q: &Queued| q.endpoint == Endpoint::Any || q.endpoint == endpoint;
        let fitting = |limited: bool| {
            move |q: &Queued| {
                q.scope.left.is_some() == limited && here(q) && q.scope.fits(prompt, key)
            }
        };
        let limited = self.scripts.iter().position(fitting(true));
        let index = limited.or_else(|| self.scripts.iter().position(fitting(false)))?;
        let queued = self.scripts.get_mut(index)?;
        queued.scope.take();
        if queued.scope.left == Some(0) {
            return self.scripts.remove(index).map(|queued| queued.json);
        }
        Some(queued.json.clone())
    }

    /// The standing faults that hit a request.
    pub(crate) fn take_faults(
        &mut self,
        endpoint: Endpoint,
        prompt: &str,
        key: Option<&str>,
    ) -> Vec<Fault> {
        let mut hit = Vec::new();
        for standing in &mut self.faults {
            let here = standing.endpoint == Endpoint::Any || standing.endpoint == endpoint;
            if here && standing.scope.fits(prompt, key) {
                standing.scope.take();
                hit.extend(standing.faults.iter().cloned());
            }
        }
        self.faults
            .retain(|standing| standing.scope.left != Some(0));
        hit
    }

    /// Whether a prompt with `http-500-once` must fail now: every other time.
    pub(crate) fn fails_now(&mut self, prompt: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        prompt.hash(&mut hasher);
        let hash = hasher.finish();
        if self.failed.remove(&hash) {
            return false;
        }
        if self.failed.len() == PROMPTS_REMEMBERED_MAX {
            self.failed.clear();
        }
        self.failed.insert(hash)
    }
}

/// Applies one directive, or each of a list.
pub(crate) fn each(
    directives: Value,
    apply: impl Fn(Value) -> Result<(), DirectiveError>,
) -> Result<(), DirectiveError> {
    match directives {
        Value::Array(list) => list.into_iter().try_for_each(apply),
        single => apply(single),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::PendingDirectives;
    use crate::directive::Endpoint;

    fn reply(pending: &mut PendingDirectives, prompt: &str) -> Option<String> {
        let script = pending.take_script(Endpoint::Chat, prompt, None)?;
        script
            .get("reply")
            .and_then(|reply| reply.as_str())
            .map(str::to_owned)
    }

    #[test]
    fn scripts_are_taken_in_order_each_by_the_prompt_that_it_wants() {
        let mut pending = PendingDirectives::default();
        for script in [
            json!({"reply": "always", "times": 0}),
            json!({"reply": "cats", "when": "cat"}),
            json!({"replies": ["1", "2"]}),
        ] {
            pending.queue(script).expect("a script");
        }
        let said: Vec<_> = ["dog", "cat", "cat", "dog", "cat"]
            .map(|p| reply(&mut pending, p))
            .into();
        let said: Vec<_> = said.iter().map(|s| s.as_deref().unwrap_or("-")).collect();
        assert_eq!(said, ["1", "cats", "2", "always", "always"]);
    }

    #[test]
    fn standing_faults_end_after_their_times() {
        let mut pending = PendingDirectives::default();
        pending
            .add_fault(json!({"fault": "http-500", "times": 2}))
            .expect("a fault");
        pending
            .add_fault(json!({"fault": "cut", "endpoint": "assets"}))
            .expect("a fault");
        pending
            .add_fault(json!({"fault": "http-500-once", "endpoint": "models"}))
            .expect("a fault");
        let mut count = |endpoint| pending.take_faults(endpoint, "", None).len();
        assert_eq!(
            [
                count(Endpoint::Chat),
                count(Endpoint::Chat),
                count(Endpoint::Chat)
            ],
            [1, 1, 0]
        );
        assert_eq!([count(Endpoint::Assets), count(Endpoint::Assets)], [1, 1]);
        assert_eq!([count(Endpoint::Models), count(Endpoint::Models)], [1, 0]);
    }

    #[test]
    fn a_prompt_fails_every_other_time() {
        let mut pending = PendingDirectives::default();
        assert_eq!(
            ["a", "a", "b", "a"].map(|p| pending.fails_now(p)),
            [true, false, true, true]
        );
    }

    #[test]
    fn nonsense_is_refused_when_it_is_ordered() {
        let mut pending = PendingDirectives::default();
        assert!(pending.queue(json!({"fault": "no-such"})).is_err());
        assert!(pending.queue(json!("x")).is_err());
        assert!(pending.add_fault(json!({"fault": "no-such"})).is_err());
    }
}

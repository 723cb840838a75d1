//! Calls that were read: checked, then given, kept as drafts or refused.

use super::state::{Between, ReadCall, State};
use super::{Driver, Passed};
use crate::interpret::flow::Flow;
use crate::interpret::json::Grade;
use crate::interpret::tool_calls::outcome::Problem;
use crate::reply::Event;

impl Driver<'_> {
    /// A call was read whole.
    pub(super) fn made(&mut self, call: &ReadCall<'_>, mut between: Between) -> State {
        let rules = self.rules;
        let Some(tool) = call.tool else {
            let name = call.name.to_owned();
            return self.refused(Problem::Unknown { name }, between);
        };
        if !call.is_prompt_tag
            && !rules.quoted.is_empty()
            && rules.quoted.holds(self.source.since(call.start))
        {
            return self.suspected(between);
        }
        let foreign = between.tentative.as_ref().is_some_and(|t| t.foreign);
        if foreign && !self.fits(tool, call.json) {
            return self.reject(between);
        }
        let tentative = between.tentative.is_some();
        let json = match self.checked(tool, call.json, call.grade, tentative) {
            Ok(json) => json,
            Err(_) if tentative && !rules.options.hold => return self.reject(between),
            Err(problem) => return self.refused(problem, between),
        };
        if let Some(tentative) = &mut between.tentative {
            tentative.pending_calls.push((tool, json));
            return State::Between(between);
        }
        let flow = self.emit_call(tool, &json);
        between.unless(flow)
    }

    /// Several calls were read with one head. Where nothing says that they are calls, they are all
    /// calls or none is.
    pub(super) fn several(
        &mut self,
        calls: &[(String, String)],
        start: usize,
        is_prompt_tag: bool,
        mut between: Between,
    ) -> State {
        for (name, json) in calls {
            let tool = self.rules.declared.resolve(name);
            if tool.is_none() && between.tentative.is_some() {
                return self.reject(between);
            }
            let call = ReadCall {
                tool,
                name,
                json,
                start,
                is_prompt_tag,
                grade: Grade::Lossless,
            };
            match self.made(&call, between) {
                State::Between(next) => between = next,
                other => return other,
            }
        }
        State::Between(between)
    }

    /// Gives a call.
    pub(super) fn emit_call(&mut self, tool: usize, json: &str) -> Flow {
        let Some(tool) = self.rules.declared.get(tool) else {
            return Flow::Continue;
        };
        let (index, name) = (self.progress.index, tool.name.as_str());
        self.drop_held();
        (self.sink)(Event::CallStarted { index, name });
        (self.sink)(Event::CallArguments { index, json });
        (self.sink)(Event::CallEnded { index });
        self.counted()
    }

    /// A call was given to its end. [`Flow::Stop`]: no other is wanted.
    pub(super) fn counted(&mut self) -> Flow {
        self.progress.index += 1;
        self.progress.outcome.calls += 1;
        if self.rules.one_at_a_time {
            Flow::Stop
        } else {
            Flow::Continue
        }
    }

    /// A call is made: what was held before it is no text.
    pub(super) fn drop_held(&mut self) {
        self.progress.passed = Passed::Dropped;
        self.source.drop_read();
    }

    /// A call is not made, for a reason that the model should hear.
    fn refused(&mut self, problem: Problem, between: Between) -> State {
        self.progress.outcome.problems.push(problem);
        self.suspected(between)
    }

    /// A call that is not made is held, to be text if only text follows. Behind a call it is dropped.
    pub(super) fn suspected(&mut self, between: Between) -> State {
        if between.tentative.is_some() {
            return self.reject(between);
        }
        if self.progress.passed == Passed::Dropped {
            self.source.drop_read();
        } else {
            self.progress.passed = Passed::Suspect;
        }
        State::Between(between)
    }

    /// Whether the tool's arguments must match its schema; an unknown tool has none to match.
    pub(super) fn is_strict(&self, tool: Option<usize>) -> bool {
        tool.and_then(|t| self.rules.declared.get(t))
            .is_none_or(|t| t.strict)
    }

    /// Whether arguments are the tool's own: parameters that it has, and as its schema wants them.
    pub(super) fn fits(&self, tool: usize, json: &str) -> bool {
        let Some(tool) = self.rules.declared.get(tool) else {
            return false;
        };
        let Ok(value) = serde_json::from_str::<serde_json::Value>(json) else {
            return false;
        };
        let known = value
            .as_object()
            .is_some_and(|members| tool.has_all(members.keys()));
        known
            && tool
                .schema
                .compiled()
                .is_ok_and(|schema| schema.fitted(&value).is_some())
    }

    /// Plain text where arguments should be: those of a tool that takes one text.
    pub(super) fn of_text(&self, tool: Option<usize>, text: &str) -> Option<String> {
        let tool = self.rules.declared.get(tool?)?;
        Some(serde_json::json!({ tool.sole_text()?: text }).to_string())
    }

    /// Checks the arguments of a held call against the tool's schema, where that matters.
    /// `tentative`: nothing says that it is a call but its shape.
    fn checked(
        &self,
        tool: usize,
        json: &str,
        grade: Grade,
        tentative: bool,
    ) -> Result<String, Problem> {
        let Some(tool) = self.rules.declared.get(tool) else {
            return Ok(json.to_owned());
        };
        let options = self.rules.options;
        let broken = |why: String| Problem::Broken {
            name: tool.name.clone(),
            index: None,
            why,
        };
        let value: serde_json::Value =
            serde_json::from_str(json).map_err(|e| broken(e.to_string()))?;
        let definition = value.get("type").is_some_and(|t| t == "object")
            && value
                .get("properties")
                .is_some_and(serde_json::Value::is_object);
        if tentative && definition && !tool.has("properties") {
            return Err(broken("it is the tool's definition".to_owned()));
        }
        if !tool.strict && !options.hold && grade < Grade::Guess {
            return Ok(json.to_owned());
        }
        let Ok(schema) = tool.schema.compiled() else {
            return Ok(json.to_owned());
        };
        if !schema.can_check(&value) {
            return Ok(json.to_owned());
        }
        match schema.fit(&value) {
            Ok(fitted) => Ok(fitted.to_string()),
            Err(_) if options.last && !tool.strict => Ok(json.to_owned()),
            Err(errors) => Err(Problem::Mismatch {
                name: tool.name.clone(),
                errors,
            }),
        }
    }
}

impl Between {
    /// Goes on behind a call, unless no other is wanted.
    pub(super) fn unless(self, flow: Flow) -> State {
        match flow {
            Flow::Continue => State::Between(self),
            Flow::Stop => State::Finished,
        }
    }
}

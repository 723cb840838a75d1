//! Interpreting: upstream's text deltas become [`Event`]s.
//!
//! Every stage is a state machine fed with text, in pieces cut anywhere; the events do not depend
//! on the cuts. [`Stages`] is the chain: the transcript's opening tag, thoughts, tool calls, then the
//! [`output_stages`] with the transcript's closing tag, the client's limits and the JSON form. A plain
//! answer to a lone message passes through thoughts and limits only. [`Interpreter`] judges what came out.

pub mod event_buffer;
pub mod flow;
pub mod forced_tool;
pub mod frame;
pub mod json;
pub mod limits;
pub mod output_stages;
pub mod refusal;
pub mod scanner;
pub mod slice;
pub mod stages;
pub mod thinking;
pub mod tool_calls;

use crate::chat_request::{ChatRequest, Delivery, OutputFormat};
use crate::failure::{Failure, Kind};
use crate::reply::{Event, Finish};
use crate::tags::Tags;
pub use flow::Flow;

use event_buffer::EventBuffer;
use forced_tool::ForcedTool;
use frame::Opening;
use json::answer::End;
use json::candidates::{self, Form, Verdict};
use output_stages::{Body, OutputStages};
use stages::Stages;
use thinking::Thoughts;
use tool_calls::{Options, Outcome, Problem, PromptEcho, Reader};

/// Which of the attempts at an answer is read, and what is made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attempt {
    /// How often the model may still be asked to correct itself.
    pub left: u32,
    /// Whether the client was given text of an attempt before: then only calls are passed on.
    pub calls_only: bool,
    /// What becomes of thoughts.
    pub thoughts: Thoughts,
}

/// What an answer came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// It is complete: [`Event::Finished`] was given.
    Finished {
        /// Whether the text has the form that was asked for. Only a whole answer whose schema is
        /// not strict may lack it.
        in_form: bool,
    },
    /// The model must be told this and asked again.
    Ask {
        /// What to tell it.
        correction: String,
        /// What the next attempt is.
        next: Attempt,
    },
    /// It failed for good; what the client was given of it is void.
    Failed(Failure),
}

/// Turns the text of one answer into events.
#[derive(Debug)]
pub struct Interpreter {
    stages: Stages,
    form: Option<Form>,
    strict: bool,
    streamed: bool,
    attempt: Attempt,
    callable: Vec<String>,
    forced: Option<ForcedTool>,
    tags: Tags,
    /// Events of an answer that is given whole or not at all.
    held: Option<EventBuffer>,
    /// Whether the client was given any text.
    spoke: bool,
    /// The answer as the model wrote it, where it may have to be corrected.
    raw: Option<String>,
}

impl Interpreter {
    /// For an answer to this turn, whose transcript is written with these tags.
    #[must_use]
    pub fn new(chat: &ChatRequest, tags: Option<Tags>, attempt: Attempt) -> Self {
        let calls = chat.tools.callable();
        let whole = chat.delivery == Delivery::Whole;
        let shaped = chat.output != OutputFormat::Text;
        let options = Options {
            hold: whole,
            last: attempt.left == 0,
        };
        let own = tags.unwrap_or_default();
        Self {
            stages: Stages::new(
                tags.map(Opening::new),
                attempt.thoughts,
                calls.then(|| Reader::new(&chat.tools, own, PromptEcho::of(chat), options)),
                OutputStages::new(chat, tags, chat.tools.call_required()),
            ),
            // A schema that does not compile was refused when the turn was planned.
            form: Form::new(&chat.output).ok().flatten(),
            strict: matches!(chat.output, OutputFormat::Schema { strict: true, .. }),
            streamed: !whole,
            attempt,
            callable: chat.tools.allowed().map(|tool| tool.name.clone()).collect(),
            forced: ForcedTool::of(&chat.tools),
            tags: own,
            held: (whole && (calls || shaped)).then(EventBuffer::default),
            spoke: false,
            raw: (attempt.left > 0).then(String::new),
        }
    }

    /// Takes in more of the text.
    pub fn push(&mut self, text: &str, sink: &mut dyn FnMut(Event<'_>)) -> Flow {
        if text.is_empty() || self.stages.has_stopped() {
            return self.stages.flow();
        }
        let is_watched = self.raw.is_some() || self.held.is_some() || self.attempt.calls_only;
        if !is_watched && self.stages.give_plain(text, sink) {
            self.spoke = true;
            return Flow::Continue;
        }
        if let Some(raw) = &mut self.raw {
            raw.push_str(text);
        }
        let mut filter = EventFilter {
            held: &mut self.held,
            spoke: &mut self.spoke,
            calls_only: self.attempt.calls_only,
            sink,
        };
        self.stages.push(text, &mut |event| filter.event(event));
        self.stages.flow()
    }

    /// The text is over, or no more of it was wanted. `finish` is the reason that upstream gave.
    pub fn end(&mut self, finish: &Finish, sink: &mut dyn FnMut(Event<'_>)) -> Ending {
        // What the end brings is kept: it may have to give way to another attempt.
        let mut rest = self.held.take().unwrap_or_default();
        let (outcome, finish, body) = self.stages.end(finish, &mut |event| rest.keep(event));
        let (finish, in_form) = match self.judge(&outcome, finish, body, &mut rest) {
            Ok(stands) => stands,
            Err(ending) => return ending,
        };
        let only = self.attempt.calls_only;
        rest.give(&mut |event| {
            if !only || is_call(event) {
                sink(event);
            }
        });
        sink(Event::Finished(&finish));
        Ending::Finished { in_form }
    }

    /// Whether the answer stands: why it ended, and whether it is in form. Else what must be done.
    fn judge(
        &mut self,
        outcome: &Outcome,
        finish: Finish,
        body: Body,
        rest: &mut EventBuffer,
    ) -> Result<(Finish, bool), Ending> {
        let meant = outcome.unfinished > 0 || outcome.broke_started_call();
        let unfit = outcome.calls > 0
            && outcome
                .problems
                .iter()
                .any(|p| matches!(p, Problem::Mismatch { .. }));
        // Nothing of an answer that is given whole has reached the client yet.
        if !self.streamed && (meant || unfit) && !outcome.cut_in_call {
            self.ask_for_calls(outcome)?;
        }
        if meant && !outcome.cut_in_call || outcome.broke_started_call() {
            return Err(failed("The model's tool call was incomplete."));
        }
        if outcome.cut_in_call {
            self.release_waited(rest);
            return Ok((Finish::Length, true));
        }
        if outcome.calls > 0 {
            let cut = self.stages.output().limited() && finish == Finish::Length;
            return Ok((if cut { finish } else { Finish::Calls }, true));
        }
        if finish == Finish::Stop && self.give_forced(outcome, rest) {
            return Ok((Finish::Calls, true));
        }
        let finish = if finish == Finish::Calls {
            Finish::Stop
        } else {
            finish
        };
        self.judge_calls(outcome, &finish, rest)?;
        self.judge_body(finish, body, rest)
    }

    /// Makes the demanded call of an answer that is its bare arguments.
    fn give_forced(&mut self, outcome: &Outcome, rest: &mut EventBuffer) -> bool {
        let only_missing = outcome
            .problems
            .iter()
            .all(|problem| matches!(problem, Problem::Missing { .. }));
        let Some(forced) = self.forced.as_ref().filter(|_| only_missing) else {
            return false;
        };
        let Some(json) = forced.arguments(self.stages.output().waiting()) else {
            return false;
        };
        self.stages.waited();
        let (index, name) = (0, forced.name.as_str());
        rest.keep(Event::CallStarted { index, name });
        rest.keep(Event::CallArguments { index, json: &json });
        rest.keep(Event::CallEnded { index });
        true
    }

    /// An answer without calls, where some were meant or demanded.
    fn judge_calls(
        &mut self,
        outcome: &Outcome,
        finish: &Finish,
        rest: &mut EventBuffer,
    ) -> Result<(), Ending> {
        let cut = matches!(finish, Finish::Length | Finish::Filtered);
        if !cut {
            self.ask_for_calls(outcome)?;
        }
        let missing = outcome
            .problems
            .iter()
            .find(|problem| matches!(problem, Problem::Missing { .. }));
        match missing {
            Some(problem) if !cut => Err(failed(&format!(
                "The model did not make the required tool call: {problem}."
            ))),
            _ => {
                self.release_waited(rest);
                Ok(())
            }
        }
    }

    /// Gives the text that waited for a call which is not made.
    fn release_waited(&mut self, rest: &mut EventBuffer) {
        let waited = self.stages.waited();
        if !waited.is_empty() {
            rest.keep(Event::Text(&waited));
        }
    }

    /// The text of an answer without calls, where a form was asked for.
    fn judge_body(
        &mut self,
        finish: Finish,
        body: Body,
        rest: &mut EventBuffer,
    ) -> Result<(Finish, bool), Ending> {
        match body {
            Body::Given | Body::Streamed(End::Complete) => Ok((finish, true)),
            Body::Streamed(End::Broken(_)) if finish == Finish::Length => Ok((finish, true)),
            Body::Streamed(End::Broken(why)) => Err(failed(&format!(
                "The model's answer is not valid JSON: {why}."
            ))),
            Body::Whole(text) | Body::Streamed(End::Prose(text)) => {
                self.judge_whole(finish, &text, rest)
            }
        }
    }

    fn judge_whole(
        &mut self,
        finish: Finish,
        text: &str,
        rest: &mut EventBuffer,
    ) -> Result<(Finish, bool), Ending> {
        let cut = matches!(finish, Finish::Length | Finish::Filtered);
        let verdict = self
            .form
            .as_ref()
            .map_or(Verdict::Fits(text.to_owned()), |form| form.judge(text, cut));
        match verdict {
            Verdict::Fits(json) => rest.keep(Event::Text(&json)),
            Verdict::Refused => rest.keep(Event::Refusal(text.trim())),
            Verdict::Unfit(_) if cut => {
                if !text.is_empty() {
                    rest.keep(Event::Text(text));
                }
            }
            Verdict::Unfit(errors) => {
                self.ask(candidates::reask_message(&errors))?;
                // A stream has no header left to say that its text is not in form.
                if self.strict || self.streamed {
                    let reasons = errors.join("; ");
                    return Err(failed(&format!(
                        "The model's answer does not match the requested format: {reasons}."
                    )));
                }
                rest.keep(Event::Text(text));
                return Ok((finish, false));
            }
        }
        Ok((finish, true))
    }

    /// Another attempt, told what was wrong with the calls.
    fn ask_for_calls(&self, outcome: &Outcome) -> Result<(), Ending> {
        if self.attempt.left == 0 {
            return Ok(());
        }
        let names: Vec<&str> = self.callable.iter().map(String::as_str).collect();
        match outcome.reask_message(&names, &self.tags.open("tool_call")) {
            Some(correction) => self.ask(correction),
            None => Ok(()),
        }
    }

    /// Another attempt, if there is one left.
    fn ask(&self, correction: String) -> Result<(), Ending> {
        if self.attempt.left == 0 {
            return Ok(());
        }
        Err(Ending::Ask {
            correction,
            next: Attempt {
                left: self.attempt.left - 1,
                calls_only: self.attempt.calls_only || self.spoke,
                ..self.attempt
            },
        })
    }

    /// The answer as the model wrote it so far, where it may have to be corrected.
    #[must_use]
    pub fn raw(&self) -> &str {
        self.raw.as_deref().unwrap_or_default()
    }

    /// The tokens of what the client was given, by our estimate.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.stages.output().tokens()
    }
}

/// Where events go: to the client, or to what is held.
struct EventFilter<'g> {
    held: &'g mut Option<EventBuffer>,
    spoke: &'g mut bool,
    calls_only: bool,
    sink: &'g mut dyn FnMut(Event<'_>),
}

impl EventFilter<'_> {
    fn event(&mut self, event: Event<'_>) {
        if let Some(held) = self.held {
            return held.keep(event);
        }
        if !self.calls_only || is_call(event) {
            *self.spoke |= matches!(event, Event::Text(_) | Event::Refusal(_));
            (self.sink)(event);
        }
    }
}

fn is_call(event: Event<'_>) -> bool {
    matches!(
        event,
        Event::CallStarted { .. } | Event::CallArguments { .. } | Event::CallEnded { .. }
    )
}

/// A paid answer that cannot be used. Asking for it again by rote would only cost more.
fn failed(why: &str) -> Ending {
    Ending::Failed(Failure::new(Kind::Unmet, why).with_retry(false))
}

#[cfg(test)]
mod tests;

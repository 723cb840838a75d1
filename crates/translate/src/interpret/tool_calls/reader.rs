//! The reader: text in, events out, the same for any cut of the text.
//!
//! It is in one of five [`State`]s, each of which holds what only it needs and gives the next.
//! Text that could yet be part of a call is kept in the [`Source`], so going back is setting a
//! cursor back; how often that may happen is bounded by the [`Budget`].

mod arguments;
mod between;
mod budget;
mod delivery;
mod scan;
mod state;

use super::Options;
use super::callable_tools::CallableTools;
use super::context::Context;
use super::markers;
use super::outcome::{Outcome, Problem};
use super::prompt_echo::PromptEcho;
use super::source::Source;
use super::syntax::Known;
use crate::chat_request::Tools;
use crate::interpret::flow::Flow;
use crate::reply::Event;
use crate::tags::Tags;
use budget::Budget;
use state::{State, Step};

/// The most white space that is held because a call may follow.
const MAX_BLANK: usize = 256;

/// Reads the calls of one answer.
#[derive(Debug)]
pub struct Reader {
    rules: Rules,
    source: Source,
    context: Context,
    state: State,
    budget: Budget,
    progress: Progress,
}

/// What the request says about calls.
#[derive(Debug)]
struct Rules {
    declared: CallableTools,
    one_at_a_time: bool,
    /// What is wrong if no call comes.
    missing: Option<Problem>,
    tags: Tags,
    /// The tag that closes a call.
    close: String,
    quoted: PromptEcho,
    options: Options,
}

/// What came of the answer so far.
#[derive(Debug, Default)]
struct Progress {
    /// The number of the next call.
    index: usize,
    passed: Passed,
    /// What closed the parameters of the last call: where it stands again, a value was cut off.
    parameter_tag: Option<String>,
    outcome: Outcome,
}

/// What becomes of text that is no call.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Passed {
    /// It is given.
    #[default]
    Given,
    /// A call that was none is held, to be text if text follows.
    Suspect,
    /// It is dropped: a call stands before it.
    Dropped,
}

impl Reader {
    /// A reader for one answer to a prompt with these tools and tags. `quoted` holds the request's
    /// texts that could hold a call ([`PromptEcho::of`]).
    #[must_use]
    pub fn new(tools: &Tools, tags: Tags, quoted: PromptEcho, options: Options) -> Self {
        Self {
            rules: Rules {
                declared: CallableTools::new(tools),
                one_at_a_time: tools.one_at_a_time,
                missing: Problem::of_missing(tools.demand()),
                tags,
                close: tags.close("tool_call"),
                quoted,
                options,
            },
            source: Source::default(),
            context: Context::default(),
            state: State::Text,
            budget: Budget::default(),
            progress: Progress::default(),
        }
    }

    /// Takes in more of the answer. [`Flow::Stop`]: the answer is complete, upstream can be left.
    pub fn push(&mut self, text: &str, sink: &mut dyn FnMut(Event<'_>)) -> Flow {
        if self.rules.declared.is_empty() {
            if !text.is_empty() {
                sink(Event::Text(text));
            }
            return Flow::Continue;
        }
        if self.is_finished() {
            return Flow::Stop;
        }
        self.source.push(text);
        self.budget.grow(text.len());
        self.run(sink);
        self.source.forget();
        if self.is_finished() {
            Flow::Stop
        } else {
            Flow::Continue
        }
    }

    /// The answer is over. `cut` says that upstream did not end it itself, so that nothing
    /// unfinished may be completed. What was held and is no call is given as text.
    pub fn end(mut self, cut: bool, sink: &mut dyn FnMut(Event<'_>)) -> Outcome {
        if !self.is_finished() && !self.rules.declared.is_empty() {
            if cut {
                // What waited to be read again with more text is read with what there is.
                self.budget.retry();
            } else {
                self.source.finish();
            }
            self.run(sink);
            let (mut driver, state) = self.driver(sink);
            if cut && !matches!(state, State::Finished) {
                driver.cut(&state);
            }
            driver.settle(state);
        }
        let mut outcome = self.progress.outcome;
        if outcome.calls == 0 {
            outcome.problems.extend(self.rules.missing);
        }
        outcome
    }

    fn is_finished(&self) -> bool {
        matches!(self.state, State::Finished)
    }

    fn run(&mut self, sink: &mut dyn FnMut(Event<'_>)) {
        let (mut driver, mut state) = self.driver(sink);
        self.state = loop {
            let step = match state {
                State::Text => driver.scan(),
                State::Arguments(call) => driver.arguments(call),
                State::Malformed(between) => driver.malformed(between),
                State::Between(between) => driver.between(between),
                State::Finished => Step::Wait(State::Finished),
            };
            match step {
                Step::Go(next) => state = next,
                Step::Wait(waiting) => break waiting,
            }
        };
    }

    fn driver<'d>(&'d mut self, sink: &'d mut dyn FnMut(Event<'_>)) -> (Driver<'d>, State) {
        let state = std::mem::take(&mut self.state);
        let driver = Driver {
            rules: &self.rules,
            source: &mut self.source,
            context: &mut self.context,
            budget: &mut self.budget,
            progress: &mut self.progress,
            sink,
        };
        (driver, state)
    }
}

/// Takes the reader from one state to the next.
struct Driver<'d> {
    rules: &'d Rules,
    source: &'d mut Source,
    context: &'d mut Context,
    budget: &'d mut Budget,
    progress: &'d mut Progress,
    sink: &'d mut dyn FnMut(Event<'_>),
}

impl Driver<'_> {
    /// The text was cut: complete calls stay, a call in the middle ends the answer for its length.
    fn cut(&mut self, state: &State) {
        let pending_calls = state
            .tentative()
            .is_some_and(|t| !t.pending_calls.is_empty());
        let unread = self.source.rest().trim();
        let marker = unread.bytes().next().is_some_and(markers::begins_anywhere);
        let begins_call = marker && state.tentative().is_none();
        match state {
            State::Arguments(_) if pending_calls => self.progress.outcome.cut_in_call = true,
            State::Arguments(_) | State::Malformed(_) => {
                self.progress.outcome.cut_in_call = true;
                self.source.drop_all();
            }
            _ if unread.len() > 2 && begins_call => {
                self.progress.outcome.cut_in_call = unread.len() > 12 && !unread.starts_with("</");
                self.source.drop_all();
            }
            _ => {}
        }
    }

    /// Gives what is held when nothing more will come.
    fn settle(&mut self, state: State) {
        let tentative = match state {
            State::Between(between) => between.tentative,
            State::Arguments(call) if self.progress.outcome.cut_in_call => call.between.tentative,
            _ => None,
        };
        if let Some(tentative) = tentative.filter(|t| !t.pending_calls.is_empty()) {
            self.source.drop_all();
            if let Some(said) = tentative.said.filter(|said| !said.is_empty()) {
                (self.sink)(Event::Text(&said));
            }
            for (tool, json) in tentative.pending_calls {
                if self.emit_call(tool, &json) == Flow::Stop {
                    break;
                }
            }
        }
        self.release(self.source.end());
    }

    /// Gives held text up to a place, or drops it behind a call.
    fn release(&mut self, end: usize) {
        let text = self.source.give(end);
        if !text.is_empty() && self.progress.passed != Passed::Dropped {
            (self.sink)(Event::Text(text));
        }
    }

    fn known(&self) -> Known<'_> {
        Known {
            declared: &self.rules.declared,
            tags: self.rules.tags,
        }
    }
}

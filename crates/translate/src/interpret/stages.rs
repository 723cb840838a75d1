//! The stages of interpreting, chained once: the transcript's opening tag, thoughts, tool calls,
//! then what of the answer reaches the client.

use super::flow::Flow;
use super::frame::Opening;
use super::output_stages::{Body, OutputStages};
use super::thinking::{Thinking, Thoughts};
use super::tool_calls::{Outcome, Reader};
use crate::reply::{Event, Finish};

/// The chain of stages that an answer's text passes.
#[derive(Debug)]
pub struct Stages {
    opening: Option<Opening>,
    /// None once the answer has ended.
    thinking: Option<Thinking>,
    reader: Option<Reader>,
    output: OutputStages,
    /// Whether the reader wants no more.
    stopped: bool,
}

/// What goes into the chain.
#[derive(Clone, Copy)]
enum Input<'t> {
    Text(&'t str),
    End,
}

impl Stages {
    /// For one answer. Without `opening` it has no frame, without `reader` no calls.
    #[must_use]
    pub fn new(
        opening: Option<Opening>,
        thoughts: Thoughts,
        reader: Option<Reader>,
        output: OutputStages,
    ) -> Self {
        Self {
            opening,
            thinking: Some(Thinking::new(thoughts)),
            reader,
            output,
            stopped: false,
        }
    }

    /// Takes in more of the text.
    pub fn push(&mut self, text: &str, sink: &mut dyn FnMut(Event<'_>)) {
        self.pass(Input::Text(text), sink);
    }

    /// Gives text at once if no stage could change it, and tells whether it did. Most answers are such
    /// text from some point on, and each piece of it would pass every stage for nothing.
    pub fn give_plain(&mut self, text: &str, sink: &mut dyn FnMut(Event<'_>)) -> bool {
        let thinking = self.thinking.as_ref();
        self.opening.is_none()
            && self.reader.is_none()
            && !self.stopped
            && thinking.is_some_and(Thinking::is_over)
            && self.output.give_plain(text, sink)
    }

    /// The text is over, for the reason that upstream gave. Every stage gives what it holds; why
    /// the answer ended for the client, and what its calls and its text came to.
    pub fn end(
        &mut self,
        finish: &Finish,
        sink: &mut dyn FnMut(Event<'_>),
    ) -> (Outcome, Finish, Body) {
        let cut = self.output.limited() || matches!(finish, Finish::Length | Finish::Filtered);
        self.pass(Input::End, sink);
        let outcome = match self.reader.take() {
            Some(reader) => reader.end(cut, &mut |event| self.output.event(event, sink)),
            None => Outcome::default(),
        };
        let (finish, body) = self.output.end(finish, cut, sink);
        (outcome, finish, body)
    }

    fn pass(&mut self, input: Input<'_>, sink: &mut dyn FnMut(Event<'_>)) {
        let Self {
            opening,
            thinking,
            reader,
            output,
            stopped,
        } = self;
        let mut behind_thoughts = |event: Event<'_>| match (event, &mut *reader) {
            (Event::Text(text), Some(reader)) => {
                *stopped |= reader.push(text, &mut |event| output.event(event, sink)) == Flow::Stop;
            }
            (event, _) => output.event(event, sink),
        };
        match input {
            Input::Text(text) => {
                let Some(thinking) = thinking else { return };
                match opening {
                    Some(opening) => opening.push(text, &mut |text| {
                        thinking.push(text, &mut behind_thoughts);
                    }),
                    None => thinking.push(text, &mut behind_thoughts),
                }
            }
            Input::End => {
                let Some(mut thinking) = thinking.take() else {
                    return;
                };
                if let Some(mut opening) = opening.take() {
                    opening.end(&mut |text| thinking.push(text, &mut behind_thoughts));
                }
                thinking.end(&mut behind_thoughts);
            }
        }
    }

    /// Whether nothing of what follows counts: upstream can be left.
    #[must_use]
    pub fn has_stopped(&self) -> bool {
        self.stopped
    }

    /// Whether more of the answer is wanted.
    #[must_use]
    pub fn flow(&self) -> Flow {
        if self.stopped {
            Flow::Stop
        } else {
            self.output.flow()
        }
    }

    /// What of the answer reaches the client.
    #[must_use]
    pub fn output(&self) -> &OutputStages {
        &self.output
    }

    /// The text that waited for a call which never came.
    pub fn waited(&mut self) -> String {
        self.output.waited()
    }
}

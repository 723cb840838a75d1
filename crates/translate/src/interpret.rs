//! Interpreting: upstream's text deltas become [`Event`]s.
//!
//! Every stage is a state machine fed with text, in pieces cut anywhere; the events do not depend
//! on the cuts. [`Interpreter`] is the chain of stages that one answer needs: a plain answer
//! passes through the limits only.

pub mod frame;
pub mod json;
pub mod limits;
pub mod refusal;
pub mod scanner;
pub mod schema;
pub mod thinking;
pub mod tool_calls;

use crate::compose::tags::Tags;
use crate::reply::{Event, Finish};
use crate::turn::Turn;
use frame::Frame;
use limits::Limits;

/// Whether an answer needs more of upstream's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// More text is wanted.
    Continue,
    /// The answer is complete, whatever upstream still has to say: its request can be dropped.
    Stop,
}

/// Turns the text of one answer into events.
#[derive(Debug)]
pub struct Interpreter {
    frame: Option<Frame>,
    limits: Limits,
}

impl Interpreter {
    /// For an answer to this turn, whose transcript is written with these tags.
    #[must_use]
    pub fn new(turn: &Turn, tags: Option<Tags>) -> Self {
        Self {
            frame: tags.map(Frame::new),
            limits: Limits::new(&turn.limits),
        }
    }

    /// Takes in more of the text.
    pub fn push(&mut self, text: &str, sink: &mut dyn FnMut(Event<'_>)) -> Flow {
        if text.is_empty() {
            return Flow::Continue;
        }
        let limits = &mut self.limits;
        match &mut self.frame {
            None => limits.event(Event::Text(text), sink),
            Some(frame) => {
                let mut reached = Flow::Continue;
                let flow = frame.push(text, &mut |text| {
                    reached = limits.event(Event::Text(text), sink);
                    reached
                });
                if reached == Flow::Stop { reached } else { flow }
            }
        }
    }

    /// The text is over, or no more of it was wanted. `finish` is the reason that upstream gave.
    pub fn end(&mut self, finish: Finish, sink: &mut dyn FnMut(Event<'_>)) {
        if let Some(frame) = self.frame.take() {
            let limits = &mut self.limits;
            frame.end(&mut |text| limits.event(Event::Text(text), sink));
        }
        self.limits.end(finish, sink);
    }

    /// The tokens of what the client was given, by our estimate.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.limits.tokens()
    }
}

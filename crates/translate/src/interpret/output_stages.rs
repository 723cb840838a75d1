//! The last stages: what of an answer reaches the client, and in what form.
//!
//! Behind the readers of thoughts and calls stand, in this order: the frame of the transcript, the
//! client's limits, and the form the text must have.

use super::flow::Flow;
use super::frame::Frame;
use super::json::answer::{Answer, End};
use super::limits::Limits;
use crate::chat_request::{ChatRequest, Delivery, OutputFormat};
use crate::reply::{Event, Finish};
use crate::tags::Tags;

/// How much of what follows the end of an answer is still read, in bytes, so that upstream can say
/// what it cost; beyond it is chatter that is not worth its credits.
const TAIL: usize = 256;

/// Passes events on to the client.
#[derive(Debug)]
pub struct OutputStages {
    frame: Option<Frame>,
    limits: Limits,
    form: Form,
    /// Text that counts only if a call follows it, where one was demanded.
    awaiting_call: Option<String>,
    /// Bytes that came behind the end of the answer; none while it goes on.
    tail: Option<usize>,
}

/// What becomes of the answer's text.
#[derive(Debug)]
enum Form {
    /// It is passed on.
    Plain,
    /// It is kept until it can be judged whole.
    Kept(String),
    /// Its JSON value is passed on as it comes.
    Streamed(Box<Answer>),
}

/// What the text came to, where a form was asked for and no call was made.
#[derive(Debug)]
pub enum Body {
    /// Everything was passed on.
    Given,
    /// The whole text, to be judged.
    Whole(String),
    /// How the streamed value ended.
    Streamed(End),
}

impl OutputStages {
    /// For one answer. `demanded`: a call must be made.
    #[must_use]
    pub fn new(chat: &ChatRequest, tags: Option<Tags>, demanded: bool) -> Self {
        let strict = matches!(chat.output, OutputFormat::Schema { strict: true, .. });
        let form = match chat.output {
            OutputFormat::Text => Form::Plain,
            _ if strict || chat.delivery == Delivery::Whole => Form::Kept(String::new()),
            _ => Form::Streamed(Box::default()),
        };
        Self {
            frame: tags.map(Frame::new),
            limits: Limits::new(&chat.limits),
            form,
            awaiting_call: demanded.then(String::new),
            tail: None,
        }
    }

    /// Passes an event on.
    pub fn event(&mut self, event: Event<'_>, sink: &mut dyn FnMut(Event<'_>)) {
        let Self {
            frame,
            limits,
            form,
            awaiting_call,
            tail,
        } = self;
        let mut shaped = |event: Event<'_>| shape(form, awaiting_call, event, sink);
        match (event, frame) {
            (Event::Text(text), _) if tail.is_some() => {
                *tail = tail.map(|seen| seen + text.len());
            }
            (Event::Text(text), Some(frame)) => {
                if frame.push(text, &mut |text| {
                    limits.event(Event::Text(text), &mut shaped)
                }) == Flow::Stop
                    && !limits.reached()
                {
                    *tail = Some(0);
                }
            }
            (event, Some(frame)) => {
                frame.release(&mut |text| limits.event(Event::Text(text), &mut shaped));
                limits.event(event, &mut shaped);
            }
            (event, None) => {
                limits.event(event, &mut shaped);
            }
        }
    }

    /// As [`super::stages::Stages::give_plain`].
    pub fn give_plain(&mut self, text: &str, sink: &mut dyn FnMut(Event<'_>)) -> bool {
        self.frame.is_none()
            && self.tail.is_none()
            && self.awaiting_call.is_none()
            && matches!(self.form, Form::Plain)
            && self.limits.give_plain(text, sink)
    }

    /// Whether more of the answer is wanted.
    #[must_use]
    pub fn flow(&self) -> Flow {
        if self.limits.reached() || self.tail.is_some_and(|seen| seen > TAIL) {
            Flow::Stop
        } else {
            Flow::Continue
        }
    }

    /// Whether one of the client's limits ended the answer.
    #[must_use]
    pub fn limited(&self) -> bool {
        self.limits.reached()
    }

    /// The answer is over; `cut` says that it did not end by itself. Gives what was held back and
    /// tells what the text came to, and why it ended.
    pub fn end(
        &mut self,
        finish: &Finish,
        cut: bool,
        sink: &mut dyn FnMut(Event<'_>),
    ) -> (Finish, Body) {
        let Self {
            frame,
            limits,
            form,
            awaiting_call,
            ..
        } = self;
        let mut why = finish.clone();
        let mut shaped = |event: Event<'_>| match event {
            Event::Finished(finish) => why = finish.clone(),
            event => shape(form, awaiting_call, event, sink),
        };
        if let Some(frame) = frame {
            frame.release(&mut |text| limits.event(Event::Text(text), &mut shaped));
        }
        limits.end(finish, &mut shaped);
        let body = match std::mem::replace(form, Form::Plain) {
            Form::Plain => Body::Given,
            Form::Kept(text) => Body::Whole(text),
            Form::Streamed(answer) => {
                Body::Streamed(answer.end(cut, &mut |json| sink(Event::Text(json))))
            }
        };
        (why, body)
    }

    /// The text that waits for a call.
    #[must_use]
    pub fn waiting(&self) -> &str {
        self.awaiting_call.as_deref().unwrap_or_default()
    }

    /// The text that waited for a call which never came.
    pub fn waited(&mut self) -> String {
        self.awaiting_call.take().unwrap_or_default()
    }

    /// The tokens of what the client was given, by our estimate.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.limits.tokens()
    }
}

/// The form's own stage.
fn shape(
    form: &mut Form,
    awaiting_call: &mut Option<String>,
    event: Event<'_>,
    sink: &mut dyn FnMut(Event<'_>),
) {
    match event {
        Event::Text(text) => match form {
            Form::Kept(kept) => kept.push_str(text),
            Form::Streamed(answer) => {
                answer.push(text, &mut |json| sink(Event::Text(json)));
            }
            Form::Plain => match awaiting_call {
                Some(waiting) => waiting.push_str(text),
                None => sink(Event::Text(text)),
            },
        },
        Event::CallStarted { .. } => {
            // An answer that calls has no form to keep: its text is talk around the calls.
            let before = match std::mem::replace(form, Form::Plain) {
                Form::Plain => awaiting_call.take(),
                Form::Kept(text) => Some(text),
                Form::Streamed(answer) => {
                    match answer.end(true, &mut |json| sink(Event::Text(json))) {
                        End::Prose(text) => Some(text),
                        End::Complete | End::Broken(_) => None,
                    }
                }
            };
            *awaiting_call = None;
            if let Some(text) = before.filter(|text| !text.trim().is_empty()) {
                sink(Event::Text(&text));
            }
            sink(event);
        }
        event => sink(event),
    }
}

//! Events that are kept until it is certain that they stand.

use crate::reply::Event;

/// Events in order, owned.
#[derive(Debug, Default)]
pub struct EventBuffer {
    events: Vec<Owned>,
}

#[derive(Debug)]
enum Owned {
    Text(String),
    Reasoning(String),
    Refusal(String),
    CallStarted { index: usize, name: String },
    CallArguments { index: usize, json: String },
    CallEnded { index: usize },
}

impl EventBuffer {
    /// Keeps an event. Text that goes on is joined; the end of an answer is not kept.
    pub fn keep(&mut self, event: Event<'_>) {
        match (self.events.last_mut(), event) {
            (Some(Owned::Text(held)), Event::Text(text))
            | (Some(Owned::Reasoning(held)), Event::Reasoning(text))
            | (Some(Owned::Refusal(held)), Event::Refusal(text))
            | (
                Some(Owned::CallArguments { json: held, .. }),
                Event::CallArguments { json: text, .. },
            ) => {
                held.push_str(text);
            }
            (_, event) => self.events.extend(Owned::of(event)),
        }
    }

    /// Gives everything, in order.
    pub fn give(self, sink: &mut dyn FnMut(Event<'_>)) {
        for event in &self.events {
            sink(event.borrowed());
        }
    }
}

impl Owned {
    fn of(event: Event<'_>) -> Option<Self> {
        Some(match event {
            Event::Text(text) => Self::Text(text.to_owned()),
            Event::Reasoning(text) => Self::Reasoning(text.to_owned()),
            Event::Refusal(text) => Self::Refusal(text.to_owned()),
            Event::CallStarted { index, name } => Self::CallStarted {
                index,
                name: name.to_owned(),
            },
            Event::CallArguments { index, json } => Self::CallArguments {
                index,
                json: json.to_owned(),
            },
            Event::CallEnded { index } => Self::CallEnded { index },
            Event::Finished(_) => return None,
        })
    }

    fn borrowed(&self) -> Event<'_> {
        match self {
            Self::Text(text) => Event::Text(text),
            Self::Reasoning(text) => Event::Reasoning(text),
            Self::Refusal(text) => Event::Refusal(text),
            Self::CallStarted { index, name } => Event::CallStarted {
                index: *index,
                name,
            },
            Self::CallArguments { index, json } => Event::CallArguments {
                index: *index,
                json,
            },
            Self::CallEnded { index } => Event::CallEnded { index: *index },
        }
    }
}

//! Where an answer ends early: the client's stop strings and its limit of tokens.
//!
//! Upstream knows neither, so the answer is cut here and its upstream request dropped. The last
//! stage of interpreting: what passes it is what the client gets.

use super::flow::Flow;
use crate::chat_request;
use crate::reply::{Event, Finish};
use crate::tokens::{self, Meter};

/// The last stage: events in, the same events out until a limit is reached.
#[derive(Debug)]
pub struct Limits {
    stops: Vec<Stop>,
    held: String,
    max_tokens: Option<u64>,
    meter: Meter,
    /// Bytes given to the client.
    given: u64,
    ended: Option<Finish>,
}

impl Limits {
    /// The limits of a turn.
    #[must_use]
    pub fn new(limits: &chat_request::OutputLimits) -> Self {
        let stops = limits.stop.iter().filter(|s| !s.is_empty());
        Self {
            stops: stops.map(|s| Stop::new(s)).collect(),
            held: String::new(),
            max_tokens: limits.max_tokens,
            meter: Meter::default(),
            given: 0,
            ended: None,
        }
    }

    /// Passes an event on as far as the limits allow. [`Event::Finished`] is not for this stage:
    /// it makes its own in [`Limits::end`].
    pub fn event(&mut self, event: Event<'_>, sink: &mut dyn FnMut(Event<'_>)) -> Flow {
        if self.ended.is_some() {
            return Flow::Stop;
        }
        match event {
            Event::Text(text) if self.stops.is_empty() => self.give(text, Event::Text, sink),
            Event::Text(text) => self.text(text, sink),
            Event::Reasoning(text) => self.give(text, Event::Reasoning, sink),
            Event::Refusal(text) => self.give(text, Event::Refusal, sink),
            Event::CallArguments { index, json } => {
                self.give(json, |json| Event::CallArguments { index, json }, sink)
            }
            Event::CallStarted { .. } | Event::CallEnded { .. } => {
                self.release(sink);
                sink(event);
                Flow::Continue
            }
            Event::Finished(_) => Flow::Continue,
        }
    }

    /// Gives text at once if there is no limit, and tells whether it did.
    pub fn give_plain(&mut self, text: &str, sink: &mut dyn FnMut(Event<'_>)) -> bool {
        let is_plain = self.ended.is_none() && self.stops.is_empty() && self.max_tokens.is_none();
        if is_plain {
            self.given += text.len() as u64;
            sink(Event::Text(text));
        }
        is_plain
    }

    /// The answer is over: gives what was held back, then [`Event::Finished`] with the reason a
    /// limit gave, or else this one.
    pub fn end(&mut self, finish: &Finish, sink: &mut dyn FnMut(Event<'_>)) {
        if self.ended.is_none() {
            self.release(sink);
        }
        sink(Event::Finished(self.ended.as_ref().unwrap_or(finish)));
    }

    /// Whether a limit has ended the answer.
    #[must_use]
    pub fn reached(&self) -> bool {
        self.ended.is_some()
    }

    /// The tokens of what was given to the client, by our estimate: the meter's where it had to
    /// run for a limit, else the cheaper rule.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        match self.max_tokens {
            Some(_) => self.meter.tokens(),
            None => tokens::from_bytes(self.given),
        }
    }

    fn text(&mut self, text: &str, sink: &mut dyn FnMut(Event<'_>)) -> Flow {
        let mut buffer = std::mem::take(&mut self.held);
        let old = buffer.len();
        buffer.push_str(text);
        if let Some((start, stop)) = self.find(&buffer, old) {
            if self.give(buffer.get(..start).unwrap_or_default(), Event::Text, sink)
                == Flow::Continue
            {
                self.ended = Some(Finish::StopSequence(stop));
            }
            return Flow::Stop;
        }
        let hold = self.stops.iter().map(|s| s.matched).max().unwrap_or(0);
        let (certain, open) = buffer.split_at(buffer.len() - hold);
        let flow = self.give(certain, Event::Text, sink);
        open.clone_into(&mut self.held);
        flow
    }

    /// The first stop string to be complete in the buffer, whose bytes before `from` were seen
    /// before: where it begins, and what it is. Of two that end together, the longer.
    fn find(&mut self, buffer: &str, from: usize) -> Option<(usize, String)> {
        for (at, byte) in buffer.bytes().enumerate().skip(from) {
            let complete = self
                .stops
                .iter_mut()
                .filter_map(|s| s.step(byte).then_some(&s.text));
            if let Some(stop) = complete.max_by_key(|s| s.len()) {
                return Some(((at + 1).saturating_sub(stop.len()), stop.clone()));
            }
        }
        None
    }

    fn release(&mut self, sink: &mut dyn FnMut(Event<'_>)) {
        let held = std::mem::take(&mut self.held);
        self.stops.iter_mut().for_each(Stop::forget);
        self.give(&held, Event::Text, sink);
    }

    fn give<'t>(
        &mut self,
        text: &'t str,
        event: impl Fn(&'t str) -> Event<'t>,
        sink: &mut dyn FnMut(Event<'_>),
    ) -> Flow {
        let fits = match self.max_tokens {
            Some(limit) => self.meter.count_within(text, limit),
            None => text.len(),
        };
        let (given, cut) = text.split_at(fits);
        self.given += given.len() as u64;
        if !given.is_empty() {
            sink(event(given));
        }
        if cut.is_empty() {
            return Flow::Continue;
        }
        self.ended = Some(Finish::Length);
        Flow::Stop
    }
}

/// One stop string and how much of it the text's end matches (Knuth, Morris and Pratt), so that
/// each byte is looked at once however long the string is.
#[derive(Debug)]
struct Stop {
    text: String,
    /// For each prefix, the length of its longest proper border.
    borders: Vec<usize>,
    matched: usize,
}

impl Stop {
    fn new(text: &str) -> Self {
        let mut stop = Self {
            text: text.to_owned(),
            borders: vec![0],
            matched: 0,
        };
        for byte in text.bytes().skip(1) {
            stop.step(byte);
            stop.borders.push(stop.matched);
        }
        stop.matched = 0;
        stop
    }

    /// Takes one byte of text; true if it completes the stop string.
    fn step(&mut self, byte: u8) -> bool {
        let pattern = self.text.as_bytes();
        while self.matched > 0 && pattern.get(self.matched) != Some(&byte) {
            self.matched = self.borders.get(self.matched - 1).copied().unwrap_or(0);
        }
        if pattern.get(self.matched) == Some(&byte) {
            self.matched += 1;
        }
        self.matched == pattern.len()
    }

    fn forget(&mut self) {
        self.matched = 0;
    }
}

#[cfg(test)]
mod tests;

//! An encoder that keeps what it has written, for requests to come.

use translate::dialect::openai::responses::encode::{EncodeOptions, Events};
use translate::dialect::{Encoder, StreamEncoder};
use translate::failure::Failure;
use translate::reply::{Completion, Event, Reply, ResponseMeta};

use super::durable::StoringSlot;
use crate::objects::responses::{Destination, Responses};

/// Writes a response and keeps it.
pub(super) struct Keeping {
    options: EncodeOptions,
    to: Destination,
    responses: Responses,
    slot: StoringSlot,
}

impl Keeping {
    pub(super) fn new(
        options: EncodeOptions,
        to: Destination,
        responses: Responses,
        slot: StoringSlot,
    ) -> Self {
        Self {
            options,
            to,
            responses,
            slot,
        }
    }
}

impl Encoder for Keeping {
    fn document(&self, stamp: &ResponseMeta, replies: &[Reply], completed: Completion) -> Vec<u8> {
        let document = self.options.document(stamp, replies, completed);
        if self.options.keep {
            self.slot
                .set(self.responses.store(self.to.clone(), &document));
        }
        document
    }

    fn stream(self: Box<Self>, stamp: ResponseMeta, _choices: u32) -> Box<dyn StreamEncoder> {
        Box::new(KeepingEvents {
            events: Events::new(self.options, stamp),
            to: Some(self.to),
            responses: self.responses,
            slot: self.slot,
        })
    }
}

struct KeepingEvents {
    events: Events,
    /// None once the response is kept.
    to: Option<Destination>,
    responses: Responses,
    slot: StoringSlot,
}

impl KeepingEvents {
    fn keep(&mut self) {
        if let (Some(response), Some(to)) = (self.events.response(), self.to.take()) {
            self.slot.set(self.responses.store(to, response));
        }
    }
}

impl StreamEncoder for KeepingEvents {
    fn open(&mut self, out: &mut Vec<u8>) {
        self.events.open(out);
    }

    fn event(&mut self, choice: u32, event: Event<'_>, out: &mut Vec<u8>) {
        self.events.event(choice, event, out);
    }

    fn close(&mut self, completed: Completion, out: &mut Vec<u8>) {
        self.events.close(completed, out);
        self.keep();
    }

    fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        self.events.fail(failure, out);
        self.keep();
    }

    fn heartbeat(&self, out: &mut Vec<u8>) {
        self.events.heartbeat(out);
    }
}

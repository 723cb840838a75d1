//! The text of an answer and where its deltas end, after script and faults had their say.

use std::borrow::Cow;

use crate::chat::echo::{self, Attachments};
use crate::chat::request::ChatRequest;
use crate::chat::usage::{Counts, tokens};
use crate::fault::{FaultKind, Faults};
use crate::model;
use crate::script::{Script, time};
use crate::state::State;

/// Deltas that go out before a fault in the middle of a stream, unless it says otherwise.
pub(crate) const DELTAS_BEFORE_FAULT: usize = 2;

/// Bytes of `huge-event`, unless it says otherwise.
const HUGE_BYTES: usize = 2 * 1024 * 1024;

/// Most bytes that it takes: a prompt must not be able to exhaust the memory.
const HUGE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// An answer's text.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    pub(crate) text: String,
    /// Where each delta ends, in bytes of the text.
    ends: Vec<usize>,
    /// Whether an empty delta comes first, as upstream's streams begin when nothing is scripted.
    pub(crate) empty_first: bool,
    /// URLs that were searched.
    pub(crate) sites: Vec<String>,
    pub(crate) counts: Counts,
}

impl Reply {
    pub(crate) fn new(
        state: &State,
        request: &ChatRequest,
        script: &Script,
        faults: &Faults,
    ) -> Self {
        let seen = Attachments::new(state, request);
        let scripted = script.text();
        let mut reply = Self {
            empty_first: script.deltas.is_none() && script.tokens.is_none(),
            sites: sites(request, faults),
            ..Self::default()
        };
        if faults.has(FaultKind::CrawlLines) {
            for url in reply.sites.clone() {
                reply.push(&format!("🌐 Crawling site {url}\n"));
            }
        }
        if !faults.has(FaultKind::EmptyText) {
            let text = scripted
                .or_else(|| model::answer(request.prompt(), script.model.as_ref()))
                .unwrap_or_else(|| echo::text(request, &seen));
            reply.say(&text, script, faults);
        }
        reply.counts = Counts {
            prompt: tokens(request.prompt()),
            attached: Counts::of_images(seen.images.len()) + seen.file_tokens,
            output: match script.tokens {
                Some(_) => u64::try_from(reply.ends.len()).unwrap_or(u64::MAX),
                None => tokens(&reply.text),
            },
            seconds: reply.seconds(script),
        };
        reply
    }

    /// The deltas, whose sum is the text.
    pub(crate) fn deltas(&self) -> impl ExactSizeIterator<Item = &str> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let delta = self.text.get(start..end).unwrap_or_default();
            start = end;
            delta
        })
    }

    fn say(&mut self, text: &str, script: &Script, faults: &Faults) {
        let huge = faults.find(FaultKind::HugeEvent);
        let place = huge.map(|fault| fault.after.unwrap_or(DELTAS_BEFORE_FAULT));
        let bytes = huge
            .and_then(|fault| fault.bytes)
            .unwrap_or(HUGE_BYTES)
            .min(HUGE_BYTES_MAX);
        let mut deltas: Vec<Cow<'_, str>> =
            script.split(text).into_iter().map(Cow::Borrowed).collect();
        if let Some(place) = place {
            deltas.insert(place.min(deltas.len()), Cow::Owned("x".repeat(bytes)));
        }
        self.text
            .reserve(deltas.iter().map(|delta| delta.len()).sum());
        self.ends.reserve(deltas.len());
        for delta in &deltas {
            self.push(delta);
        }
    }

    fn push(&mut self, delta: &str) {
        self.text.push_str(delta);
        self.ends.push(self.text.len());
    }

    /// The captured 0.365 s, and the time that the script takes.
    fn seconds(&self, script: &Script) -> f64 {
        let events = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        let waited = time(script.first_ms.unwrap_or(0));
        let paced = time(script.delay_ms.unwrap_or(0)).saturating_mul(events);
        0.365 + (waited + paced).as_secs_f64()
    }
}

fn sites(request: &ChatRequest, faults: &Faults) -> Vec<String> {
    let wanted = if faults.has(FaultKind::CrawlLines) {
        Some(2)
    } else {
        None
    };
    let count = request.web_search().or(wanted).unwrap_or(0);
    ('a'..='z')
        .take(usize::try_from(count).unwrap_or(0))
        .map(|name| format!("https://example.org/{name}"))
        .collect()
}

//! One answer before it goes out: head, body as steps, and what happens before the head.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue};

use crate::billing::Charge;
use crate::fault::{FaultKind, Faults};
use crate::playback::Step;
use crate::refusal::Refusal;
use crate::script::{Script, time};

/// Content type of upstream's JSON.
pub(crate) const JSON: &str = "application/json; charset=utf-8";

/// What happens before the head goes out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Hold {
    Nothing,
    Wait(Duration),
    Silent,
    HangUp,
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) hold: Hold,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) steps: Vec<Step>,
    /// What the request cost.
    pub(crate) charge: Option<Charge>,
}

impl Answer {
    /// A body of known length that suffers the faults which break or slow any body.
    pub(crate) fn whole(
        content_type: &'static str,
        body: impl Into<Bytes>,
        script: &Script,
        faults: &Faults,
    ) -> Self {
        let body = body.into();
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        if faults
            .first_of(&[FaultKind::CleanCut, FaultKind::CleanCutMidFrame])
            .is_none()
        {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        }
        let steps = whole_steps(&body, script, faults);
        Self {
            hold: hold(script, faults),
            status: 200,
            headers,
            steps,
            charge: None,
        }
    }

    /// A JSON body.
    pub(crate) fn json(body: impl Into<Bytes>, script: &Script, faults: &Faults) -> Self {
        Self::whole(JSON, body, script, faults)
    }

    /// An event stream.
    pub(crate) fn stream(steps: Vec<Step>, script: &Script, faults: &Faults) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(
            http::header::CACHE_CONTROL,
            HeaderValue::from_static("no-cache"),
        );
        Self {
            hold: hold(script, faults),
            status: 200,
            headers,
            steps,
            charge: None,
        }
    }

    /// With what it cost.
    pub(crate) fn charged(mut self, charge: Charge) -> Self {
        self.charge = (charge.credits > 0).then_some(charge);
        self
    }

    /// A refusal. Faults of the body leave it alone.
    pub(crate) fn refusal(refusal: Refusal, script: &Script, faults: &Faults) -> Self {
        let (status, retry_after) = (refusal.status, refusal.retry_after);
        let (content_type, body) = refusal.render(faults);
        let mut answer = Self::whole(content_type, body, &Script::default(), &Faults::default());
        answer.status = status;
        answer.hold = hold(script, faults);
        if let Some(seconds) = retry_after {
            answer
                .headers
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer
    }
}

/// Cuts bytes into socket writes of the requested size.
pub(crate) fn writes(bytes: &Bytes, script: &Script) -> Vec<Step> {
    let size = script.write.unwrap_or(bytes.len()).max(1);
    let mut steps = Vec::new();
    for start in (0..bytes.len()).step_by(size) {
        if start > 0 {
            steps.push(pause(script));
        }
        let end = bytes.len().min(start + size);
        steps.push(Step::Send {
            bytes: bytes.slice(start..end),
            deltas: 0,
        });
    }
    steps
}

/// What stands between two socket writes.
pub(crate) fn pause(script: &Script) -> Step {
    script
        .write_ms
        .map_or(Step::Flush, |ms| Step::Wait(time(ms)))
}

fn hold(script: &Script, faults: &Faults) -> Hold {
    if faults.has(FaultKind::HangUp) {
        Hold::HangUp
    } else if faults.has(FaultKind::Silent) {
        Hold::Silent
    } else if let Some(slow) = faults.find(FaultKind::SlowFirstByte) {
        Hold::Wait(time(slow.ms.unwrap_or(2000)))
    } else {
        script
            .first_ms
            .map_or(Hold::Nothing, |ms| Hold::Wait(time(ms)))
    }
}

fn whole_steps(body: &Bytes, script: &Script, faults: &Faults) -> Vec<Step> {
    const BREAKING: [FaultKind; 6] = [
        FaultKind::Cut,
        FaultKind::CutMidFrame,
        FaultKind::Reset,
        FaultKind::CleanCut,
        FaultKind::CleanCutMidFrame,
        FaultKind::Stall,
    ];
    if let Some(slow) = faults.find(FaultKind::SlowStream) {
        return slow_steps(body, time(slow.ms.unwrap_or(250)));
    }
    let Some(fault) = faults.first_of(&BREAKING) else {
        return writes(body, script);
    };
    let mut steps = writes(&body.slice(..body.len() / 2), script);
    match fault.kind {
        FaultKind::CleanCut | FaultKind::CleanCutMidFrame => {}
        FaultKind::Stall => steps.push(Step::Stall),
        kind => steps.extend([
            Step::Flush,
            Step::Tear {
                reset: kind == FaultKind::Reset,
            },
        ]),
    }
    steps
}

fn slow_steps(body: &Bytes, time: Duration) -> Vec<Step> {
    let script = Script {
        write: Some(body.len().div_ceil(8)),
        ..Script::default()
    };
    let mut steps = writes(body, &script);
    for step in &mut steps {
        if *step == Step::Flush {
            *step = Step::Wait(time);
        }
    }
    steps
}

/// A refusal without a script.
pub(crate) fn refused(refusal: Refusal, faults: &Faults) -> Answer {
    Answer::refusal(refusal, &Script::default(), faults)
}

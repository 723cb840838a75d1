//! The answer as Server-Sent Events: `content`…, `result`, `done`; or `error`.

use std::time::Duration;

use serde_json::json;

use crate::answer::Answer;
use crate::billing::Balance;
use crate::chat::frames::Frames;
use crate::chat::record;
use crate::chat::reply::{DELTAS_BEFORE_FAULT, Reply};
use crate::chat::request::ChatRequest;
use crate::fault::{ErrorShape, Fault, FaultKind, Faults};
use crate::playback::Step;
use crate::script::{Script, time};
use crate::state::State;

/// Faults that end a stream in its middle.
const ENDING: [FaultKind; 8] = [
    FaultKind::ErrorMidway,
    FaultKind::ErrorFirst,
    FaultKind::Cut,
    FaultKind::CutMidFrame,
    FaultKind::Reset,
    FaultKind::CleanCut,
    FaultKind::CleanCutMidFrame,
    FaultKind::Stall,
];

/// The stream that says `reply`.
pub(crate) fn answer(
    state: &State,
    request: &ChatRequest,
    reply: &Reply,
    balance: Balance,
    script: &Script,
    faults: &Faults,
) -> Answer {
    let record = || record::json(state, request, reply, balance, script, faults);
    // A frame is 34 bytes around its delta; the record repeats the text.
    let room =
        2 * reply.text.len() + 34 * reply.deltas().len() + request.prompt_object().len() + 2048;
    let mut frames = Frames::new(faults, room);
    let ending = play(&mut frames, reply, record, faults);
    let slow = faults
        .find(FaultKind::SlowStream)
        .map(|fault| fault.ms.unwrap_or(250));
    let delay = slow.or(script.delay_ms).map_or(state.pace, time);
    let mut steps = frames.steps(delay, script);
    if let Some(ending) = ending {
        steps.extend([Step::Flush, ending]);
    }
    Answer::stream(steps, script, faults)
}

/// A stream that fails before it began: HTTP 200 and one error event.
pub(crate) fn error(message: &str, script: &Script, faults: &Faults) -> Answer {
    let shape = faults
        .iter()
        .find_map(|fault| fault.shape)
        .unwrap_or_default();
    let mut frames = Frames::new(faults, 256);
    frames.event("error", &error_data(message, "UNKNOWN_ERROR", shape));
    Answer::stream(frames.steps(Duration::ZERO, script), script, faults)
}

/// Writes the whole stream; returns how it ends if not properly.
fn play(
    frames: &mut Frames,
    reply: &Reply,
    record: impl FnOnce() -> String,
    faults: &Faults,
) -> Option<Step> {
    let ending = faults.first_of(&ENDING);
    let deltas = deltas_of(reply, faults);
    let count = ending.map_or(deltas.len(), |fault| after(fault).min(deltas.len()));
    if faults.has(FaultKind::UnknownEvents) {
        frames.event("reasoning", r#"{"content":"The user wants an answer."}"#);
    }
    if (reply.empty_first || faults.has(FaultKind::EmptyText)) && (ending.is_none() || count > 0) {
        frames.event("content", r#"{"content":""}"#);
    }
    for (index, delta) in deltas.iter().enumerate().take(count) {
        between(frames, index, faults);
        frames.delta(delta);
    }
    if let Some(fault) = ending {
        let next = deltas.get(count).copied().unwrap_or("and so on");
        return break_off(frames, fault, next);
    }
    between(frames, count, faults);
    if faults.has(FaultKind::RepeatedFinal) {
        frames.delta(&reply.text);
    }
    if !faults.has(FaultKind::MissingResult) {
        frames.event("result", &record());
    }
    if !faults.has(FaultKind::MissingDone) {
        frames.terminator("done", r#"{"message":"Stream completed"}"#);
    }
    None
}

/// What faults put before the delta of that number, or behind the last one.
fn between(frames: &mut Frames, index: usize, faults: &Faults) {
    if faults
        .find(FaultKind::MalformedEvent)
        .is_some_and(|fault| after(fault) == index)
    {
        frames.event("content", r#"{"content":"bro"#);
    }
    if faults.has(FaultKind::UnknownEvents) && index == 1 {
        frames.event("llm_chunk", r#"{"text":"not for you"}"#);
        frames.event("ping", "");
    }
}

/// Ends the stream before the delta `next`.
fn break_off(frames: &mut Frames, fault: &Fault, next: &str) -> Option<Step> {
    match fault.kind {
        FaultKind::ErrorMidway | FaultKind::ErrorFirst => {
            let shape = fault.shape.unwrap_or_default();
            let message = fault.message.as_deref().unwrap_or(canned(shape));
            let code = fault.code.as_deref().unwrap_or("UNKNOWN_ERROR");
            frames.event("error", &error_data(message, code, shape));
            None
        }
        FaultKind::CutMidFrame | FaultKind::CleanCutMidFrame => {
            frames.torn_delta(next);
            (fault.kind == FaultKind::CutMidFrame).then_some(Step::Tear { reset: false })
        }
        FaultKind::CleanCut => None,
        FaultKind::Stall => Some(Step::Stall),
        kind => Some(Step::Tear {
            reset: kind == FaultKind::Reset,
        }),
    }
}

/// The text of an error event, as the fixture of its shape has it.
fn canned(shape: ErrorShape) -> &'static str {
    match shape {
        ErrorShape::Nested => "Something failed upstream",
        ErrorShape::Text => "upstream connection lost",
        ErrorShape::String | ErrorShape::Message => {
            "The openai service is temporarily unavailable."
        }
    }
}

/// The deltas that go out: none, or only the first ones, when the record is going to fail.
fn deltas_of<'a>(reply: &'a Reply, faults: &Faults) -> Vec<&'a str> {
    let limit = record::failure(faults).map(|fault| fault.after.unwrap_or(0));
    reply.deltas().take(limit.unwrap_or(usize::MAX)).collect()
}

fn after(fault: &Fault) -> usize {
    if fault.kind == FaultKind::ErrorFirst {
        0
    } else {
        fault.after.unwrap_or(DELTAS_BEFORE_FAULT)
    }
}

fn error_data(message: &str, code: &str, shape: ErrorShape) -> String {
    match shape {
        ErrorShape::String => json!({"error": message}).to_string(),
        ErrorShape::Nested => json!({"error": {"code": code, "message": message}}).to_string(),
        ErrorShape::Message => json!({"message": message}).to_string(),
        ErrorShape::Text => message.replace(['\r', '\n'], " "),
    }
}

//! What a model might write, read from a case's file, and the events it becomes.

use std::fmt::Write as _;

use translate::compose::{Wording, compose};
use translate::interpret::{Attempt, Flow, Interpreter};
use translate::reply::{Event, Finish};
use translate::turn::Turn;

use crate::cases::pieces;

/// How much of a text arrives at once where a stream is shown.
const PIECE: usize = 12;

/// A case: `turn: <case>` and `end: <how>`, a line `---`, the text; a line `--- and` before the
/// text of each further answer to the same request.
pub(crate) struct Answer {
    /// The turn it answers.
    pub(crate) turn: String,
    /// What the model writes; more than one text where several answers were asked for.
    pub(crate) texts: Vec<String>,
    /// The reason that upstream gives for the end; none if it is cut off.
    pub(crate) end: Option<Finish>,
}

/// Reads the file of a case.
pub(crate) fn answer(file: &str) -> Result<Answer, String> {
    let (head, body) = file.split_once("---\n").ok_or("no line `---`")?;
    let mut turn = None;
    let mut end = Some(Finish::Stop);
    for line in head.lines() {
        match line.split_once(": ").ok_or(line)? {
            ("turn", name) => turn = Some(name.to_owned()),
            ("end", "length") => end = Some(Finish::Length),
            ("end", "filtered") => end = Some(Finish::Filtered),
            ("end", "cut") => end = None,
            _ => return Err(line.to_owned()),
        }
    }
    let texts = body
        .split("\n--- and\n")
        .map(|text| text.strip_suffix('\n').unwrap_or(text).to_owned());
    Ok(Answer {
        turn: turn.ok_or("no turn")?,
        texts: texts.collect(),
        end,
    })
}

/// An event that owns its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    Text(String),
    Reasoning(String),
    Refusal(String),
    CallStarted(usize, String),
    CallArguments(usize, String),
    CallEnded(usize),
    Finished(Finish),
}

impl From<Event<'_>> for Said {
    fn from(event: Event<'_>) -> Self {
        match event {
            Event::Text(text) => Self::Text(text.to_owned()),
            Event::Reasoning(text) => Self::Reasoning(text.to_owned()),
            Event::Refusal(text) => Self::Refusal(text.to_owned()),
            Event::CallStarted { index, name } => Self::CallStarted(index, name.to_owned()),
            Event::CallArguments { index, json } => Self::CallArguments(index, json.to_owned()),
            Event::CallEnded { index } => Self::CallEnded(index),
            Event::Finished(finish) => Self::Finished(finish.clone()),
        }
    }
}

impl Said {
    /// Lends the event.
    pub(crate) fn with(&self, take: impl FnOnce(Event<'_>)) {
        take(match self {
            Self::Text(text) => Event::Text(text),
            Self::Reasoning(text) => Event::Reasoning(text),
            Self::Refusal(text) => Event::Refusal(text),
            Self::CallStarted(index, name) => Event::CallStarted {
                index: *index,
                name,
            },
            Self::CallArguments(index, json) => Event::CallArguments {
                index: *index,
                json,
            },
            Self::CallEnded(index) => Event::CallEnded { index: *index },
            Self::Finished(finish) => Event::Finished(finish),
        });
    }

    /// Takes in the next event if both are pieces of one text.
    fn join(&mut self, next: &Self) -> bool {
        match (self, next) {
            (Self::Text(text), Self::Text(more))
            | (Self::Reasoning(text), Self::Reasoning(more))
            | (Self::Refusal(text), Self::Refusal(more)) => text.push_str(more),
            (Self::CallArguments(index, text), Self::CallArguments(next, more))
                if index == next =>
            {
                text.push_str(more);
            }
            _ => return false,
        }
        true
    }
}

/// The events of a text that comes cut like this, those of each piece by themselves.
fn events(turn: &Turn, text: &str, cuts: &[usize], end: Option<&Finish>) -> Vec<Vec<Said>> {
    let prompt = compose(turn, &Wording::default(), 23);
    let mut interpreter = Interpreter::new(turn, prompt.tags, Attempt::default());
    let mut steps = Vec::new();
    let mut stopped = false;
    for piece in pieces(text, cuts) {
        let mut step = Vec::new();
        stopped = interpreter.push(piece, &mut |event| step.push(Said::from(event))) == Flow::Stop;
        steps.push(step);
        if stopped {
            break;
        }
    }
    // Once no more is wanted, it does not matter how upstream would have ended.
    let finish = if stopped { Some(&Finish::Stop) } else { end };
    if let Some(finish) = finish {
        let mut step = Vec::new();
        interpreter.end(finish.clone(), &mut |event| step.push(Said::from(event)));
        steps.push(step);
    }
    steps
}

/// The events of a text, its pieces joined.
pub(crate) fn merged(turn: &Turn, text: &str, cuts: &[usize], end: Option<&Finish>) -> Vec<Said> {
    let mut merged: Vec<Said> = Vec::new();
    for event in events(turn, text, cuts, end).into_iter().flatten() {
        if !merged.last_mut().is_some_and(|last| last.join(&event)) {
            merged.push(event);
        }
    }
    merged
}

/// Events, one a line.
pub(crate) fn written(events: &[Said]) -> String {
    let mut text = String::new();
    for event in events {
        writeln!(text, "{event:?}").unwrap();
    }
    text
}

/// Where a text is cut into pieces of one size.
pub(crate) fn borders(text: &str) -> Vec<usize> {
    text.char_indices()
        .map(|(at, _)| at)
        .step_by(PIECE)
        .skip(1)
        .collect()
}

/// The events of all answers to one request, as their pieces arrive by turns.
pub(crate) fn conversation(turn: &Turn, answer: &Answer) -> Vec<(u32, Said)> {
    let steps = answer
        .texts
        .iter()
        .map(|text| events(turn, text, &borders(text), answer.end.as_ref()));
    let answers: Vec<Vec<Vec<Said>>> = steps.collect();
    let longest = answers.iter().map(Vec::len).max().unwrap_or(0);
    let mut all = Vec::new();
    for step in 0..longest {
        for (choice, events) in (0..).zip(&answers) {
            all.extend(
                events
                    .get(step)
                    .into_iter()
                    .flatten()
                    .map(|event| (choice, event.clone())),
            );
        }
    }
    all
}

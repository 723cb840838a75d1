//! What a model might write, read from a case's file, and the events it becomes.

use std::fmt::Write as _;

use translate::chat_request::ChatRequest;
use translate::compose::{Wording, compose};
use translate::failure::{Failure, Kind};
use translate::interpret::{Attempt, Ending, Flow, Interpreter};
use translate::reply::{Event, Finish};

use crate::cases::pieces;

/// The number that nobody can guess.
pub(crate) const LOT: u32 = 23;
/// How much of a text arrives at once where a stream is shown.
const PIECE: usize = 12;

/// A case: lines that say what it answers, a line `---`, the text.
///
/// `turn: <case>` is the request, `end: length|filtered|cut` how upstream ends (else of itself),
/// `attempts: <n>` how often the model may be asked again. A line `--- and` begins the answer to
/// be given beside the first where several were asked for, `--- again` what the model writes when
/// it is asked again.
pub(crate) struct Answer {
    /// The turn it answers.
    pub(crate) chat: String,
    /// For each answer to be given: what the model writes at each attempt.
    pub(crate) texts: Vec<Vec<String>>,
    /// The reason that upstream gives for the end; none if it is cut off.
    end: Option<Finish>,
    /// How often the model may be asked again.
    attempts: u32,
}

/// Reads the file of a case.
pub(crate) fn answer(file: &str) -> Result<Answer, String> {
    let (head, body) = file.split_once("---\n").ok_or("no line `---`")?;
    let body = body.strip_suffix('\n').unwrap_or(body);
    let attempts = |text: &str| text.split("\n--- again\n").map(str::to_owned).collect();
    let mut answer = Answer {
        chat: String::new(),
        texts: body.split("\n--- and\n").map(attempts).collect(),
        end: Some(Finish::Stop),
        attempts: 0,
    };
    for line in head.lines() {
        match line.split_once(": ").ok_or(line)? {
            ("turn", name) => name.clone_into(&mut answer.chat),
            ("end", "length") => answer.end = Some(Finish::Length),
            ("end", "filtered") => answer.end = Some(Finish::Filtered),
            ("end", "cut") => answer.end = None,
            ("attempts", n) => answer.attempts = n.parse().map_err(|_| line)?,
            _ => return Err(line.to_owned()),
        }
    }
    Ok(answer)
}

/// An event that owns its text, or another thing that an answer comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    Text(String),
    Reasoning(String),
    Refusal(String),
    CallStarted(usize, String),
    CallArguments(usize, String),
    CallEnded(usize),
    Finished(Finish),
    /// The text has not the form that was asked for, and was given nevertheless.
    NotInForm,
    /// The model was told this and asked again.
    AskedAgain(String),
    Failed(Failure),
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
    /// The event, if it is one.
    pub(crate) fn event(&self) -> Option<Event<'_>> {
        Some(match self {
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
            Self::NotInForm | Self::AskedAgain(_) | Self::Failed(_) => return None,
        })
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

/// What each piece of an answer brings, its texts cut like this.
fn steps(
    chat: &ChatRequest,
    texts: &[String],
    cut: &dyn Fn(&str) -> Vec<usize>,
    answer: &Answer,
) -> Vec<Vec<Said>> {
    let tags = compose(chat, &Wording::default(), LOT).tags;
    let mut attempt = Attempt {
        left: answer.attempts,
        ..Attempt::default()
    };
    let mut steps = Vec::new();
    for text in texts {
        let mut interpreter = Interpreter::new(chat, tags, attempt);
        let stopped = fed(&mut interpreter, &pieces(text, &cut(text)), &mut steps);
        // Once no more is wanted, it does not matter how upstream would have ended.
        let finish = if stopped {
            Some(Finish::Stop)
        } else {
            answer.end.clone()
        };
        let mut step = Vec::new();
        let next = ended(&mut interpreter, finish, &mut step);
        steps.push(step);
        match next {
            Some(next) => attempt = next,
            None => break,
        }
    }
    steps
}

/// Feeds pieces until no more is wanted, and says whether that came.
fn fed(interpreter: &mut Interpreter, pieces: &[&str], steps: &mut Vec<Vec<Said>>) -> bool {
    for piece in pieces {
        let mut step = Vec::new();
        let flow = interpreter.push(piece, &mut |event| step.push(Said::from(event)));
        steps.push(step);
        if flow == Flow::Stop {
            return true;
        }
    }
    false
}

/// The end of an attempt, and the next one if there is one.
fn ended(
    interpreter: &mut Interpreter,
    finish: Option<Finish>,
    step: &mut Vec<Said>,
) -> Option<Attempt> {
    let Some(finish) = finish else {
        let failure = Failure::new(
            Kind::Upstream,
            "1min.ai ended its answer before it was complete.",
        );
        step.push(Said::Failed(failure));
        return None;
    };
    let ending = interpreter.end(&finish, &mut |event| step.push(Said::from(event)));
    match ending {
        Ending::Finished { in_form: true } => {}
        Ending::Finished { in_form: false } => step.push(Said::NotInForm),
        Ending::Failed(failure) => step.push(Said::Failed(failure)),
        Ending::Ask { correction, next } => {
            step.push(Said::AskedAgain(correction));
            return Some(next);
        }
    }
    None
}

/// What an answer brings, its pieces joined.
pub(crate) fn merged(
    chat: &ChatRequest,
    texts: &[String],
    cut: &dyn Fn(&str) -> Vec<usize>,
    answer: &Answer,
) -> Vec<Said> {
    let mut merged: Vec<Said> = Vec::new();
    for event in steps(chat, texts, cut, answer).into_iter().flatten() {
        if !merged.last_mut().is_some_and(|last| last.join(&event)) {
            merged.push(event);
        }
    }
    merged
}

/// What an answer brings, one thing a line.
pub(crate) fn written(events: &[Said]) -> String {
    let mut text = String::new();
    for event in events {
        match event {
            Said::Failed(failure) => {
                writeln!(text, "Failed({:?}, {:?})", failure.kind, failure.message)
            }
            event => writeln!(text, "{event:?}"),
        }
        .unwrap();
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

/// What all answers to one request bring, as their pieces arrive by turns.
pub(crate) fn conversation(chat: &ChatRequest, answer: &Answer) -> Vec<(u32, Said)> {
    let answers = answer
        .texts
        .iter()
        .map(|texts| steps(chat, texts, &borders, answer));
    let answers: Vec<Vec<Vec<Said>>> = answers.collect();
    let longest = answers.iter().map(Vec::len).max().unwrap_or(0);
    let mut all = Vec::new();
    for step in 0..longest {
        for (choice, steps) in (0..).zip(&answers) {
            let said = steps.get(step).into_iter().flatten();
            all.extend(said.map(|said| (choice, said.clone())));
        }
    }
    all
}

//! Which result answers which call of the history.
//!
//! Ids are the client's, and clients use them again: a result answers the nearest call before it
//! that has its id and no result yet. Several calls of one tool in one turn are written with their
//! ids, so that the model can tell whose each result is.

use super::attribute::attribute;
use crate::chat_request::{ChatRequest, Part, Role};

/// The calls of a conversation, in order.
pub(super) struct Calls<'a> {
    all: Vec<Known<'a>>,
    /// How many are written.
    written: usize,
}

struct Known<'a> {
    id: &'a str,
    name: &'a str,
    /// The turn of the assistant that it belongs to.
    turn: usize,
    /// The id as the transcript has it.
    shown: String,
    /// Whether another call of its turn is of the same tool.
    ambiguous: bool,
    answered: bool,
}

/// The call that a result answers.
pub(super) struct Answered<'a> {
    /// Its tool.
    pub(super) name: &'a str,
    /// Its id as the transcript has it.
    pub(super) shown: String,
}

impl<'a> Calls<'a> {
    /// The calls of a conversation, none of them written yet.
    pub(super) fn of(chat: &'a ChatRequest) -> Self {
        let mut all: Vec<Known<'a>> = Vec::new();
        let (mut number, mut first) = (0, 0);
        for message in &chat.messages {
            if message.role != Role::Assistant {
                number += 1;
                first = all.len();
            }
            for part in &message.parts {
                if let Part::Call(call) = part {
                    let known = Known {
                        id: &call.id,
                        name: &call.name,
                        turn: number,
                        shown: String::new(),
                        ambiguous: false,
                        answered: false,
                    };
                    all.push(known);
                    tell_apart(all.get_mut(first..).unwrap_or_default());
                }
            }
        }
        Self { all, written: 0 }
    }

    /// Passes the next call; its id, if that must be written beside it.
    pub(super) fn written(&mut self) -> Option<String> {
        let call = self.all.get(self.written)?;
        self.written += 1;
        (call.ambiguous && !call.shown.is_empty()).then(|| call.shown.clone())
    }

    /// The call that a result with this id answers: of the nearest turn, the first one without a
    /// result; if all have one, the nearest.
    pub(super) fn answered_by(&mut self, id: &str) -> Option<Answered<'a>> {
        let before = self.all.get_mut(..self.written)?;
        let open = |call: &Known<'_>| call.id == id && !call.answered;
        let turn = before.iter().rev().find(|call| open(call)).map(|c| c.turn);
        let at = match turn {
            Some(turn) => before.iter().position(|c| open(c) && c.turn == turn),
            None => before.iter().rposition(|c| c.id == id),
        };
        let call = before.get_mut(at?)?;
        call.answered = true;
        Some(Answered {
            name: call.name,
            shown: call.shown.clone(),
        })
    }
}

/// Gives the last of a turn's calls the id that the transcript shows, and notes calls of one tool.
fn tell_apart(turn: &mut [Known<'_>]) {
    let Some((last, earlier)) = turn.split_last_mut() else {
        return;
    };
    let same = earlier.iter().filter(|call| call.id == last.id).count();
    last.shown = attribute(last.id);
    if same > 0 {
        last.shown = format!("{}-{}", last.shown, same + 1);
    }
    for call in earlier.iter_mut().filter(|call| call.name == last.name) {
        call.ambiguous = true;
        last.ambiguous = true;
    }
}

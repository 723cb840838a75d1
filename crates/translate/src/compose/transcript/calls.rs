//! Which result answers which call of the history.
//!
//! Ids are the client's, and clients use them again: a result answers the nearest call before it
//! that has its id and no result yet. Several calls of one tool in one turn are written with their
//! ids, so that the model can tell whose each result is.

use std::collections::{HashMap, VecDeque};

use super::attribute::attribute;
use crate::chat_request::{Call, ChatRequest, Part, Role};

/// The calls of a conversation, in order.
pub(super) struct Calls<'a> {
    all: Vec<Known<'a>>,
    /// How many are written.
    written: usize,
    /// Those that are written, by the client's id.
    by_id: HashMap<&'a str, SameId>,
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
}

/// Written calls with one id, by their places.
#[derive(Default)]
struct SameId {
    /// Those without a result, turn by turn.
    open: Vec<(usize, VecDeque<usize>)>,
    last: usize,
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
        let mut all = Vec::new();
        let mut turn = TurnCalls::default();
        for message in &chat.messages {
            if message.role != Role::Assistant {
                turn = TurnCalls {
                    number: turn.number + 1,
                    ..TurnCalls::default()
                };
            }
            for part in &message.parts {
                if let Part::Call(call) = part {
                    turn.add(call, &mut all);
                }
            }
        }
        Self {
            all,
            written: 0,
            by_id: HashMap::new(),
        }
    }

    /// Passes the next call; its id, if that must be written beside it.
    pub(super) fn written(&mut self) -> Option<String> {
        let place = self.written;
        let call = self.all.get(place)?;
        self.written += 1;
        let same = self.by_id.entry(call.id).or_default();
        same.last = place;
        match same.open.last_mut() {
            Some((turn, open)) if *turn == call.turn => open.push_back(place),
            _ => same.open.push((call.turn, VecDeque::from([place]))),
        }
        (call.ambiguous && !call.shown.is_empty()).then(|| call.shown.clone())
    }

    /// The call that a result with this id answers: of the nearest turn, the first one without a
    /// result; if all have one, the nearest.
    pub(super) fn answered_by(&mut self, id: &str) -> Option<Answered<'a>> {
        let same = self.by_id.get_mut(id)?;
        let open = same.open.last_mut().and_then(|(_, open)| open.pop_front());
        if same.open.last().is_some_and(|(_, open)| open.is_empty()) {
            same.open.pop();
        }
        let call = self.all.get(open.unwrap_or(same.last))?;
        Some(Answered {
            name: call.name,
            shown: call.shown.clone(),
        })
    }
}

/// One turn of the assistant, while its calls are read.
#[derive(Default)]
struct TurnCalls<'a> {
    number: usize,
    /// How many calls have an id.
    ids: HashMap<&'a str, usize>,
    /// The first call of each tool, by its place.
    tools: HashMap<&'a str, usize>,
}

impl<'a> TurnCalls<'a> {
    /// Adds a call: with the id that the transcript shows, and a note on calls of one tool.
    fn add(&mut self, call: &'a Call, all: &mut Vec<Known<'a>>) {
        let same = self.ids.entry(&call.id).or_default();
        *same += 1;
        let mut shown = attribute(&call.id);
        if *same > 1 {
            shown = format!("{shown}-{same}");
        }
        let place = all.len();
        let first = *self.tools.entry(&call.name).or_insert(place);
        if let Some(first) = all.get_mut(first) {
            first.ambiguous = true;
        }
        all.push(Known {
            id: &call.id,
            name: &call.name,
            turn: self.number,
            shown,
            ambiguous: first < place,
        });
    }
}

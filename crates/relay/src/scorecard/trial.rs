//! One task asked of one model, on the way that every request goes: decoded, planned, composed,
//! asked, interpreted, and corrected as the settings permit.

use std::sync::Arc;

use onemin::{Client, chat};
use translate::compose::{Wording, compose};
use translate::dialect::openai::chat::DIALECT;
use translate::failure::{Failure, Kind};
use translate::interpret::Attempt;
use translate::interpret::thinking::Thoughts;
use translate::plan::{self, CodeSupport, ModelCapabilities, PlanSettings};
use translate::reply::{Event, Reply};

use super::tasks::Task;
use crate::chat::answers::{Answers, Call, Progress};
use crate::chat::upstream::Upstream;
use crate::ledger::Payer;

/// What became of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Score {
    /// The first answer was right.
    Right,
    /// The model was asked again, and then it was right.
    Corrected,
    /// It was not right.
    Wrong,
    /// The client was shown what should have been a call.
    Leaked,
    /// There was no answer: a refusal, or the way to it. It says nothing of the model.
    Unanswered,
}

impl Score {
    /// Every score, in the order of tables.
    pub const ALL: [Self; 5] = [
        Self::Right,
        Self::Corrected,
        Self::Wrong,
        Self::Leaked,
        Self::Unanswered,
    ];

    /// Its word in tables and reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Corrected => "corrected",
            Self::Wrong => "wrong",
            Self::Leaked => "leaked",
            Self::Unanswered => "unanswered",
        }
    }
}

/// A task that was asked.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The task.
    pub task: &'static str,
    /// Whether it was streamed.
    pub streamed: bool,
    /// What became of it.
    pub score: Score,
    /// What it cost, in credits, as far as 1min.ai said so.
    pub credits: f64,
    /// Why there was no answer, or none that could be used.
    pub reason: Option<String>,
}

/// How tasks are asked.
pub struct Pipeline<'p> {
    /// What asks.
    pub client: &'p Client,
    /// Who pays.
    pub payer: Payer,
    /// How often an answer is corrected.
    pub plan: PlanSettings,
    /// What becomes of thoughts.
    pub thoughts: Thoughts,
}

impl Pipeline<'_> {
    /// The answers to a task, and how long their prompt is in bytes. Nothing is sent before they
    /// are polled.
    ///
    /// # Errors
    /// The request cannot be served.
    pub fn prepare(
        &self,
        task: &Task,
        model: &str,
        wording: &Arc<Wording>,
        streamed: bool,
    ) -> Result<(Answers, usize), Failure> {
        let body = task.request(model, streamed).to_string();
        let chat = (DIALECT.decode)(body.as_bytes())?.chat;
        let abilities = ModelCapabilities {
            vision: false,
            code: CodeSupport::Never,
        };
        let plan = plan::plan(&chat, abilities, self.plan, DIALECT.fields)?;
        let prompt = compose(&chat, wording, 0);
        let length = prompt.text.len();
        let request = chat::Request {
            model: model.to_owned(),
            prompt: prompt.text,
            ..chat::Request::default()
        };
        let attempt = Attempt {
            left: plan.corrections,
            thoughts: self.thoughts,
            ..Attempt::default()
        };
        let call = Call {
            upstream: Upstream {
                client: self.client.clone(),
                payer: self.payer.clone(),
                exchange: plan.exchange,
                attachments: None,
            },
            chat: Arc::new(chat),
            tags: prompt.tags,
            wording: wording.clone(),
        };
        Ok((Answers::call(call, request, attempt), length))
    }
}

/// Waits for the answers to a task, and scores them.
pub async fn score(task: &Task, streamed: bool, mut answers: Answers) -> Trial {
    let mut reply = Reply::default();
    let mut collect = |_: usize, event: Event<'_>| reply.collect(event);
    let ended = loop {
        match std::future::poll_fn(|cx| answers.poll(cx, &mut collect)).await {
            Ok(Progress::More) => {}
            Ok(Progress::Done) => break Ok(()),
            Err(failure) => break Err(failure),
        }
    };
    let (score, reason) = match ended {
        Ok(()) => (of_reply(task, &reply, answers.attempts()), None),
        Err(failure) if failure.kind == Kind::Unmet => (Score::Wrong, Some(failure.message)),
        Err(failure) => (Score::Unanswered, Some(failure.message)),
    };
    Trial {
        task: task.id,
        streamed,
        score,
        credits: answers.usage().credits.unwrap_or_default(),
        reason,
    }
}

fn of_reply(task: &Task, reply: &Reply, attempts: u32) -> Score {
    if shows_call(&reply.text) {
        Score::Leaked
    } else if !task.is_right(reply) {
        Score::Wrong
    } else if attempts > 1 {
        Score::Corrected
    } else {
        Score::Right
    }
}

/// Marks with which models write calls; no right answer to a task has one in its text.
const CALL_MARKS: &[&str] = &[
    "tool_call",
    "toolcall",
    "function_call",
    "<invoke",
    "<function",
    "[tool_calls]",
    "python_tag",
    "tool_code",
    "tool▁call",
    "default_api.",
    "\"arguments\"",
    "\"parameters\"",
];

fn shows_call(text: &str) -> bool {
    let text = text.to_lowercase();
    CALL_MARKS.iter().any(|mark| text.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scorecard::tasks::TASKS;

    #[test]
    fn what_is_right_late_is_corrected_and_what_shows_a_call_is_leaked() {
        let task = TASKS
            .iter()
            .find(|task| task.id == "no-call-needed")
            .unwrap();
        let reply = |text: &str| Reply {
            text: text.to_owned(),
            ..Reply::default()
        };
        assert_eq!(of_reply(task, &reply("Jupiter"), 1), Score::Right);
        assert_eq!(of_reply(task, &reply("Jupiter"), 2), Score::Corrected);
        assert_eq!(of_reply(task, &reply("Mars"), 2), Score::Wrong);
        for leak in [
            "Jupiter <tool_call>",
            "Jupiter [TOOL_CALLS]",
            "Jupiter {\"arguments\": {}}",
        ] {
            assert_eq!(of_reply(task, &reply(leak), 1), Score::Leaked, "{leak}");
        }
    }
}

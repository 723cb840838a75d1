//! The answers to a request: upstream is asked once for each, and again where one must be
//! corrected; what it says is interpreted as it comes.

use std::sync::Arc;
use std::task::{Context, Poll};

use onemin::chat::{self, Accounting};
use translate::chat_request::ChatRequest;
use translate::compose::{self, Wording};
use translate::failure::{Failure, Kind};
use translate::interpret::{Attempt, Ending, Flow, Interpreter};
use translate::reply::{Event, Finish, Usage, UsageSource};
use translate::tags::Tags;
use translate::tokens;

use super::upstream::{Answering, CallState, Repeat, Upstream};
use crate::failure::of_upstream;
use crate::ledger::{Charge, Hold};

/// What is asked of upstream, and how.
pub struct Call {
    /// Who is asked.
    pub upstream: Upstream,
    /// What is asked for.
    pub chat: Arc<ChatRequest>,
    /// The tags of the prompt's transcript.
    pub tags: Option<Tags>,
    /// How corrections are worded.
    pub wording: Arc<Wording>,
}

/// The answers to one request. Dropping them drops every upstream request at once.
pub struct Answers {
    answers: Vec<Answer>,
    in_form: bool,
}

/// Whether there is more to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Something came, more will.
    More,
    /// Every answer is complete.
    Done,
}

impl Answers {
    /// Prepares the calls; the first poll sends them.
    #[must_use]
    pub fn call(call: Call, request: chat::Request, attempt: Attempt) -> Self {
        let (request, request_without_prompt) = split_prompt(request);
        let request = Arc::new(request);
        let answers = (0..call.chat.choices).map(|_| Answer {
            upstream: CallState::ask(&call.upstream, &request),
            hold: None,
            repeat: None,
            interpreter: Interpreter::new(&call.chat, call.tags, attempt),
            prompt_bytes: request.prompt.len(),
            correction: None,
            attempts: 1,
            spent: None,
        });
        let mut answers: Vec<Answer> = answers.collect();
        if attempt.left > 0 {
            let correction = Arc::new(Correction {
                call,
                request_without_prompt,
            });
            for answer in &mut answers {
                answer.correction = Some(correction.clone());
            }
        }
        Self {
            answers,
            in_form: true,
        }
    }

    /// One answer whose text no chat model writes: it is the result of other work.
    #[must_use]
    pub fn made(chat: &ChatRequest, work: Answering<chat::Answer>) -> Self {
        let answer = Answer {
            upstream: CallState::Whole(work),
            hold: None,
            repeat: None,
            interpreter: Interpreter::new(chat, None, Attempt::default()),
            prompt_bytes: 0,
            correction: None,
            attempts: 1,
            spent: None,
        };
        Self {
            answers: vec![answer],
            in_form: true,
        }
    }

    /// How many answers there are.
    #[must_use]
    pub fn count(&self) -> u32 {
        u32::try_from(self.answers.len()).unwrap_or(u32::MAX)
    }

    /// Puts the answers to another question behind these.
    pub fn add(&mut self, others: Self) {
        self.answers.extend(others.answers);
    }

    /// Takes in what upstream has said since, as events of the numbered answers.
    ///
    /// # Errors
    /// If any of the answers fails, all have failed.
    pub fn poll(
        &mut self,
        cx: &mut Context<'_>,
        sink: &mut dyn FnMut(usize, Event<'_>),
    ) -> Poll<Result<Progress, Failure>> {
        let mut advanced = false;
        for (number, answer) in self.answers.iter_mut().enumerate() {
            match answer.poll(cx, &mut |event| sink(number, event)) {
                Poll::Ready(Ok(in_form)) => {
                    advanced = true;
                    self.in_form &= in_form;
                }
                Poll::Ready(Err(failure)) => {
                    self.answers.clear();
                    return Poll::Ready(Err(failure));
                }
                Poll::Pending => {}
            }
        }
        if self.answers.iter().all(Answer::is_done) {
            Poll::Ready(Ok(Progress::Done))
        } else if advanced {
            Poll::Ready(Ok(Progress::More))
        } else {
            Poll::Pending
        }
    }

    /// What the answers cost together, once they are done.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let usages = self.answers.iter().filter_map(|answer| answer.spent);
        usages.reduce(Usage::plus).unwrap_or_default()
    }

    /// How often upstream was asked for the answer that took most attempts.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        let attempts = self.answers.iter().map(|answer| answer.attempts);
        attempts.max().unwrap_or_default()
    }

    /// Whether every answer has the form that was asked for.
    #[must_use]
    pub fn in_form(&self) -> bool {
        self.in_form
    }
}

struct Answer {
    upstream: CallState,
    /// Of the stream that is open; none once it is settled.
    hold: Option<Hold>,
    /// How another account could be asked; none once the model has spoken.
    repeat: Option<Box<Repeat>>,
    interpreter: Interpreter,
    /// The prompt's size: the prompt itself goes when upstream has it, so that a stream holds only
    /// what it still needs.
    prompt_bytes: usize,
    /// None where the model is not asked a second time.
    correction: Option<Arc<Correction>>,
    /// How often upstream was asked.
    attempts: u32,
    /// What the attempts that are over cost.
    spent: Option<Usage>,
}

/// What an answer holds while it is read, besides what it points to.
#[cfg(test)]
pub(super) const ANSWER_BYTES: usize = size_of::<Answer>();

/// What it takes to ask again, which is the whole conversation.
struct Correction {
    call: Call,
    /// The request without its prompt.
    request_without_prompt: chat::Request,
}

/// A request, and what is left of it without its prompt.
fn split_prompt(mut request: chat::Request) -> (chat::Request, chat::Request) {
    let prompt = std::mem::take(&mut request.prompt);
    let without_prompt = request.clone();
    (chat::Request { prompt, ..request }, without_prompt)
}

impl Answer {
    fn is_done(&self) -> bool {
        matches!(self.upstream, CallState::Done)
    }

    /// Ready when something came (and whether what came is in form), pending while nothing does or
    /// when the answer is done.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        sink: &mut dyn FnMut(Event<'_>),
    ) -> Poll<Result<bool, Failure>> {
        loop {
            match &mut self.upstream {
                CallState::Done => return Poll::Pending,
                CallState::Opening(opening) => {
                    let (stream, hold, repeat) = std::task::ready!(opening.as_mut().poll(cx))?;
                    self.upstream = CallState::Open(stream);
                    self.hold = Some(hold);
                    self.repeat = repeat;
                }
                CallState::Whole(answering) => {
                    let answer = std::task::ready!(answering.as_mut().poll(cx))?;
                    self.interpreter.push(&answer.text, sink);
                    return Poll::Ready(self.end(Some(answer.accounting), sink));
                }
                CallState::Open(stream) => {
                    let interpreter = &mut self.interpreter;
                    let mut flow = Flow::Continue;
                    let mut spoke = false;
                    let progress = std::task::ready!(stream.poll_read(cx, &mut |text| {
                        spoke = true;
                        if flow == Flow::Continue {
                            flow = interpreter.push(text, sink);
                        }
                    }));
                    if spoke {
                        // From now on no other account is asked, and the prompt is not needed.
                        self.repeat = None;
                    }
                    match progress {
                        Err(error) => self.refused(error)?,
                        Ok(chat::Progress::Done(accounting)) => {
                            if let Some(hold) = self.hold.take() {
                                hold.answered(&accounting);
                            }
                            return Poll::Ready(self.end(Some(accounting), sink));
                        }
                        Ok(chat::Progress::More) if flow == Flow::Stop => {
                            self.leave_off();
                            return Poll::Ready(self.end(None, sink));
                        }
                        Ok(chat::Progress::More) => return Poll::Ready(Ok(true)),
                    }
                }
            }
        }
    }

    /// A stream has failed: another account is asked if that may be, before the first word.
    fn refused(&mut self, error: onemin::Error) -> Result<(), Failure> {
        let Some(mut hold) = self.hold.take() else {
            return Err(of_upstream(&error));
        };
        let Some(repeat) = self.repeat.take() else {
            hold.read(self.input_tokens(), self.interpreter.tokens());
            let failure = hold.lease().failure(&error);
            hold.settle(Charge::of_error(&error));
            return Err(failure);
        };
        let hold = hold.refused(error)?;
        self.upstream = CallState::ask_under(Some(hold), &repeat.upstream, &repeat.request);
        Ok(())
    }

    /// The rest of the answer is not waited for: what it costs is not known.
    fn leave_off(&mut self) {
        if let Some(mut hold) = self.hold.take() {
            hold.read(self.input_tokens(), self.interpreter.tokens());
            hold.settle(Charge::Unreported);
        }
    }

    fn input_tokens(&self) -> u64 {
        tokens::from_bytes(self.prompt_bytes as u64)
    }

    /// The attempt is over; what is left of the upstream request is dropped, which cancels it.
    fn end(
        &mut self,
        accounting: Option<Accounting>,
        sink: &mut dyn FnMut(Event<'_>),
    ) -> Result<bool, Failure> {
        self.upstream = CallState::Done;
        let accounting = accounting.unwrap_or_default();
        let ending = self
            .interpreter
            .end(&finish(accounting.finish_reason.as_deref()), sink);
        let cost = self.cost(&accounting);
        self.spent = Some(self.spent.map_or(cost, |spent| spent.plus(cost)));
        match ending {
            Ending::Finished { in_form } => Ok(in_form),
            Ending::Failed(failure) => Err(failure),
            Ending::Ask { correction, next } => {
                self.ask_again(&correction, next)?;
                Ok(true)
            }
        }
    }

    fn ask_again(&mut self, reason: &str, next: Attempt) -> Result<(), Failure> {
        let Some(correction) = self.correction.clone() else {
            // Only an attempt that has others left asks for another.
            let message = "Internal error: no correction left.";
            return Err(Failure::new(Kind::Internal, message).with_retry(false));
        };
        let Correction {
            call,
            request_without_prompt,
        } = &*correction;
        let tags = call.tags.unwrap_or_default();
        let raw = self.interpreter.raw();
        let prompt = compose::correct(&call.chat, tags, &call.wording, raw, reason);
        tracing::debug!(
            model = request_without_prompt.model,
            left = next.left,
            "asking again"
        );
        self.prompt_bytes = prompt.text.len();
        self.attempts += 1;
        let request = Arc::new(chat::Request {
            prompt: prompt.text,
            ..request_without_prompt.clone()
        });
        self.interpreter = Interpreter::new(&call.chat, prompt.tags, next);
        self.upstream = CallState::ask(&call.upstream, &request);
        Ok(())
    }

    fn cost(&self, accounting: &Accounting) -> Usage {
        match &accounting.usage {
            Some(usage) => Usage {
                input_tokens: usage.input,
                output_tokens: usage.output,
                source: UsageSource::Reported,
                credits: accounting.credits,
            },
            None => Usage {
                input_tokens: tokens::from_bytes(self.prompt_bytes as u64),
                output_tokens: self.interpreter.tokens(),
                source: UsageSource::Estimated,
                credits: accounting.credits,
            },
        }
    }
}

impl Drop for Answer {
    /// The client has left: what was read so far is the least that it costs.
    fn drop(&mut self) {
        self.leave_off();
    }
}

/// The provider's word for the end of an answer. Providers differ; an unknown word is a stop.
fn finish(word: Option<&str>) -> Finish {
    match word.map(str::to_ascii_lowercase).as_deref() {
        Some(
            "length"
            | "max_tokens"
            | "max_output_tokens"
            | "model_length"
            | "model_context_window_exceeded",
        ) => Finish::Length,
        Some(
            "content_filter" | "safety" | "recitation" | "prohibited_content" | "blocklist"
            | "refusal",
        ) => Finish::Filtered,
        _ => Finish::Stop,
    }
}

#[cfg(test)]
mod tests {
    use onemin::Client;
    use translate::plan::Exchange;

    use super::*;
    use crate::access::account_id::AccountId;
    use crate::access::caller::Caller;
    use crate::accounts::Lease;
    use crate::ledger::Payer;

    fn payer() -> Payer {
        let id = AccountId::NOBODY;
        let lease = Lease {
            key: onemin::ApiKey::parse("key").unwrap(),
            account: id,
            pooled: None,
        };
        Payer::new(Caller { id, name: None }, lease)
    }

    #[test]
    fn a_conversation_is_kept_only_where_it_may_be_needed_again() {
        for (left, kept) in [(0, 1), (1, 2)] {
            let chat = Arc::new(ChatRequest {
                choices: 2,
                ..ChatRequest::default()
            });
            let call = Call {
                upstream: Upstream {
                    client: Client::new(onemin::Options::default()).unwrap(),
                    payer: payer(),
                    exchange: Exchange::Streamed,
                    attachments: None,
                },
                chat: chat.clone(),
                tags: None,
                wording: Arc::default(),
            };
            let attempt = Attempt {
                left,
                ..Attempt::default()
            };
            let answers = Answers::call(call, chat::Request::default(), attempt);
            assert_eq!((answers.count(), Arc::strong_count(&chat)), (2, kept));
        }
    }
}

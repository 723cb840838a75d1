//! Asking upstream, once for each answer wanted, and interpreting what it says as it comes.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use onemin::chat::{self, Accounting};
use onemin::{ApiKey, Error};
use translate::compose::tags::Tags;
use translate::failure::Failure;
use translate::interpret::{Flow, Interpreter};
use translate::plan::Exchange;
use translate::reply::{Event, Finish, Usage, UsageSource};
use translate::tokens;
use translate::turn::Turn;

use crate::app::Relay;
use crate::failure::of_upstream;

/// The answers to one request. Dropping them drops every upstream request at once.
pub struct Answers {
    answers: Vec<Answer>,
    prompt_bytes: u64,
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
    pub fn call(
        relay: &Relay,
        key: &ApiKey,
        request: chat::Request,
        exchange: Exchange,
        turn: &Turn,
        tags: Option<Tags>,
    ) -> Self {
        let prompt_bytes = request.prompt.len() as u64;
        let request = std::sync::Arc::new(request);
        let answers = (0..turn.choices).map(|_| {
            let (client, key, request) = (relay.client.clone(), key.clone(), request.clone());
            let upstream: Upstream =
                match exchange {
                    Exchange::Whole => {
                        Upstream::Whole(Box::pin(async move { client.chat(&key, &request).await }))
                    }
                    Exchange::Streamed => Upstream::Opening(Box::pin(async move {
                        client.chat_stream(&key, &request).await
                    })),
                };
            Answer {
                upstream,
                interpreter: Interpreter::new(turn, tags),
                accounting: Accounting::default(),
            }
        });
        Self {
            answers: answers.collect(),
            prompt_bytes,
        }
    }

    /// How many answers there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.answers.len()
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
                Poll::Ready(Ok(())) => advanced = true,
                Poll::Ready(Err(error)) => {
                    self.answers.clear();
                    return Poll::Ready(Err(of_upstream(&error)));
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
        let usages = self
            .answers
            .iter()
            .map(|answer| answer.usage(self.prompt_bytes));
        usages.reduce(Usage::plus).unwrap_or_default()
    }
}

struct Answer {
    upstream: Upstream,
    interpreter: Interpreter,
    accounting: Accounting,
}

enum Upstream {
    Whole(Pin<Box<dyn Future<Output = Result<chat::Answer, Error>> + Send>>),
    Opening(Pin<Box<dyn Future<Output = Result<chat::Stream, Error>> + Send>>),
    Open(chat::Stream),
    Done,
}

impl Answer {
    fn is_done(&self) -> bool {
        matches!(self.upstream, Upstream::Done)
    }

    /// Ready when something came, pending while nothing does or when the answer is done.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        sink: &mut dyn FnMut(Event<'_>),
    ) -> Poll<Result<(), Error>> {
        loop {
            match &mut self.upstream {
                Upstream::Done => return Poll::Pending,
                Upstream::Opening(opening) => {
                    let stream = std::task::ready!(opening.as_mut().poll(cx))?;
                    self.upstream = Upstream::Open(stream);
                }
                Upstream::Whole(answering) => {
                    let answer = std::task::ready!(answering.as_mut().poll(cx))?;
                    self.interpreter.push(&answer.text, sink);
                    self.end(Some(answer.accounting), sink);
                    return Poll::Ready(Ok(()));
                }
                Upstream::Open(stream) => {
                    let interpreter = &mut self.interpreter;
                    let mut flow = Flow::Continue;
                    let progress = std::task::ready!(stream.poll_read(cx, &mut |text| {
                        if flow == Flow::Continue {
                            flow = interpreter.push(text, sink);
                        }
                    }))?;
                    match progress {
                        chat::Progress::Done(accounting) => self.end(Some(accounting), sink),
                        chat::Progress::More if flow == Flow::Stop => self.end(None, sink),
                        chat::Progress::More => {}
                    }
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }

    /// The answer is complete; what is left of the upstream request is dropped, which cancels it.
    fn end(&mut self, accounting: Option<Accounting>, sink: &mut dyn FnMut(Event<'_>)) {
        self.upstream = Upstream::Done;
        self.accounting = accounting.unwrap_or_default();
        let finish = finish(self.accounting.finish_reason.as_deref());
        self.interpreter.end(finish, sink);
    }

    fn usage(&self, prompt_bytes: u64) -> Usage {
        match &self.accounting.usage {
            Some(usage) => Usage {
                input_tokens: usage.input,
                output_tokens: usage.output,
                source: UsageSource::Reported,
                credits: self.accounting.credits,
            },
            None => Usage {
                input_tokens: tokens::from_bytes(prompt_bytes),
                output_tokens: self.interpreter.tokens(),
                source: UsageSource::Estimated,
                credits: self.accounting.credits,
            },
        }
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

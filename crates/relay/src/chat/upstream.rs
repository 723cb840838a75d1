//! One paid call of chat: leave to pay, the request, and another account where one has refused it.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use onemin::{Client, chat, code};
use translate::chat_request::ChatRequest;
use translate::failure::Failure;
use translate::plan::Exchange;

use crate::access::account_id::AccountId;
use crate::ledger::{Hold, PaidCall, Payer};
use crate::uploads::Uploads;

/// Who is asked and who pays, the same for every attempt at an answer.
#[derive(Clone)]
pub struct Upstream {
    /// What sends.
    pub client: Client,
    /// Who pays.
    pub payer: Payer,
    /// How upstream is asked.
    pub exchange: Exchange,
    /// What was uploaded for the request; none if nothing was.
    pub attachments: Option<Attachments>,
}

/// What was uploaded for a request, and how that is done again.
#[derive(Clone)]
pub struct Attachments {
    /// Where it was uploaded to.
    pub account: AccountId,
    /// What uploads it.
    pub uploads: Uploads,
    /// What is to be uploaded.
    pub chat: Arc<ChatRequest>,
}

/// What will be said, or why nothing is.
pub type Answering<T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send>>;

/// What it takes to make the call again at another account.
pub(super) struct Repeat {
    pub(super) upstream: Upstream,
    pub(super) request: Arc<chat::Request>,
}

/// How far a call is.
pub(super) enum CallState {
    Whole(Answering<chat::Answer>),
    Opening(Answering<(chat::Stream, Hold, Option<Box<Repeat>>)>),
    Open(chat::Stream),
    Done,
}

impl CallState {
    /// Asks for leave to pay, then upstream; the first poll begins.
    pub(super) fn ask(upstream: &Upstream, request: &Arc<chat::Request>) -> Self {
        Self::ask_under(None, upstream, request)
    }

    /// Asks under leave that was given before, or asks for it first.
    pub(super) fn ask_under(
        hold: Option<Hold>,
        upstream: &Upstream,
        request: &Arc<chat::Request>,
    ) -> Self {
        let (request, upstream) = (request.clone(), upstream.clone());
        match upstream.exchange {
            Exchange::Code => Self::Whole(Box::pin(async move {
                let request = code_request(&request);
                let mut hold = upstream.payer.hold(PaidCall::Code(&request)).await?;
                loop {
                    hold.sent();
                    let answer = upstream.client.code(hold.key(), &request).await;
                    hold = match settled(hold, answer)? {
                        Ok(answer) => return Ok(answer),
                        Err(hold) => hold,
                    };
                }
            })),
            Exchange::Whole => Self::Whole(Box::pin(async move {
                let mut hold = upstream.leave(&request).await?;
                loop {
                    let request = upstream.attached(&request, &hold).await?;
                    hold.sent();
                    let answer = upstream.client.chat(hold.key(), &request).await;
                    hold = match settled(hold, answer)? {
                        Ok(answer) => return Ok(answer),
                        Err(hold) => hold,
                    };
                }
            })),
            Exchange::Streamed => Self::Opening(Box::pin(async move {
                let mut hold = match hold {
                    Some(hold) => hold,
                    None => upstream.leave(&request).await?,
                };
                loop {
                    let attached = upstream.attached(&request, &hold).await?;
                    hold.sent();
                    let opened = upstream.client.chat_stream(hold.key(), &attached).await;
                    drop(attached);
                    match opened {
                        Ok(stream) => {
                            let others = hold.lease().pooled.is_some();
                            let repeat = others.then(|| Box::new(Repeat { upstream, request }));
                            return Ok((stream, hold, repeat));
                        }
                        Err(error) => hold = hold.refused(error)?,
                    }
                }
            })),
        }
    }
}

impl Upstream {
    async fn leave(&self, request: &chat::Request) -> Result<Hold, Failure> {
        let images = request.images.len();
        let call = PaidCall::Chat { request, images };
        self.payer.hold(call).await
    }

    /// The request with its attachments where the account that pays has them: they are uploaded
    /// again where another account pays than the one they were uploaded to.
    async fn attached<'r>(
        &self,
        request: &'r chat::Request,
        hold: &Hold,
    ) -> Result<Cow<'r, chat::Request>, Failure> {
        let attachments = self.attachments.as_ref();
        let moved = attachments.filter(|of| of.account != hold.lease().account);
        let Some(attachments) = moved else {
            return Ok(Cow::Borrowed(request));
        };
        let uploading =
            attachments
                .uploads
                .upload_all(&self.payer, hold.lease(), &attachments.chat);
        let uploaded = Box::pin(uploading).await?;
        Ok(Cow::Owned(chat::Request {
            images: uploaded.images,
            files: uploaded.files,
            ..request.clone()
        }))
    }
}

/// Books an answer, or gives the hold with which another account is asked.
fn settled(
    hold: Hold,
    answer: Result<chat::Answer, onemin::Error>,
) -> Result<Result<chat::Answer, Hold>, Failure> {
    match answer {
        Ok(answer) => {
            hold.answered(&answer.accounting);
            Ok(Ok(answer))
        }
        Err(error) => Ok(Err(hold.refused(error)?)),
    }
}

/// What the generator of code is asked: it takes no attachments, and planning gives it none.
fn code_request(request: &chat::Request) -> code::Request {
    code::Request {
        model: request.model.clone(),
        prompt: request.prompt.clone(),
        web_search: request.web_search,
    }
}

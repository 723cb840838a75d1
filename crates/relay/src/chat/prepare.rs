//! What a request means here and how it will be answered. Nothing is paid for.

use translate::chat_request::ChatRequest;
use translate::failure::Failure;
use translate::plan::{self, DialectRules, Plan, PlanSettings};

use super::file_keywords::FileKeywords;
use super::media::{self, PreparedMedia};
use super::{assistant, file_keywords};
use crate::http::long_work;
use crate::ledger::Payer;
use crate::media::Media;
use crate::models::{Models, NameStyle};
use crate::objects::Objects;

/// Whose turn it is, and under which terms.
pub(super) struct TurnContext<'t> {
    pub(super) models: &'t Models,
    pub(super) media: &'t Media,
    pub(super) objects: &'t Objects,
    pub(super) payer: &'t Payer,
    /// How the client names models.
    pub(super) names: NameStyle,
    /// How its dialect names what can be at fault.
    pub(super) rules: DialectRules,
    pub(super) policy: PlanSettings,
    pub(super) file_keywords: FileKeywords,
    /// The size of the request.
    pub(super) body_bytes: usize,
}

/// A request that is planned: what is paid for comes when it is started.
pub(super) struct Prepared {
    pub(super) chat: ChatRequest,
    pub(super) plan: Plan,
    pub(super) answer: AnswerBy,
}

/// What answers a request.
pub(super) enum AnswerBy {
    /// A chat model.
    Model,
    /// A model of media.
    Media(Box<PreparedMedia>),
    /// The deletion of the caller's files.
    Deletion,
}

impl TurnContext<'_> {
    /// Resolves what a request refers to (assistant, files, model), and plans it.
    ///
    /// # Errors
    /// What cannot be done as asked.
    pub(super) async fn prepare(&self, mut chat: ChatRequest) -> Result<Prepared, Failure> {
        let owner = self.payer.caller().id;
        assistant::apply(&self.objects.assistants, owner, &mut chat).await?;
        let keywords = self.file_keywords;
        let deletes = file_keywords::ask_to_delete(keywords, &chat);
        if !deletes {
            file_keywords::attach(keywords, &self.objects.files, owner, &mut chat).await?;
        }
        chat.model = self.models.resolve(&chat.model, self.names).await;
        let job = self.models.admit(&chat.model).await?;
        if let Some(known) = self.payer.key() {
            known.key.check_model(&chat.model)?;
        }
        let mut answer = AnswerBy::Model;
        if let Some(task) = job.media_task() {
            let preparing = Box::pin(media::prepare(
                self.media,
                self.payer,
                task,
                &mut chat,
                self.policy.strict,
            ));
            answer = AnswerBy::Media(Box::new(preparing.await?));
        }
        let planning = || plan::plan(&chat, job.abilities(), self.policy, self.rules);
        let plan = if plan::takes_long(&chat) {
            long_work::run_beside(planning).await?
        } else {
            long_work::run(self.body_bytes, planning).await?
        };
        chat.ignored
            .extend(plan.ignored.iter().copied().map(str::to_owned));
        if deletes {
            answer = AnswerBy::Deletion;
        }
        Ok(Prepared { chat, plan, answer })
    }
}

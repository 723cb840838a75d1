//! The services that handlers use, and how each is handed out.

use std::sync::Arc;

use axum::extract::FromRef;

use crate::access::Access;
use crate::access::sign_in::SignIn;
use crate::access::supplied_key::SuppliedKeys;
use crate::chat::Chat;
use crate::doctor::Inspection;
use crate::embeddings::Embeddings;
use crate::jobs::{Jobs, LongJobs};
use crate::media::Media;
use crate::models::Models;
use crate::native::Native;
use crate::objects::Objects;

/// The services of a relay. Clones share them; a handler takes those that it needs by
/// `State(…): State<…>`.
#[derive(Clone)]
pub struct AppState(Arc<Services>);

/// Every service that a handler may use.
pub struct Services {
    /// Who calls, who pays, how much they may ask.
    pub access: Arc<Access>,
    /// Keys for clients that have no field for one.
    pub supplied_keys: Arc<SuppliedKeys>,
    /// Who manages the relay or looks at it.
    pub sign_in: Arc<SignIn>,
    /// Whether the services that the settings name can be reached.
    pub inspection: Arc<Inspection>,
    /// Which models there are.
    pub models: Arc<Models>,
    /// Makes and reads media, and uploads attachments.
    pub media: Media,
    /// Answers requests for turns of a conversation.
    pub chat: Arc<Chat>,
    /// What clients store: files, assistants, responses, conversations.
    pub objects: Objects,
    /// Submits long jobs and keeps what became of them.
    pub jobs: Jobs,
    /// The same, for answers that wait for them.
    pub long_jobs: LongJobs,
    /// Who makes embeddings; none if nobody does.
    pub embeddings: Option<Arc<Embeddings>>,
    /// Passes requests of 1min.ai's own API on; none if that is off.
    pub native: Option<Native>,
}

impl AppState {
    /// A state of these services.
    #[must_use]
    pub fn new(services: Services) -> Self {
        Self(Arc::new(services))
    }

    /// The services themselves, for who builds the program and tests it.
    #[must_use]
    pub fn services(&self) -> &Services {
        &self.0
    }
}

impl FromRef<AppState> for Arc<Access> {
    fn from_ref(state: &AppState) -> Self {
        state.0.access.clone()
    }
}

impl FromRef<AppState> for Arc<SignIn> {
    fn from_ref(state: &AppState) -> Self {
        state.0.sign_in.clone()
    }
}

impl FromRef<AppState> for Arc<Inspection> {
    fn from_ref(state: &AppState) -> Self {
        state.0.inspection.clone()
    }
}

impl FromRef<AppState> for Arc<Models> {
    fn from_ref(state: &AppState) -> Self {
        state.0.models.clone()
    }
}

impl FromRef<AppState> for Media {
    fn from_ref(state: &AppState) -> Self {
        state.0.media.clone()
    }
}

impl FromRef<AppState> for Arc<Chat> {
    fn from_ref(state: &AppState) -> Self {
        state.0.chat.clone()
    }
}

impl FromRef<AppState> for Objects {
    fn from_ref(state: &AppState) -> Self {
        state.0.objects.clone()
    }
}

impl FromRef<AppState> for LongJobs {
    fn from_ref(state: &AppState) -> Self {
        state.0.long_jobs.clone()
    }
}

impl FromRef<AppState> for Jobs {
    fn from_ref(state: &AppState) -> Self {
        state.0.jobs.clone()
    }
}

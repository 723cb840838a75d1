//! The parts of the server, built from the settings, and their life: start, serve, drain.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use ipnet::IpNet;
use onemin::{Catalogue, Client};
use tokio::net::TcpListener;
use translate::compose::Wording;
use translate::failure::Failure;
use translate::interpret::thinking::Thoughts;
use translate::plan::PlanSettings;

use crate::access::account_id::{AccountId, AccountIds};
use crate::access::client_address::client_address;
use crate::access::known_keys::KnownKeys;
use crate::access::rate_limit::RateLimit;
use crate::banner;
use crate::config::{FileKeywords, RateLimitBy, Settings};
use crate::demo::Demo;
use crate::doctor::{self, State};
use crate::embeddings::Embeddings;
use crate::http::context::RequestContext;
use crate::http::router;
use crate::http::server;
use crate::media::image_history::ImageHistory;
use crate::media::{self, Media};
use crate::models::Models;
use crate::objects::{self, Objects, retention};
use crate::observe;
use crate::observe::metrics::Metrics;
use crate::store::build::Stores;
use crate::uploads::Uploads;
use crate::uploads::fetch::Fetcher;

/// What every request shares.
pub struct Relay {
    /// The way to upstream.
    pub client: Client,
    /// Which models there are.
    pub catalogue: Arc<Models>,
    /// Makes and reads media, and uploads attachments.
    pub media: Media,
    /// How much a caller may ask.
    pub limits: RateLimit,
    /// Names for accounts that tell nothing about them.
    pub account_ids: AccountIds,
    /// What the operator permits.
    pub policy: PlanSettings,
    /// How prompts are worded.
    pub wording: Arc<Wording>,
    /// What becomes of the thoughts that a model shows.
    pub thoughts: Thoughts,
    /// What is counted for Prometheus, if anybody wants it.
    pub metrics: Option<Arc<Metrics>>,
    /// The largest request body, in bytes.
    pub max_body: usize,
    /// Silence after which a stream gets a sign of life; zero is never.
    pub heartbeat: Duration,
    /// What clients store: files, assistants, responses, conversations.
    pub objects: Objects,
    /// Keys that upstream knows.
    pub known_keys: KnownKeys,
    /// Who makes embeddings; none if nobody does.
    pub embeddings: Option<Arc<Embeddings>>,
    /// Whether words about files in a message have an effect.
    pub file_keywords: FileKeywords,
    /// What outlives a request.
    pub stores: Stores,
    limit_by: RateLimitBy,
    trusted_proxies: Vec<IpNet>,
}

/// Why the server did not start or broke off.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings ask for what cannot be.
    #[error("{0}")]
    Settings(String),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The client of upstream cannot be made.
    #[error("the 1min.ai client cannot be made: {0}")]
    Client(#[from] onemin::Error),
    /// The embedded simulator did not start.
    #[error("the simulator did not start: {0}")]
    Simulator(String),
    /// `--doctor` has found what must be mended.
    #[error("{0} of the above must be mended")]
    Trouble(usize),
    /// The operating system refused what the server needs.
    #[error(transparent)]
    System(#[from] std::io::Error),
}

impl Relay {
    /// The parts, as the settings want them. Opens no socket.
    ///
    /// # Errors
    /// [`StartError::Client`].
    pub fn new(settings: &Settings) -> Result<Self, StartError> {
        let client = Client::new(onemin::Options {
            base_url: settings.onemin_base_url.clone(),
            asset_url: settings.onemin_asset_url.clone(),
            timeouts: settings.timeouts(),
            ..onemin::Options::default()
        })?;
        let stores = Stores::choose(settings).map_err(StartError::Settings)?;
        let account_ids = stores.account_ids.clone();
        let objects = Objects::new(
            &stores,
            objects::Settings {
                max_file: settings.max_file(),
                max_account_files: settings.max_account_files(),
                file_retention: settings.file_retention(),
                response_retention: settings.response_retention(),
            },
        );
        let files = objects.files.clone();
        let fetcher = Fetcher::new(settings.max_fetch(), settings.allow_private_urls);
        let catalogue = Arc::new(Models::new(
            Catalogue::new(client.clone(), settings.models_ttl),
            settings.permitted_models(),
            settings.model_map.clone(),
        ));
        Ok(Self {
            media: Media::new(
                client.clone(),
                catalogue.clone(),
                Uploads::new(client.clone(), fetcher, Some(files.clone())),
                ImageHistory::new(&stores),
                media::Settings {
                    asset_url: settings.onemin_asset_url.clone(),
                    max_calls: settings.max_choices,
                    max_file: settings.max_file(),
                },
            ),
            catalogue,
            limits: RateLimit::new(settings.rate_limit_per_minute, stores.counters.clone()),
            policy: PlanSettings {
                max_choices: settings.max_choices,
                strict: settings.strict_parameters,
                call_corrections: settings.call_corrections,
                form_corrections: settings.json_corrections,
            },
            wording: Arc::new(settings.wording()),
            thoughts: settings.reasoning.into(),
            metrics: settings.metrics.then(Arc::default),
            max_body: settings.max_body(),
            heartbeat: settings.heartbeat,
            limit_by: settings.rate_limit_by,
            trusted_proxies: settings.trusted_proxies.clone(),
            objects,
            embeddings: Embeddings::of(settings)
                .map_err(StartError::Settings)?
                .map(Arc::new),
            known_keys: KnownKeys::new(client.clone()),
            file_keywords: settings.file_keywords,
            client,
            account_ids,
            stores,
        })
    }

    /// Counts a request against its caller's limit, if there is one.
    ///
    /// # Errors
    /// The limit is reached.
    pub async fn count(
        &self,
        owner: AccountId,
        context: &RequestContext,
        headers: &HeaderMap,
    ) -> Result<(), Failure> {
        if !self.limits.is_on() {
            return Ok(());
        }
        let who = match self.limit_by {
            RateLimitBy::Key => owner,
            RateLimitBy::Address => {
                let address = client_address(context.peer, headers, &self.trusted_proxies);
                self.account_ids.of_address(address)
            }
        };
        self.limits.admit(who, &context.rate_limit).await
    }
}

/// The longest that is waited for the store when the last client has its answer.
const LAST_WRITES: Duration = Duration::from_secs(5);

/// Serves until the process is told to stop and what is open has ended or its time is over.
///
/// # Errors
/// What keeps the server from starting.
pub fn run(mut settings: Settings) -> Result<(), StartError> {
    let _log =
        observe::init(&settings.rust_log, settings.log_format).map_err(StartError::Settings)?;
    let demo = settings.demo.then(|| Demo::start(&mut settings));
    let _demo = demo.transpose().map_err(StartError::Simulator)?;
    let relay = Arc::new(Relay::new(&settings)?);
    if settings.check {
        print!("{}", banner::settings(&settings, &relay.stores));
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    if settings.doctor {
        return runtime.block_on(examine(&relay, &settings));
    }
    runtime.block_on(serve(relay, &settings))?;
    // What is still open after the drain is dropped with the runtime, and not waited for.
    runtime.shutdown_background();
    Ok(())
}

/// Says how everybody is whom the settings name.
async fn examine(relay: &Relay, settings: &Settings) -> Result<(), StartError> {
    let findings = doctor::examine(relay, settings).await;
    print!("{}", doctor::report(&findings));
    let trouble = findings.iter().filter(|f| f.state == State::Trouble);
    match trouble.count() {
        0 => Ok(()),
        count => Err(StartError::Trouble(count)),
    }
}

async fn serve(relay: Arc<Relay>, settings: &Settings) -> Result<(), StartError> {
    let address = SocketAddr::new(settings.host, settings.port);
    let listener = TcpListener::bind(address).await;
    let listener = listener.map_err(|source| StartError::Listen { address, source })?;
    print!(
        "{}",
        banner::started(settings, &relay.stores, listener.local_addr()?)
    );
    relay.limits.warm();
    tokio::spawn(retention::run(relay.objects.clone()));
    tokio::spawn(announce_models(relay.clone()));
    let responses = relay.objects.responses.clone();
    server::serve(
        listener,
        router::service(relay),
        shutdown_asked(),
        settings.shutdown_timeout,
    )
    .await;
    if tokio::time::timeout(LAST_WRITES, responses.written())
        .await
        .is_err()
    {
        tracing::warn!("the store does not answer; responses of the last moment are lost");
    }
    Ok(())
}

/// Fetches the model list before the first client asks for it, and says how that went.
async fn announce_models(relay: Arc<Relay>) {
    let (models, source) = relay.catalogue.list().await;
    if source == onemin::catalogue::Source::Live {
        tracing::info!(models = models.len(), "1min.ai's model list is here");
    } else {
        tracing::warn!(
            models = models.len(),
            "1min.ai's model list could not be fetched; using the built-in one until it can"
        );
    }
}

/// Ends when the process is asked to: Ctrl-C, or SIGTERM as service managers send it.
async fn shutdown_asked() {
    let interrupted = tokio::signal::ctrl_c();
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut terminated) => {
            tokio::select! {
                _ = interrupted => {}
                _ = terminated.recv() => {}
            }
        }
        Err(_) => {
            let _ = interrupted.await;
        }
    }
}

//! The parts of the server, built from the settings, and their life: start, serve, drain.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use onemin::{Catalogue, Client};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::access::known_keys::KnownKeys;
use crate::access::rate_limit::RateLimit;
use crate::access::sign_in::SignIn;
use crate::access::supplied_key::SuppliedKeys;
use crate::access::{self, Access, KeyAccess};
use crate::banner::{self, Overview};
use crate::chat::Chat;
use crate::cli;
use crate::cli::commands::Command;
use crate::config::Settings;
use crate::demo::Demo;
use crate::doctor::{self, Inspection, State};
use crate::embeddings::Embeddings;
use crate::http::connection::ReadTimeouts;
use crate::http::event_stream::Heartbeat;
use crate::http::open_files;
use crate::http::router;
use crate::http::server;
use crate::jobs::{Jobs, LongJobs, follower};
use crate::media::image_history::ImageHistory;
use crate::media::{self, Media};
use crate::memory;
use crate::models::Models;
use crate::native::{self, Native};
use crate::objects::{Objects, retention};
use crate::observe;
use crate::sharing::Sharing;
use crate::state::{AppState, Services};
use crate::store::build::Stores;
use crate::task;
use crate::uploads::Uploads;
use crate::uploads::fetch::Fetcher;

/// A relay that is built and does not run yet.
pub struct App {
    /// The services that handlers use.
    pub state: AppState,
    /// What outlives a request.
    pub stores: Stores,
    sharing: Sharing,
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
    #[error("{0} of the above must be fixed")]
    Trouble(usize),
    /// The operating system refused what the server needs.
    #[error(transparent)]
    System(#[from] std::io::Error),
}

impl App {
    /// Every part, as the settings want it. Opens no socket.
    ///
    /// # Errors
    /// [`StartError::Client`], [`StartError::Settings`].
    pub fn new(settings: &Settings) -> Result<Self, StartError> {
        let options = settings.upstream.client_options();
        let client = Client::new(options.map_err(StartError::Settings)?)?;
        let stores = Stores::choose(&settings.store).map_err(StartError::Settings)?;
        let objects = Objects::new(&stores, &settings.objects);
        let models = Arc::new(Models::new(
            Catalogue::new(client.clone(), settings.models.models_ttl),
            settings.models.permitted_models(),
            settings.models.model_map.clone(),
        ));
        let sharing = Sharing::new(
            &settings.sharing,
            settings.upstream.longest_request(),
            &client,
            &stores,
            models.clone(),
        );
        let sharing = sharing.map_err(StartError::Settings)?;
        let access = access(settings, &client, &stores, &sharing);
        let fetcher = Fetcher::new(
            settings.uploads.max_fetch(),
            settings.uploads.allow_private_urls,
        );
        let files = Some(objects.files.clone());
        let media = Media::new(
            client.clone(),
            models.clone(),
            Uploads::new(client.clone(), fetcher, files),
            ImageHistory::new(&stores),
            media::Settings {
                asset_url: settings.upstream.onemin_asset_url.clone(),
                max_calls: settings.chat.max_choices,
                max_file: settings.objects.max_file(),
            },
        );
        let jobs = jobs(settings, &client, &stores, &sharing);
        let long_jobs = LongJobs {
            jobs: jobs.clone(),
            limit: settings.upstream.media_timeout,
        };
        let chat = Chat::new(
            client.clone(),
            models.clone(),
            media.clone(),
            long_jobs.clone(),
            objects.clone(),
            settings.chat.clone(),
        );
        let embeddings = Embeddings::of(&settings.embeddings).map_err(StartError::Settings)?;
        let native = native_api(settings, &client, &models, &stores, &sharing);
        let embeddings = embeddings.map(Arc::new);
        let access = Arc::new(access);
        let subjects = doctor::Subjects {
            onemin_base_url: settings.upstream.onemin_base_url.clone(),
            onemin_asset_url: settings.upstream.onemin_asset_url.clone(),
            key: settings.onemin_api_key.clone(),
            is_rate_limited: settings.access.rate_limit_per_minute > 0,
            client,
            stores: stores.clone(),
            embeddings: embeddings.clone(),
            sharing: sharing.clone(),
        };
        let services = Services {
            supplied_keys: Arc::new(
                SuppliedKeys::of(&settings.access, settings.server.host)
                    .map_err(StartError::Settings)?,
            ),
            sign_in: Arc::new(SignIn::new(
                access.clone(),
                stores.account_ids.clone(),
                stores.counters.clone(),
            )),
            inspection: Arc::new(Inspection {
                subjects,
                settings_in_force: settings.in_force.clone(),
            }),
            access,
            models,
            media,
            chat: Arc::new(chat),
            objects,
            jobs,
            long_jobs,
            embeddings,
            native,
        };
        Ok(Self {
            state: AppState::new(services),
            stores,
            sharing,
        })
    }
}

impl App {
    /// Reads access keys and accounts, and begins to keep the ledger. Serving does so by itself.
    pub async fn start_sharing(&self) {
        self.sharing.start().await;
    }
}

fn jobs(settings: &Settings, client: &Client, stores: &Stores, sharing: &Sharing) -> Jobs {
    Jobs::new(
        client.clone(),
        stores.database.clone(),
        stores.sealer.clone(),
        sharing.gate.ledger.clone(),
        settings.upstream.job_poll,
    )
}

/// 1min.ai's own API, if it is passed on.
fn native_api(
    settings: &Settings,
    client: &Client,
    models: &Arc<Models>,
    stores: &Stores,
    sharing: &Sharing,
) -> Option<Native> {
    settings.upstream.native.then(|| {
        Native::new(
            client.clone(),
            models.clone(),
            stores.database.clone(),
            sharing.gate.ledger.clone(),
            settings.objects.max_file(),
        )
    })
}

fn access(settings: &Settings, client: &Client, stores: &Stores, sharing: &Sharing) -> Access {
    Access::new(
        stores.account_ids.clone(),
        KnownKeys::new(client.clone()),
        RateLimit::new(
            settings.access.rate_limit_per_minute,
            stores.counters.clone(),
        ),
        settings.log.metrics.then(Arc::default),
        sharing.key_access().clone(),
        access::RequestRules {
            rate_limit_by: settings.access.rate_limit_by,
            trusted_proxies: settings.access.trusted_proxies.clone(),
            strict: settings.chat.strict_parameters,
            max_body: settings.server.max_body(),
            heartbeat: Heartbeat(settings.server.heartbeat),
        },
    )
}

/// What the program says of itself at the start.
fn overview<'s>(
    settings: &'s Settings,
    stores: &'s Stores,
    key_access: &KeyAccess,
) -> Overview<'s> {
    Overview {
        keys: (!key_access.is_undecided()).then(|| key_access.mode()),
        is_demo: settings.demo,
        upstream: &settings.upstream,
        access: &settings.access,
        models: &settings.models,
        uploads: &settings.uploads,
        sharing: &settings.sharing,
        stores,
    }
}

/// The longest that is waited for the store when the last client has its answer.
const LAST_WRITES: Duration = Duration::from_secs(5);

/// Serves until the process is told to stop and what is open has ended or its time is over.
///
/// # Errors
/// What keeps the server from starting.
pub fn run(mut settings: Settings) -> Result<(), StartError> {
    let _log = observe::init(&settings.log).map_err(StartError::Settings)?;
    let demo = settings.demo.then(|| {
        Demo::start(
            &mut settings.upstream,
            &mut settings.store,
            &mut settings.sharing,
        )
    });
    let demo = demo.transpose().map_err(StartError::Simulator)?;
    let app = App::new(&settings)?;
    if settings.check {
        print!(
            "{}",
            banner::settings(
                &overview(&settings, &app.stores, app.sharing.key_access()),
                settings.server.host,
                settings.server.port
            )
        );
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    if let Some(command) = settings
        .command
        .take_if(|command| !matches!(command, Command::Serve))
    {
        let printed = match command {
            Command::Probe(args) => {
                let prober = cli::probe::Prober {
                    client: &app.state.services().inspection.subjects.client,
                    key: settings.onemin_api_key.as_ref(),
                    plan: settings.chat.plan(),
                    thoughts: settings.chat.reasoning.into(),
                };
                runtime.block_on(prober.run(&args))
            }
            command => runtime.block_on(cli::run(&app.sharing, command)),
        };
        print!("{}", printed.map_err(StartError::Settings)?);
        return Ok(());
    }
    if settings.doctor {
        return runtime.block_on(examine(&app));
    }
    runtime.block_on(serve(app, &settings, demo.as_ref()))?;
    // What is still open after the drain is dropped with the runtime, and not waited for.
    runtime.shutdown_background();
    Ok(())
}

/// Says whether the services that the settings name can be reached.
async fn examine(app: &App) -> Result<(), StartError> {
    let findings = app.state.services().inspection.examine().await;
    print!("{}", doctor::report(&findings));
    let trouble = findings.iter().filter(|f| f.state == State::Trouble);
    match trouble.count() {
        0 => Ok(()),
        count => Err(StartError::Trouble(count)),
    }
}

async fn serve(app: App, settings: &Settings, demo: Option<&Demo>) -> Result<(), StartError> {
    let App {
        state,
        stores,
        sharing,
        ..
    } = app;
    let services = state.services();
    let page = match demo {
        None => None,
        Some(demo) => {
            let how = demo.fill(&settings.sharing, &sharing).await;
            Some(how.map_err(|failure| StartError::Simulator(failure.message))?)
        }
    };
    // Before the first request comes.
    services.access.warm();
    sharing.start().await;
    let address = SocketAddr::new(settings.server.host, settings.server.port);
    let asked_to_stop = shutdown_asked()?;
    let listener = TcpListener::bind(address).await;
    let listener = listener.map_err(|source| StartError::Listen { address, source })?;
    print!(
        "{}",
        banner::started(
            &overview(settings, &stores, sharing.key_access()),
            listener.local_addr()?,
            page.as_deref()
        )
    );
    task::spawn(retention::run(services.objects.clone()));
    if let Some(native) = &services.native {
        task::spawn(native::retention::run(native.clone()));
    }
    task::spawn(observe::drift::run());
    task::spawn(memory::run());
    task::spawn(follower::run(services.jobs.clone()));
    task::spawn(announce_models(services.models.clone()));
    let responses = services.objects.responses.clone();
    server::serve(
        listener,
        router::service(state),
        asked_to_stop,
        server::Limits {
            grace: settings.server.shutdown_timeout,
            read: ReadTimeouts {
                byte: settings
                    .upstream
                    .idle_timeout
                    .min(settings.upstream.request_timeout),
                answer: settings.upstream.request_timeout,
            },
            connections: open_files::connections(open_files::raise()),
        },
    )
    .await;
    if tokio::time::timeout(LAST_WRITES, responses.written())
        .await
        .is_err()
    {
        tracing::warn!("the database does not answer; responses that were not yet stored are lost");
    }
    sharing.close().await;
    Ok(())
}

/// Fetches the model list before the first client asks for it, and says how that went.
async fn announce_models(models: Arc<Models>) {
    let (models, source) = models.list().await;
    if source == onemin::catalogue::Source::Live {
        tracing::info!(models = models.len(), "1min.ai's model list was fetched");
    } else {
        tracing::warn!(
            models = models.len(),
            "1min.ai's model list could not be fetched; using the built-in one until it can"
        );
    }
}

/// Ends when the process is asked to: Ctrl-C, or SIGTERM as service managers send it. Both are heard from
/// the call on, not from the first poll: who has seen the relay answer may stop it.
fn shutdown_asked() -> std::io::Result<impl Future<Output = ()>> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
    })
}

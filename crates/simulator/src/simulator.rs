//! A running simulator: started, steered, read and stopped from Rust.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use crate::billing::{Account, Charge};
use crate::digest::short;
use crate::directive::DirectiveError;
use crate::journal::Journal;
use crate::pending::each;
use crate::state::State;
use crate::{alter, control, server, upstream};

/// How to start.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub address: SocketAddr,
    /// Whether requests are written down. A benchmark switches it off.
    pub journal: bool,
    /// Threads that serve.
    pub threads: usize,
    /// Time between two events of a stream for which no script says otherwise.
    pub pace: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            journal: true,
            threads: 1,
            pace: Duration::ZERO,
        }
    }
}

/// It could not be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot start the simulator on {address}")]
pub struct StartError {
    address: SocketAddr,
    source: std::io::Error,
}

/// A simulator that runs on threads of its own until it is dropped; then its port is closed and
/// its connections break.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    state: Arc<State>,
    runtime: Option<Runtime>,
}

impl Simulator {
    /// Starts it. Works within and without an async runtime, and does not wait.
    pub fn start(options: Options) -> Result<Self, StartError> {
        let address = options.address;
        Self::begin(options).map_err(|source| StartError { address, source })
    }

    fn begin(options: Options) -> std::io::Result<Self> {
        let threads = options.threads.max(1);
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("1min-simulator")
            .enable_all()
            .build()?;
        let listener = {
            let _context = runtime.enter();
            server::bind(options.address)?
        };
        let address = listener.local_addr()?;
        let state = Arc::new(State::new(options.journal, options.pace));
        let router = Router::new()
            .nest("/_sim", control::routes())
            .fallback(upstream::answer)
            .layer(DefaultBodyLimit::max(upstream::UPLOAD_LIMIT))
            .with_state(state.clone());
        runtime.spawn(server::serve(listener, router));
        Ok(Self {
            address,
            state,
            runtime: Some(runtime),
        })
    }

    /// The address that it listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// The base URL, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Alters these facts about 1min.ai from now on, and no others; see [`crate::alterations`].
    ///
    /// # Errors
    /// The first id that there is not.
    pub fn alter(&self, ids: &[&str]) -> Result<(), String> {
        if let Some(unknown) = ids.iter().find(|id| !alter::is_known(id)) {
            return Err((*unknown).to_owned());
        }
        *self.state.altered() = ids.iter().map(|id| (*id).to_owned()).collect();
        Ok(())
    }

    /// The requests so far; empty for ever when the journal is switched off.
    #[must_use]
    pub fn journal(&self) -> Journal {
        self.state.journal.clone().unwrap_or_else(Journal::new)
    }

    /// Queues a script (or a list of them), as `POST /_sim/script` does.
    pub fn script(&self, json: Value) -> Result<(), DirectiveError> {
        each(json, |script| self.state.pending().queue(script))
    }

    /// Adds a standing fault (or a list of them), as `POST /_sim/faults` does.
    pub fn add_faults(&self, json: Value) -> Result<(), DirectiveError> {
        each(json, |fault| self.state.pending().add_fault(fault))
    }

    /// Puts these standing faults in the place of all before.
    pub fn set_faults(&self, json: Value) -> Result<(), DirectiveError> {
        self.clear_faults();
        self.add_faults(json)
    }

    /// Takes all standing faults back.
    pub fn clear_faults(&self) {
        self.state.pending().clear_faults();
    }

    /// Sets what the account of a key may use in all and has used, in credits; None leaves it.
    pub fn set_account(&self, key: &str, credit_limit: Option<u64>, used_credit: Option<u64>) {
        let key = short(key.as_bytes());
        self.state.billing().set(&key, credit_limit, used_credit);
    }

    /// The accounts that have asked for anything that costs, or were set.
    #[must_use]
    pub fn accounts(&self) -> Vec<Account> {
        self.state.billing().accounts()
    }

    /// The account of a key.
    #[must_use]
    pub fn account(&self, key: &str) -> Option<Account> {
        let hash = short(key.as_bytes());
        let mut accounts = self.accounts().into_iter();
        accounts.find(|account| account.api_key_hash == hash)
    }

    /// Every request that was charged, oldest first.
    #[must_use]
    pub fn charges(&self) -> Vec<Charge> {
        self.state.billing().charges()
    }

    /// Forgets scripts, faults, files, conversations, accounts and the journal.
    pub fn reset(&self) {
        self.state.reset();
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // Also allowed within another runtime, where waiting for the threads would not be.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

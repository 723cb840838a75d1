//! What can be set, defined once: flags, environment and help all come from [`Settings`].
//!
//! A flag beats the environment, the environment beats `.env`. Names are those of the original
//! relay where it had one. Everything is checked before the first socket is opened, and each part
//! of the program is handed only what it needs.

pub mod in_force;
pub mod sharing;
pub mod upstream;

use std::ffi::OsStr;

use clap::builder::Resettable;
use clap::{Arg, CommandFactory as _, FromArgMatches as _, Parser};
use secrecy::SecretString;

use crate::access::settings as access;
use crate::chat::settings as chat;
use crate::cli::commands::Command;
use crate::embeddings;
use crate::http::settings as server;
use crate::models::settings as models;
use crate::objects::settings as objects;
use crate::observe;
use crate::store::settings as store;
use crate::uploads::settings as uploads;
use in_force::SettingInForce;
use sharing::SharingSettings;
use upstream::UpstreamSettings;

/// An OpenAI-compatible server in front of 1min.ai.
///
/// Point any OpenAI client at http://HOST:PORT/v1 and give it your 1min.ai key as its API key.
/// Every setting below is a flag and an environment variable of the same words; a `.env` file in
/// the working folder is read too.
///
/// Who may call: without a setting clients send their own 1min.ai key (pass-through). With
/// `ONEMIN_API_KEYS` the relay holds the key and clients send access keys (`RELAY_KEYS=both` takes
/// either). `DEFAULT_API_KEY` serves callers without a key, `KEYS_IN_URLS` takes it in the base
/// URL. What is enabled is printed at the start and by `--check`.
#[derive(Debug, Clone, Parser)]
#[command(name = "1min-relay", version, max_term_width = 100, after_help = EXAMPLES)]
pub struct Settings {
    /// Try it without a key: starts an embedded 1min.ai simulator and uses it as upstream.
    #[arg(long)]
    pub demo: bool,

    /// Validate the settings, print what is enabled and exit, without opening a socket.
    #[arg(long)]
    pub check: bool,

    /// Check whether 1min.ai and all configured services can be reached, print what is wrong and
    /// exit. It costs no credits.
    #[arg(long)]
    pub doctor: bool,

    /// The 1min.ai key that `--doctor` checks and `probe` uses. The server does not use it: clients
    /// send keys of their own.
    #[arg(
        long,
        env = "ONEMIN_API_KEY",
        hide_env_values = true,
        value_name = "KEY"
    )]
    pub onemin_api_key: Option<SecretString>,

    /// Where the server listens.
    #[command(flatten)]
    pub server: server::Settings,

    /// Where 1min.ai is.
    #[command(flatten)]
    pub upstream: UpstreamSettings,

    /// Who may call.
    #[command(flatten)]
    pub access: access::Settings,

    /// Where what outlives a request is kept.
    #[command(flatten)]
    pub store: store::Settings,

    /// What is kept for clients.
    #[command(flatten)]
    pub objects: objects::Settings,

    /// Which models may be used.
    #[command(flatten)]
    pub models: models::Settings,

    /// Who makes embeddings.
    #[command(flatten)]
    pub embeddings: embeddings::Settings,

    /// What may be fetched.
    #[command(flatten)]
    pub uploads: uploads::Settings,

    /// How answers are made.
    #[command(flatten)]
    pub chat: chat::Settings,

    /// What is logged, and how.
    #[command(flatten)]
    pub log: observe::Settings,

    /// Access keys, accounts, budgets, ledger.
    #[command(flatten)]
    pub sharing: SharingSettings,

    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// All of the above as it was set, for people to read.
    #[arg(skip)]
    pub in_force: Vec<SettingInForce>,
}

const EXAMPLES: &str = "\
Examples:
  1min-relay --demo                      try it, no key needed
  1min-relay --doctor                    see whether 1min.ai and the stores can be reached
  1min-relay                             serve on port 5001, keys come from the clients
  PORT=8080 1min-relay --log-format json
  1min-relay --host 127.0.0.1 --subset-of-one-min-permitted-models gpt-4o-mini,gpt-5 \\
             --permit-models-from-subset-only";

impl Settings {
    /// Reads `.env`, flags and environment. On `--help`, or on a setting that makes no sense, it
    /// prints what clap has to say and ends the process.
    #[must_use]
    pub fn read() -> Self {
        // A missing `.env` is the normal case; a broken one must not be passed over in silence.
        if let Err(error) = dotenvy::dotenv()
            && !error.not_found()
        {
            clap::Error::raw(clap::error::ErrorKind::Io, format!(".env: {error}\n")).exit();
        }
        let command = Self::command().mut_args(environment);
        let matches = command.clone().get_matches();
        let settings = Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        Self {
            in_force: in_force::list(&command, &matches),
            ..settings
        }
    }
}

/// Variables by their current names, and by earlier ones.
const EARLIER_NAMES: [(&str, &str); 2] = [
    ("FILE_KEYWORDS", "FILE_WORDS"),
    ("JSON_CORRECTIONS", "FORM_CORRECTIONS"),
];

/// Where a setting's variable is. One that is set to nothing is not set: compose files pass them
/// on like that.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
fn environment(arg: Arg) -> Arg {
    let is_set = |name: &OsStr| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let Some(name) = arg.get_env().map(OsStr::to_owned) else {
        return arg;
    };
    if is_set(&name) {
        return arg;
    }
    let earlier = EARLIER_NAMES.iter().find(|(today, _)| name == **today);
    match earlier {
        Some((_, earlier)) if is_set(OsStr::new(earlier)) => arg.env(earlier),
        _ if std::env::var_os(&name).is_some() => arg.env(Resettable::Reset),
        _ => arg,
    }
}

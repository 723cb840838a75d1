//! What can be set, defined once: flags, environment and help all come from [`Settings`].
//!
//! A flag beats the environment, the environment beats `.env`. Names are those of the original
//! relay where it had one. Everything is checked before the first socket is opened, and each part
//! of the program is handed only what it needs.

pub mod in_force;

pub mod sharing;

use std::ffi::OsStr;
use std::net::IpAddr;
use std::time::Duration;

use crate::cli::commands::Command;
use clap::builder::Resettable;
use clap::{Arg, ArgAction, CommandFactory as _, FromArgMatches as _, Parser, ValueEnum};
use secrecy::SecretString;
use sharing::SharingSettings;
use translate::compose::Wording;
use translate::compose::tools::Style;
use translate::interpret::thinking::Thoughts;
use url::Url;

use crate::access::rate_limit::RateLimitBy;
use crate::chat::file_keywords::FileKeywords;
use crate::embeddings;
use crate::observe;
use crate::setting_values::{http_url, seconds};
use crate::store::settings as store;
use in_force::SettingInForce;

/// An OpenAI-compatible server in front of 1min.ai.
///
/// Point any OpenAI client at http://HOST:PORT/v1 and give it your 1min.ai key as its API key.
/// Every setting below is a flag and an environment variable of the same words; a `.env` file in
/// the working folder is read too.
#[derive(Debug, Clone, Parser)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own on the command line"
)]
#[command(name = "1min-relay", version, max_term_width = 100, after_help = EXAMPLES)]
pub struct Settings {
    /// Try it without a key: starts an embedded 1min.ai simulator and uses it as upstream.
    #[arg(long)]
    pub demo: bool,

    /// Check the settings and say what is on, then stop without opening a socket.
    #[arg(long)]
    pub check: bool,

    /// Ask everybody whom the settings name whether they are there, say what is wrong, then stop.
    /// It costs no credits.
    #[arg(long)]
    pub doctor: bool,

    /// A key for `--doctor` to look at. The server itself needs none: clients send theirs.
    #[arg(
        long,
        env = "ONEMIN_API_KEY",
        hide_env_values = true,
        value_name = "KEY"
    )]
    pub onemin_api_key: Option<SecretString>,

    /// The address to listen on; `127.0.0.1` keeps the relay to this machine.
    #[arg(long, env = "HOST", default_value = "0.0.0.0", value_name = "ADDRESS")]
    pub host: IpAddr,

    /// The port to listen on; 0 takes a free one and prints it.
    #[arg(long, env = "PORT", default_value_t = 5001)]
    pub port: u16,

    /// Where 1min.ai's API is.
    #[arg(long, env = "ONEMIN_BASE_URL", default_value = onemin::DEFAULT_BASE_URL, value_name = "URL", value_parser = http_url)]
    pub onemin_base_url: Url,

    /// Where 1min.ai's files are.
    #[arg(long, env = "ONEMIN_ASSET_URL", default_value = onemin::DEFAULT_ASSET_URL, value_name = "URL", value_parser = http_url)]
    pub onemin_asset_url: Url,

    /// Requests a minute that one key may make; 0 is no limit (1min.ai itself allows 180).
    #[arg(
        long,
        env = "RATE_LIMIT_PER_MINUTE",
        default_value_t = 0,
        value_name = "N"
    )]
    pub rate_limit_per_minute: u32,

    /// What the rate limit counts by.
    #[arg(long, env = "RATE_LIMIT_BY", default_value = "key", value_enum)]
    pub rate_limit_by: RateLimitBy,

    /// Proxies whose X-Forwarded-For is believed, as addresses or networks, separated by commas.
    #[arg(long, env = "TRUSTED_PROXIES", value_delimiter = ',', value_name = "NET,…", value_parser = network)]
    pub trusted_proxies: Vec<ipnet::IpNet>,

    /// Whether a base URL may hold the key, for clients without a field for one:
    /// `http://HOST:PORT/key/KEY`, before whatever the client would write otherwise. The relay logs
    /// no URLs; proxies in front of it may.
    #[arg(long, env = "KEYS_IN_URLS", value_name = "BOOL", default_value = "false",
          default_missing_value = "true", num_args = 0..=1, action = ArgAction::Set, value_parser = boolean)]
    pub keys_in_urls: bool,

    /// The key of callers that send none, for clients without a field for one. Only callers of the
    /// networks below are given it, and no page of the web.
    #[arg(
        long,
        env = "DEFAULT_API_KEY",
        hide_env_values = true,
        value_name = "KEY"
    )]
    pub default_api_key: Option<SecretString>,

    /// The networks whose callers use the default key, as addresses or networks, separated by
    /// commas. Without it only those of this machine do, and only if the relay listens on 127.0.0.1.
    #[arg(long, env = "DEFAULT_API_KEY_NETWORKS", value_delimiter = ',', value_name = "NET,…", value_parser = network)]
    pub default_api_key_networks: Vec<ipnet::IpNet>,

    /// Where what outlives a request is kept.
    #[command(flatten)]
    pub store: store::Settings,

    /// The largest file that /v1/files takes, in MiB.
    #[arg(long, env = "MAX_FILE_MB", default_value_t = 128, value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub max_file_mb: u32,

    /// The most that the files of one account may take together, in MiB; 0 is no limit.
    #[arg(
        long,
        env = "MAX_ACCOUNT_FILES_MB",
        default_value_t = 10240,
        value_name = "MIB"
    )]
    pub max_account_files_mb: u32,

    /// Days after which uploaded files are deleted; 0 is never.
    #[arg(
        long,
        env = "FILE_RETENTION_DAYS",
        default_value_t = 0,
        value_name = "DAYS"
    )]
    pub file_retention_days: u32,

    /// What words about files in a chat message do, in English or Russian: `read` attaches the
    /// account's newest files to a message that speaks of files or documents, `read-and-delete`
    /// also deletes them all when it asks for that.
    #[arg(
        long,
        alias = "file-words",
        env = "FILE_KEYWORDS",
        default_value = "off",
        value_enum
    )]
    pub file_keywords: FileKeywords,

    /// Days after which stored responses (`store` of the Responses API) are forgotten.
    #[arg(
        long,
        env = "RESPONSE_RETENTION_DAYS",
        default_value_t = 30,
        value_name = "DAYS",
        value_parser = clap::value_parser!(u32).range(1..=3650)
    )]
    pub response_retention_days: u32,

    /// Models that may be used, separated by commas.
    #[arg(
        long,
        env = "SUBSET_OF_ONE_MIN_PERMITTED_MODELS",
        value_delimiter = ',',
        value_name = "ID,…"
    )]
    pub subset_of_one_min_permitted_models: Vec<String>,

    /// Whether only the models of the subset above may be used and are listed.
    #[arg(long, env = "PERMIT_MODELS_FROM_SUBSET_ONLY", value_name = "BOOL", default_value = "false",
          default_missing_value = "true", num_args = 0..=1, action = ArgAction::Set, value_parser = boolean)]
    pub permit_models_from_subset_only: bool,

    /// Names that clients use and the models that are meant, such as
    /// `sonnet=claude-sonnet-4-5-20250929,claude-haiku=gpt-5-mini`. Anthropic's families and
    /// versions are understood without it.
    #[arg(long, env = "MODEL_MAP", value_delimiter = ',', value_name = "NAME=MODEL,…", value_parser = name_and_model)]
    pub model_map: Vec<(String, String)>,

    /// Seconds for which the model list is kept before it is asked for again.
    #[arg(long, env = "MODELS_TTL", default_value = "600", value_name = "SECONDS", value_parser = seconds)]
    pub models_ttl: Duration,

    /// Who makes embeddings.
    #[command(flatten)]
    pub embeddings: embeddings::Settings,

    /// Whether image and file URLs in requests may point to private addresses.
    #[arg(long, env = "ALLOW_PRIVATE_URLS", value_name = "BOOL", default_value = "false",
          default_missing_value = "true", num_args = 0..=1, action = ArgAction::Set, value_parser = boolean)]
    pub allow_private_urls: bool,

    /// The largest request body, in MiB.
    #[arg(long, env = "MAX_BODY_MB", default_value_t = 64, value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub max_body_mb: u32,

    /// The largest file that is fetched from a URL in a request, in MiB.
    #[arg(long, env = "MAX_FETCH_MB", default_value_t = 32, value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub max_fetch_mb: u32,

    /// The most answers one request may ask for with `n`; each is a paid call of its own.
    #[arg(long, env = "MAX_CHOICES", default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=128))]
    pub max_choices: u32,

    /// Whether a parameter that has no effect here is refused instead of named in x-relay-ignored.
    #[arg(long, env = "STRICT_PARAMETERS", value_name = "BOOL", default_value = "false",
          default_missing_value = "true", num_args = 0..=1, action = ArgAction::Set, value_parser = boolean)]
    pub strict_parameters: bool,

    /// How often the model is asked again when a tool call cannot be read, lacks or does not match
    /// its schema; each is a paid call.
    #[arg(long, env = "CALL_CORRECTIONS", default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=5))]
    pub call_corrections: u32,

    /// How often the model is asked again when an answer is not the JSON that was asked for; each
    /// is a paid call.
    #[arg(long, alias = "form-corrections", env = "JSON_CORRECTIONS", default_value_t = 2, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=5))]
    pub json_corrections: u32,

    /// How tools are described to models, by the beginning of their names, such as
    /// `llama=json-schema,qwen=signatures`.
    #[arg(long, env = "TOOL_STYLE", value_delimiter = ',', value_name = "MODEL=STYLE,…", value_parser = tool_style)]
    pub tool_style: Vec<(String, Style)>,

    /// What becomes of the thoughts that a model shows before its answer.
    #[arg(long, env = "REASONING", default_value = "separate", value_enum)]
    pub reasoning: Reasoning,

    /// Seconds to wait for a connection to 1min.ai.
    #[arg(long, env = "CONNECT_TIMEOUT", default_value = "10", value_name = "SECONDS", value_parser = seconds)]
    pub connect_timeout: Duration,

    /// Seconds to wait for the first byte of an answer.
    #[arg(long, env = "FIRST_BYTE_TIMEOUT", default_value = "180", value_name = "SECONDS", value_parser = seconds)]
    pub first_byte_timeout: Duration,

    /// Seconds that a stream may be silent.
    #[arg(long, env = "IDLE_TIMEOUT", default_value = "120", value_name = "SECONDS", value_parser = seconds)]
    pub idle_timeout: Duration,

    /// Seconds that one answer may take in all.
    #[arg(long, env = "REQUEST_TIMEOUT", default_value = "900", value_name = "SECONDS", value_parser = seconds)]
    pub request_timeout: Duration,

    /// Seconds that a picture, speech or a transcript may take.
    #[arg(long, env = "MEDIA_TIMEOUT", default_value = "900", value_name = "SECONDS", value_parser = seconds)]
    pub media_timeout: Duration,

    /// Whether 1min.ai's own API is passed on below `/1min`, with the relay's keys, budgets and
    /// ledger: `/1min/api/features`, `/1min/api/chat-with-ai` and the other paths that an API key may
    /// use.
    #[arg(long, env = "NATIVE", value_name = "BOOL", default_value = "false",
          default_missing_value = "true", num_args = 0..=1, action = ArgAction::Set, value_parser = boolean)]
    pub native: bool,

    /// Seconds before 1min.ai is asked what became of a long job such as a video; later it is asked
    /// more rarely, at most five times.
    #[arg(long, env = "JOB_POLL", default_value = "2", value_name = "SECONDS", value_parser = seconds)]
    pub job_poll: Duration,

    /// Seconds of silence after which a stream gets a keep-alive comment; 0 is never.
    #[arg(long, env = "HEARTBEAT", default_value = "15", value_name = "SECONDS", value_parser = seconds)]
    pub heartbeat: Duration,

    /// Seconds that open requests have to end when the relay is told to stop.
    #[arg(long, env = "SHUTDOWN_TIMEOUT", default_value = "30", value_name = "SECONDS", value_parser = seconds)]
    pub shutdown_timeout: Duration,

    /// Whether `GET /metrics` gives numbers for Prometheus: requests, times, tokens and credits by
    /// model. Whoever can reach the port can read them.
    #[arg(long, env = "METRICS", value_name = "BOOL", default_value = "false",
          default_missing_value = "true", num_args = 0..=1, action = ArgAction::Set, value_parser = boolean)]
    pub metrics: bool,

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

/// What becomes of the thoughts that a model shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Reasoning {
    /// They are given apart from the answer, as `reasoning_content` and its like.
    Separate,
    /// They stay in the answer's text.
    Inline,
    /// They are left out.
    Drop,
}

impl From<Reasoning> for Thoughts {
    fn from(reasoning: Reasoning) -> Self {
        match reasoning {
            Reasoning::Separate => Self::Separate,
            Reasoning::Inline => Self::Inline,
            Reasoning::Drop => Self::Drop,
        }
    }
}

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

    /// The largest request body in bytes.
    #[must_use]
    pub fn max_body(&self) -> usize {
        mebibytes(self.max_body_mb)
    }

    /// The largest fetched file in bytes.
    #[must_use]
    pub fn max_fetch(&self) -> usize {
        mebibytes(self.max_fetch_mb)
    }

    /// The largest uploaded file in bytes.
    #[must_use]
    pub fn max_file(&self) -> u64 {
        u64::from(self.max_file_mb) * 1024 * 1024
    }

    /// The most that an account's files may take, in bytes; none if there is no limit.
    #[must_use]
    pub fn max_account_files(&self) -> Option<u64> {
        let bytes = u64::from(self.max_account_files_mb) * 1024 * 1024;
        (bytes > 0).then_some(bytes)
    }

    /// The age at which stored responses are forgotten.
    #[must_use]
    pub fn response_retention(&self) -> Duration {
        Duration::from_secs(u64::from(self.response_retention_days) * 24 * 60 * 60)
    }

    /// The age at which uploaded files are deleted; none if they stay.
    #[must_use]
    pub fn file_retention(&self) -> Option<Duration> {
        let days = u64::from(self.file_retention_days);
        (days > 0).then(|| Duration::from_secs(days * 24 * 60 * 60))
    }

    /// The models that may be used; none if all may.
    #[must_use]
    pub fn permitted_models(&self) -> Option<Vec<String>> {
        let names = self
            .subset_of_one_min_permitted_models
            .iter()
            .map(|n| n.trim());
        self.permit_models_from_subset_only
            .then(|| names.filter(|n| !n.is_empty()).map(str::to_owned).collect())
    }

    /// How prompts are worded.
    #[must_use]
    pub fn wording(&self) -> Wording {
        Wording {
            styles: self.tool_style.clone(),
        }
    }

    /// The timeouts of the 1min.ai client.
    #[must_use]
    pub fn timeouts(&self) -> onemin::Timeouts {
        let usual = onemin::Timeouts::default();
        onemin::Timeouts {
            connect: self.connect_timeout,
            first_byte: self.first_byte_timeout,
            idle: self.idle_timeout,
            whole: self.request_timeout,
            feature: self.media_timeout,
            download: self.first_byte_timeout.min(usual.download),
            ..usual
        }
    }
}

/// Variables by their names of today, and by those that they had before.
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

fn mebibytes(n: u32) -> usize {
    n as usize * 1024 * 1024
}

fn network(text: &str) -> Result<ipnet::IpNet, String> {
    let text = text.trim();
    let address = text.parse::<IpAddr>().map(ipnet::IpNet::from);
    address
        .or_else(|_| text.parse())
        .map_err(|_| "must be an address or a network such as 10.0.0.0/8".to_owned())
}

fn name_and_model(text: &str) -> Result<(String, String), String> {
    let (name, model) = text.split_once('=').ok_or("must be NAME=MODEL")?;
    Ok((name.trim().to_owned(), model.trim().to_owned()))
}

fn tool_style(text: &str) -> Result<(String, Style), String> {
    let (model, style) = text.split_once('=').ok_or("must be MODEL=STYLE")?;
    let style = match style.trim() {
        "signatures" => Style::Signatures,
        "json-schema" => Style::JsonSchema,
        _ => return Err("the style must be signatures or json-schema".to_owned()),
    };
    Ok((model.trim().to_owned(), style))
}

fn boolean(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" | "" => Ok(false),
        _ => Err("must be true or false".to_owned()),
    }
}

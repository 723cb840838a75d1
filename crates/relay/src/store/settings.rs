//! Where what outlives a request is kept, as the operator sets it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use secrecy::SecretString;
use url::Url;

use crate::setting_values::http_url;

/// Which services keep what, and how they are reached.
#[derive(Debug, Clone, Args)]
// Sections of settings have one name, and clap would take it for a group of each.
#[group(skip)]
pub struct Settings {
    /// Where requests are counted for the limit. `auto` takes Redis if it is configured, else
    /// memcached if it is configured or answers at 127.0.0.1 or at the name `memcached`.
    #[arg(long, env = "COUNTERS", default_value = "auto", value_enum)]
    pub counters: CounterStore,

    /// The memcached in which replicas share their counts.
    #[arg(long, env = "MEMCACHED_HOST", value_name = "HOST")]
    pub memcached_host: Option<String>,

    /// The port of memcached.
    #[arg(
        long,
        env = "MEMCACHED_PORT",
        default_value_t = 11211,
        value_name = "PORT"
    )]
    pub memcached_port: u16,

    /// The PostgreSQL database in which replicas share all records (access keys, accounts, budgets,
    /// the ledger, jobs, entries of files, assistants, stored responses, conversations):
    /// `postgres://user:password@host:5432/database`. Without it they are in SQLite in the data folder.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<SecretString>,

    /// The Redis in which replicas share the counts of the rate limit:
    /// `redis://[[user]:password@]host[:port][/db]`, or `rediss://` for TLS.
    #[arg(long, env = "REDIS_URL", hide_env_values = true, value_name = "URL")]
    pub redis_url: Option<SecretString>,

    /// The secret under which callers are hashed in every store, 1min.ai keys of accounts and jobs
    /// encrypted, and sessions of the page signed: at least 16 characters, the same in all replicas.
    /// If it is not set, a random one is kept in the data folder.
    #[arg(
        long,
        env = "RELAY_SECRET",
        hide_env_values = true,
        value_name = "SECRET"
    )]
    pub relay_secret: Option<SecretString>,

    /// The folder for what must outlive the relay. Default: `$STATE_DIRECTORY`, else
    /// `$XDG_DATA_HOME/1min-relay`, else ~/.local/share/1min-relay, else ./data.
    #[arg(long, env = "DATA_DIR", value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,

    /// The S3 bucket that keeps the contents of files, instead of the data folder.
    #[arg(long, env = "S3_BUCKET", value_name = "NAME")]
    pub s3_bucket: Option<String>,

    /// Where the S3-compatible service is, if it is not Amazon's.
    #[arg(long, env = "S3_ENDPOINT", value_name = "URL", value_parser = http_url)]
    pub s3_endpoint: Option<Url>,

    /// The region of the bucket.
    #[arg(
        long,
        env = "S3_REGION",
        default_value = "us-east-1",
        value_name = "REGION"
    )]
    pub s3_region: String,

    /// The id of the access key for the bucket.
    #[arg(long, env = "S3_ACCESS_KEY_ID", value_name = "ID")]
    pub s3_access_key_id: Option<String>,

    /// The secret of the access key for the bucket.
    #[arg(
        long,
        env = "S3_SECRET_ACCESS_KEY",
        hide_env_values = true,
        value_name = "SECRET"
    )]
    pub s3_secret_access_key: Option<SecretString>,
}

/// Where requests are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CounterStore {
    /// In the first service that is configured or found, else in process.
    Auto,
    /// In this process.
    Process,
    /// In memcached.
    Memcached,
    /// In Redis.
    Redis,
}

impl Settings {
    /// The folder for what must outlive the relay.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "where a service or a user keeps data is the environment's to tell"
    )]
    pub fn data_folder(&self) -> PathBuf {
        let of = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty());
        let standard = || {
            let state = of("STATE_DIRECTORY").map(PathBuf::from);
            let xdg = || of("XDG_DATA_HOME").map(|home| PathBuf::from(home).join("1min-relay"));
            let home =
                || of("HOME").map(|home| PathBuf::from(home).join(".local/share/1min-relay"));
            state.or_else(xdg).or_else(home)
        };
        let wanted = self.data_dir.clone().or_else(standard);
        wanted.unwrap_or_else(|| PathBuf::from("data"))
    }
}

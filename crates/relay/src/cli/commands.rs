//! The commands, as the command line has them.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

/// What the program does; it serves where nothing is said.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Serve; this is what it does without a command.
    Serve,
    /// Access keys: add, list, show, set, off, on, rotate, reset, rm.
    #[command(subcommand)]
    Key(KeyCommand),
    /// 1min.ai accounts that pay for access keys: add, list, rm.
    #[command(subcommand)]
    Account(AccountCommand),
    /// Show usage.
    Usage(UsageArgs),
    /// Check what the relay assumes about 1min.ai's API, with the key in `ONEMIN_API_KEY`.
    Probe(ProbeArgs),
}

/// What a probe may do.
#[derive(Debug, Clone, Args)]
pub struct ProbeArgs {
    /// The most credits that may be spent; without it only what is free is asked.
    #[arg(long, value_name = "CREDITS")]
    pub spend: Option<u64>,
    /// Instead of facts, ask these chat models some twenty small tasks (tool calls, JSON), whole and
    /// streamed, in both styles of `--tool-style`, and score their answers. Needs `--spend`.
    #[arg(
        long,
        value_name = "MODEL,…",
        value_delimiter = ',',
        requires = "spend"
    )]
    pub models: Vec<String>,
    /// Where to write a report without anything personal, fit for an issue.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

/// Commands about access keys. KEY is an id or a name.
#[derive(Debug, Clone, Subcommand)]
pub enum KeyCommand {
    /// Make a key; it is shown this once.
    Add {
        /// Who or what uses it.
        name: String,
        /// What it may do.
        #[command(flatten)]
        fields: KeyFields,
    },
    /// List all keys.
    List,
    /// Show a key, without its secret.
    Show {
        /// Which.
        key: String,
    },
    /// Change a key.
    Set {
        /// Which.
        key: String,
        /// Another name.
        #[arg(long)]
        name: Option<String>,
        /// What it may do.
        #[command(flatten)]
        fields: KeyFields,
    },
    /// Switch a key off.
    Off {
        /// Which.
        key: String,
    },
    /// Switch a key on again.
    On {
        /// Which.
        key: String,
    },
    /// Give a key another secret.
    Rotate {
        /// Which.
        key: String,
        /// How long the old secret stays valid, such as 1h.
        #[arg(long, value_parser = humantime::parse_duration)]
        grace: Option<Duration>,
    },
    /// Take what was spent in the current period off the budget.
    Reset {
        /// Which.
        key: String,
        /// The period: day, week, month or total.
        per: String,
    },
    /// Delete a key. What it has spent stays in the ledger.
    Rm {
        /// Which.
        key: String,
    },
}

/// What a key may do.
#[derive(Debug, Clone, Default, Args)]
pub struct KeyFields {
    /// Models that it may use, such as `gpt-4o*,claude-*`; `all` for all.
    #[arg(long, value_delimiter = ',')]
    pub models: Option<Vec<String>>,
    /// What it may be used for: chat, images, audio, video, native; `all` for all.
    #[arg(long, value_delimiter = ',')]
    pub uses: Option<Vec<String>>,
    /// Accounts that may pay for it; `all` for all.
    #[arg(long, value_delimiter = ',')]
    pub accounts: Option<Vec<String>>,
    /// What it may spend, such as `month=50000,day=5000`; `none` for no limit.
    #[arg(long, value_delimiter = ',')]
    pub budget: Option<Vec<String>>,
    /// Requests a minute; 0 is no limit.
    #[arg(long)]
    pub rpm: Option<u32>,
    /// Requests at the same time; 0 is no limit.
    #[arg(long)]
    pub parallel: Option<u32>,
    /// When it ends: a date, a time from now such as 30d, or never.
    #[arg(long)]
    pub expires: Option<String>,
}

/// Commands about accounts.
#[derive(Debug, Clone, Subcommand)]
pub enum AccountCommand {
    /// Add an account; its key is read from the terminal or a pipe, and kept sealed.
    Add {
        /// What it is called.
        name: String,
    },
    /// List all accounts.
    List,
    /// Forget an account's key.
    Rm {
        /// Which.
        name: String,
    },
}

/// Which usage is shown.
#[derive(Debug, Clone, Args)]
pub struct UsageArgs {
    /// By what it is summed: hour, day, month, key, model, api, account, end, kind.
    #[arg(long, default_value = "day")]
    pub by: String,
    /// From when: a date, or seconds since 1970. Default: 30 days ago.
    #[arg(long)]
    pub from: Option<String>,
    /// Until when.
    #[arg(long)]
    pub to: Option<String>,
    /// Only this key, by id or name.
    #[arg(long)]
    pub key: Option<String>,
    /// Only this model.
    #[arg(long)]
    pub model: Option<String>,
    /// As CSV.
    #[arg(long)]
    pub csv: bool,
}

//! How much is kept for clients, and how long.

use std::time::Duration;

use clap::Args;

/// Files and stored responses, as the operator sets them.
#[derive(Debug, Clone, Args)]
// Sections of settings have one name, and clap would take it for a group of each.
#[group(skip)]
pub struct Settings {
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

    /// Days after which stored responses (`store` of the Responses API) are forgotten.
    #[arg(
        long,
        env = "RESPONSE_RETENTION_DAYS",
        default_value_t = 30,
        value_name = "DAYS",
        value_parser = clap::value_parser!(u32).range(1..=3650)
    )]
    pub response_retention_days: u32,
}

impl Settings {
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

    /// The age at which uploaded files are deleted; none if they stay.
    #[must_use]
    pub fn file_retention(&self) -> Option<Duration> {
        let days = u64::from(self.file_retention_days);
        (days > 0).then(|| Duration::from_secs(days * 24 * 60 * 60))
    }

    /// The age at which stored responses are forgotten.
    #[must_use]
    pub fn response_retention(&self) -> Duration {
        Duration::from_secs(u64::from(self.response_retention_days) * 24 * 60 * 60)
    }
}

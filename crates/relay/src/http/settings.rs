//! Where the server listens, and what bounds a request and its end.

use std::net::IpAddr;
use std::time::Duration;

use clap::Args;

use crate::setting_values::seconds;

/// The server, as the operator sets it.
#[derive(Debug, Clone, Args)]
// Sections of settings have one name, and clap would take it for a group of each.
#[group(skip)]
pub struct Settings {
    /// The address to listen on; `127.0.0.1` keeps the relay to this machine.
    #[arg(long, env = "HOST", default_value = "0.0.0.0", value_name = "ADDRESS")]
    pub host: IpAddr,

    /// The port to listen on; 0 takes a free one and prints it.
    #[arg(long, env = "PORT", default_value_t = 5001)]
    pub port: u16,

    /// The largest request body, in MiB.
    #[arg(long, env = "MAX_BODY_MB", default_value_t = 64, value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub max_body_mb: u32,

    /// Seconds of silence after which a stream gets a keep-alive comment; 0 is never.
    #[arg(long, env = "HEARTBEAT", default_value = "15", value_name = "SECONDS", value_parser = seconds)]
    pub heartbeat: Duration,

    /// Seconds that open requests have to end when the relay is told to stop.
    #[arg(long, env = "SHUTDOWN_TIMEOUT", default_value = "30", value_name = "SECONDS", value_parser = seconds)]
    pub shutdown_timeout: Duration,
}

impl Settings {
    /// The largest request body in bytes.
    #[must_use]
    pub fn max_body(&self) -> usize {
        self.max_body_mb as usize * 1024 * 1024
    }
}

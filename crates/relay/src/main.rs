//! The program: settings, logs, then the server until it is told to stop.

use std::process::ExitCode;

use relay::app;
use relay::config::Settings;

/// `relay::memory` makes it give back what a load has left; `.cargo/config.toml` says how it is built.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let settings = Settings::read();
    match app::run(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("1min-relay: {error}");
            ExitCode::FAILURE
        }
    }
}

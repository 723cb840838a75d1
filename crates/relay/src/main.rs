//! The program: settings, logs, then the server until it is told to stop.

use std::process::ExitCode;

use relay::app;
use relay::config::Settings;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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

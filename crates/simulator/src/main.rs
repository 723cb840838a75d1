//! The simulator as a program.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use simulator::{Options, Simulator};

const GUIDE: &str = "\
Point a client at it with the base URL it prints and any API-KEY. Keys that begin with invalid,
unknown, inactive or deleted get 401, those that begin with broke 406.

Say within a prompt what you want to be answered; the last directive of a prompt wins:
  [[sim {\"reply\":\"Jupiter\"}]]                       this text
  [[sim {\"tokens\":200,\"delay_ms\":50}]]              200 words, 50 ms apart
  [[sim {\"deltas\":[\"Jup\",\"iter\"]}]]                 these deltas
  [[sim {\"reply\":\"…\",\"chunk\":1,\"write\":3}]]        1 byte a delta, 3 bytes a socket write
  [[sim {\"model\":{\"family\":\"claude\",\"steps\":[…]}}]]  calls and texts of a loop of tools
  [[sim {\"usage\":{\"inputToken\":7}}]]                fields of metadata
  [[sim {\"fault\":\"cut\",\"after\":3}]]                 a broken connection after 3 deltas
  [[sim {\"file\":{\"fault\":\"cut\"}}]]                an image or sound whose download breaks
The header `x-sim: {…}` says the same for one request.

Control endpoints:
  GET    /_sim/faults    the faults, each explained
  POST   /_sim/faults    {\"fault\":\"rate-limited\",\"times\":2,\"when\":\"text in the prompt\"}
  DELETE /_sim/faults
  POST   /_sim/script    {\"replies\":[\"first\",\"second\"]}  one for each chat request to come,
                         or of \"endpoint\":\"features\"
  DELETE /_sim/script
  GET    /_sim/journal   what came in; ?since=SEQ&path=/models&outcome=client-left
  DELETE /_sim/journal
  POST   /_sim/reset     forgets everything";

/// A 1min.ai on loopback that answers and misbehaves on demand.
#[derive(Debug, Parser)]
#[command(name = "1min-simulator", version, after_help = GUIDE)]
struct Arguments {
    /// Address to listen on.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// Port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 5199)]
    port: u16,
    /// Write no journal, for benchmarks.
    #[arg(long)]
    no_journal: bool,
    /// Milliseconds between two events of a stream that no script paces.
    #[arg(long, default_value_t = 0, value_name = "MS")]
    pace_ms: u64,
    /// Threads that serve.
    #[arg(long, default_value_t = 1)]
    threads: usize,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let options = Options {
        address: SocketAddr::new(arguments.host, arguments.port),
        journal: !arguments.no_journal,
        threads: arguments.threads,
        pace: Duration::from_millis(arguments.pace_ms),
    };
    match run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let cause = error
                .source()
                .map(|cause| format!(": {cause}"))
                .unwrap_or_default();
            eprintln!("{error}{cause}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: Options) -> Result<(), Box<dyn std::error::Error>> {
    let simulator = Simulator::start(options)?;
    println!("1min.ai simulator at {}", simulator.url());
    let waiting = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    waiting.block_on(tokio::signal::ctrl_c())?;
    Ok(())
}

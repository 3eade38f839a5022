//! Two HTTP services with a circuit breaker between them: the command line.
//!
//! | file | contents |
//! |---|---|
//! | `main.rs` | the command line |
//! | `offers.rs` | the service that calls through the circuit: **start reading here** |
//! | `log.rs` | the circuit's listeners |
//! | `partner.rs` | the service that is called, and breaks on demand |
//! | `pair.rs` | both services on their ports |
//! | `tour.rs` | the tour, which checks itself |
//! | `stdout.rs` | lines on standard output |
//! | `wall_clock.rs` | the time on an offer |

mod log;
mod offers;
mod pair;
mod partner;
mod stdout;
mod tour;
mod wall_clock;

use std::{process::ExitCode, sync::Arc, time::Duration};

use clap::{CommandFactory, Parser, Subcommand, error::ErrorKind};

/// Two HTTP services on loopback, and a circuit breaker between them
///
/// The offer service asks its partner for hot offers through cutout, and falls back to cold ones.
/// Without a command, this program runs a tour: the partner breaks, hangs and recovers, and each
/// step is printed and checked. The tour takes about nine seconds, and exits with 1 if a step fails
/// its check.
#[derive(Parser)]
#[command(version, verbatim_doc_comment, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  cargo run -p offer
  cargo run -p offer -- serve
  cargo run -p offer -- serve --ports 9000 9001 --open-for 1m";

#[derive(Subcommand)]
enum Command {
    /// Leave the two services running, to drive with curl
    ///
    /// The partner: GET /offer/hot makes an offer. POST /control/break makes it answer 500, POST
    /// /control/hang makes it never answer, and POST /control/recover restores it. GET /control
    /// shows its health and how many requests for an offer have reached it.
    ///
    /// The offer service: GET /offer always makes an offer, and GET /offer/circuit shows the state
    /// of the circuit. Three failures in a row open it; a call to the partner fails after half a
    /// second.
    #[command(verbatim_doc_comment)]
    Serve {
        /// Ports of the two services; 0 picks a free one
        #[arg(long, num_args = 2, value_names = ["PARTNER", "OFFERS"])]
        #[arg(default_values_t = [8000, 8001])]
        ports: Vec<u16>,
        /// How long the circuit stays open before it probes, from 10ms to 30d
        #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
        #[arg(default_value = "15s")]
        open_for: Duration,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    // Otherwise the first trip would start a thread for it.
    cutout::clock::warm_up();
    let done = match cli.command {
        None => tour::run().await,
        Some(Command::Serve { ports, open_for }) => serve([ports[0], ports[1]], open_for).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(ports: [u16; 2], open_for: Duration) -> anyhow::Result<()> {
    let circuit = offers::circuit(offers::POLICY.open_for(open_for)).unwrap_or_else(|error| {
        // The breaker checks its bounds and names them.
        Cli::command()
            .error(ErrorKind::ValueValidation, error)
            .exit()
    });
    let pair = pair::start(ports, Arc::new(circuit)).await?;
    let (partner, offers) = (pair.partner.port(), pair.offers.port());
    stdout::line(format_args!(
        "The partner is on port {partner}, the offer service on {offers}. From another terminal:

  curl localhost:{offers}/offer                      an offer, hot or cold
  curl localhost:{offers}/offer/circuit              what the circuit is doing
  curl -X POST localhost:{partner}/control/break      let the partner answer 500,
  curl -X POST localhost:{partner}/control/hang       or not at all,
  curl -X POST localhost:{partner}/control/recover    or be well again
  curl localhost:{partner}/control                    the requests that reached it

Three failures in a row open the circuit for {}. Ctrl-C ends this.
",
        humantime::format_duration(open_for)
    ));
    Ok(tokio::signal::ctrl_c().await?)
}

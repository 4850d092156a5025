//! From `main` to the exit code.

mod describe;
mod drain;

use std::collections::HashMap;
use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{Arg, ArgAction, Command};
use prometheus_client::registry::Registry;
use tokio_util::sync::CancellationToken;

use crate::config::{self, ServiceConfig};
use crate::health::Health;
use crate::operations;
use drain::Signals;

/// How long a service may take to end once it is asked to.
pub const DRAIN: Duration = Duration::from_secs(10);

/// A service: built from its configuration, then run until it is asked to end.
pub trait Application: Sized {
    /// Its configuration.
    type Config: ServiceConfig;
    /// Its instruments.
    type Instruments;

    /// Registers the instruments; their names begin with `kaizen_SERVICE_`.
    fn instruments(registry: &mut Registry) -> Self::Instruments;

    /// Gives one example to every family that starts without any, such as those by partition or method: a family
    /// without a member is not encoded, so `--instruments` would leave it out.
    fn describe(instruments: &Self::Instruments);

    /// Builds the service and opens its ports.
    ///
    /// # Errors
    /// What stands in the way of a start.
    fn build(
        config: Self::Config,
        instruments: Self::Instruments,
        health: Health,
    ) -> impl Future<Output = anyhow::Result<Self>>;

    /// Runs until `shutdown`, then drains: what was taken in is finished or left for the next start.
    ///
    /// # Errors
    /// What made it end by itself.
    fn run(self, shutdown: CancellationToken) -> impl Future<Output = anyhow::Result<()>>;
}

/// Runs the service `kaizen-NAME` to its end. `base` is its `config/base.yaml`.
pub fn launch<A: Application>(name: &'static str, base: &str) -> ExitCode {
    let flags = command(name).get_matches();
    if flags.get_flag("instruments") {
        return print(name, describe::table::<A>(name));
    }
    let config = match config::load::<A::Config>(base, variables()) {
        Ok(config) => config,
        Err(error) => return refuse(name, &error),
    };
    if flags.get_flag("check-config") {
        return print(name, config::print(&config).map_err(Into::into));
    }
    start::<A>(name, config).unwrap_or_else(|error| refuse(name, &format_args!("{error:#}")))
}

fn command(name: &'static str) -> Command {
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    let program = format!("kaizen-{name}");
    Command::new(name)
        .display_name(program.clone())
        .bin_name(program)
        .version(env!("CARGO_PKG_VERSION"))
        .about("A service of Kaizen. Configured by the file in KAIZEN_CONFIG and by variables KAIZEN__SECTION__KEY")
        .arg(flag("check-config", "Check the configuration, print it with secrets masked, and end"))
        .arg(flag("instruments", "Print the service's own Prometheus instruments as a Markdown table, and end"))
}

/// Variables that are not Unicode cannot be Kaizen's.
fn variables() -> HashMap<String, String> {
    std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

#[expect(
    clippy::print_stdout,
    reason = "what the flag asked for is the program's output"
)]
fn print(name: &str, text: anyhow::Result<String>) -> ExitCode {
    match text {
        Ok(text) => {
            println!("{}", text.trim_end());
            ExitCode::SUCCESS
        }
        Err(error) => refuse(name, &error),
    }
}

#[expect(
    clippy::print_stderr,
    reason = "there is no log yet, and the operator looks here"
)]
fn refuse(name: &str, error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("kaizen-{name}: {error}");
    ExitCode::FAILURE
}

/// Errors are those before there is a log; later ones are logged here.
fn start<A: Application>(name: &'static str, config: A::Config) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new().context("the runtime")?;
    let code = runtime.block_on(async {
        let traces = config.telemetry().start(name)?;
        let code = match serve::<A>(name, config).await {
            Ok(()) => {
                tracing::info!(service = name, "ended");
                ExitCode::SUCCESS
            }
            Err(error) => {
                tracing::error!(service = name, error = format!("{error:#}"), "failed");
                ExitCode::FAILURE
            }
        };
        tokio::task::spawn_blocking(|| traces.flush()).await?;
        anyhow::Ok(code)
    });
    // What did not drain in time must not hold the process.
    runtime.shutdown_background();
    code
}

async fn serve<A: Application>(name: &'static str, config: A::Config) -> anyhow::Result<()> {
    let health = Health::default();
    let started = health.require("start");
    let mut signals = Signals::listen()?;
    let mut registry = describe::registry(name);
    let instruments = A::instruments(&mut registry);
    tracing::info!(service = name, version = env!("CARGO_PKG_VERSION"), "starting");
    let listener = operations::listen("operations.address", config.operations().address).await?;
    let observed = CancellationToken::new();
    let mut operations = tokio::spawn(operations::serve(
        listener,
        registry,
        health.clone(),
        observed.clone(),
    ));

    let application = tokio::select! {
        built = A::build(config, instruments, health.clone()) => built?,
        signal = signals.next() => {
            tracing::info!(signal, "ended before it started");
            return Ok(());
        }
    };
    started.set(Ok(()));
    let ended = tokio::select! {
        ended = drain::drained(application, &mut signals, &health) => ended,
        failed = &mut operations => return failed?.context("the operations server ended"),
    };
    observed.cancel();
    // A scraper that does not read its answer must not hold the end.
    if let Ok(closed) = tokio::time::timeout(Duration::from_secs(1), operations).await {
        closed??;
    }
    ended
}

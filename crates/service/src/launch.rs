//! From `main` to the exit code.

use std::collections::HashMap;
use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use clap::{Arg, ArgAction, Command};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::config::{self, Problems, ServiceConfig};
use crate::health::Health;
use crate::operations;

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
        return print(instruments::<A>(name));
    }
    let mut problems = Problems::default();
    let config = config::load::<A::Config>(base, variables()).and_then(|config| {
        config.telemetry().validate(&mut problems);
        if problems.is_empty() {
            Ok(config)
        } else {
            Err(config::ConfigError::Invalid(problems))
        }
    });
    let config = match config {
        Ok(config) => config,
        Err(error) => return refuse(name, &error),
    };
    if flags.get_flag("check-config") {
        return print(config::print(&config).map_err(Into::into));
    }
    match start::<A>(name, config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(name, &format_args!("{error:#}")),
    }
}

fn command(name: &'static str) -> Command {
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    Command::new(name)
        .bin_name(format!("kaizen-{name}"))
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
fn print(text: anyhow::Result<String>) -> ExitCode {
    match text {
        Ok(text) => {
            println!("{}", text.trim_end());
            ExitCode::SUCCESS
        }
        Err(error) => refuse("service", &error),
    }
}

#[expect(
    clippy::print_stderr,
    reason = "there may be no log yet, and the operator looks here"
)]
fn refuse(name: &str, error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("kaizen-{name}: {error}");
    ExitCode::FAILURE
}

fn start<A: Application>(name: &'static str, config: A::Config) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new().context("the runtime")?;
    let ended = runtime.block_on(async {
        let traces = config.telemetry().start(name)?;
        let ended = serve::<A>(name, config).await;
        tokio::task::spawn_blocking(|| traces.flush()).await?;
        ended
    });
    // What did not drain in time must not hold the process.
    runtime.shutdown_background();
    ended
}

async fn serve<A: Application>(name: &'static str, config: A::Config) -> anyhow::Result<()> {
    let health = Health::default();
    let mut registry = Registry::with_prefix(format!("kaizen_{name}"));
    let instruments = A::instruments(&mut registry);
    let listener = operations::listen("operations.address", config.operations().address).await?;
    tracing::info!(service = name, version = env!("CARGO_PKG_VERSION"), "starting");

    let (shutdown, observed) = (CancellationToken::new(), CancellationToken::new());
    let operations = tokio::spawn(operations::serve(
        listener,
        registry,
        health.clone(),
        observed.clone(),
    ));
    let application = A::build(config, instruments, health).await?;
    let ended = drained(application.run(shutdown.clone()), shutdown).await;
    observed.cancel();
    operations.await??;
    tracing::info!(service = name, "ended");
    ended
}

/// Runs to the end, or to the end of the grace period after a signal.
async fn drained(
    run: impl Future<Output = anyhow::Result<()>>,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let mut run = std::pin::pin!(run);
    let signal = tokio::select! {
        ended = &mut run => {
            ended?;
            bail!("the service ended by itself");
        }
        signal = asked_to_end() => signal?,
    };
    tracing::info!(signal, "draining");
    shutdown.cancel();
    match tokio::time::timeout(DRAIN, run).await {
        Ok(ended) => ended,
        Err(_) => Err(anyhow!("did not drain within {} s", DRAIN.as_secs())),
    }
}

async fn asked_to_end() -> anyhow::Result<&'static str> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    })
}

/// The instruments as the Prometheus endpoint names them.
fn instruments<A: Application>(name: &str) -> anyhow::Result<String> {
    let mut registry = Registry::with_prefix(format!("kaizen_{name}"));
    A::instruments(&mut registry);
    let mut text = String::new();
    encode(&mut text, &registry)?;
    let mut table = "| instrument | type | meaning |\n|---|---|---|\n".to_owned();
    let mut help = HashMap::new();
    for line in text.lines() {
        if let Some((instrument, meaning)) =
            line.strip_prefix("# HELP ").and_then(|line| line.split_once(' '))
        {
            help.insert(instrument, meaning.trim_end_matches('.'));
        }
        if let Some((instrument, kind)) = line.strip_prefix("# TYPE ").and_then(|line| line.split_once(' ')) {
            let total = if kind == "counter" { "_total" } else { "" };
            let meaning = help.get(instrument).copied().unwrap_or_default();
            table.push_str(&format!("| `{instrument}{total}` | {kind} | {meaning} |\n"));
        }
    }
    Ok(table)
}

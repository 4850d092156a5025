//! Where collector and engine spend their time while a backlog is ingested: `perf` samples their stacks, inferno draws them.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::contender::start_collector;
use crate::figure::tell;
use crate::stage::Stage;

/// Samples a second of CPU: no divisor of the kernel's ticks.
const SAMPLES: &str = "99";

/// Ingests so many events and draws `collector.svg` and `engine.svg` into the folder.
pub async fn record(folder: &Path, events: u64) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let stage = Stage::build(events, false).await?;
    let collector = start_collector(&stage.stack, "collector", &[]).await?;
    let recordings = [
        Recording::start(folder, "collector", collector.part().id()?)?,
        Recording::start(folder, "engine", stage.stack.clickhouse().part().id()?)?,
    ];
    stage.stored(|| Ok(())).await?;
    // A recording ends with its process, and is whole then.
    drop(collector);
    drop(stage);
    for recording in recordings {
        recording.draw(folder)?;
    }
    Ok(())
}

struct Recording {
    name: &'static str,
    perf: Child,
}

impl Recording {
    /// Samples a process, all of its threads.
    fn start(folder: &Path, name: &'static str, process: u32) -> Result<Self> {
        let mut perf = Command::new("perf");
        perf.args([
            "record",
            "--quiet",
            "--event=cpu-clock",
            "--call-graph=dwarf",
            "--freq",
            SAMPLES,
        ]);
        perf.args(["--pid", &process.to_string(), "--output"])
            .arg(folder.join(name).with_extension("data"));
        let perf = perf
            .spawn()
            .context("perf is missing; install the Debian package linux-perf")?;
        Ok(Self { name, perf })
    }

    /// Waits for its end and draws what it has.
    fn draw(mut self, folder: &Path) -> Result<()> {
        let status = self.perf.wait()?;
        ensure!(status.success(), "perf record of the {}: {status}", self.name);
        let data = folder.join(self.name).with_extension("data");
        let drawing = folder.join(self.name).with_extension("svg");
        // Inlined functions would be looked up one by one, for hours.
        let mut stacks = Command::new("perf");
        stacks.args(["script", "--no-inline", "--input"]).arg(&data);
        let title = format!("{}: where CPU time goes", self.name);
        let mut collapse = Command::new("inferno-collapse-perf");
        let mut flames = Command::new("inferno-flamegraph");
        flames.args(["--title", &title]);
        let mut stacks = piped(&mut stacks, Stdio::null())?;
        let mut collapse = piped(&mut collapse, output(&mut stacks)?)?;
        let status = flames
            .stdin(output(&mut collapse)?)
            .stdout(File::create(&drawing)?)
            .status()
            .context("inferno-flamegraph")?;
        for (step, status) in [
            ("perf script", stacks.wait()?),
            ("inferno-collapse-perf", collapse.wait()?),
            ("inferno-flamegraph", status),
        ] {
            ensure!(status.success(), "{step}: {status}");
        }
        tell(&format!("{}", drawing.display()));
        fs::remove_file(&data).with_context(|| data.display().to_string())
    }
}

fn piped(command: &mut Command, input: Stdio) -> Result<Child> {
    let child = command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::null());
    child.spawn().with_context(|| format!("{command:?}"))
}

fn output(child: &mut Child) -> Result<Stdio> {
    Ok(child.stdout.take().context("no output")?.into())
}

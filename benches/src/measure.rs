//! Seconds, and seconds of CPU.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use kaizen_testkit::Stack;

/// What one round took.
#[derive(Debug, Clone, Copy)]
pub struct Measurement {
    /// Events that went through.
    pub events: u64,
    /// From the start to the last event.
    pub elapsed: Duration,
    /// CPU of the process that did it, where that is a process of its own.
    pub cpu: Option<Duration>,
    /// CPU of broker and engine.
    pub parts: Duration,
}

impl Measurement {
    /// Events a second.
    pub fn rate(&self) -> f64 {
        self.events as f64 / self.elapsed.as_secs_f64()
    }

    /// Microseconds of CPU of broker and engine an event.
    pub fn micros_of_parts(&self) -> f64 {
        self.parts.as_secs_f64() * 1e6 / self.events as f64
    }

    /// Events a second of CPU.
    pub fn rate_of_cpu(&self) -> Option<f64> {
        self.cpu.map(|cpu| self.events as f64 / cpu.as_secs_f64())
    }
}

/// CPU that broker and engine have used.
pub fn cpu_of_parts(stack: &Stack) -> Result<Duration> {
    Ok(cpu(stack.kafka().part().id()?)? + cpu(stack.clickhouse().part().id()?)?)
}

/// The round of the median rate.
pub fn median(rounds: &[Measurement]) -> Measurement {
    let mut sorted = rounds.to_vec();
    sorted.sort_by(|a, b| a.rate().total_cmp(&b.rate()));
    sorted[sorted.len() / 2]
}

/// CPU that a process has used, in its own and in the system's time.
pub fn cpu(process: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // After the name, which may hold anything: state is field 3, utime 14 and stime 15.
    let (_, fields) = stat.rsplit_once(") ").context("/proc/PID/stat")?;
    let fields: Vec<_> = fields.split(' ').collect();
    let ticks = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    Ok(Duration::from_secs_f64(
        ticks as f64 / rustix::param::clock_ticks_per_second() as f64,
    ))
}

/// The most memory a process has had, in bytes.
pub fn peak_memory(process: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .context("VmHWM")?;
    let kib: u64 = line.split_whitespace().nth(1).context("VmHWM")?.parse()?;
    Ok(kib * 1024)
}

/// Bytes as whole mebibytes.
pub fn mib(bytes: u64) -> u64 {
    bytes >> 20
}

//! Seconds, seconds of CPU, and memory.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use kaizen_testkit::Stack;

/// What one round took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Measurement {
    /// Events that went through.
    pub events: u64,
    /// From the start to the last event.
    pub elapsed: Duration,
    /// CPU of the process that did it, where that is a process of its own.
    pub own: Option<Duration>,
    /// CPU of the broker.
    pub broker: Duration,
    /// CPU of the engine.
    pub engine: Duration,
}

impl Measurement {
    /// Events a second.
    pub fn rate(&self) -> f64 {
        self.events as f64 / self.elapsed.as_secs_f64()
    }

    /// Events a second of CPU of the process that did it: the engine's, if it has none of its own.
    pub fn rate_of_cpu(&self) -> f64 {
        self.events as f64 / self.own.unwrap_or(self.engine).as_secs_f64()
    }

    /// Events a second of CPU of everything: consumer, broker and engine.
    pub fn rate_of_all_cpu(&self) -> f64 {
        let all = self.own.unwrap_or_default() + self.broker + self.engine;
        self.events as f64 / all.as_secs_f64()
    }

    /// Microseconds of CPU an event.
    pub fn micros(&self, cpu: Duration) -> f64 {
        cpu.as_secs_f64() * 1e6 / self.events as f64
    }
}

/// Begins when made.
pub struct Meter {
    began: Instant,
    broker: Duration,
    engine: Duration,
}

impl Meter {
    /// Starts the clocks.
    pub fn start(stack: &Stack) -> Result<Self> {
        Ok(Self {
            broker: cpu(stack.kafka().part().id()?)?,
            engine: cpu(stack.clickhouse().part().id()?)?,
            began: Instant::now(),
        })
    }

    /// Reads them; `own` is the CPU of the process that did the work.
    pub fn stop(&self, stack: &Stack, events: u64, own: Option<Duration>) -> Result<Measurement> {
        Ok(Measurement {
            events,
            elapsed: self.began.elapsed(),
            own,
            broker: cpu(stack.kafka().part().id()?)?.saturating_sub(self.broker),
            engine: cpu(stack.clickhouse().part().id()?)?.saturating_sub(self.engine),
        })
    }
}

/// The middle one of some values, by a number of each.
pub fn median<T: Copy>(values: &[T], of: impl Fn(&T) -> f64) -> Option<T> {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| of(a).total_cmp(&of(b)));
    sorted.get(sorted.len() / 2).copied()
}

/// CPU that a process has used, in its own and in the system's time.
pub fn cpu(process: u32) -> Result<Duration> {
    let path = format!("/proc/{process}/stat");
    let stat = fs::read_to_string(&path).with_context(|| path.clone())?;
    // After the name, which may hold anything: state is field 3, utime 14 and stime 15.
    let (_, fields) = stat.rsplit_once(") ").with_context(|| path.clone())?;
    let mut times = fields.split(' ').skip(11).map(str::parse::<u64>);
    let mut next = || times.next().with_context(|| path.clone());
    let ticks = next()?? + next()??;
    Ok(Duration::from_secs_f64(
        ticks as f64 / rustix::param::clock_ticks_per_second() as f64,
    ))
}

/// The CPU time of a process and of its children that still run.
pub fn family_cpu(process: u32) -> Result<Duration> {
    let mut sum = cpu(process)?;
    for entry in fs::read_dir("/proc").context("/proc")? {
        let name = entry.context("/proc")?.file_name();
        let Some(other) = name.to_str().and_then(|it| it.parse::<u32>().ok()) else {
            continue;
        };
        // One that has ended meanwhile is none of them
        let stat = fs::read_to_string(format!("/proc/{other}/stat")).unwrap_or_default();
        let parent = stat
            .rsplit_once(") ")
            .and_then(|(_, fields)| fields.split(' ').nth(1));
        if parent.is_some_and(|it| it == process.to_string()) {
            sum += cpu(other).unwrap_or_default();
        }
    }
    Ok(sum)
}

/// The most memory a process has had, in MiB.
pub fn peak_memory(process: u32) -> Result<u64> {
    let path = format!("/proc/{process}/status");
    let status = fs::read_to_string(&path).with_context(|| path.clone())?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    let kib: u64 = kib.with_context(|| format!("VmHWM of {path}"))?.parse()?;
    Ok(kib / 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one_whatever_the_order() {
        assert_eq!(median(&[3.0, 1.0, 2.0], |value| *value), Some(2.0));
        assert_eq!(median::<f64>(&[], |value| *value), None);
    }

    #[test]
    fn work_costs_cpu_and_memory_that_are_seen() {
        let own = std::process::id();
        let before = cpu(own).unwrap();
        let mut sum = 0_u64;
        while cpu(own).unwrap() == before {
            sum = (0..1_000_000_u64).fold(sum, |sum, n| sum.wrapping_mul(31).wrapping_add(n));
        }
        assert!(peak_memory(own).unwrap() > 0, "{sum}");
    }
}

//! What the analysis finds in one series, as JSON.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::Context;
use kaizen_stats::{Direction, Times, analyse};
use serde::Serialize;

use super::read::{Series, read};
use crate::output::json;

#[derive(Debug, Serialize)]
struct Report {
    change_points: Vec<Change>,
    anomalies: Vec<Far>,
    trend: Option<Trend>,
}

#[derive(Debug, Serialize)]
struct Change {
    index: usize,
    at: At,
    effect: f64,
    interval: (f64, f64),
}

#[derive(Debug, Serialize)]
struct Far {
    index: usize,
    at: At,
    score: f64,
    direction: &'static str,
}

#[derive(Debug, Serialize)]
struct Trend {
    direction: &'static str,
    slope_per_step: f64,
    interval: (f64, f64),
    p_value: f64,
}

/// A time as the file has it, a number where it is one.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum At {
    Written(String),
    Number(f64),
    Whole(i64),
}

/// Runs it.
pub fn run(file: &Path, online: bool) -> anyhow::Result<()> {
    let name = file.display();
    let opened = File::open(file).with_context(|| format!("{name}"))?;
    let series = read(BufReader::new(opened)).with_context(|| format!("{name}"))?;
    json(&report(&series, online))
}

fn report(series: &Series, online: bool) -> Report {
    let times = if series.numbered {
        Times::Numbers(&series.times)
    } else {
        Times::Seconds(&series.times)
    };
    let found = analyse(times, &series.values, online);
    let direction = match found.direction() {
        Direction::Increasing => "increasing",
        Direction::Decreasing => "decreasing",
        Direction::Stable => "stable",
    };
    let at = |index: usize| match series.times[index] {
        _ if !series.numbered => At::Written(series.at[index].clone()),
        number if number.fract() == 0.0 && number.abs() < 9e15 => At::Whole(number as i64),
        number => At::Number(number),
    };
    let changes = found.change_points.iter().map(|change| Change {
        index: change.index,
        at: at(change.index),
        effect: change.effect,
        interval: change.interval,
    });
    let far = found.anomalies.iter().map(|anomaly| Far {
        index: anomaly.index,
        at: at(anomaly.index),
        score: anomaly.score,
        direction: if anomaly.high { "high" } else { "low" },
    });
    let trend = found.trend.map(|trend| Trend {
        direction,
        slope_per_step: trend.slope,
        interval: trend.interval,
        p_value: trend.p_value,
    });
    Report {
        change_points: changes.collect(),
        anomalies: far.collect(),
        trend,
    }
}

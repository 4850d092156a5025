//! The effect of a change on a series, as JSON.

use std::fs::File;
use std::io::{BufReader, Read};
use std::ops::Range;
use std::path::Path;

use anyhow::Context;
use kaizen_stats::{Control, Impact, Observed, Times, Unmeasurable, impact_over_time};
use serde::Serialize;
use thiserror::Error;

use super::read::{self, SAME, TIME, VALUE};
use crate::output::json;

#[derive(Debug, Serialize, Default)]
struct Report {
    method: Option<&'static str>,
    effect: Option<f64>,
    interval: Option<(f64, f64)>,
    p_positive: Option<f64>,
    verdict: &'static str,
    detectable: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    more: Option<More>,
}

#[derive(Debug, Serialize)]
struct More {
    interval_at_any_look: (f64, f64),
    before: f64,
    after: f64,
    values_before: usize,
    values_after: usize,
    confidence: Confidence,
    rungs: Vec<Rung>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    series: Option<Series>,
}

#[derive(Debug, Serialize)]
struct Confidence {
    value: f64,
    method: f64,
    information: f64,
    present: f64,
    placebo: f64,
}

#[derive(Debug, Serialize)]
struct Rung {
    name: &'static str,
    used: bool,
    reason: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Series {
    phi: f64,
    season: Option<usize>,
    trend: f64,
    left_out: usize,
    controls: Vec<Used>,
    coincident_shock: Option<f64>,
    placebo: Placebo,
    novelty: Option<Novelty>,
}

#[derive(Debug, Serialize)]
struct Used {
    name: String,
    weight: Option<f64>,
    moved_alone: Option<f64>,
    refused: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Placebo {
    tried: usize,
    as_large: usize,
    share: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Novelty {
    first_third: f64,
    last_third: f64,
    p_value: f64,
    fading: bool,
}

/// Runs it.
pub fn run(file: &Path, change: &str, excluded: &[String], lower_is_better: bool) -> anyhow::Result<()> {
    let name = file.display();
    let opened = File::open(file).with_context(|| format!("--impact {name}"))?;
    let table = read(BufReader::new(opened)).with_context(|| format!("--impact {name}"))?;
    let change = table
        .time(change)
        .map_err(|rule| anyhow::anyhow!("--change {change:?}: {rule}"))?;
    let excluded = excluded
        .iter()
        .map(|range| {
            table
                .range(range)
                .map_err(|rule| anyhow::anyhow!("--exclude {range:?}: {rule}"))
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    json(&report(&table, change, &excluded, !lower_is_better))
}

fn report(table: &Table, change: f64, excluded: &[Range<f64>], higher_is_better: bool) -> Report {
    let controls: Vec<Control<'_>> = table
        .controls
        .iter()
        .map(|(name, values)| Control { name, values })
        .collect();
    let found = impact_over_time(&Observed {
        times: if table.numbered {
            Times::Numbers(&table.times)
        } else {
            Times::Seconds(&table.times)
        },
        values: &table.values,
        samples: table.samples.as_deref(),
        controls: &controls,
        change,
        excluded,
        higher_is_better,
        arms: None,
    });
    match found {
        Ok(found) => Report::from(found),
        Err(reason) => Report::from(reason),
    }
}

impl From<Unmeasurable> for Report {
    fn from(reason: Unmeasurable) -> Self {
        Self {
            verdict: "cannot_tell",
            reason: Some(reason.to_string()),
            ..Self::default()
        }
    }
}

impl From<Impact> for Report {
    fn from(found: Impact) -> Self {
        let confidence = Confidence {
            value: found.confidence.value,
            method: found.confidence.method,
            information: found.confidence.information,
            present: found.confidence.present,
            placebo: found.confidence.placebo,
        };
        let rungs = found.rungs.iter().map(|rung| Rung {
            name: rung.name,
            used: rung.refused.is_none(),
            reason: rung.refused,
        });
        Self {
            method: Some(found.method.as_str()),
            effect: Some(found.effect),
            interval: Some(found.interval),
            p_positive: Some(found.p_positive),
            verdict: found.verdict.as_str(),
            detectable: Some(found.detectable),
            reason: None,
            more: Some(More {
                interval_at_any_look: found.interval_at_any_look,
                before: found.before,
                after: found.after,
                values_before: found.values.0,
                values_after: found.values.1,
                confidence,
                rungs: rungs.collect(),
                series: found.series.map(Series::from),
            }),
        }
    }
}

impl From<kaizen_stats::SeriesFindings> for Series {
    fn from(found: kaizen_stats::SeriesFindings) -> Self {
        let controls = found.controls.into_iter().map(|control| Used {
            name: control.name,
            weight: control.weight,
            moved_alone: control.moved_alone,
            refused: control.refused,
        });
        Self {
            phi: found.phi,
            season: found.season,
            trend: found.trend,
            left_out: found.far,
            controls: controls.collect(),
            coincident_shock: found.shock,
            placebo: Placebo {
                tried: found.placebo.tried,
                as_large: found.placebo.as_large,
                share: found.placebo.share(),
            },
            novelty: found.novelty.map(|novelty| Novelty {
                first_third: novelty.first,
                last_third: novelty.last,
                p_value: novelty.p_value,
                fading: novelty.fading,
            }),
        }
    }
}

/// A file as it stands.
#[derive(Debug, Default)]
struct Table {
    times: Vec<f64>,
    numbered: bool,
    values: Vec<f64>,
    samples: Option<Vec<f64>>,
    controls: Vec<(String, Vec<f64>)>,
}

#[derive(Debug, Error)]
enum Refused {
    #[error(
        "line 1: column {0:?} is missing; the columns are timestamp,value, and if there are any n and control_…"
    )]
    Missing(&'static str),
    #[error(
        "line 1: column {0:?} is not known; the columns are timestamp,value, and if there are any n and control_…"
    )]
    Unknown(String),
    #[error("line 1: column {0:?} comes twice; each column has a name of its own")]
    Twice(String),
    #[error("line {line}: {column}: {found:?}: {rule}")]
    Field {
        line: u64,
        column: String,
        found: String,
        rule: &'static str,
    },
    #[error(transparent)]
    Csv(#[from] csv::Error),
}

const SAMPLES: &str = "must be a number of 0 or more, or empty where it is missing";

/// Which column is what.
struct Columns {
    names: Vec<String>,
    time: usize,
    value: usize,
    samples: Option<usize>,
    controls: Vec<usize>,
}

impl Columns {
    fn of(header: &csv::StringRecord) -> Result<Self, Refused> {
        // Spreadsheets put a byte order mark first.
        let names: Vec<String> = header
            .iter()
            .map(|name| name.trim_start_matches('\u{feff}').to_owned())
            .collect();
        for (at, name) in names.iter().enumerate() {
            if names[..at].contains(name) {
                return Err(Refused::Twice(name.clone()));
            }
            if !matches!(name.as_str(), "timestamp" | "value" | "n") && !name.starts_with("control_") {
                return Err(Refused::Unknown(name.clone()));
            }
        }
        let find = |name: &str| names.iter().position(|column| column == name);
        Ok(Self {
            time: find("timestamp").ok_or(Refused::Missing("timestamp"))?,
            value: find("value").ok_or(Refused::Missing("value"))?,
            samples: find("n"),
            controls: (0..names.len())
                .filter(|at| names[*at].starts_with("control_"))
                .collect(),
            names,
        })
    }
}

fn read(from: impl Read) -> Result<Table, Refused> {
    let mut lines = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(from);
    let columns = Columns::of(lines.headers()?)?;
    let controls = columns
        .controls
        .iter()
        .map(|at| (columns.names[*at].clone(), Vec::new()));
    let mut table = Table {
        controls: controls.collect(),
        samples: columns.samples.map(|_| Vec::new()),
        ..Table::default()
    };
    let mut record = csv::StringRecord::new();
    while lines.read_record(&mut record)? {
        let line = record.position().map_or(0, csv::Position::line);
        let field = |at: usize| record.get(at).unwrap_or_default();
        let broken = |at: usize, rule| Refused::Field {
            line,
            column: columns.names[at].clone(),
            found: field(at).to_owned(),
            rule,
        };
        let number = |at: usize| read::number(field(at)).ok_or_else(|| broken(at, VALUE));
        let (time, numbered) = read::time(field(columns.time)).ok_or_else(|| broken(columns.time, TIME))?;
        if table.times.is_empty() {
            table.numbered = numbered;
        } else if numbered != table.numbered {
            return Err(broken(columns.time, SAME));
        }
        table.times.push(time);
        table.values.push(number(columns.value)?);
        if let (Some(at), Some(samples)) = (columns.samples, &mut table.samples) {
            let n = number(at)?;
            if n < 0.0 {
                return Err(broken(at, SAMPLES));
            }
            samples.push(n);
        }
        for (at, (_, values)) in columns.controls.iter().zip(&mut table.controls) {
            values.push(number(*at)?);
        }
    }
    Ok(table)
}

impl Table {
    /// A time of an option, of the kind of those in the file.
    fn time(&self, text: &str) -> Result<f64, &'static str> {
        let (time, numbered) = read::time(text.trim()).ok_or(TIME)?;
        if !self.times.is_empty() && numbered != self.numbered {
            return Err("must be of the kind of the timestamps in the file");
        }
        Ok(time)
    }

    fn range(&self, text: &str) -> Result<Range<f64>, &'static str> {
        let (from, to) = text.split_once("..").ok_or("must be FROM..TO")?;
        let range = self.time(from)?..self.time(to)?;
        if range.start < range.end {
            Ok(range)
        } else {
            Err("must end after it starts")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    /// Sixty days before and 28 after, two days of a hash as noise, a week, and an effect.
    fn days(effect: f64) -> String {
        let mut file = "timestamp,value,n,control_a\n".to_owned();
        let noise = |day: u64, salt: u64| {
            let mixed = (day * 2 + salt + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            ((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f64 / f64::from(1 << 24)
                - 0.5
        };
        for day in 0..88_u64 {
            let week = (std::f64::consts::TAU * day as f64 / 7.0).sin();
            let common = noise(day, 0);
            let value =
                10.0 + week + common + 0.3 * noise(day + 500, 1) + if day < 60 { 0.0 } else { effect };
            let time = jiff::Timestamp::from_second(1_767_225_600 + day as i64 * 86_400).unwrap();
            writeln!(file, "{time},{value},1000,{}", 5.0 + week + common).unwrap();
        }
        file
    }

    fn measured(effect: f64, lower_is_better: bool) -> serde_json::Value {
        let table = read(days(effect).as_bytes()).unwrap();
        let change = table.time("2026-03-02").unwrap();
        serde_json::to_value(report(&table, change, &[], !lower_is_better)).unwrap()
    }

    #[test]
    fn a_planted_effect_is_in_the_interval_and_its_verdict_follows_the_direction() {
        let found = measured(1.0, false);
        assert_eq!(found["method"], "control_regression");
        let interval = (
            found["interval"][0].as_f64().unwrap(),
            found["interval"][1].as_f64().unwrap(),
        );
        assert!(
            interval.0 < 1.0 && 1.0 < interval.1 && interval.1 - interval.0 < 0.5,
            "{found}"
        );
        assert_eq!(
            (&found["verdict"], &found["season"]),
            (&"improved".into(), &7.into()),
            "{found}"
        );
        assert!(found["p_positive"].as_f64().unwrap() > 0.999);
        assert_eq!(found["values_before"], 56);
        assert_eq!(measured(1.0, true)["verdict"], "worse");
        assert_eq!(measured(-1.0, true)["verdict"], "improved");
        let nothing = measured(0.0, false);
        assert_eq!(nothing["verdict"], "no_detectable_change", "{nothing}");
    }

    #[test]
    fn too_little_cannot_be_told_and_says_why() {
        let table = read("timestamp,value\n1,2\n2,3\n3,4\n".as_bytes()).unwrap();
        let found = serde_json::to_value(report(&table, 3.0, &[], true)).unwrap();
        assert_eq!(found["verdict"], "cannot_tell");
        assert!(
            found["effect"].is_null()
                && found["reason"]
                    .as_str()
                    .unwrap()
                    .starts_with("there are 2 values before")
        );
    }

    #[test]
    fn what_breaks_a_rule_is_named() {
        let check = |file: &str, complaint: &str| {
            let found = read(file.as_bytes()).unwrap_err().to_string();
            assert!(found.starts_with(complaint), "{found}");
        };
        check("timestamp,n\n", "line 1: column \"value\" is missing");
        check("timestamp,value,other\n", "line 1: column \"other\" is not known");
        check("timestamp,value,value\n", "line 1: column \"value\" comes twice");
        check(
            "timestamp,value,n\n1,2,-1\n",
            "line 2: n: \"-1\": must be a number of 0 or more",
        );
        check(
            "timestamp,value,control_a\n1,2,x\n",
            "line 2: control_a: \"x\": must be a finite number",
        );
        let table = read("timestamp,value\n1,2\n".as_bytes()).unwrap();
        assert!(
            table.time("2026-01-01").is_err() && table.range("3..1").is_err() && table.range("3").is_err()
        );
        assert_eq!(table.range("1..3"), Ok(1.0..3.0));
    }
}

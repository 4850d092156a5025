//! Seeds of plain series: decisions whose mean each value is.

use anyhow::{Result, ensure};
use kaizen_catalogue::Component;
use kaizen_simulator::Totals;
use serde_json::{Map, Value as Json, json};
use serde_yaml_ng::Value;

use super::found::{Found, judged, of_change, of_trend, of_watch};
use super::{END, HOUR, Made, Memory, PAST, Published, Tenant, instant, past};
use crate::generate::ar1;
use crate::generate::change::{Missing, Scenario, sample};
use crate::rows::{false_alarms, family, online_delay, season_change, step_located, trend_power};

/// Decisions that have each value: as many as an hour needs to count.
pub const TIMES: usize = 10;
/// Decimals that a value is sent with.
const DECIMALS: i32 = 6;
const DAY: i64 = 24 * HOUR;
/// Metrics of row 4 that are sent, of its two hundred.
const OF_FAMILY: usize = 20;

/// From one value to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// An hour.
    Hour,
    /// A day, whose decisions all lie in its first hour.
    Day,
}

impl Step {
    /// In seconds.
    pub const fn seconds(self) -> i64 {
        match self {
            Self::Hour => HOUR,
            Self::Day => DAY,
        }
    }
}

/// Series of a seed, a column a metric; NaN is missing.
pub(super) struct Series {
    pub(super) columns: Vec<Vec<f64>>,
    pub(super) step: Step,
    pub(super) found: Found,
}

/// All of them.
pub(super) fn carried() -> Vec<Tenant> {
    let tenant = |row, seed, step, columns: Vec<Vec<f64>>, found: Found| {
        Tenant::new(row, seed, Made::Series(Series { columns, step, found }))
    };
    let trends = || -> Found { Box::new(|columns| columns.iter().flat_map(|it| of_trend(it)).collect()) };
    let daily = |days, period| judged(days, period, Step::Day);
    let (step, stable, online) = (
        step_located::step(1_061, 1_344, 900, 1.0),
        false_alarms::stable(1_051, 0.8, 2.0),
        online_delay::step(1_071, 0.5, 2.0),
    );
    let mut all = vec![
        tenant(1, 1_011, Step::Day, vec![ar1(1_011, 0, 90, 0.6)], trends()),
        tenant(
            2,
            1_021,
            Step::Day,
            vec![trend_power::ramp((1_021, 0), 90, 0.6, 2.0)],
            trends(),
        ),
        tenant(
            3,
            1_031,
            Step::Day,
            vec![season_change::changing(1_031, 90, 0.6, 7, 3.0)],
            daily(90, 7),
        ),
        tenant(
            4,
            1_041,
            Step::Day,
            first(family::family(1_041, 3.0)),
            daily(90, 7),
        ),
        tenant(5, 1_051, Step::Hour, vec![stable], judged(56, 14, Step::Hour)),
        tenant(6, 1_061, Step::Hour, vec![step], judged(56, 28, Step::Hour)),
        tenant(7, 1_071, Step::Hour, vec![online], Box::new(of_watch)),
    ];
    all.extend(changes().into_iter().map(|(row, seed, scenario)| {
        let sample = sample(&scenario, seed);
        let columns = std::iter::once(sample.values).chain(sample.controls).collect();
        tenant(row, seed, Step::Day, columns, Box::new(of_change))
    }));
    all
}

fn first(columns: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    columns.into_iter().take(OF_FAMILY).collect()
}

/// What rows 9, 19, 20 and 22 measure.
fn changes() -> [(u8, u64, Scenario); 4] {
    let with = |controls, effect| Scenario {
        controls,
        ..Scenario::plain(0.6, effect)
    };
    [
        (9, 1_091, with(3, 1.0)),
        (
            19,
            1_191,
            Scenario {
                half_life: Some(7.0),
                ..with(3, 2.0)
            },
        ),
        (
            20,
            1_201,
            Scenario {
                shock: 2.0,
                ..with(8, 0.0)
            },
        ),
        (
            22,
            1_221,
            Scenario {
                missing: Missing::Gap(7),
                ..with(0, 0.0)
            },
        ),
    ]
}

impl Series {
    fn len(&self) -> usize {
        self.columns.first().map_or(0, Vec::len)
    }

    /// First instant of a value.
    fn at(&self, index: usize) -> i64 {
        END - (self.len() - index) as i64 * self.step.seconds()
    }

    /// A value as it is sent.
    fn sent(value: f64) -> f64 {
        let places = 10_f64.powi(DECIMALS);
        (value * places).round() / places
    }

    pub(super) fn metrics(&self) -> Vec<String> {
        (0..self.columns.len()).map(|at| format!("mean_{at}")).collect()
    }

    pub(super) fn entry(&self, name: &str) -> Result<Value> {
        let metric = |(at, metric): (usize, String)| {
            json!({
                "name": metric, "title": format!("Series {at}"), "description": "Mean of a series.",
                "expression": format!("mean(value_{at})"), "unit": "sd", "direction": "higher_is_better",
                "minimum_sample": TIMES,
            })
        };
        let measure = |at: usize| (format!("value_{at}"), Json::from(pointer(at)));
        let entry = json!({
            "name": name, "title": name, "log_type": name,
            "measures": (0..self.columns.len()).map(measure).collect::<Map<_, _>>(),
            "metrics": self.metrics().into_iter().enumerate().map(metric).collect::<Vec<_>>(),
        });
        Ok(serde_yaml_ng::to_value(entry)?)
    }

    pub(super) fn decisions(&self, name: &str) -> (Vec<Published>, u64) {
        let mut all = Vec::new();
        for index in 0..self.len() {
            let members = self.columns.iter().enumerate();
            let there = members.filter(|(_, values)| values[index].is_finite());
            let input: Map<String, Json> = there
                .map(|(at, values)| (format!("value_{at}"), Self::sent(values[index]).into()))
                .collect();
            for time in 0..TIMES {
                let session = format!("{name}-{index}-{time}");
                let value = json!({
                    "event_id": session, "log_type": name, "session_id": session,
                    "timestamp": instant(self.at(index) + 60 * time as i64).to_string(),
                    "lead_identifier": {"name": "Lead", "company": "Company", "industry": dimension("industry")},
                    "input_data": input, "output_data": {},
                    "decision_reasoning": {
                        "method_used": dimension("method_used"), "confidence_level": dimension("confidence_level"),
                        "processing_time": 1, "success": true,
                    },
                    "training_labels": {"improvement_potential": "low"},
                });
                all.push(Published {
                    key: session,
                    value: value.to_string().into_bytes(),
                });
            }
        }
        let count = all.len() as u64;
        (all, count)
    }

    pub(super) fn memory<'a>(&self, component: &'a Component) -> Memory<'a> {
        let mut hours = vec![Totals::default(); PAST];
        for index in 0..self.len() {
            let hour = usize::try_from((self.at(index) - past().0) / HOUR).unwrap_or(PAST);
            if let Some(totals) = hours.get_mut(hour) {
                self.add(index, totals);
            }
        }
        Memory::of_hours(component, hours, dimension)
    }

    fn add(&self, index: usize, totals: &mut Totals) {
        for _ in 0..TIMES {
            totals.decisions += 1;
            totals.successes += 1;
            // One second each, which can be summed.
            let _ = totals.seconds.sum.add(1.0);
            totals.seconds.squares_nanos += 1_000_000_000;
            let _ = totals.times.add(1.0);
            for (at, values) in self.columns.iter().enumerate() {
                let value = Self::sent(values[index]);
                let moments = totals.measures.entry(pointer(at)).or_default();
                if moments.sum.add(value).is_ok() {
                    // As the view of the rollup rounds.
                    moments.squares_nanos += (value * value * 1e9).round_ties_even() as i128;
                }
            }
        }
    }

    /// From values and decisions step by step, up to the end.
    pub(super) fn found_in(&self, columns: &[Vec<(f64, f64)>]) -> Result<Vec<f64>> {
        let mut own = Vec::new();
        for column in columns {
            ensure!(
                column.len() >= self.len(),
                "{} values of {}",
                column.len(),
                self.len()
            );
            let last = column[column.len() - self.len()..].iter();
            own.push(last.map(|(value, _)| *value).collect());
        }
        Ok((self.found)(&own))
    }
}

fn pointer(at: usize) -> String {
    format!("/input_data/value_{at}")
}

/// The one value of each dimension.
fn dimension(name: &str) -> &'static str {
    match name {
        "method_used" => "series",
        "industry" => "software",
        "confidence_level" => "high",
        _ => "",
    }
}

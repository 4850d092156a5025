//! All that the rollup keeps of a component whole, hour by hour: one question for the past of all its metrics at once, whatever
//! they are and however long their points.

use std::collections::BTreeMap;

use clickhouse::Row;
use jiff::Timestamp;
use kaizen_catalogue::{Component, Condition, Expression, Measure};
use serde::Deserialize;

use super::estimate::{Sums, quantile};
use super::window::seconds;
use super::{QueryError, Window};
use crate::client::Client;

/// The sums of a component by the hour. They are added up as the decimals that the rollup has, so that a value is the same to
/// the last bit as the engine's.
#[derive(Debug, Clone)]
pub struct Hours {
    window: Window,
    /// Rising.
    hours: Vec<HourRow>,
    has_times: bool,
}

#[derive(Debug, Clone, Row, Deserialize)]
struct HourRow {
    hour: u32,
    decisions: u64,
    successes: u64,
    labelled: u64,
    positives: u64,
    /// Count, sum and sum of squares of quality, in millionths.
    quality: Moments,
    /// The same of the processing time.
    time: Moments,
    /// Nanoseconds, each with the decisions that took as long.
    times: Vec<(u64, u64)>,
    /// By the name of the measure, in billionths.
    measures: Vec<(String, Moments)>,
}

/// Count, sum and sum of squares, as decimals.
type Moments = (u64, i128, i128);

/// Asks for the hours of a window.
///
/// # Errors
/// Any [`QueryError`].
pub async fn hours(client: &Client, component: &Component, window: Window) -> Result<Hours, QueryError> {
    let of_times = |expression: &Expression| matches!(expression, Expression::Quantile(..));
    let has_times = component.metrics.iter().any(|it| of_times(&it.expression));
    let times = if has_times {
        "CAST(sumMap(processing_times), 'Array(Tuple(UInt64, UInt64))')"
    } else {
        "CAST([], 'Array(Tuple(UInt64, UInt64))')"
    };
    let of = |name: &str| {
        format!(
            "(sum({name}_count), reinterpretAsInt128(sum({name}_sum)), reinterpretAsInt128(sum({name}_sum_squares)))"
        )
    };
    let sql = format!(
        "SELECT toUnixTimestamp(hour) AS hour, sum(decisions) AS decisions, sum(successes) AS successes, \
         sum(labelled) AS labelled, sum(positives) AS positives, {} AS quality, {} AS time, {times} AS times, \
         arrayMap((name, n, sum, squares) -> (name, (n, reinterpretAsInt128(sum), reinterpretAsInt128(squares))), \
             mapKeys(sumMap(measure_counts) AS counts), mapValues(counts), mapValues(sumMap(measure_sums)), \
             mapValues(sumMap(measure_sum_squares))) AS measures \
         FROM rollup_hourly WHERE log_type = ? AND rollup_hourly.hour >= toDateTime(?, 'UTC') \
         AND rollup_hourly.hour < toDateTime(?, 'UTC') GROUP BY rollup_hourly.hour ORDER BY rollup_hourly.hour",
        of("quality"),
        of("processing_time"),
    );
    let [start, end] = window.bounds();
    let query = client.query(&sql).bind(&component.log_type).bind(start).bind(end);
    Ok(Hours {
        window,
        hours: client.rows(query).await?,
        has_times,
    })
}

impl Hours {
    /// Whether it tells the sums of `expression` in `window`.
    pub(super) fn hold(&self, expression: &Expression, window: Window) -> bool {
        let is_kept = match expression {
            // Which values there are, and how often, is known of slices alone
            Expression::Distinct(_) | Expression::Share(Condition::Dimension { .. }) => false,
            Expression::Quantile(..) => self.has_times,
            _ => true,
        };
        is_kept && self.window.start() <= window.start() && window.end() <= self.window.end()
    }

    /// The sums of `expression` from each of `starts`, rising, to the next, the last to the end of `window`; of each span that
    /// has any hour.
    pub(super) fn sums(
        &self,
        expression: &Expression,
        window: Window,
        starts: &[Timestamp],
    ) -> Vec<(Timestamp, Sums)> {
        let [from, until] = window.bounds();
        let first = self.hours.partition_point(|it| it.hour < from);
        let last = self.hours.partition_point(|it| it.hour < until);
        let hours = self.hours.get(first..last).unwrap_or_default();
        let ends = starts.iter().skip(1).map(|start| seconds(*start));
        let spans = starts.iter().zip(ends.chain([u32::MAX]));
        let mut rest = hours;
        let mut found = Vec::new();
        for (start, end) in spans {
            let (span, behind) = rest.split_at(rest.partition_point(|it| it.hour < end));
            rest = behind;
            if !span.is_empty() {
                found.push((*start, sums(expression, span)));
            }
        }
        found
    }
}

fn sums(expression: &Expression, hours: &[HourRow]) -> Sums {
    let total = |of: fn(&HourRow) -> u64| hours.iter().map(of).fold(0, u64::wrapping_add);
    let decisions = || total(|it| it.decisions);
    match expression {
        Expression::Share(condition) => {
            let (n, hits) = match condition {
                Condition::Success => (decisions(), total(|it| it.successes)),
                Condition::Failure => (decisions(), total(|it| it.decisions.wrapping_sub(it.successes))),
                Condition::SuccessIndicator => (total(|it| it.labelled), total(|it| it.positives)),
                Condition::Dimension { .. } => (decisions(), 0),
            };
            Sums {
                n,
                hits,
                ..Sums::default()
            }
        }
        Expression::Sum(measure) | Expression::Mean(measure) => moments(measure, hours),
        Expression::Quantile(_, level) => {
            let mut times: BTreeMap<u64, u64> = BTreeMap::new();
            for (time, n) in hours.iter().flat_map(|it| &it.times) {
                let count = times.entry(*time).or_default();
                *count = count.wrapping_add(*n);
            }
            let times: Vec<(u64, u64)> = times.into_iter().collect();
            quantile(&times, total(|it| it.time.0), *level)
        }
        Expression::Count
        | Expression::Distinct(_)
        | Expression::OutcomeCount(_)
        | Expression::OutcomeRate(_)
        | Expression::OutcomeValue(..) => Sums {
            n: decisions(),
            ..Sums::default()
        },
    }
}

fn moments(measure: &Measure, hours: &[HourRow]) -> Sums {
    let (n, sum, squares) = hours.iter().filter_map(|it| of(measure, it)).fold(
        (0_u64, 0_i128, 0_i128),
        |(n, sum, squares), it| {
            (
                n.wrapping_add(it.0),
                sum.wrapping_add(it.1),
                squares.wrapping_add(it.2),
            )
        },
    );
    let scale = match measure {
        Measure::ProcessingTime | Measure::QualityScore => 1e6,
        Measure::Declared(_) => 1e9,
    };
    Sums {
        n,
        sum: sum as f64 / scale,
        sum_squares: squares as f64 / scale,
        ..Sums::default()
    }
}

fn of(measure: &Measure, hour: &HourRow) -> Option<Moments> {
    match measure {
        Measure::ProcessingTime => Some(hour.time),
        Measure::QualityScore => Some(hour.quality),
        Measure::Declared(name) => {
            let mut measures = hour.measures.iter();
            measures.find(|(it, _)| it == name).map(|(_, moments)| *moments)
        }
    }
}

//! Hours without decisions are a fault of the data, never a change of what is measured.

use std::collections::HashMap;

use anyhow::{Context, Result};
use jiff::Timestamp;
use kaizen_catalogue::{Component, Metric};
use kaizen_findings::{
    ComponentFacts, Costs, Coverage, Direction, Facts, History, HourlyCounts, Judgement, Observed, Quality,
    Spans, judge, recommend,
};
use kaizen_simulator::Process;

use super::Row;
use super::impact::missing_hours;
use crate::cell::Cell;
use crate::estimate::{Estimate, Kind};
use crate::generate::fleet;
use crate::seeds::Seeds;

pub(super) const ROW: Row = Row {
    number: 13,
    title: "Missing hours and an outage: alarms a week, and what they are called",
    light: false,
    score,
};

const HOUR: i64 = 3_600;
const WEEK: usize = 168;
/// Nine weeks before, and the one that is judged.
const WEEKS: usize = 10;

/// What befalls the last week: the file, and its start and end.
const BEFALLS: [(&str, &str, &str, &str); 3] = [
    ("nothing", "tenant.yaml", "", ""),
    (
        "10 % of the hours missing",
        "effects/missing-hours.yaml",
        "2026-03-09T00:00:00Z",
        "2026-03-16T00:00:00Z",
    ),
    (
        "an outage of 36 hours",
        "effects/outage.yaml",
        "2026-03-10T06:00:00Z",
        "2026-03-11T18:00:00Z",
    ),
];

/// What a run says of the last week.
struct Told {
    steps: f64,
    anomalies: f64,
    moved: f64,
    low_coverage: f64,
}

fn score(seeds: &Seeds) -> Result<Vec<Cell>> {
    let catalogue = fleet::catalogue()?;
    let mut cells = Vec::new();
    for (name, file, from, to) in BEFALLS {
        let outage = file.contains("outage");
        let metric = if outage {
            "website_scraping.success_rate"
        } else {
            "lead_enrichment.success_rate"
        };
        let measured = catalogue.metric(metric).context(metric)?;
        let mut assignments = vec![format!("days={}", WEEKS * 7)];
        if !from.is_empty() {
            assignments.extend([format!("faults.0.from={from}"), format!("faults.0.to={to}")]);
        }
        let found = seeds.map(|seed| {
            let scenario = fleet::scenario(file, &assignments)?;
            let process = Process::new(&scenario, seed);
            let at = fleet::place(&process, &measured.0.log_type)?;
            let counts: Vec<(f64, f64)> = (0..process.hours())
                .map(|hour| process.counts(at, hour))
                .map(|counts| (counts.decisions as f64, counts.successes as f64))
                .collect();
            let start = scenario.start.as_second();
            let rate = told(&counts, start, measured, false);
            let volume = told(&counts, start, measured, true);
            Ok([rate, volume, zeroed(&counts, start, measured)])
        })?;
        for (which, what) in ["success rate", "number of decisions"].into_iter().enumerate() {
            let numbers = |which: usize, of: fn(&Told) -> f64| {
                found.iter().map(|it| of(&it[which])).collect::<Vec<_>>()
            };
            let mut add = |what: &str, kind: Kind, of: fn(&Told) -> f64, always: f64| {
                let mut cell = Cell::new(format!("{name}, {what}"), Estimate::of(kind, &numbers(which, of)))
                    .constant("do nothing", 0.0)
                    .constant("always alarm", always);
                if which == 0 {
                    cell = cell.beside("empty hours taken for 0", Estimate::of(kind, &numbers(2, of)));
                }
                cells.push(cell);
            };
            add(&format!("{what}: steps"), Kind::Rate(1.0), |it| it.steps, 7.0);
            add(
                &format!("{what}: anomalies"),
                Kind::Rate(1.0),
                |it| it.anomalies,
                7.0,
            );
            add(&format!("{what}: said to move"), Kind::Share, |it| it.moved, 1.0);
            if which == 0 {
                add("low coverage told", Kind::Share, |it| it.low_coverage, 1.0);
            }
        }
    }
    cells.extend(missing_hours::score(seeds, &catalogue)?);
    Ok(cells)
}

/// What a run says of the success rate, or of the number of decisions.
fn told(counts: &[(f64, f64)], start: i64, measured: (&Component, &Metric), volume: bool) -> Told {
    let spans = spans(start);
    let history = history(counts, start, measured.1, volume);
    let coverage = history.now.coverage;
    let found = judge(&[history], spans);
    summed(&found, spans, measured.0, coverage)
}

/// The success rate by one who does not know which hours are empty.
fn zeroed(counts: &[(f64, f64)], start: i64, measured: (&Component, &Metric)) -> Told {
    let spans = spans(start);
    let mut history = history(counts, start, measured.1, false);
    for part in history.hours.iter_mut().chain(&mut history.days) {
        part.coverage = Some(1.0);
        part.n = part.n.max(1_000.0);
        part.value = part.value.or(Some(0.0));
    }
    (history.now.coverage, history.before.coverage) = (Some(1.0), Some(1.0));
    summed(&judge(&[history], spans), spans, measured.0, Some(1.0))
}

fn summed(found: &[Judgement], spans: Spans, component: &Component, coverage: Option<f64>) -> Told {
    let now = |at: i64| (spans.now.0..spans.now.1).contains(&at);
    let facts = Facts {
        components: vec![ComponentFacts {
            name: component.name.clone(),
            title: component.title.clone(),
            coverage,
            ..ComponentFacts::default()
        }],
        weeks: 1.0,
        costs: Costs::default(),
        ..Facts::default()
    };
    let low = recommend(&facts).iter().any(|it| it.rule == "low_coverage");
    let moves = |it: &Judgement| matches!(it.trend.direction, Direction::Improving | Direction::Declining);
    let steps = found.iter().flat_map(|it| &it.moves).filter(|it| now(it.at));
    let anomalies = found.iter().flat_map(|it| &it.anomalies).filter(|it| now(it.at));
    Told {
        steps: steps.count() as f64,
        anomalies: anomalies.count() as f64,
        moved: f64::from(u8::from(found.iter().any(moves))),
        low_coverage: f64::from(u8::from(low)),
    }
}

fn spans(start: i64) -> Spans {
    let at = |week: usize| start + (week * WEEK) as i64 * HOUR;
    Spans {
        before: (at(WEEKS - 2), at(WEEKS - 1)),
        now: (at(WEEKS - 1), at(WEEKS)),
    }
}

/// What is expected and there in the hours from one to another, as `crates/warehouse` has it.
fn coverage(counts: &[(f64, f64)], (from, to): (i64, i64), origin: i64) -> Coverage {
    let hour = |hour: usize| u32::try_from(origin + hour as i64 * HOUR).unwrap_or(u32::MAX);
    let known: HashMap<u32, u64> = (counts.iter().enumerate())
        .filter(|(_, (n, _))| *n > 0.0)
        .map(|(at, (n, _))| (hour(at), *n as u64))
        .collect();
    let first = known.keys().min().copied().unwrap_or_default();
    let [from, to] = [from, to].map(instant);
    HourlyCounts::new(first, known).coverage(from, to, instant(origin + counts.len() as i64 * HOUR))
}

fn instant(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or_default()
}

fn history(counts: &[(f64, f64)], origin: i64, metric: &Metric, volume: bool) -> History {
    let value = |n: f64, hits: f64| {
        if volume {
            Some(n)
        } else {
            (n > 0.0).then(|| hits / n)
        }
    };
    let sums = |from: usize, to: usize| {
        let all = counts[from..to].iter();
        all.fold((0.0, 0.0), |sum, it| (sum.0 + it.0, sum.1 + it.1))
    };
    let at = |hour: usize| origin + hour as i64 * HOUR;
    let all = coverage(counts, (origin, at(counts.len())), origin);
    let part = |from: usize, to: usize, covered: &Coverage| {
        let (n, hits) = sums(from, to);
        let (start, end) = (at(from), at(to));
        Observed {
            start,
            end,
            value: value(n, hits),
            n,
            coverage: covered.between(instant(start), instant(end)),
            incomplete: false,
        }
    };
    let quality = |week: usize| {
        let (from, to) = (week * WEEK, (week + 1) * WEEK);
        let whole = part(from, to, &coverage(counts, (at(from), at(to)), origin));
        Quality {
            value: whole.value,
            n: whole.n,
            coverage: whole.coverage,
            thin: whole.n < metric.minimum_sample as f64,
        }
    };
    History {
        metric: metric.name.clone(),
        higher_is_better: true,
        adds_up: volume,
        is_share: !volume,
        least: 10.0,
        hours: (0..counts.len()).map(|hour| part(hour, hour + 1, &all)).collect(),
        days: (0..counts.len() / 24)
            .map(|day| part(day * 24, (day + 1) * 24, &all))
            .collect(),
        now: quality(WEEKS - 1),
        before: quality(WEEKS - 2),
    }
}

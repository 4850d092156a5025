//! Metrics over outcomes, beside a direct count.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use kaizen_catalogue::{Catalogue, Expression, Metric};
use kaizen_warehouse::queries::{self, Filter, Grouping, MetricAnswer, MetricQuery, Step, Window};

use crate::catalogue::catalogue;
use crate::sandbox::Sandbox;

/// What is measured.
const METRICS: [(&str, &str, &str, &str); 7] = [
    ("replies", "outcome_count(replied)", "count", "higher_is_better"),
    ("soon", "outcome_count(replied, 36h)", "count", "higher_is_better"),
    ("rate", "outcome_rate(replied, 10d)", "ratio", "higher_is_better"),
    ("deals", "outcome_value(deal, EUR)", "eur", "higher_is_better"),
    (
        "early_deals",
        "outcome_value(deal, EUR, 5d)",
        "eur",
        "higher_is_better",
    ),
    ("unnamed", "outcome_value(deal)", "points", "higher_is_better"),
    ("never", "outcome_count(refunded)", "count", "lower_is_better"),
];

const BASE: &str = "2026-03-01T00:00:00Z";
const NOW: &str = "2026-03-29T05:30:00Z";

/// An hour of the test, 0 at [`BASE`].
fn hour(number: u64) -> Result<Timestamp> {
    let base: Timestamp = BASE.parse()?;
    Ok(base + SignedDuration::from_hours(number.try_into()?))
}

struct Decision {
    session: u64,
    at: Timestamp,
    method: &'static str,
    model: &'static str,
    counts: bool,
    offset: usize,
}

struct Outcome {
    session: u64,
    at: Timestamp,
    name: &'static str,
    value: Option<f64>,
    currency: &'static str,
}

/// The same mixture each time: many decisions a session, some at one instant, of two kinds; outcomes before and after.
struct World {
    decisions: Vec<Decision>,
    outcomes: Vec<Outcome>,
}

/// SplitMix64 (G. L. Steele et al., 2014): numbers enough like chance.
fn mixed(number: usize, salt: u64) -> u64 {
    let mut z =
        (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ salt.wrapping_mul(0xd1b5_4a32_d192_ed03);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn pick<T: Copy, const N: usize>(of: [T; N], number: u64) -> T {
    of[(number % N as u64) as usize]
}

impl World {
    fn new() -> Result<Self> {
        let decision = |n: usize| {
            Ok(Decision {
                session: mixed(n, 1) % 50,
                at: hour(mixed(n, 2) % 720)?,
                method: pick(["x", "y", "z"], mixed(n, 3)),
                model: pick(["big", "small"], mixed(n, 4)),
                counts: !mixed(n, 5).is_multiple_of(4),
                offset: n,
            })
        };
        let outcome = |n: usize| {
            Ok(Outcome {
                session: mixed(n, 6) % 60,
                at: hour(mixed(n, 7) % 1200)?,
                name: pick(["replied", "deal", "meeting"], mixed(n, 8)),
                value: (!mixed(n, 9).is_multiple_of(5))
                    .then(|| (mixed(n, 10) % 100_000) as f64 / 100.0 - 100.0),
                currency: pick(["EUR", "EUR", "USD", ""], mixed(n, 11)),
            })
        };
        Ok(Self {
            decisions: (0..600).map(decision).collect::<Result<_>>()?,
            outcomes: (0..500).map(outcome).collect::<Result<_>>()?,
        })
    }

    /// Outcomes first: what is stored when does not matter.
    async fn store(&self, sandbox: &Sandbox) -> Result<()> {
        let row = |(n, it): (usize, &Outcome)| {
            let value = it.value.map_or("NULL".to_owned(), |value| value.to_string());
            format!(
                "('t', 0, {n}, now(), 's{}', '{}', fromUnixTimestamp64Milli({}), {value}, '{}')",
                it.session,
                it.name,
                it.at.as_millisecond(),
                it.currency
            )
        };
        let rows: Vec<_> = self.outcomes.iter().enumerate().map(row).collect();
        let columns =
            "_topic, _partition, _offset, _ingested_at, session_id, outcome, timestamp, value, currency";
        let into = |table: &str, columns: &str, rows: &[String]| {
            format!("INSERT INTO {table} ({columns}) VALUES {}", rows.join(", "))
        };
        sandbox.execute(&into("outcomes", columns, &rows)).await?;
        let row = |it: &Decision| {
            format!(
                "('d', 0, {}, now(), '{}', 's{}', fromUnixTimestamp64Milli({}), '{}', map('model', '{}'))",
                it.offset,
                if it.counts { "l" } else { "other" },
                it.session,
                it.at.as_millisecond(),
                it.method,
                it.model
            )
        };
        let rows: Vec<_> = self.decisions.iter().map(row).collect();
        let columns =
            "_topic, _partition, _offset, _ingested_at, log_type, session_id, timestamp, method_used, dims";
        sandbox.execute(&into("decisions", columns, &rows)).await
    }

    /// The value of a metric and what it rests on, counted one by one.
    fn count(
        &self,
        metric: &Metric,
        window: Window,
        now: Timestamp,
        wanted: impl Fn(&Decision) -> bool,
    ) -> (Option<f64>, u64) {
        let expression = &metric.expression;
        let Some(outcome) = expression.outcome() else {
            return (None, 0);
        };
        let horizon = (outcome.horizon).map(|it| SignedDuration::from_hours(it.hours().into()));
        let this_hour = now.as_second() / 3600 * 3600;
        let ripe = |it: &&Decision| {
            let over = |horizon: SignedDuration| (it.at + horizon).as_second() < this_hour;
            (window.start()..window.end()).contains(&it.at) && horizon.is_none_or(over)
        };
        let decisions = self.decisions.iter().filter(|it| it.counts);
        let n = decisions.clone().filter(ripe).filter(|it| wanted(it)).count() as u64;
        let (mut hits, mut cents, mut with) = (0_u64, 0_i64, BTreeSet::new());
        for told in self.outcomes.iter().filter(|told| told.name == outcome.name) {
            let before = decisions
                .clone()
                .filter(|it| it.session == told.session && it.at <= told.at);
            let Some(its) = before.max_by_key(|it| (it.at, it.offset)) else {
                continue;
            };
            let in_time = horizon.is_none_or(|horizon| told.at <= its.at + horizon);
            if !in_time || !ripe(&its) || !wanted(its) {
                continue;
            }
            hits += 1;
            with.insert(its.offset);
            if let Expression::OutcomeValue(_, currency) = expression
                && told.currency == currency.as_deref().unwrap_or_default()
            {
                cents += told.value.map_or(0, |value| (value * 100.0).round() as i64);
            }
        }
        let value = match expression {
            Expression::OutcomeRate(_) => with.len() as f64 / n as f64,
            Expression::OutcomeValue(..) => cents as f64 / 100.0,
            _ => hits as f64,
        };
        ((n > 0).then_some(value), n)
    }
}

fn query<'a>(catalogue: &'a Catalogue, name: &str, window: Window) -> Result<MetricQuery<'a>> {
    let (component, metric) = catalogue.metric(&format!("c.{name}")).context("no such metric")?;
    Ok(MetricQuery {
        component,
        metric,
        window,
        step: None,
        zone: TimeZone::UTC,
        filters: Vec::new(),
        group_by: None,
        compare_to: None,
        now: NOW.parse()?,
        volume: None,
        hours: None,
    })
}

fn total(answer: &MetricAnswer) -> (Option<f64>, u64) {
    let total = answer.series[0].total;
    (total.value, total.n)
}

#[tokio::test]
async fn every_metric_of_outcomes_equals_a_direct_count_whole_by_group_by_step_and_filtered() -> Result<()> {
    let sandbox = Sandbox::migrated().await?;
    let world = World::new()?;
    world.store(&sandbox).await?;
    let catalogue = catalogue(&[], &METRICS)?;
    let now = NOW.parse()?;
    let month = Window::new("window", hour(24)?, hour(720)?)?;
    for name in ["replies", "soon", "rate", "deals", "early_deals", "unnamed"] {
        let mut query = query(&catalogue, name, month)?;
        let ask = async |query: &MetricQuery<'_>| queries::metric(&sandbox.client, query).await;
        let expected = world.count(query.metric, month, now, |_| true);
        assert!(
            expected.0.is_some_and(|value| value != 0.0) && expected.1 > 50,
            "{name}"
        );
        assert_eq!(total(&ask(&query).await?), expected, "{name}");

        query.step = Some(Step::Day);
        for point in &ask(&query).await?.series[0].points {
            let day = Window::new("day", point.start, point.end)?;
            let expected = world.count(query.metric, day, now, |_| true);
            assert_eq!(
                (point.value.value, point.value.n),
                expected,
                "{name}, {}",
                point.start
            );
        }
        query.step = None;

        query.group_by = Some(Grouping {
            dimension: "method_used".to_owned(),
            limit: 2,
        });
        let groups = ask(&query).await?;
        assert_eq!(groups.series.len(), 3, "{name}: two and the rest");
        let named = [groups.series[0].group.clone(), groups.series[1].group.clone()];
        for (index, series) in groups.series.iter().enumerate() {
            let expected = world.count(query.metric, month, now, |it| {
                let at = named.iter().position(|name| name == it.method).unwrap_or(2);
                at == index
            });
            assert_eq!(
                (series.total.value, series.total.n),
                expected,
                "{name} of {}",
                series.group
            );
        }
        query.group_by = None;

        query.filters = vec![Filter {
            dimension: "model".to_owned(),
            values: vec!["small".to_owned()],
        }];
        let expected = world.count(query.metric, month, now, |it| it.model == "small");
        assert_eq!(total(&ask(&query).await?), expected, "{name} of small models");
    }
    Ok(())
}

#[tokio::test]
async fn a_rate_of_two_windows_equals_a_direct_count_whole_and_in_every_cell() -> Result<()> {
    let sandbox = Sandbox::migrated().await?;
    let world = World::new()?;
    world.store(&sandbox).await?;
    let catalogue = catalogue(&[], &METRICS)?;
    let now = NOW.parse()?;
    let window = |from, to| Ok::<_, anyhow::Error>(Window::new("window", hour(from)?, hour(to)?)?);
    // One after the other, the other way round, apart, overlapping, and one that is young at its end
    for (current, baseline) in [
        (window(200, 400)?, window(0, 200)?),
        (window(0, 200)?, window(200, 400)?),
        (window(300, 400)?, window(10, 200)?),
        (window(100, 400)?, window(0, 300)?),
        (window(300, 700)?, window(0, 300)?),
    ] {
        let query = query(&catalogue, "rate", current)?;
        let found = queries::compare(&sandbox.client, &query, baseline, &["method_used", "model"]).await?;
        for (window, value) in [(current, found.value), (baseline, found.previous)] {
            let expected = world.count(query.metric, window, now, |_| true);
            assert_eq!((value.value, value.n), expected, "{window:?}");
        }
        assert_eq!(found.cube.cells.cells().len(), 6);
        for (values, cell) in found.cube.cells.labelled() {
            for (window, sums) in [(current, &cell.current), (baseline, &cell.baseline)] {
                let of_cell = |it: &Decision| [it.method, it.model] == *values;
                let (rate, n) = world.count(query.metric, window, now, of_cell);
                let wanted = [n as f64, rate.unwrap_or_default() * n as f64];
                assert_eq!(sums.count, wanted[0], "{values:?} in {window:?}");
                assert!(
                    (sums.sum - wanted[1]).abs() < 1e-9,
                    "{values:?} in {window:?}: {sums:?}"
                );
                assert_eq!(sums.sum, sums.sum_of_squares);
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_late_outcome_fills_in_the_day_of_its_decision_and_what_is_too_young_is_left_out() -> Result<()> {
    let sandbox = Sandbox::migrated().await?;
    let catalogue = catalogue(&[], &METRICS)?;
    let decision = |session: &str, at: &str| {
        let columns = "_ingested_at, log_type, session_id, timestamp";
        format!("INSERT INTO decisions ({columns}) VALUES (now(), 'l', '{session}', '{at}')")
    };
    let outcome = |session: &str, at: &str| {
        let columns = "_ingested_at, session_id, outcome, timestamp";
        format!("INSERT INTO outcomes ({columns}) VALUES (now(), '{session}', 'replied', '{at}')")
    };
    sandbox.execute(&decision("a", "2026-03-02 10:00:00")).await?;
    sandbox.execute(&decision("b", "2026-03-02 11:00:00")).await?;
    // Ten days after it end a day after NOW.
    sandbox.execute(&decision("young", "2026-03-20 10:00:00")).await?;
    let window = Window::new("window", hour(0)?, hour(31 * 24)?)?;
    let mut rate = query(&catalogue, "rate", window)?;
    rate.step = Some(Step::Week);
    let ask = async || queries::metric(&sandbox.client, &rate).await;
    assert_eq!(
        total(&ask().await?),
        (None, 0),
        "nobody tells of replies: that is not none"
    );

    sandbox.execute(&outcome("nobody", "2026-03-05 10:00:00")).await?;
    assert_eq!(total(&ask().await?), (Some(0.0), 2));
    sandbox.execute(&outcome("a", "2026-03-12 10:00:00")).await?;
    sandbox.execute(&outcome("young", "2026-03-21 10:00:00")).await?;
    // Before its decision, a moment too late, and twice: none changes the rate.
    sandbox.execute(&outcome("b", "2026-03-02 10:59:59")).await?;
    sandbox.execute(&outcome("b", "2026-03-12 11:00:01")).await?;
    sandbox.execute(&outcome("a", "2026-03-03 10:00:00")).await?;
    let answer = ask().await?;
    assert_eq!(total(&answer), (Some(0.5), 2));
    let weeks: Vec<_> = answer.series[0]
        .points
        .iter()
        .map(|point| (point.start.to_string(), point.value.value, point.incomplete))
        .collect();
    let expected = [
        ("2026-03-01T00:00:00Z", None, true),
        ("2026-03-02T00:00:00Z", Some(0.5), false),
        ("2026-03-09T00:00:00Z", None, false),
        ("2026-03-16T00:00:00Z", None, true),
        ("2026-03-23T00:00:00Z", None, true),
        ("2026-03-30T00:00:00Z", None, true),
    ];
    assert_eq!(
        weeks,
        expected.map(|(start, value, open)| (start.to_owned(), value, open))
    );
    let replies = query(&catalogue, "replies", window)?;
    assert_eq!(
        total(&queries::metric(&sandbox.client, &replies).await?),
        (Some(4.0), 3),
        "without a horizon all of them, of every decision"
    );
    let never = query(&catalogue, "never", window)?;
    assert_eq!(total(&queries::metric(&sandbox.client, &never).await?), (None, 0));
    Ok(())
}

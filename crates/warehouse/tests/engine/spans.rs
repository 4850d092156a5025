use anyhow::{Context, Result};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use kaizen_catalogue::Catalogue;
use kaizen_warehouse::queries::{self, Comparison, Filter, MetricQuery, Spans, Split, Step, Window};

use crate::sandbox::Sandbox;

const CATALOGUE: &str = r"
version: 1
components:
  - name: c
    title: C
    log_type: l
    dimensions: {model: /input_data/model, error_kind: /output_data/error_kind}
    measures: {tokens: /output_data/tokens}
    metrics:
      - {name: count, title: T, description: D, expression: count(), unit: count, direction: higher_is_better, minimum_sample: 1}
      - {name: mean, title: T, description: D, expression: mean(tokens), unit: tokens, direction: higher_is_better, minimum_sample: 1}
      - {name: slowest, title: T, description: D, expression: 'quantile(processing_time, 0.9)', unit: seconds, direction: lower_is_better, minimum_sample: 1}
      - {name: success, title: T, description: D, expression: share(success), unit: ratio, direction: higher_is_better, minimum_sample: 1}
      - {name: errors, title: T, description: D, expression: share(failure), split_by: error_kind, split_denominator: all, unit: ratio, direction: lower_is_better, minimum_sample: 1}
";

/// A decision every five minutes of five weeks, of three models of unlike shares, with a hole of six hours in the last week.
const DECISIONS: &str = "INSERT INTO decisions (log_type, timestamp, method_used, processing_time, success, dims, measures) \
     SELECT 'l', toDateTime('2024-07-01 00:00:00', 'UTC') + number * 300 AS time, ['x', 'y'][1 + number % 2], \
     1 + number * 7919 % 1009, number * 104729 % 11 > 2 AS ok, \
     if(ok, map('model', ['big', 'small', 'small', 'tiny', 'small', 'big'][1 + number % 6]), \
        map('model', ['big', 'small', 'small', 'tiny', 'small', 'big'][1 + number % 6], 'error_kind', ['refused', 'timeout'][1 + number % 2])), \
     map('tokens', number * 7919 % 997) \
     FROM numbers(5 * 7 * 288) WHERE time NOT BETWEEN '2024-08-01 06:00:00' AND '2024-08-01 11:59:59'";

const WEEK: [&str; 2] = ["2024-07-29T00:00:00Z", "2024-08-05T00:00:00Z"];

/// Days of unlike lengths, the hour of a change between the fourth and the fifth.
const EDGES: [&str; 6] = [
    "2024-07-29T00:00:00Z",
    "2024-07-30T00:00:00Z",
    "2024-08-01T09:00:00Z",
    "2024-08-02T10:00:00Z",
    "2024-08-02T11:00:00Z",
    "2024-08-05T00:00:00Z",
];

struct Fixture {
    sandbox: Sandbox,
    catalogue: Catalogue,
}

impl Fixture {
    async fn new() -> Result<Self> {
        let sandbox = Sandbox::migrated().await?;
        sandbox.execute(DECISIONS).await?;
        Ok(Self {
            sandbox,
            catalogue: Catalogue::parse(CATALOGUE)?,
        })
    }

    fn query(&self, name: &str, filters: &[(&str, &str)]) -> Result<MetricQuery<'_>> {
        let (component, metric) = self.catalogue.metric(&format!("c.{name}")).context("a metric")?;
        let filter = |(dimension, value): &(&str, &str)| Filter {
            dimension: (*dimension).to_owned(),
            values: vec![(*value).to_owned()],
        };
        Ok(MetricQuery {
            component,
            metric,
            window: Window::new("window", WEEK[0].parse()?, WEEK[1].parse()?)?,
            step: None,
            zone: TimeZone::UTC,
            filters: filters.iter().map(filter).collect(),
            group_by: None,
            compare_to: None,
            now: "2024-09-01T00:00:00Z".parse()?,
            volume: None,
            hours: None,
        })
    }

    async fn spans(&self, query: &MetricQuery<'_>, split: &Split) -> Result<Vec<Spans>> {
        Ok(queries::spans(&self.sandbox.client, query, &edges()?, split).await?)
    }
}

fn edges() -> Result<Vec<Timestamp>> {
    EDGES.iter().map(|edge| Ok(edge.parse()?)).collect()
}

fn among(values: &[&str]) -> Split {
    let values = values.iter().map(|value| (*value).to_owned());
    Split::Among("model".to_owned(), values.collect())
}

#[tokio::test]
async fn each_span_is_what_its_window_alone_has() -> Result<()> {
    let fixture = Fixture::new().await?;
    for name in ["count", "mean", "slowest", "success"] {
        for filters in [&[][..], &[("model", "small"), ("method_used", "y")]] {
            let query = fixture.query(name, filters)?;
            let found = fixture.spans(&query, &Split::Whole).await?;
            assert_eq!((found.len(), found[0].group.as_str()), (1, ""));
            for (edge, value) in edges()?.windows(2).zip(&found[0].values) {
                let alone = MetricQuery {
                    window: Window::new("window", edge[0], edge[1])?,
                    ..query.clone()
                };
                let alone = queries::metric(&fixture.sandbox.client, &alone).await?;
                assert_eq!(
                    *value, alone.series[0].total,
                    "{name} {filters:?} from {}",
                    edge[0]
                );
            }
        }
    }
    let count = fixture
        .spans(&fixture.query("count", &[])?, &Split::Whole)
        .await?;
    let decisions: Vec<u64> = count[0].values.iter().map(|value| value.n).collect();
    // Twelve an hour, and none in the six hours of the hole, of which three lie in each span beside its middle
    assert_eq!(decisions, [288, 12 * 54, 12 * 22, 12, 12 * 61]);
    let covered = |span: usize| count[0].values[span].coverage;
    assert_eq!(
        (covered(0), covered(1), covered(2)),
        (Some(1.0), Some(54.0 / 57.0), Some(22.0 / 25.0))
    );
    Ok(())
}

#[tokio::test]
async fn a_group_is_what_a_filter_for_its_value_keeps_and_comes_largest_first_or_as_named() -> Result<()> {
    let fixture = Fixture::new().await?;
    for name in ["count", "mean", "slowest", "success"] {
        let query = fixture.query(name, &[("method_used", "x")])?;
        let largest = fixture
            .spans(&query, &Split::Largest("model".to_owned(), 2))
            .await?;
        let names: Vec<&str> = largest.iter().map(|it| it.group.as_str()).collect();
        // Of every six, x has one big and two small ones, the same as y but for tiny
        assert_eq!(names, ["small", "big"], "{name}");
        let named = fixture.spans(&query, &among(&["big", "none", "small"])).await?;
        let groups: Vec<&str> = named.iter().map(|it| it.group.as_str()).collect();
        assert_eq!(groups, ["big", "none", "small"]);
        assert_eq!((&named[0], &named[2]), (&largest[1], &largest[0]), "{name}");
        assert!(named[1].values.iter().all(|value| value.n == 0));
        let alone = fixture.query(name, &[("method_used", "x"), ("model", "small")])?;
        let alone = fixture.spans(&alone, &Split::Whole).await?;
        assert_eq!(largest[0].values, alone[0].values, "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn kinds_of_errors_are_shares_of_all_decisions_in_each_span() -> Result<()> {
    let fixture = Fixture::new().await?;
    let query = fixture.query("errors", &[])?;
    let split = Split::Among(
        "error_kind".to_owned(),
        vec!["refused".to_owned(), "timeout".to_owned()],
    );
    let kinds = fixture.spans(&query, &split).await?;
    let whole = fixture.spans(&query, &Split::Whole).await?;
    for at in 0..EDGES.len() - 1 {
        let share = |spans: &Spans| spans.values[at].value.context("a share");
        let sum = share(&kinds[0])? + share(&kinds[1])?;
        assert!((sum - share(&whole[0])?).abs() < 1e-12, "{at}");
        assert_eq!(kinds[0].values[at].n, whole[0].values[at].n);
    }
    Ok(())
}

#[tokio::test]
async fn a_volume_that_is_handed_on_gives_the_coverage_that_would_be_asked_for() -> Result<()> {
    let fixture = Fixture::new().await?;
    let query = fixture.query("success", &[])?;
    let asked = fixture.spans(&query, &Split::Whole).await?;
    let around = Window::new("window", "2024-07-15T00:00:00Z".parse()?, WEEK[1].parse()?)?;
    let volume = queries::volume(&fixture.sandbox.client, query.component, around).await?;
    let handed = MetricQuery {
        volume: Some(&volume),
        ..query.clone()
    };
    assert_eq!(fixture.spans(&handed, &Split::Whole).await?, asked);
    // One that does not hold the window is not used
    let early = Window::new(
        "window",
        "2024-07-15T00:00:00Z".parse()?,
        "2024-07-30T00:00:00Z".parse()?,
    )?;
    let early = queries::volume(&fixture.sandbox.client, query.component, early).await?;
    let handed = MetricQuery {
        volume: Some(&early),
        ..query.clone()
    };
    assert_eq!(fixture.spans(&handed, &Split::Whole).await?, asked);
    Ok(())
}

#[tokio::test]
async fn wrong_edges_and_splits_name_their_field() -> Result<()> {
    let fixture = Fixture::new().await?;
    let query = fixture.query("count", &[])?;
    let ask = async |edges: &[&str], split: &Split| -> Result<String> {
        let edges: Vec<Timestamp> = edges.iter().map(|it| Ok(it.parse()?)).collect::<Result<_>>()?;
        let answer = queries::spans(&fixture.sandbox.client, &query, &edges, split).await;
        Ok(answer.err().context("an error")?.to_string())
    };
    let falling = ask(
        &[WEEK[0], "2024-07-31T00:00:00Z", "2024-07-30T00:00:00Z", WEEK[1]],
        &Split::Whole,
    );
    assert_eq!(falling.await?, "edges: must rise, on whole hours");
    let half = ask(&[WEEK[0], "2024-07-31T00:30:00Z", WEEK[1]], &Split::Whole);
    assert_eq!(half.await?, "edges: must rise, on whole hours");
    let unknown = ask(&WEEK, &Split::Largest("colour".to_owned(), 3)).await?;
    assert!(
        unknown.starts_with("group_by: `colour` is no dimension"),
        "{unknown}"
    );
    let none = ask(&WEEK, &among(&[])).await?;
    assert_eq!(none, "group_limit: is 0, must be 1 to 100");
    Ok(())
}

#[tokio::test]
async fn hours_that_are_handed_on_give_every_value_that_would_be_asked_for_to_the_last_bit() -> Result<()> {
    let fixture = Fixture::new().await?;
    let around = Window::new("window", "2024-07-15T00:00:00Z".parse()?, WEEK[1].parse()?)?;
    for name in ["count", "mean", "slowest", "success", "errors"] {
        for step in [None, Some(Step::Hour), Some(Step::Day)] {
            let query = MetricQuery {
                step,
                compare_to: Some(Comparison::Previous),
                ..fixture.query(name, &[])?
            };
            let hours = queries::hours(&fixture.sandbox.client, query.component, around).await?;
            let handed = MetricQuery {
                hours: Some(&hours),
                ..query.clone()
            };
            let asked = queries::metric(&fixture.sandbox.client, &query).await?;
            let known = queries::metric(&fixture.sandbox.client, &handed).await?;
            assert_eq!(known, asked, "{name} {step:?}");
            assert!(known.series[0].total.n > 0, "{name}");
        }
    }
    // What the hours do not tell is asked for: a slice, and a window that they do not hold
    let sliced = fixture.query("mean", &[("model", "tiny")])?;
    let early = Window::new("window", "2024-07-01T00:00:00Z".parse()?, WEEK[0].parse()?)?;
    let hours = queries::hours(&fixture.sandbox.client, sliced.component, early).await?;
    for query in [sliced, fixture.query("mean", &[])?] {
        let handed = MetricQuery {
            hours: Some(&hours),
            ..query.clone()
        };
        let asked = queries::metric(&fixture.sandbox.client, &query).await?;
        assert_eq!(queries::metric(&fixture.sandbox.client, &handed).await?, asked);
    }
    Ok(())
}

use anyhow::{Context, Result};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use kaizen_catalogue::Catalogue;
use kaizen_findings::{MetricCube, Quantity};
use kaizen_warehouse::queries::{
    self, Comparison, Filter, Grouping, MetricAnswer, MetricQuery, OTHER, Step, Window,
};

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
      - {name: sum, title: T, description: D, expression: sum(tokens), unit: tokens, direction: higher_is_better, minimum_sample: 1}
      - {name: mean, title: T, description: D, expression: mean(tokens), unit: tokens, direction: higher_is_better, minimum_sample: 4}
      - {name: quality, title: T, description: D, expression: mean(quality_score), unit: score, direction: higher_is_better, minimum_sample: 1}
      - {name: median, title: T, description: D, expression: 'quantile(processing_time, 0.5)', unit: seconds, direction: lower_is_better, minimum_sample: 1}
      - {name: success, title: T, description: D, expression: share(success), unit: ratio, direction: higher_is_better, minimum_sample: 5}
      - {name: approval, title: T, description: D, expression: share(success_indicator), unit: ratio, direction: higher_is_better, minimum_sample: 1}
      - {name: big, title: T, description: D, expression: share(model = big), unit: ratio, direction: higher_is_better, minimum_sample: 1}
      - {name: errors, title: T, description: D, expression: share(failure), split_by: error_kind, split_denominator: all, unit: ratio, direction: lower_is_better, minimum_sample: 1}
";

/// Six decisions in March 2024 and two in February, small enough to compute by hand.
const DECISIONS: &str = "INSERT INTO decisions (log_type, timestamp, method_used, processing_time, success, quality_score, \
     success_indicator, dims, measures) VALUES \
     ('l', '2024-03-01 00:10:00', 'x', 1, true,  80,   true,  map('model', 'big'),   map('tokens', 10)), \
     ('l', '2024-03-01 00:20:00', 'x', 2, true,  90,   false, map('model', 'big'),   map('tokens', 20)), \
     ('l', '2024-03-01 02:00:00', 'y', 3, false, NULL, NULL,  map('model', 'small', 'error_kind', 'timeout'), map('tokens', 30)), \
     ('l', '2024-03-31 00:30:00', 'x', 4, false, NULL, NULL,  map('error_kind', 'timeout'), map()), \
     ('l', '2024-03-31 22:30:00', 'z', 5, false, NULL, true,  map('model', 'tiny', 'error_kind', 'refused'), map()), \
     ('l', '2024-03-31 23:30:00', 'x', NULL, true, 40, true,  map('model', 'big'),   map('tokens', 1)), \
     ('l', '2024-02-01 00:00:00', 'x', 7, true,  10,   false, map('model', 'big'),   map('tokens', 5)), \
     ('l', '2024-02-29 23:00:00', 'x', 8, false, 20,   false, map('model', 'small'), map('tokens', 6)), \
     ('other', '2024-03-01 00:00:00', 'x', 9, true, 99, true, map('model', 'big'), map('tokens', 1000))";

const MARCH: [&str; 2] = ["2024-03-01T00:00:00Z", "2024-04-01T00:00:00Z"];

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

    fn query(&self, name: &str) -> Result<MetricQuery<'_>> {
        let (component, metric) = self
            .catalogue
            .metric(&format!("c.{name}"))
            .context("no such metric")?;
        Ok(MetricQuery {
            component,
            metric,
            window: window(MARCH)?,
            step: None,
            zone: TimeZone::UTC,
            filters: Vec::new(),
            group_by: None,
            compare_to: None,
            now: "2024-06-01T00:00:00Z".parse()?,
            volume: None,
            hours: None,
        })
    }

    async fn ask(&self, query: &MetricQuery<'_>) -> Result<MetricAnswer> {
        Ok(queries::metric(&self.sandbox.client, query).await?)
    }
}

fn window([start, end]: [&str; 2]) -> Result<Window> {
    Ok(Window::new("window", start.parse()?, end.parse()?)?)
}

fn filter(dimension: &str, values: &[&str]) -> Filter {
    Filter {
        dimension: dimension.to_owned(),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    }
}

/// Group, value and n of each series.
fn totals(answer: &MetricAnswer) -> Vec<(&str, Option<f64>, u64)> {
    answer
        .series
        .iter()
        .map(|series| (series.group.as_str(), series.total.value, series.total.n))
        .collect()
}

#[tokio::test]
async fn every_kind_of_expression_is_what_one_computes_by_hand() -> Result<()> {
    let fixture = Fixture::new().await?;
    for (name, value, n, thin, has_interval) in [
        ("count", 6.0, 6, false, false),
        ("sum", 61.0, 4, false, false),
        ("mean", 15.25, 4, false, true),
        ("quality", 70.0, 3, false, true),
        ("median", 3.0, 5, false, false),
        ("success", 0.5, 6, false, true),
        ("approval", 0.75, 4, false, true),
        ("big", 0.5, 6, false, true),
        ("errors", 0.5, 6, false, true),
    ] {
        let answer = fixture.ask(&fixture.query(name)?).await?;
        let total = answer.series[0].total;
        assert_eq!(
            (total.value, total.n, total.thin),
            (Some(value), n, thin),
            "{name}"
        );
        assert_eq!(total.interval.is_some(), has_interval, "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn a_quantile_of_many_has_the_interval_of_its_order_statistics() -> Result<()> {
    let fixture = Fixture::new().await?;
    fixture
        .sandbox
        .execute(
            "INSERT INTO decisions (log_type, timestamp, processing_time) \
         SELECT 'l', '2024-05-01 00:00:00', 1 + number FROM numbers(100)",
        )
        .await?;
    let mut query = fixture.query("median")?;
    query.window = window(["2024-05-01T00:00:00Z", "2024-05-02T00:00:00Z"])?;
    let total = fixture.ask(&query).await?.series[0].total;
    // Ranks 50 − 9.8 and 50 + 9.8, outwards
    let interval = total.interval.context("no interval")?;
    assert_eq!(
        (total.value, interval.lower, interval.upper),
        (Some(50.0), 40.0, 60.0)
    );
    Ok(())
}

#[tokio::test]
async fn days_of_a_zone_follow_its_clock_and_gaps_are_points() -> Result<()> {
    let fixture = Fixture::new().await?;
    let mut query = fixture.query("count")?;
    query.zone = TimeZone::get("Europe/Berlin")?;
    query.step = Some(Step::Day);
    query.window = window(["2024-03-29T23:00:00Z", "2024-03-31T23:00:00Z"])?;
    let answer = fixture.ask(&query).await?;
    let points: Vec<(String, Option<f64>, bool)> = answer.series[0]
        .points
        .iter()
        .map(|p| (p.start.to_string(), p.value.value, p.incomplete))
        .collect();
    // 31 March has 23 hours in Berlin: 22:30 UTC is 1 April already, and that day is cut
    let expected = [
        ("2024-03-29T23:00:00Z", 0.0, false),
        ("2024-03-30T23:00:00Z", 1.0, false),
        ("2024-03-31T22:00:00Z", 1.0, true),
    ];
    assert_eq!(
        points,
        expected.map(|(start, value, cut)| (start.to_owned(), Some(value), cut))
    );
    Ok(())
}

#[tokio::test]
async fn months_compare_with_months_and_totals_come_from_sums_not_points() -> Result<()> {
    let fixture = Fixture::new().await?;
    let mut query = fixture.query("mean")?;
    (query.step, query.compare_to) = (Some(Step::Month), Some(Comparison::Previous));
    let answer = fixture.ask(&query).await?;
    assert_eq!(
        answer.comparison_window,
        Some(window(["2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"])?)
    );
    let series = &answer.series[0];
    assert_eq!(series.previous_total.and_then(|total| total.value), Some(5.5));
    assert_eq!(
        (series.change(), series.relative_change()),
        (Some(9.75), Some(9.75 / 5.5))
    );
    (query.step, query.compare_to) = (Some(Step::Day), None);
    let series = &fixture.ask(&query).await?.series[0];
    // Days have the means 20 and 1: their mean would be 10.5
    assert_eq!(
        (series.points[0].value.value, series.points[30].value.value),
        (Some(20.0), Some(1.0))
    );
    assert_eq!(
        (series.points[1].value.value, series.total.value),
        (None, Some(15.25))
    );
    Ok(())
}

#[tokio::test]
async fn groups_beyond_the_limit_are_the_rest_and_filters_hold_together() -> Result<()> {
    let fixture = Fixture::new().await?;
    let mut query = fixture.query("success")?;
    query.group_by = Some(Grouping {
        dimension: "model".to_owned(),
        limit: 2,
    });
    assert_eq!(
        totals(&fixture.ask(&query).await?),
        [("big", Some(1.0), 3), ("", Some(0.0), 1), (OTHER, Some(0.0), 2)]
    );
    query.group_by = Some(Grouping {
        dimension: "method_used".to_owned(),
        limit: 10,
    });
    assert_eq!(
        totals(&fixture.ask(&query).await?),
        [("x", Some(0.75), 4), ("y", Some(0.0), 1), ("z", Some(0.0), 1)]
    );
    query.group_by = None;
    query.filters = vec![
        filter("model", &["big", "small"]),
        filter("method_used", &["y", "'; DROP TABLE decisions; --?"]),
    ];
    assert_eq!(totals(&fixture.ask(&query).await?), [("", Some(0.0), 1)]);
    Ok(())
}

#[tokio::test]
async fn kinds_of_errors_are_shares_of_all_decisions() -> Result<()> {
    let fixture = Fixture::new().await?;
    let mut query = fixture.query("errors")?;
    query.group_by = Some(Grouping {
        dimension: "error_kind".to_owned(),
        limit: 20,
    });
    let answer = fixture.ask(&query).await?;
    assert_eq!(
        totals(&answer),
        [("timeout", Some(2.0 / 6.0), 6), ("refused", Some(1.0 / 6.0), 6)]
    );
    query.group_by = Some(Grouping {
        dimension: "error_kind".to_owned(),
        limit: 1,
    });
    assert_eq!(
        totals(&fixture.ask(&query).await?),
        [("timeout", Some(2.0 / 6.0), 6), (OTHER, Some(1.0 / 6.0), 6)]
    );
    // By another dimension the share is each group's own
    query.group_by = Some(Grouping {
        dimension: "method_used".to_owned(),
        limit: 1,
    });
    assert_eq!(totals(&fixture.ask(&query).await?)[0], ("x", Some(0.25), 4));
    Ok(())
}

#[tokio::test]
async fn an_empty_window_has_no_value_and_a_small_sample_is_thin() -> Result<()> {
    let fixture = Fixture::new().await?;
    let mut query = fixture.query("success")?;
    query.window = window(["2024-05-01T00:00:00Z", "2024-05-02T00:00:00Z"])?;
    let total = fixture.ask(&query).await?.series[0].total;
    assert_eq!(
        (total.value, total.n, total.thin, total.interval),
        (None, 0, true, None)
    );
    query.group_by = Some(Grouping {
        dimension: "model".to_owned(),
        limit: 5,
    });
    assert!(fixture.ask(&query).await?.series.is_empty());
    Ok(())
}

#[tokio::test]
async fn wrong_questions_name_their_field() -> Result<()> {
    let fixture = Fixture::new().await?;
    let mut query = fixture.query("success")?;
    query.filters = vec![filter("nothing", &["x"])];
    assert!(
        fixture
            .ask(&query)
            .await
            .unwrap_err()
            .to_string()
            .starts_with("filters[0].dimension: ")
    );
    query.filters = vec![filter("model", &[])];
    assert!(
        fixture
            .ask(&query)
            .await
            .unwrap_err()
            .to_string()
            .starts_with("filters[0].values: ")
    );
    query.filters = Vec::new();
    query.group_by = Some(Grouping {
        dimension: "model".to_owned(),
        limit: 101,
    });
    assert!(
        fixture
            .ask(&query)
            .await
            .unwrap_err()
            .to_string()
            .starts_with("group_limit: ")
    );
    Ok(())
}

#[tokio::test]
async fn coverage_and_the_data_window_are_read_from_the_rollup() -> Result<()> {
    let fixture = Fixture::new().await?;
    // Three decisions an hour for five weeks, with six hours missing in the last
    fixture
        .sandbox
        .execute(
            "INSERT INTO decisions (log_type, timestamp) SELECT 'l', toDateTime('2024-07-01 00:00:00', 'UTC') + intDiv(number, 3) * 3600 \
             FROM numbers(3 * 840) WHERE intDiv(number, 3) NOT BETWEEN 700 AND 705",
        )
        .await?;
    let mut query = fixture.query("count")?;
    query.now = "2024-09-01T00:00:00Z".parse()?;
    query.window = window(["2024-07-29T00:00:00Z", "2024-08-05T00:00:00Z"])?;
    assert_eq!(
        fixture.ask(&query).await?.series[0].total.coverage,
        Some(162.0 / 168.0)
    );
    let data = queries::data_window(&fixture.sandbox.client, None)
        .await?
        .context("no data")?;
    assert_eq!(data.start(), "2024-02-01T00:00:00Z".parse::<Timestamp>()?);
    assert_eq!(data.end(), "2024-08-05T00:00:00Z".parse::<Timestamp>()?);
    assert_eq!(
        queries::data_window(&fixture.sandbox.client, Some("none")).await?,
        None
    );
    Ok(())
}

#[tokio::test]
async fn a_cube_has_every_decision_in_one_cell_by_the_dimensions_that_may_explain() -> Result<()> {
    let fixture = Fixture::new().await?;
    let february = window(["2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"])?;
    let ask = async |name: &str| -> Result<_> {
        let query = fixture.query(name)?;
        let dimensions = queries::explaining(query.component, query.metric);
        Ok(queries::cube(&fixture.sandbox.client, &query, february, Some(7.0), &dimensions).await?)
    };
    let success = ask("success").await?;
    // Only failures have an error_kind, and confidence follows what made them: neither explains any.
    let dimensions = ["method_used", "industry", "model"];
    assert_eq!(success.cells.names().collect::<Vec<_>>(), dimensions);
    let of = |cube: &MetricCube| -> Vec<_> {
        let cells = cube.cells.labelled();
        cells
            .map(|(values, it)| {
                (
                    format!("{}:{}", values[0], values[2]),
                    [it.baseline.count, it.baseline.sum],
                    [it.current.count, it.current.sum],
                )
            })
            .collect()
    };
    let expected = [
        ("x:", [0.0, 0.0], [1.0, 0.0]),
        ("x:big", [1.0, 1.0], [3.0, 3.0]),
        ("x:small", [1.0, 0.0], [0.0, 0.0]),
        ("y:small", [0.0, 0.0], [1.0, 0.0]),
        ("z:tiny", [0.0, 0.0], [1.0, 0.0]),
    ];
    assert_eq!(
        of(&success),
        expected.map(|(name, before, now)| (name.to_owned(), before, now))
    );
    // Of a quantile: how many took longer than 7 s.
    let median = ask("median").await?;
    assert_eq!(median.quantity, Quantity::Above(7.0));
    let slow = of(&median).into_iter().filter(|(_, before, _)| before[0] > 0.0);
    assert_eq!(
        slow.map(|(name, before, _)| (name, before)).collect::<Vec<_>>(),
        [
            ("x:big".to_owned(), [1.0, 0.0]),
            ("x:small".to_owned(), [1.0, 1.0])
        ]
    );
    // What the metric counts explains nothing of it.
    let big = ask("big").await?;
    assert_eq!(big.cells.names().collect::<Vec<_>>(), ["method_used", "industry"]);
    Ok(())
}

#[tokio::test]
async fn a_cube_keeps_the_frequent_values_of_either_window_and_sums_up_the_rest() -> Result<()> {
    let fixture = Fixture::new().await?;
    // In May values 0 to 49 of a dimension, each twice more than the one before it; in April the other way round
    fixture
        .sandbox
        .execute(
            "INSERT INTO decisions (log_type, timestamp, method_used, success, dims) \
             SELECT 'l', toDateTime('2024-04-01 00:00:00', 'UTC') + month * 30 * 86400 + toUInt32(copy) * 3600, '(other)', copy % 3 = 0, \
                 map('model', concat('v', toString(value))) \
             FROM (SELECT number % 50 AS value, intDiv(number, 50) AS month FROM numbers(100)) \
             ARRAY JOIN range(1 + 2 * if(month = 1, value, 49 - value)) AS copy",
        )
        .await?;
    let april = window(["2024-04-01T00:00:00Z", "2024-05-01T00:00:00Z"])?;
    let mut query = fixture.query("success")?;
    query.window = window(["2024-05-01T00:00:00Z", "2024-05-31T00:00:00Z"])?;
    let dimensions = ["method_used", "model"];
    let found = queries::compare(&fixture.sandbox.client, &query, april, &dimensions).await?;
    let tally = |values: &[u64], current: bool| {
        let copies = values
            .iter()
            .map(|value| 1 + 2 * if current { *value } else { 49 - value });
        let hits = copies.clone().map(|copies| copies.div_ceil(3));
        (copies.sum::<u64>() as f64, hits.sum::<u64>() as f64)
    };
    assert_eq!(
        found.cube.cells.cells().len(),
        41,
        "twenty of either month and the rest"
    );
    for (values, cell) in found.cube.cells.labelled() {
        assert_eq!(values[0], "(other)");
        let of: Vec<u64> = match values[1].strip_prefix('v') {
            Some(value) => vec![value.parse()?],
            None => (20..30).collect(),
        };
        let sums = [&cell.baseline, &cell.current].map(|it| (it.count, it.sum));
        assert_eq!(sums, [tally(&of, false), tally(&of, true)], "{values:?}");
    }
    let all: Vec<u64> = (0..50).collect();
    for (value, current) in [(found.value, true), (found.previous, false)] {
        let (n, hits) = tally(&all, current);
        assert_eq!((value.n as f64, value.value), (n, Some(hits / n)));
    }
    query.filters = vec![filter("model", &["v0", "v1", "v2"])];
    let filtered = queries::compare(&fixture.sandbox.client, &query, april, &["model"]).await?;
    assert_eq!(filtered.cube.cells.cells().len(), 3);
    Ok(())
}

use anyhow::{Context, Result};
use kaizen_catalogue::Catalogue;
use kaizen_stats::{ArmDay, Arms, Impact, KnownBefore, Method, Moments, Question, impact};
use kaizen_warehouse::queries::{self, ArmsQuery, Filter, Window};

use crate::sandbox::Sandbox;

const CATALOGUE: &str = r"
version: 1
components:
  - name: c
    title: C
    log_type: l
    dimensions: {model: /input_data/model}
    measures: {fit: /input_data/fit, tokens: /output_data/tokens}
    metrics:
      - {name: success, title: T, description: D, expression: share(success), unit: ratio, direction: higher_is_better, minimum_sample: 1}
      - {name: approval, title: T, description: D, expression: share(success_indicator), covariate: fit, unit: ratio, direction: higher_is_better, minimum_sample: 1}
      - {name: tokens, title: T, description: D, expression: mean(tokens), covariate: fit, unit: tokens, direction: lower_is_better, minimum_sample: 1}
      - {name: plain_tokens, title: T, description: D, expression: mean(tokens), unit: tokens, direction: lower_is_better, minimum_sample: 1}
      - {name: small, title: T, description: D, expression: share(model = small), unit: ratio, direction: higher_is_better, minimum_sample: 1}
      - {name: count, title: T, description: D, expression: count(), unit: count, direction: higher_is_better, minimum_sample: 1}
";

/// Two days of an experiment, small enough to compute by hand, and what belongs to none of its arms.
const BY_HAND: &str = "INSERT INTO decisions (_ingested_at, log_type, timestamp, experiment, arm, method_used, success, success_indicator, dims, measures) VALUES \
     (now64(3), 'l', '2024-03-01 00:10:00', 'e', 'new', 'x', true,  true,  map('model', 'big'),   map('fit', 1, 'tokens', 10)), \
     (now64(3), 'l', '2024-03-01 23:59:59', 'e', 'new', 'x', false, NULL,  map('model', 'small'), map('fit', 2, 'tokens', 30)), \
     (now64(3), 'l', '2024-03-01 12:00:00', 'e', 'old', 'x', true,  false, map('model', 'big'),   map('tokens', 5)), \
     (now64(3), 'l', '2024-03-02 12:00:00', 'e', 'old', 'y', true,  true,  map('model', 'small'), map('fit', 4, 'tokens', 7)), \
     (now64(3), 'l', '2024-03-02 13:00:00', 'e', 'other', 'y', false, true, map(), map('fit', 3)), \
     (now64(3), 'l', '2024-03-02 13:00:00', 'e', '', 'y', false, true, map(), map('fit', 100, 'tokens', 1000)), \
     (now64(3), 'l', '2024-03-02 13:00:00', 'f', 'new', 'y', false, true, map(), map('fit', 100, 'tokens', 1000)), \
     (now64(3), 'l', '2024-03-03 00:00:00', 'e', 'new', 'y', false, true, map(), map('fit', 100, 'tokens', 1000)), \
     (now64(3), 'm', '2024-03-02 13:00:00', 'e', 'new', 'y', false, true, map(), map('fit', 100, 'tokens', 1000))";

/// Experiments of 800 decisions over eight days each. What a decision takes rises with how well the lead fits, which is known
/// of three in four; the change takes 3 tokens off.
const SIMULATED: &str = "INSERT INTO decisions (_ingested_at, log_type, timestamp, experiment, arm, success, measures) \
     WITH sipHash64(number) AS a, sipHash64(number, 1) AS b, \
         sqrt(-2 * log((bitAnd(a, 0xFFFFFF) + 1) / 16777216.)) AS radius, \
         2 * pi() * bitAnd(bitShiftRight(a, 24), 0xFFFFFF) / 16777216. AS angle, \
         radius * cos(angle) AS fit, radius * sin(angle) AS noise, \
         bitAnd(b, 1) = 1 AS has_change, number % 800 AS place \
     SELECT now64(3), 'l', toDateTime('2024-06-01 00:00:00', 'UTC') + place * 864, concat('e', toString(intDiv(number, 800))), \
         if(has_change, 'new', 'old'), true, \
         mapUpdate(map('tokens', 100 + 8 * fit + 6 * noise - if(has_change, 3, 0)), if(place % 4 > 0, map('fit', 5 + fit), map())) \
     FROM numbers(800 * 200)";

const EFFECT: f64 = -3.0;

struct Fixture {
    sandbox: Sandbox,
    catalogue: Catalogue,
}

impl Fixture {
    async fn of(statement: &str) -> Result<Self> {
        let sandbox = Sandbox::migrated().await?;
        sandbox.execute(statement).await?;
        Ok(Self {
            sandbox,
            catalogue: Catalogue::parse(CATALOGUE)?,
        })
    }

    async fn ask(
        &self,
        metric: &str,
        experiment: &str,
        window: [&str; 2],
        filters: Vec<Filter>,
    ) -> Result<Option<Vec<queries::ArmDay>>> {
        let found = self.catalogue.metric(&format!("c.{metric}"));
        let (component, metric) = found.context("a metric")?;
        let query = ArmsQuery {
            component,
            metric,
            window: Window::new("window", window[0].parse()?, window[1].parse()?)?,
            filters,
            experiment,
            arm: "new",
        };
        Ok(queries::arms(&self.sandbox.client, &query).await?)
    }
}

/// Day of March, whether it has the change, values, their sum and that of their squares.
type Row = (u32, bool, u64, f64, f64);
/// Of how many the covariate is known, its sum, its squares', its products' and the values'.
type Known = (u64, f64, f64, f64, f64);

fn rows(days: &[queries::ArmDay]) -> Vec<(Row, Known)> {
    let row = |it: &queries::ArmDay| {
        let day = (it.day - 1_709_251_200) / 86_400 + 1;
        let known = (
            it.known,
            it.known_sum,
            it.known_sum_squares,
            it.known_products,
            it.known_values,
        );
        ((day, it.has_change, it.n, it.sum, it.sum_squares), known)
    };
    days.iter().map(row).collect()
}

const MARCH: [&str; 2] = ["2024-03-01T00:00:00Z", "2024-03-03T00:00:00Z"];
const NONE: Known = (0, 0.0, 0.0, 0.0, 0.0);

/// What each metric's arms are in [`BY_HAND`].
fn by_hand() -> [(&'static str, Vec<(Row, Known)>); 4] {
    [
        (
            "success",
            vec![
                ((1, false, 1, 1.0, 1.0), NONE),
                ((1, true, 2, 1.0, 1.0), NONE),
                ((2, false, 2, 1.0, 1.0), NONE),
            ],
        ),
        (
            "approval",
            vec![
                ((1, false, 1, 0.0, 0.0), NONE),
                ((1, true, 1, 1.0, 1.0), (1, 1.0, 1.0, 1.0, 1.0)),
                ((2, false, 2, 2.0, 2.0), (2, 7.0, 25.0, 7.0, 2.0)),
            ],
        ),
        (
            "tokens",
            vec![
                ((1, false, 1, 5.0, 25.0), NONE),
                ((1, true, 2, 40.0, 1_000.0), (2, 3.0, 5.0, 70.0, 40.0)),
                ((2, false, 1, 7.0, 49.0), (1, 4.0, 16.0, 28.0, 7.0)),
            ],
        ),
        (
            "small",
            vec![
                ((1, false, 1, 0.0, 0.0), NONE),
                ((1, true, 2, 1.0, 1.0), NONE),
                ((2, false, 2, 1.0, 1.0), NONE),
            ],
        ),
    ]
}

#[tokio::test]
async fn arms_are_what_one_counts_by_hand_day_by_day() -> Result<()> {
    let fixture = Fixture::of(BY_HAND).await?;
    for (metric, days) in by_hand() {
        let found = fixture.ask(metric, "e", MARCH, Vec::new()).await?;
        assert_eq!(rows(&found.context("days")?), days, "{metric}");
    }
    let only = |dimension: &str, value: &str| {
        vec![Filter {
            dimension: dimension.to_owned(),
            values: vec![value.to_owned()],
        }]
    };
    let sliced = fixture.ask("tokens", "e", MARCH, only("model", "small")).await?;
    let small = [
        ((1, true, 1, 30.0, 900.0), (1, 2.0, 4.0, 60.0, 30.0)),
        ((2, false, 1, 7.0, 49.0), (1, 4.0, 16.0, 28.0, 7.0)),
    ];
    assert_eq!(rows(&sliced.context("days")?), small);
    let sliced = fixture
        .ask("success", "e", MARCH, only("method_used", "y"))
        .await?;
    assert_eq!(rows(&sliced.context("days")?), [((2, false, 2, 1.0, 1.0), NONE)]);
    assert_eq!(fixture.ask("count", "e", MARCH, Vec::new()).await?, None);
    assert_eq!(
        fixture.ask("success", "none", MARCH, Vec::new()).await?,
        Some(Vec::new())
    );
    let wrong = fixture.ask("success", "e", MARCH, only("colour", "red")).await;
    assert!(wrong.is_err_and(|error| error.to_string().starts_with("filters[0].dimension")));
    Ok(())
}

/// What the statistics make of an experiment's days.
fn measured(days: &[queries::ArmDay], has_covariate: bool) -> Result<Impact> {
    let day = |it: &queries::ArmDay| ArmDay {
        day: it.day,
        has_change: it.has_change,
        outcome: Moments {
            count: it.n as f64,
            sum: it.sum,
            sum_of_squares: it.sum_squares,
        },
        known: has_covariate.then_some(KnownBefore {
            moments: Moments {
                count: it.known as f64,
                sum: it.known_sum,
                sum_of_squares: it.known_sum_squares,
            },
            products: it.known_products,
            outcomes: it.known_values,
        }),
    };
    let days: Vec<ArmDay> = days.iter().map(day).collect();
    let arms = Arms::of_days(&days, 1.0);
    Ok(impact(&Question {
        values: &[],
        change: 0,
        samples: None,
        scales: None,
        controls: &[],
        seasons: &[],
        excluded: &[],
        higher_is_better: false,
        horizon: 8,
        arms: Some(&arms),
    })?)
}

#[tokio::test]
async fn a_covariate_biases_no_effect_and_narrows_its_interval() -> Result<()> {
    let fixture = Fixture::of(SIMULATED).await?;
    let window = ["2024-06-01T00:00:00Z", "2024-06-09T00:00:00Z"];
    let mut widths = Vec::new();
    for (metric, method) in [
        ("plain_tokens", Method::Randomised),
        ("tokens", Method::RandomisedWithCovariate),
    ] {
        let (mut sum, mut width, mut covered) = (0.0, 0.0, 0);
        for experiment in 0..200 {
            let name = format!("e{experiment}");
            let days = fixture.ask(metric, &name, window, Vec::new()).await?;
            let found = measured(&days.context("days")?, metric == "tokens")?;
            assert_eq!(found.method, method);
            let (lower, upper) = found.interval;
            sum += found.effect;
            width += upper - lower;
            covered += u32::from(lower <= EFFECT && EFFECT <= upper);
        }
        // Each effect has an error of 0.71 at most, their mean one of 0.05: five of those
        let mean = sum / 200.0;
        assert!((mean - EFFECT).abs() < 0.25, "{metric}: {mean}");
        // At a true rate of 95 %, fewer than 178 of 200 have a chance of 1 in 2,000
        assert!(covered >= 178, "{metric}: {covered} of 200");
        widths.push(width / 200.0);
    }
    // Of a variance of 100, 64 go with the fit, of which three quarters are known
    let narrower = widths[1] / widths[0];
    assert!((narrower - 0.52_f64.sqrt()).abs() < 0.04, "{narrower}");
    Ok(())
}

//! The shipped catalogue, and every way a catalogue can be wrong.

use kaizen_catalogue::{Catalogue, CatalogueError, Condition, Expression, Measure, SplitDenominator};

const SHIPPED: &str = include_str!("../../../config/catalogue.yaml");

/// A small valid catalogue to break.
const SMALL: &str = r#"
version: 1
components:
  - name: crm_sync
    title: CRM sync
    log_type: airtable_operation
    dimensions: {operation: /input_data/operation}
    measures: {rows: /output_data/rows}
    metrics:
      - name: rate
        title: Rate
        description: Share of failures.
        expression: share(failure)
        unit: ratio
        direction: lower_is_better
        minimum_sample: 30
        split_by: operation
"#;

#[test]
fn the_shipped_catalogue_is_valid_and_says_what_it_said() {
    let catalogue = Catalogue::parse(SHIPPED).unwrap();
    let listing: Vec<String> = catalogue
        .components()
        .iter()
        .flat_map(|component| component.metrics.iter().map(|metric| line(component, metric)))
        .collect();
    insta::assert_snapshot!(listing.join("\n"));
}

fn line(component: &kaizen_catalogue::Component, metric: &kaizen_catalogue::Metric) -> String {
    let split = metric.split_by.as_ref().map_or(String::new(), |by| {
        format!(" by {by} of {:?}", metric.split_denominator)
    });
    format!(
        "{} = {}{split} [{}, {:?}]",
        component.full_name(metric),
        metric.expression,
        metric.unit,
        metric.direction
    )
}

#[test]
fn components_and_metrics_are_found_by_name() {
    let catalogue = Catalogue::parse(SHIPPED).unwrap();
    assert_eq!(
        catalogue.component_of("airtable_operation").unwrap().name,
        "crm_sync"
    );
    assert!(catalogue.component_of("unknown").is_none());
    let (component, metric) = catalogue.metric("lead_enrichment.p95_processing_time").unwrap();
    assert_eq!(component.log_type, "enrichment_decision");
    assert_eq!(
        metric.expression,
        Expression::Quantile(Measure::ProcessingTime, 0.95)
    );
    assert!(catalogue.metric("lead_enrichment").is_none());
    assert!(catalogue.metric("lead_enrichment.nothing").is_none());
    assert!(
        component.has_dimension("source")
            && component.has_dimension("industry")
            && !component.has_dimension("template")
    );
}

#[test]
fn optional_keys_are_read() {
    let text = SMALL.to_owned()
        + "        split_denominator: all\n        thresholds: {warning: 0.05, critical: 0.1}\n        value_per_unit: {amount: 2.5, currency: EUR}\n";
    let catalogue = Catalogue::parse(&text).unwrap();
    let (_, metric) = catalogue.metric("crm_sync.rate").unwrap();
    assert_eq!(metric.split_denominator, SplitDenominator::All);
    assert_eq!(metric.expression, Expression::Share(Condition::Failure));
    assert_eq!(metric.thresholds.unwrap().critical, 0.1);
    assert_eq!(metric.value_per_unit.as_ref().unwrap().currency, "EUR");
}

/// What to replace in [`SMALL`], by what, and what the refusal must say.
const BROKEN_RULES: &[(&str, &str, &str)] = &[
    ("version: 1", "version: 2", "`version` is `2`: must be 1"),
    ("name: crm_sync", "name: CRM", "`components.name` is `CRM`"),
    ("title: CRM sync", "title: ' '", "`crm_sync.title`"),
    (
        "log_type: airtable",
        "log_type: Airtable",
        "`crm_sync.log_type` is `Airtable_operation`",
    ),
    (
        "operation: /input",
        "method_used: /input",
        "`crm_sync.dimensions` is `method_used`: every component has",
    ),
    (
        "operation: /input",
        "success: /input",
        "`crm_sync.dimensions` is `success`: the name is reserved",
    ),
    (
        "operation: /input_data/operation",
        "operation: input",
        "is `input`: must be a JSON pointer",
    ),
    (
        "operation: /input_data/operation",
        "operation: /a~2",
        "is `/a~2`: must be a JSON pointer",
    ),
    (
        "operation: /input_data/operation",
        "operation: /lead_identifier/name",
        "personal data",
    ),
    (
        "operation: /input_data/operation",
        "operation: /a, operation: /b",
        "`operation`: declared twice",
    ),
    (
        "rows: /output",
        "operation: /output",
        "`crm_sync.measures` is `operation`: a dimension has this name",
    ),
    (
        "share(failure)",
        "mean(size)",
        "`crm_sync.rate.expression` is `mean(size)`: `size` is not a measure of the component; it has processing_time, quality_score, rows",
    ),
    (
        "share(failure)",
        "share(model = x)",
        "is `model`: not a dimension of the component; it has method_used",
    ),
    (
        "share(failure)",
        "quantile(rows, 0.5)",
        "`quantile(rows, 0.5)`: a quantile can only be taken of processing_time",
    ),
    (
        "share(failure)",
        "avg(rows)",
        "`crm_sync.rate.expression` is `avg(rows)`: expected count()",
    ),
    (
        "share(failure)",
        "outcome_count(replied)",
        "`crm_sync.rate.unit` is `ratio`: a share, and only a share",
    ),
    (
        "unit: ratio",
        "unit: seconds",
        "`crm_sync.rate.unit` is `seconds`: a share, and only a share",
    ),
    (
        "minimum_sample: 30",
        "minimum_sample: 0",
        "`crm_sync.rate.minimum_sample` is `0`",
    ),
    (
        "split_by: operation",
        "split_by: model",
        "`crm_sync.rate.split_by` is `model`: not a dimension",
    ),
    (
        "split_by: operation",
        "split_denominator: all",
        "`crm_sync.rate.split_denominator` is `all`",
    ),
    (
        "split_by: operation",
        "thresholds: {warning: 0.1, critical: 0.05}",
        "`crm_sync.rate.thresholds.critical` is `0.05`: must be above warning (0.1)",
    ),
    (
        "split_by: operation",
        "thresholds: {warning: 0.1, critical: 1.5}",
        "`crm_sync.rate.thresholds.critical` is `1.5`: must be a number from 0 to 1",
    ),
    (
        "split_by: operation",
        "value_per_unit: {amount: -1, currency: EUR}",
        "`crm_sync.rate.value_per_unit.amount` is `-1`",
    ),
    (
        "split_by: operation",
        "value_per_unit: {amount: 1, currency: euro}",
        "`crm_sync.rate.value_per_unit.currency` is `euro`",
    ),
    (
        "components:\n",
        "components:\n  - {name: other_one, title: T, log_type: airtable_operation, metrics: []}\n",
        "`crm_sync.log_type` is `airtable_operation`: two components",
    ),
    (
        "components:\n",
        "components:\n  - {name: crm_sync, title: T, log_type: x, metrics: []}\n",
        "`components.name` is `crm_sync`: two components",
    ),
];

#[test]
fn what_breaks_a_rule_is_refused_with_key_value_and_rule() {
    for (from, to, message) in BROKEN_RULES {
        check(&SMALL.replacen(from, to, 1), message);
    }
    let metric = SMALL.split_once("    metrics:\n").unwrap().1;
    check(
        &format!("{SMALL}{metric}"),
        "`crm_sync.rate.name` is `rate`: two metrics of the component",
    );
}

#[test]
fn the_rate_of_an_outcome_is_a_share_without_a_denominator_to_choose() {
    let rate = SMALL.replacen("share(failure)", "'outcome_rate(replied, 14d)'", 1);
    let catalogue = Catalogue::parse(&rate).unwrap();
    let (_, metric) = catalogue.metric("crm_sync.rate").unwrap();
    let outcome = metric.expression.outcome().unwrap();
    assert_eq!(outcome.name, "replied");
    assert_eq!(outcome.horizon.unwrap().hours(), 336);
    assert!(metric.is_share());
    check(
        &(rate + "        split_denominator: all\n"),
        "`crm_sync.rate.split_denominator` is `all`: only share(…) with split_by",
    );
}

#[test]
fn a_covariate_is_a_measure_that_is_known_before_the_decision() {
    let with = |name: &str| {
        let measures = SMALL.replacen(
            "measures: {rows: /output_data/rows}",
            "measures: {rows: /output_data/rows, size: /input_data/lead/size}",
            1,
        );
        format!("{measures}        covariate: {name}\n")
    };
    let catalogue = Catalogue::parse(&with("size")).unwrap();
    let (_, metric) = catalogue.metric("crm_sync.rate").unwrap();
    assert_eq!(metric.covariate.as_deref(), Some("size"));
    for (name, rule) in [
        (
            "rows",
            "must be known before the decision: a measure read from below /input_data",
        ),
        (
            "processing_time",
            "must be one of the component's declared measures",
        ),
        ("operation", "must be one of the component's declared measures"),
    ] {
        check(
            &with(name),
            &format!("`crm_sync.rate.covariate` is `{name}`: {rule}"),
        );
    }
    let count =
        with("size")
            .replacen("share(failure)", "count()", 1)
            .replacen("unit: ratio", "unit: count", 1);
    check(&count, "only a mean(…) or share(…) has a covariate");
}

#[test]
fn what_has_another_shape_is_refused_with_the_path() {
    for (from, to, message) in [
        (
            "split_by: operation",
            "splitby: operation",
            "`components[0].metrics[0].splitby`: components[0].metrics[0]: unknown field `splitby`",
        ),
        (
            "title: CRM sync",
            "titel: CRM sync",
            "`components[0].titel`: components[0]: unknown field `titel`",
        ),
        (
            "direction: lower_is_better",
            "direction: down",
            "`components[0].metrics[0].direction`: components[0].metrics[0].direction: unknown variant `down`",
        ),
        ("        unit: ratio\n", "", "missing field `unit`"),
        (
            "minimum_sample: 30",
            "minimum_sample: many",
            "`components[0].metrics[0].minimum_sample`: components[0].metrics[0].minimum_sample: invalid type",
        ),
        ("version: 1", "version: [", "catalogue key"),
    ] {
        check(&SMALL.replacen(from, to, 1), message);
    }
}

fn check(text: &str, message: &str) {
    let error = Catalogue::parse(text)
        .err()
        .map_or_else(|| "accepted".to_owned(), |error| error.to_string());
    assert!(error.contains(message), "expected {message:?} in {error:?}");
}

#[test]
fn a_missing_file_is_named() {
    let error = Catalogue::load("/nowhere/catalogue.yaml".as_ref()).unwrap_err();
    assert!(
        matches!(&error, CatalogueError::Unreadable { path, .. } if path == "/nowhere/catalogue.yaml"),
        "{error}"
    );
}

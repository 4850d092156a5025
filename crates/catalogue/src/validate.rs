//! The rules a catalogue file must keep.

use std::collections::HashSet;
use std::fmt::Display;

use crate::catalogue::{
    BUILT_IN_DIMENSIONS, BUILT_IN_MEASURES, Component, Direction, Extraction, Metric, SplitDenominator,
};
use crate::expression::{Expression, Measure, is_name};
use crate::file::{CatalogueError, CatalogueFile, ComponentEntry, MetricEntry};

/// Words of the grammar and of the API that no dimension or measure may be called.
const RESERVED: [&str; 4] = ["success", "failure", "success_indicator", "other"];

/// Where an event has what was known before the decision.
const INPUT: &str = "/input_data/";

type Checked<T> = Result<T, CatalogueError>;

fn invalid(key: impl Into<String>, value: impl Display, rule: impl Into<String>) -> CatalogueError {
    CatalogueError::Invalid {
        key: key.into(),
        value: value.to_string(),
        rule: rule.into(),
    }
}

pub(crate) fn components(file: CatalogueFile) -> Checked<Vec<Component>> {
    if file.version != 1 {
        return Err(invalid("version", file.version, "must be 1"));
    }
    if file.components.is_empty() {
        return Err(invalid("components", "[]", "at least one component is needed"));
    }
    let (mut names, mut log_types) = (HashSet::new(), HashSet::new());
    for component in &file.components {
        name("components.name", &component.name)?;
        if !names.insert(&component.name) {
            return Err(invalid(
                "components.name",
                &component.name,
                "two components have this name",
            ));
        }
        let key = format!("{}.log_type", component.name);
        name(&key, &component.log_type)?;
        if !log_types.insert(&component.log_type) {
            return Err(invalid(
                key,
                &component.log_type,
                "two components have this log_type",
            ));
        }
    }
    file.components.into_iter().map(component).collect()
}

fn component(entry: ComponentEntry) -> Checked<Component> {
    let key = |part: &str| format!("{}.{part}", entry.name);
    text(&key("title"), &entry.title)?;
    if let Some(category) = &entry.category {
        name(&key("category"), category)?;
    }
    let dimensions = extractions(&key("dimensions"), entry.dimensions, &BUILT_IN_DIMENSIONS)?;
    let measures = extractions(&key("measures"), entry.measures, &BUILT_IN_MEASURES)?;
    if let Some(both) = measures
        .iter()
        .find(|measure| dimensions.iter().any(|d| d.name == measure.name))
    {
        return Err(invalid(key("measures"), &both.name, "a dimension has this name"));
    }
    if let Some(stated) = &entry.stated_probability
        && !measures.iter().any(|measure| measure.name == stated.measure)
    {
        return Err(invalid(
            key("stated_probability.measure"),
            &stated.measure,
            "must be one of the component's declared measures",
        ));
    }
    let mut component = Component {
        dimensions,
        measures,
        stated_probability: entry.stated_probability,
        metrics: Vec::new(),
        category: entry.category.unwrap_or_else(|| entry.name.clone()),
        name: entry.name,
        title: entry.title,
        log_type: entry.log_type,
    };
    for entry in entry.metrics {
        let metric = metric(&component, entry)?;
        component.metrics.push(metric);
    }
    Ok(component)
}

fn extractions(key: &str, pairs: Vec<(String, String)>, built_in: &[&str]) -> Checked<Vec<Extraction>> {
    let mut names = HashSet::new();
    for (extraction, pointer) in &pairs {
        name(key, extraction)?;
        if built_in.contains(&extraction.as_str()) {
            return Err(invalid(
                key,
                extraction,
                "every component has this one, it cannot be declared",
            ));
        }
        if RESERVED.contains(&extraction.as_str()) {
            return Err(invalid(key, extraction, "the name is reserved"));
        }
        if !names.insert(extraction) {
            return Err(invalid(key, extraction, "declared twice"));
        }
        self::pointer(&format!("{key}.{extraction}"), pointer)?;
    }
    Ok(pairs
        .into_iter()
        .map(|(name, pointer)| Extraction { name, pointer })
        .collect())
}

fn pointer(key: &str, pointer: &str) -> Checked<()> {
    let escapes_are_whole = pointer
        .split('~')
        .skip(1)
        .all(|rest| rest.starts_with(['0', '1']));
    if !pointer.starts_with('/') || !escapes_are_whole {
        return Err(invalid(
            key,
            pointer,
            "must be a JSON pointer (RFC 6901) such as /input_data/model",
        ));
    }
    if pointer == "/lead_identifier" || pointer == "/lead_identifier/name" {
        return Err(invalid(
            key,
            pointer,
            "a lead's name is personal data and cannot be a dimension or measure",
        ));
    }
    Ok(())
}

fn metric(component: &Component, entry: MetricEntry) -> Checked<Metric> {
    name(&format!("{}.metrics.name", component.name), &entry.name)?;
    let key = |part: &str| format!("{}.{}.{part}", component.name, entry.name);
    if component.metrics.iter().any(|metric| metric.name == entry.name) {
        return Err(invalid(
            key("name"),
            &entry.name,
            "two metrics of the component have this name",
        ));
    }
    text(&key("title"), &entry.title)?;
    text(&key("description"), &entry.description)?;
    name(&key("unit"), &entry.unit)?;
    if entry.minimum_sample == 0 {
        return Err(invalid(key("minimum_sample"), 0, "must be at least 1"));
    }
    let expression = (entry.expression.parse::<Expression>())
        .map_err(|error| invalid(key("expression"), &entry.expression, error.to_string()))?;
    let metric = Metric {
        expression,
        split_denominator: entry.split_denominator.unwrap_or_default(),
        name: entry.name.clone(),
        title: entry.title,
        description: entry.description,
        unit: entry.unit,
        direction: entry.direction,
        minimum_sample: entry.minimum_sample,
        split_by: entry.split_by,
        thresholds: entry.thresholds,
        value_per_unit: entry.value_per_unit,
        covariate: entry.covariate,
    };
    references(component, &metric, &key)?;
    covariate(component, &metric, &key)?;
    units(&metric, &key)?;
    Ok(metric)
}

/// What the metric refers to must be there.
fn references(component: &Component, metric: &Metric, key: &dyn Fn(&str) -> String) -> Checked<()> {
    let expression = &metric.expression;
    if let Expression::Quantile(measure, _) = expression
        && *measure != Measure::ProcessingTime
    {
        let rule =
            "a quantile can only be taken of processing_time: the rollup keeps no distribution of the others";
        return Err(invalid(key("expression"), expression, rule));
    }
    if let Expression::Sum(Measure::Declared(name)) | Expression::Mean(Measure::Declared(name)) = expression
        && !component.measure_names().any(|measure| measure == name)
    {
        let known: Vec<_> = component.measure_names().collect();
        let rule = format!(
            "`{name}` is not a measure of the component; it has {}",
            known.join(", ")
        );
        return Err(invalid(key("expression"), expression, rule));
    }
    let dimensions = [
        ("expression", metric.expression_dimension()),
        ("split_by", metric.split_by.as_deref()),
    ];
    for (part, dimension) in dimensions {
        if let Some(dimension) = dimension.filter(|dimension| !component.has_dimension(dimension)) {
            let known: Vec<_> = component.dimension_names().collect();
            let rule = format!("not a dimension of the component; it has {}", known.join(", "));
            return Err(invalid(key(part), dimension, rule));
        }
    }
    let has_denominator = metric.split_by.is_some() && matches!(expression, Expression::Share(_));
    if metric.split_denominator == SplitDenominator::All && !has_denominator {
        return Err(invalid(
            key("split_denominator"),
            "all",
            "only share(…) with split_by has a denominator to choose",
        ));
    }
    Ok(())
}

/// A covariate must be known before the decision, or the change could have made it what it is.
fn covariate(component: &Component, metric: &Metric, key: &dyn Fn(&str) -> String) -> Checked<()> {
    let Some(name) = &metric.covariate else {
        return Ok(());
    };
    let wrong = |rule: &str| Err(invalid(key("covariate"), name, rule));
    if !matches!(metric.expression, Expression::Mean(_) | Expression::Share(_)) {
        return wrong("only a mean(…) or share(…) has a covariate");
    }
    match component.measures.iter().find(|measure| measure.name == *name) {
        None => wrong("must be one of the component's declared measures"),
        Some(measure) if !measure.pointer.starts_with(INPUT) => {
            wrong("must be known before the decision: a measure read from below /input_data")
        }
        Some(_) => Ok(()),
    }
}

/// Units, thresholds and values must fit the expression and the direction.
fn units(metric: &Metric, key: &dyn Fn(&str) -> String) -> Checked<()> {
    if metric.is_share() != (metric.unit == "ratio") {
        return Err(invalid(
            key("unit"),
            &metric.unit,
            "a share, and only a share, has the unit ratio",
        ));
    }
    if let Some(thresholds) = metric.thresholds {
        for (part, value) in [("warning", thresholds.warning), ("critical", thresholds.critical)] {
            if !value.is_finite() || (metric.is_share() && !(0.0..=1.0).contains(&value)) {
                let range = if metric.is_share() {
                    "a number from 0 to 1"
                } else {
                    "a finite number"
                };
                return Err(invalid(
                    key(&format!("thresholds.{part}")),
                    value,
                    format!("must be {range}"),
                ));
            }
        }
        let (ordered, rule) = match metric.direction {
            Direction::HigherIsBetter => (thresholds.critical < thresholds.warning, "below"),
            Direction::LowerIsBetter => (thresholds.critical > thresholds.warning, "above"),
        };
        if !ordered {
            let rule = format!(
                "must be {rule} warning ({}), which is reached first",
                thresholds.warning
            );
            return Err(invalid(key("thresholds.critical"), thresholds.critical, rule));
        }
    }
    if let Some(value) = &metric.value_per_unit {
        if !value.amount.is_finite() || value.amount < 0.0 {
            return Err(invalid(
                key("value_per_unit.amount"),
                value.amount,
                "must be a finite number, at least 0",
            ));
        }
        if value.currency.len() != 3 || !value.currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(invalid(
                key("value_per_unit.currency"),
                &value.currency,
                "must be an ISO 4217 code such as EUR",
            ));
        }
    }
    Ok(())
}

fn name(key: &str, value: &str) -> Checked<()> {
    if is_name(value) {
        return Ok(());
    }
    Err(invalid(
        key,
        value,
        "must be lower-case letters, digits and `_`, beginning with a letter, at most 64",
    ))
}

fn text(key: &str, value: &str) -> Checked<()> {
    if value.trim().is_empty() {
        Err(invalid(key, value, "must not be empty"))
    } else {
        Ok(())
    }
}

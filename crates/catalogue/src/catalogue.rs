use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::expression::{Condition, Expression};
use crate::file::{self, CatalogueError};
use crate::validate;

/// Dimensions every component has.
pub const BUILT_IN_DIMENSIONS: [&str; 3] = ["method_used", CONFIDENCE, "industry"];
/// Of these, the one that says how sure the system was.
const CONFIDENCE: &str = "confidence_level";
/// Measures every component has: seconds, and a score from 0 to 100.
pub const BUILT_IN_MEASURES: [&str; 2] = ["processing_time", "quality_score"];

/// What Kaizen measures: a valid catalogue file.
#[derive(Debug, Clone, PartialEq)]
pub struct Catalogue {
    components: Vec<Component>,
}

/// One kind of decision and what is measured of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    /// Unique name, for example `lead_enrichment`.
    pub name: String,
    /// Title for people.
    pub title: String,
    /// The `log_type` of the component's decisions; no two components share one.
    pub log_type: String,
    /// What recommendations about it are filed under; its name when the file says none.
    pub category: String,
    /// Dimensions read out of each event, besides [`BUILT_IN_DIMENSIONS`].
    pub dimensions: Vec<Extraction>,
    /// Numbers read out of each event, besides [`BUILT_IN_MEASURES`].
    pub measures: Vec<Extraction>,
    /// Where its decisions state how likely they are to come true, if they do.
    pub stated_probability: Option<StatedProbability>,
    /// Metrics, in the order of the file.
    pub metrics: Vec<Metric>,
}

/// Where decisions state how likely they are to come true.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatedProbability {
    /// A declared measure: a probability from 0 to 1.
    pub measure: String,
    /// What it is the probability of.
    pub of: StatedOf,
}

/// What a stated probability is one of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatedOf {
    /// The decision is carried out without failure.
    Success,
    /// The decision reaches its aim, as its label says.
    SuccessIndicator,
}

/// A named value to read out of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extraction {
    /// Name of the dimension or measure.
    pub name: String,
    /// Where it stands in the event: an RFC 6901 JSON pointer such as `/input_data/model`.
    pub pointer: String,
}

/// One thing that is measured of a component.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// Name, unique within the component.
    pub name: String,
    /// Title for people.
    pub title: String,
    /// What the metric means, in a sentence.
    pub description: String,
    /// What is computed.
    pub expression: Expression,
    /// Unit of the value: `ratio` (0 to 1), `seconds`, `count`, `score` (0 to 100), or another of the file's choice.
    pub unit: String,
    /// Which way is better.
    pub direction: Direction,
    /// Number of decisions, at least 1, below which a value is thin.
    pub minimum_sample: u64,
    /// Dimension the metric is broken down by on its own page and in reports.
    pub split_by: Option<String>,
    /// What a share is taken of when the metric is broken down by `split_by`.
    pub split_denominator: SplitDenominator,
    /// Values at which the metric's health is in doubt.
    pub thresholds: Option<Thresholds>,
    /// What one unit of the metric is worth.
    pub value_per_unit: Option<ValuePerUnit>,
    /// A declared measure that is known before the decision and tells something of the metric's value: where an experiment deals
    /// a change, its effect is measured less what this tells.
    pub covariate: Option<String>,
}

/// Which way of a metric is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// More is better.
    HigherIsBetter,
    /// Less is better.
    LowerIsBetter,
}

/// The denominator of a share that is broken down by its `split_by` dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitDenominator {
    /// The group's own decisions: how good is each group? Shares of different groups are independent.
    #[default]
    Group,
    /// All decisions of the component: how much does each group contribute? Shares of the groups add up to the whole.
    All,
}

/// Values at which the metric's health is in doubt, in the metric's unit, on the worse side of normal.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// Needs attention from here on.
    pub warning: f64,
    /// Critical from here on; worse than `warning` in the metric's direction.
    pub critical: f64,
}

/// What one unit of the metric is worth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValuePerUnit {
    /// Amount, at least 0.
    pub amount: f64,
    /// ISO 4217 code, for example `EUR`.
    pub currency: String,
}

impl Catalogue {
    /// Reads and checks the file at `path`.
    ///
    /// # Errors
    /// When the file cannot be read, is no YAML of the catalogue's shape, or breaks one of its rules.
    pub fn load(path: &Path) -> Result<Self, CatalogueError> {
        let text = std::fs::read_to_string(path).map_err(|source| CatalogueError::Unreadable {
            path: path.display().to_string(),
            source,
        })?;
        Self::parse(&text)
    }

    /// Reads and checks a catalogue given as YAML.
    ///
    /// # Errors
    /// When the text is no YAML of the catalogue's shape, or breaks one of its rules.
    pub fn parse(text: &str) -> Result<Self, CatalogueError> {
        let components = validate::components(file::parse(text)?)?;
        Ok(Self { components })
    }

    /// The components, in the order of the file.
    pub fn components(&self) -> &[Component] {
        &self.components
    }

    /// The component of that name.
    pub fn component(&self, name: &str) -> Option<&Component> {
        self.components.iter().find(|component| component.name == name)
    }

    /// The component whose decisions have this `log_type`.
    pub fn component_of(&self, log_type: &str) -> Option<&Component> {
        self.components
            .iter()
            .find(|component| component.log_type == log_type)
    }

    /// The metric of that full name, `COMPONENT.METRIC`.
    pub fn metric(&self, full_name: &str) -> Option<(&Component, &Metric)> {
        let (component, metric) = full_name.split_once('.')?;
        let component = self.component(component)?;
        Some((
            component,
            component
                .metrics
                .iter()
                .find(|candidate| candidate.name == metric)?,
        ))
    }
}

impl Component {
    /// Names of all dimensions, built-in ones first.
    pub fn dimension_names(&self) -> impl Iterator<Item = &str> {
        BUILT_IN_DIMENSIONS
            .into_iter()
            .chain(self.dimensions.iter().map(|dimension| dimension.name.as_str()))
    }

    /// Names of the dimensions that may be why one of the component's metrics changed: all but the one that it counts, those
    /// that only the result gives a value, as the kind of a failure, and the stated confidence. Whatever makes a slice worse
    /// makes it less sure too; among decisions that are as sure nothing seems to have changed.
    pub fn explaining<'a>(&'a self, metric: &'a Metric) -> impl Iterator<Item = &'a str> {
        let of_the_result = |name: &str| {
            let mut metrics = self.metrics.iter();
            metrics.any(|it| {
                it.split_denominator == SplitDenominator::All && it.split_by.as_deref() == Some(name)
            })
        };
        let counted = metric.expression_dimension();
        let names = self.dimension_names();
        names.filter(move |name| Some(*name) != counted && *name != CONFIDENCE && !of_the_result(name))
    }

    /// Names of all measures, built-in ones first.
    pub fn measure_names(&self) -> impl Iterator<Item = &str> {
        BUILT_IN_MEASURES
            .into_iter()
            .chain(self.measures.iter().map(|measure| measure.name.as_str()))
    }

    /// Whether the component has a dimension of that name.
    pub fn has_dimension(&self, name: &str) -> bool {
        self.dimension_names().any(|dimension| dimension == name)
    }

    /// The full name of one of the component's metrics, `COMPONENT.METRIC`.
    pub fn full_name(&self, metric: &Metric) -> String {
        format!("{}.{}", self.name, metric.name)
    }
}

impl Metric {
    /// Whether the expression is a share, which lies between 0 and 1.
    pub fn is_share(&self) -> bool {
        matches!(self.expression, Expression::Share(_) | Expression::OutcomeRate(_))
    }

    /// The dimension the expression itself refers to, if any.
    pub fn expression_dimension(&self) -> Option<&str> {
        match &self.expression {
            Expression::Share(Condition::Dimension { dimension, .. }) | Expression::Distinct(dimension) => {
                Some(dimension)
            }
            _ => None,
        }
    }
}

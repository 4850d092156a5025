//! The metric catalogue: components, their metrics, and the dimensions and measures they declare, read from one YAML
//! file. A [`Catalogue`] that exists is valid: every name is unique, every expression refers to something that is
//! there, every pointer can be followed. What is wrong is refused with the key, the value and the rule.

mod catalogue;
mod expression;
mod file;
mod outcome;
mod validate;

pub use catalogue::{
    BUILT_IN_DIMENSIONS, BUILT_IN_MEASURES, Catalogue, Component, Direction, Extraction, Metric,
    SplitDenominator, StatedOf, StatedProbability, Thresholds, ValuePerUnit,
};
pub use expression::{Condition, Expression, ExpressionError, Measure};
pub use file::CatalogueError;
pub use outcome::{Horizon, Outcome};

//! The grammar of a metric's `expression`:
//!
//! ```text
//! expression = "count()" | "sum(" M ")" | "mean(" M ")" | "quantile(" M "," q ")" | "share(" condition ")"
//!            | "distinct(" DIMENSION ")"
//!            | "outcome_count(" NAME [ "," horizon ] ")" | "outcome_rate(" NAME "," horizon ")"
//!            | "outcome_value(" NAME [ "," CURRENCY ] [ "," horizon ] ")"
//! condition  = "success" | "failure" | "success_indicator" | DIMENSION "=" VALUE
//! horizon    = number ( "d" | "h" )
//! ```

use std::fmt;
use std::str::FromStr;

use crate::outcome::{self, Outcome};

/// What a metric computes from the decisions of a span.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// Number of decisions.
    Count,
    /// Sum of a measure over the decisions that have it.
    Sum(Measure),
    /// Mean of a measure over the decisions that have it.
    Mean(Measure),
    /// Quantile of a measure, at a level strictly between 0 and 1.
    Quantile(Measure, f64),
    /// Share of decisions that satisfy a condition.
    Share(Condition),
    /// Number of different values of a dimension that the decisions have.
    Distinct(String),
    /// Number of outcomes of the decisions.
    OutcomeCount(Outcome),
    /// Share of decisions that have the outcome at least once within its horizon.
    OutcomeRate(Outcome),
    /// Sum of the values of the decisions' outcomes in one currency, or of those that name none.
    OutcomeValue(Outcome, Option<String>),
}

impl Expression {
    /// The outcomes it counts. Each is attributed to the last decision of the component in its session at or before it, and
    /// counts at that decision's time. With a horizon a decision counts when that has passed, and not before.
    pub fn outcome(&self) -> Option<&Outcome> {
        match self {
            Self::OutcomeCount(outcome) | Self::OutcomeRate(outcome) | Self::OutcomeValue(outcome, _) => {
                Some(outcome)
            }
            Self::Count
            | Self::Sum(_)
            | Self::Mean(_)
            | Self::Quantile(..)
            | Self::Share(_)
            | Self::Distinct(_) => None,
        }
    }
}

/// A number a decision may carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Measure {
    /// Time the decision took, in seconds.
    ProcessingTime,
    /// Quality of the output, 0 to 100.
    QualityScore,
    /// A measure the component declares.
    Declared(String),
}

/// What a decision must be to count into the numerator of a share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Carried out without failure; the denominator is all decisions.
    Success,
    /// Failed; the denominator is all decisions.
    Failure,
    /// Reached its aim; the denominator is the decisions labelled either way.
    SuccessIndicator,
    /// Has this value of a dimension; the denominator is all decisions.
    Dimension {
        /// Name of the dimension.
        dimension: String,
        /// Value it must have.
        value: String,
    },
}

/// Why a text is no expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ExpressionError(pub(crate) String);

const FORMS: &str = "expected count(), sum(M), mean(M), quantile(M, q), share(success), share(failure), \
                     share(success_indicator), share(DIMENSION = VALUE), distinct(DIMENSION), outcome_count(NAME, HORIZON), \
                     outcome_rate(NAME, HORIZON) or outcome_value(NAME, CURRENCY, HORIZON)";

impl FromStr for Expression {
    type Err = ExpressionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || ExpressionError(FORMS.to_owned());
        let (function, rest) = text.trim().split_once('(').ok_or_else(malformed)?;
        let argument = rest.strip_suffix(')').ok_or_else(malformed)?.trim();
        let function = function.trim_end();
        match function {
            "count" if argument.is_empty() => Ok(Self::Count),
            "count" => Err(ExpressionError("count() takes no argument".to_owned())),
            "sum" => Ok(Self::Sum(argument.parse()?)),
            "mean" => Ok(Self::Mean(argument.parse()?)),
            "quantile" => quantile(argument),
            "share" => Ok(Self::Share(argument.parse()?)),
            "distinct" if is_name(argument) => Ok(Self::Distinct(argument.to_owned())),
            "distinct" => Err(ExpressionError(format!(
                "`{argument}` is not the name of a dimension"
            ))),
            "outcome_count" => Ok(Self::OutcomeCount(
                outcome::arguments(function, argument, false)?.0,
            )),
            "outcome_rate" => match outcome::arguments(function, argument, false)?.0 {
                Outcome { horizon: None, .. } => Err(ExpressionError(
                    "outcome_rate needs a horizon, or the latest decisions would always look worst: \
                     outcome_rate(replied, 14d)"
                        .to_owned(),
                )),
                outcome => Ok(Self::OutcomeRate(outcome)),
            },
            "outcome_value" => {
                let (outcome, currency) = outcome::arguments(function, argument, true)?;
                Ok(Self::OutcomeValue(outcome, currency))
            }
            _ => Err(malformed()),
        }
    }
}

fn quantile(argument: &str) -> Result<Expression, ExpressionError> {
    let (measure, level) = argument
        .split_once(',')
        .ok_or_else(|| ExpressionError("quantile takes a measure and a level: quantile(M, q)".to_owned()))?;
    let level: f64 = level
        .trim()
        .parse()
        .ok()
        .filter(|level| *level > 0.0 && *level < 1.0)
        .ok_or_else(|| {
            ExpressionError(format!(
                "quantile level `{}` must be between 0 and 1",
                level.trim()
            ))
        })?;
    Ok(Expression::Quantile(measure.trim().parse()?, level))
}

impl FromStr for Measure {
    type Err = ExpressionError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "processing_time" => Ok(Self::ProcessingTime),
            "quality_score" => Ok(Self::QualityScore),
            _ if is_name(name) => Ok(Self::Declared(name.to_owned())),
            _ => Err(ExpressionError(format!("`{name}` is not the name of a measure"))),
        }
    }
}

impl FromStr for Condition {
    type Err = ExpressionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "success" => return Ok(Self::Success),
            "failure" => return Ok(Self::Failure),
            "success_indicator" => return Ok(Self::SuccessIndicator),
            _ => {}
        }
        let (dimension, value) = text
            .split_once('=')
            .ok_or_else(|| ExpressionError(FORMS.to_owned()))?;
        let (dimension, value) = (dimension.trim(), value.trim());
        if !is_name(dimension) {
            return Err(ExpressionError(format!(
                "`{dimension}` is not the name of a dimension"
            )));
        }
        if value.is_empty() {
            return Err(ExpressionError(format!("share({dimension} = …) needs a value")));
        }
        Ok(Self::Dimension {
            dimension: dimension.to_owned(),
            value: value.to_owned(),
        })
    }
}

/// Names of components, metrics, dimensions, measures and log types: lower-case words joined by `_`, at most 64 bytes.
pub(crate) fn is_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ProcessingTime => "processing_time",
            Self::QualityScore => "quality_score",
            Self::Declared(name) => name,
        })
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Success => f.write_str("success"),
            Self::Failure => f.write_str("failure"),
            Self::SuccessIndicator => f.write_str("success_indicator"),
            Self::Dimension { dimension, value } => write!(f, "{dimension} = {value}"),
        }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count => f.write_str("count()"),
            Self::Sum(measure) => write!(f, "sum({measure})"),
            Self::Mean(measure) => write!(f, "mean({measure})"),
            Self::Quantile(measure, level) => write!(f, "quantile({measure}, {level})"),
            Self::Share(condition) => write!(f, "share({condition})"),
            Self::Distinct(dimension) => write!(f, "distinct({dimension})"),
            Self::OutcomeCount(outcome) => write!(f, "outcome_count({outcome})"),
            Self::OutcomeRate(outcome) => write!(f, "outcome_rate({outcome})"),
            Self::OutcomeValue(Outcome { name, horizon }, currency) => {
                write!(f, "outcome_value({name}")?;
                currency
                    .iter()
                    .try_for_each(|currency| write!(f, ", {currency}"))?;
                horizon.iter().try_for_each(|horizon| write!(f, ", {horizon}"))?;
                f.write_str(")")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn measure() -> impl Strategy<Value = Measure> {
        "[a-z][a-z0-9_]{0,20}".prop_map(|name| name.parse().unwrap())
    }

    fn outcome(with_horizon: bool) -> impl Strategy<Value = Outcome> {
        let horizon = (1..8784_u32).prop_map(|hours| format!("{hours}h").parse().ok());
        let horizon = (horizon, any::<bool>()).prop_map(move |(h, any)| h.filter(|_| any || with_horizon));
        ("[a-zA-Z0-9()=][ a-zA-Z0-9()=]{0,10}[a-zA-Z0-9()=]", horizon)
            .prop_map(|(name, horizon)| Outcome { name, horizon })
    }

    fn expression() -> impl Strategy<Value = Expression> {
        prop_oneof![
            Just(Expression::Count),
            measure().prop_map(Expression::Sum),
            measure().prop_map(Expression::Mean),
            (measure(), 0.0001..0.9999f64).prop_map(|(m, q)| Expression::Quantile(m, q)),
            outcome(true).prop_map(Expression::OutcomeRate),
            outcome(false).prop_map(Expression::OutcomeCount),
            (outcome(false), prop::option::of("[A-Z]{3}"))
                .prop_map(|(outcome, currency)| Expression::OutcomeValue(outcome, currency)),
            Just(Expression::Share(Condition::Success)),
            Just(Expression::Share(Condition::Failure)),
            Just(Expression::Share(Condition::SuccessIndicator)),
            "[a-z][a-z0-9_]{0,20}".prop_map(Expression::Distinct),
            (
                "[a-z][a-z0-9_]{0,20}",
                "[a-zA-Z0-9()=,][ a-zA-Z0-9()=,]{0,10}[a-zA-Z0-9()=,]"
            )
                .prop_map(|(dimension, value)| Expression::Share(Condition::Dimension { dimension, value })),
        ]
    }

    proptest! {
        #[test]
        fn an_expression_printed_and_parsed_is_itself(expression in expression()) {
            prop_assert_eq!(expression.to_string().parse::<Expression>(), Ok(expression));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,80}") {
            let _ = text.parse::<Expression>();
        }
    }

    #[test]
    fn spaces_do_not_matter() {
        let tight: Expression = "quantile(processing_time,0.95)".parse().unwrap();
        assert_eq!(
            " quantile ( processing_time , 0.95 ) "
                .parse::<Expression>()
                .unwrap(),
            tight
        );
    }

    #[test]
    fn malformed_expressions_are_refused_with_the_reason() {
        for (text, reason) in [
            ("", "expected count()"),
            ("count", "expected count()"),
            ("count(x)", "no argument"),
            ("sum()", "not the name of a measure"),
            ("sum(Tokens)", "`Tokens` is not the name"),
            ("median(tokens)", "expected count()"),
            ("quantile(processing_time)", "a measure and a level"),
            ("quantile(processing_time, 0)", "`0` must be between 0 and 1"),
            ("quantile(processing_time, 1)", "`1` must be between 0 and 1"),
            ("quantile(processing_time, NaN)", "`NaN` must be between 0 and 1"),
            ("quantile(processing_time, p95)", "`p95` must be between 0 and 1"),
            ("share()", "expected count()"),
            ("share(approved)", "expected count()"),
            ("share(model =)", "needs a value"),
            ("share(= x)", "`` is not the name of a dimension"),
            ("distinct(a b)", "`a b` is not the name of a dimension"),
            ("mean(a) + 1", "expected count()"),
            (
                "outcome_count()",
                "needs the name of an outcome: outcome_count(replied",
            ),
            ("outcome_rate(replied)", "outcome_rate needs a horizon"),
            (
                "outcome_rate(replied, 2w)",
                "`2w` is no horizon: whole days or hours",
            ),
            ("outcome_rate(replied, +2d)", "`+2d` is no horizon"),
            ("outcome_count(replied, 367d)", "`367d` is no horizon"),
            ("outcome_count(deal, EUR)", "`EUR` is no horizon"),
            ("outcome_value(deal, euro)", "`euro` is no horizon"),
            (
                "outcome_value(deal, EUR, 14d, 1)",
                "takes at most NAME, CURRENCY, HORIZON",
            ),
        ] {
            let error = text.parse::<Expression>().expect_err(text).to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}

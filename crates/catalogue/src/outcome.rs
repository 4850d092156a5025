//! The outcomes that an expression counts: a name, and how long after its decision one still belongs to it.

use std::fmt;
use std::str::FromStr;

use crate::expression::ExpressionError;

/// Outcomes of decisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What happened, as events write it.
    pub name: String,
    /// How long after its decision; `None` for however long.
    pub horizon: Option<Horizon>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.horizon
            .iter()
            .try_for_each(|horizon| write!(f, ", {horizon}"))
    }
}

/// A time after a decision: whole hours, 1 to 8,784 (366 days).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Horizon(u32);

const LONGEST: u32 = 366 * 24;

impl Horizon {
    /// Its hours.
    pub const fn hours(self) -> u32 {
        self.0
    }
}

impl FromStr for Horizon {
    type Err = ExpressionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hours = |digits: &str, unit: u32| digits.parse::<u32>().ok()?.checked_mul(unit);
        let hours = match (text.strip_suffix('d'), text.strip_suffix('h')) {
            (Some(days), _) => hours(days, 24),
            (_, Some(number)) => hours(number, 1),
            _ => None,
        };
        let legal = hours.filter(|hours| (1..=LONGEST).contains(hours) && !text.starts_with('+'));
        legal.map(Self).ok_or_else(|| {
            ExpressionError(format!(
                "`{text}` is no horizon: whole days or hours such as 14d or 36h, at most 366d"
            ))
        })
    }
}

impl fmt::Display for Horizon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            hours if hours.is_multiple_of(24) => write!(f, "{}d", hours / 24),
            hours => write!(f, "{hours}h"),
        }
    }
}

/// Reads `NAME [, CURRENCY] [, HORIZON]`; whether there may be a currency depends on the function.
pub(crate) fn arguments(
    function: &str,
    text: &str,
    takes_currency: bool,
) -> Result<(Outcome, Option<String>), ExpressionError> {
    let mut parts = text.split(',').map(str::trim).peekable();
    let name = parts.next().unwrap_or_default();
    if name.is_empty() {
        let example = format!("{function} needs the name of an outcome: {function}(replied, 14d)");
        return Err(ExpressionError(example));
    }
    let is_currency = |code: &&str| code.len() == 3 && code.bytes().all(|letter| letter.is_ascii_uppercase());
    let currency = parts.next_if(|code| takes_currency && is_currency(code));
    let horizon = parts.next().map(str::parse).transpose()?;
    if parts.next().is_some() {
        let forms = if takes_currency {
            "NAME, CURRENCY, HORIZON"
        } else {
            "NAME, HORIZON"
        };
        return Err(ExpressionError(format!("{function} takes at most {forms}")));
    }
    let outcome = Outcome {
        name: name.to_owned(),
        horizon,
    };
    Ok((outcome, currency.map(str::to_owned)))
}

//! What a measured effect returns.

use kaizen_api::tracker::v1::Return;
use kaizen_catalogue::{Direction, Expression, ValuePerUnit};
use kaizen_findings::Costs;
use kaizen_stats::{Economics, Investment, Uncertain, roi};

use super::Asked;
use super::estimate::estimate;
use super::series::is_number;

const WEEK: f64 = 7.0;

/// What the caller says otherwise than ticket, catalogue and configuration.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Terms {
    /// Days over which benefit and running cost are counted.
    pub days: Option<f64>,
    /// Hours of work.
    pub hours: Option<f64>,
    /// What one unit of the metric is worth, in the currency of the costs.
    pub unit_value: Option<f64>,
}

/// The return on an effect in the metric's own direction, when a day has `decisions_a_day` decisions that it is on.
///
/// # Errors
/// Why it is not computed, in words.
pub fn of_effect(
    asked: &Asked<'_>,
    costs: &Costs,
    terms: Terms,
    effect: &Uncertain,
    decisions_a_day: f64,
) -> Result<Return, String> {
    let unit_value = unit_value(asked, costs, terms)?;
    let days = terms.days.unwrap_or(costs.horizon_weeks * WEEK);
    let volume = match asked.metric.expression {
        Expression::Quantile(..) | Expression::Distinct(_) => {
            return Err("a quantile or a number of different values is worth nothing a decision".to_owned());
        }
        ref expression if is_number(expression) => days,
        _ => decisions_a_day * days,
    };
    let told = terms.hours.or(asked.change.hours);
    let forecast = asked.frozen.as_ref().map(|it| it.recommendation.effort_hours);
    let hours = told
        .or(forecast)
        .ok_or_else(|| "nobody said how many hours the work took".to_owned())?;
    let running = asked.change.running_cost_per_day * days;
    let investment = Investment {
        hours,
        rate: costs.hour,
        running,
    };
    let found = roi(
        effect,
        &Economics {
            volume: Uncertain::Known(volume),
            unit_value: Some(Uncertain::Known(unit_value)),
            investment,
            days,
        },
    );
    let found = found.ok_or_else(|| "nobody said what a unit of the metric is worth".to_owned())?;
    let around = |value: f64, by: f64| estimate(value, (found.interval.0 + by, found.interval.1 + by));
    Ok(Return {
        currency: costs.currency.clone(),
        days,
        net: Some(around(found.net, 0.0)),
        probability_above_zero: found.p_positive,
        gain: found.gain,
        detectable: found.detectable,
        benefit: Some(around(found.benefit, found.cost)),
        cost: found.cost,
        hours,
        hours_forecast: told.is_none(),
        hourly_rate: costs.hour,
        running_cost: running,
        volume,
        unit_value,
        roi: found.ratio,
        payback_days: found.payback_days,
    })
}

/// What one unit of the metric on one unit of volume is worth, in the currency of the costs.
fn unit_value(asked: &Asked<'_>, costs: &Costs, terms: Terms) -> Result<f64, String> {
    match (terms.unit_value, &asked.metric.value_per_unit) {
        (Some(value), _) => Ok(value),
        (None, None) => Err("nobody said what a unit of the metric is worth".to_owned()),
        (None, Some(ValuePerUnit { amount, currency })) if *currency == costs.currency => Ok(*amount),
        (None, Some(ValuePerUnit { currency, .. })) => Err(format!(
            "the metric is worth something in {currency}, the work costs {}",
            costs.currency
        )),
    }
}

/// 1 where more is better, -1 where less is.
pub fn sign(asked: &Asked<'_>) -> f64 {
    match asked.metric.direction {
        Direction::HigherIsBetter => 1.0,
        Direction::LowerIsBetter => -1.0,
    }
}

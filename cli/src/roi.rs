//! `kaizen roi`: what a ticket returned, or all of them.

mod cumulative;
mod one;

use clap::Args;
use kaizen_api::tracker::v1::{GetCumulativeRoiRequest, GetRoiRequest};

use crate::connection::{Connection, refused};
use crate::output::{Output, count};

pub use one::{as_json, lines};

/// Of what, and on what terms.
#[derive(Debug, Args)]
pub struct Roi {
    /// Ticket, such as T-17; all that were measured when absent
    id: Option<String>,
    /// Hours of work, instead of the ticket's
    #[arg(long, value_name = "HOURS", requires = "id")]
    hours: Option<f64>,
    /// What one unit of the metric is worth, instead of the catalogue's, in the currency of the configuration
    #[arg(long, value_name = "AMOUNT", requires = "id", allow_negative_numbers = true)]
    unit_value: Option<f64>,
    /// Days over which benefit and running cost are counted, 1 to 3650; the horizon of the configuration when absent
    #[arg(long, value_name = "DAYS", requires = "id", value_parser = days)]
    days: Option<f64>,
    /// Only tickets of this category, such as enrichment
    #[arg(long, default_value = "", hide_default_value = true, conflicts_with = "id")]
    category: String,
}

fn days(text: &str) -> Result<f64, String> {
    let days = text.parse().map_err(|_| "must be a number".to_owned())?;
    if (1.0..=3650.0).contains(&days) {
        Ok(days)
    } else {
        Err("must be 1 to 3650".to_owned())
    }
}

/// Runs it.
pub async fn run(roi: &Roi, connection: &Connection, output: Output) -> anyhow::Result<()> {
    let mut client = connection.tracker().await?;
    let Some(id) = &roi.id else {
        let request = GetCumulativeRoiRequest {
            category: roi.category.clone(),
        };
        let answer = client.get_cumulative_roi(request).await.map_err(refused)?;
        return cumulative::print(&answer.into_inner(), output);
    };
    let request = GetRoiRequest {
        ticket_id: id.clone(),
        days: roi.days.unwrap_or_default(),
        hours: roi.hours,
        unit_value: roi.unit_value,
    };
    let answer = client.get_roi(request).await.map_err(refused)?;
    one::print(id, &answer.into_inner(), output)
}

/// An amount with its sign, its thousands apart, to the whole unit where it is large.
pub fn money(amount: f64, currency: &str) -> String {
    format!("{} {currency}", digits(amount, true))
}

/// The same without the sign of what is above zero.
pub fn price(amount: f64, currency: &str) -> String {
    format!("{} {currency}", digits(amount, false))
}

fn digits(amount: f64, plus: bool) -> String {
    /// From here on, what comes after the point says nothing.
    const LARGE: f64 = 100.0;
    let size = amount.abs();
    let text = if (LARGE..1e15).contains(&size) {
        count(size.round() as u64)
    } else {
        format!("{size:.2}")
    };
    match amount {
        _ if amount < 0.0 => format!("-{text}"),
        _ if plus && amount > 0.0 => format!("+{text}"),
        _ => text,
    }
}

/// An estimate of an amount with its 95 % interval.
fn estimated(of: Option<kaizen_api::analysis::v1::Estimate>, currency: &str) -> String {
    let of = of.unwrap_or_default();
    let ends = of.interval.map(|it| {
        format!(
            " (95 % interval {} … {})",
            digits(it.lower, true),
            digits(it.upper, true)
        )
    });
    format!("{}{}", money(of.value, currency), ends.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_a_sign_and_as_many_digits_as_a_reader_wants() {
        assert_eq!(money(12_345.6, "EUR"), "+12,346 EUR");
        assert_eq!(money(-8.5, "EUR"), "-8.50 EUR");
        assert_eq!(money(0.0, "EUR"), "0.00 EUR");
        assert_eq!(price(640.0, "USD"), "640 USD");
    }

    #[test]
    fn days_beyond_the_limits_are_refused_with_the_rule() {
        assert_eq!(days("84"), Ok(84.0));
        for text in ["0", "3651", "NaN"] {
            assert_eq!(days(text), Err("must be 1 to 3650".to_owned()), "{text}");
        }
        assert_eq!(days("soon"), Err("must be a number".to_owned()));
    }
}

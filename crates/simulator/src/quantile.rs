//! Quantiles by nearest rank over values rounded to three significant digits.

use std::collections::BTreeMap;

use crate::UnrepresentableValue;
use crate::decimal::Decimal;

const LIMIT: f64 = 1e10;
const LIMIT_MICROS: u64 = 10_000_000_000_000_000;
const NANOS: f64 = 1e9;

/// How often each duration occurred, rounded to three significant digits and kept in whole nanoseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quantiles {
    counts: BTreeMap<u64, u64>,
}

impl Quantiles {
    /// Adds one duration in seconds.
    ///
    /// # Errors
    /// Refuses a value that is negative, not finite, or 1e10 and more; the counts are then unchanged.
    pub fn add(&mut self, seconds: f64) -> Result<(), UnrepresentableValue> {
        let nanos = (0.0..LIMIT)
            .contains(&seconds)
            .then(|| three_digits_in_nanos(seconds))
            .flatten()
            .ok_or(UnrepresentableValue(seconds))?;
        *self.counts.entry(nanos).or_default() += 1;
        Ok(())
    }

    /// Adds one duration that was rounded by [`rounded`].
    pub(crate) fn add_nanos(&mut self, nanos: u64) {
        *self.counts.entry(nanos).or_default() += 1;
    }

    /// Durations in nanoseconds and how often each occurred, in ascending order.
    pub fn counts(&self) -> impl Iterator<Item = (u64, u64)> {
        self.counts.iter().map(|(nanos, count)| (*nanos, *count))
    }

    /// Adds all durations of another collection.
    pub fn merge(&mut self, other: &Self) {
        for (nanos, count) in &other.counts {
            *self.counts.entry(*nanos).or_default() += count;
        }
    }

    /// How many durations were added.
    pub fn count(&self) -> u64 {
        self.counts.values().sum()
    }

    /// The duration of rank ⌈q·n⌉ (at least 1), in seconds, for 0 < q < 1; nothing when there are no durations.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        // 0.07 · 100 is a little more than 7 in binary: without the tolerance the rank would be 8.
        let rank = ((q * self.count() as f64 - 1e-9).ceil() as u64).max(1);
        let mut seen = 0;
        self.counts.iter().find_map(|(nanos, count)| {
            seen += count;
            (seen >= rank).then(|| *nanos as f64 / NANOS)
        })
    }
}

/// `1.2345` → `1_230_000_000`. Digits below a nanosecond are cut, as a decimal of nine places cuts them.
fn three_digits_in_nanos(seconds: f64) -> Option<u64> {
    let scientific = format!("{seconds:.2e}");
    let (mantissa, exponent) = scientific.split_once('e')?;
    let hundredths: u64 = mantissa.replace('.', "").parse().ok()?;
    let shift = exponent.parse::<i32>().ok()? - 2 + 9;
    let scale = 10_u64.checked_pow(shift.unsigned_abs());
    if shift >= 0 {
        hundredths.checked_mul(scale?)
    } else {
        Some(scale.map_or(0, |scale| hundredths / scale))
    }
}

/// A duration in seconds, to three significant digits, in nanoseconds; nothing when it is none that [`Quantiles::add`] takes.
pub(crate) fn rounded(seconds: Decimal) -> Option<u64> {
    let micros = u64::try_from(seconds.micros()).ok()?;
    if micros >= LIMIT_MICROS {
        return None;
    }
    let mut unit = 1;
    while micros / unit >= 1000 {
        unit *= 10;
    }
    let (whole, rest) = (micros / unit, micros % unit);
    match (rest * 2).cmp(&unit) {
        std::cmp::Ordering::Less => Some(whole * unit * 1000),
        std::cmp::Ordering::Greater => Some((whole + 1) * unit * 1000),
        // In binary a half may be a little more or less: its digits tell.
        std::cmp::Ordering::Equal => three_digits_in_nanos(seconds.value()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_rounded_as_its_double_is() {
        for millis in (1..30_000).chain([123_450, 123_550, 999_500, 1_234_500, 99_950_000]) {
            let decimal = Decimal::round(f64::from(millis) / 1000.0, 3, 1);
            assert_eq!(
                rounded(decimal),
                three_digits_in_nanos(decimal.value()),
                "{millis}"
            );
        }
        assert_eq!(rounded(Decimal::round(2e10, 3, 1)), None);
    }

    fn of(values: &[f64]) -> Quantiles {
        let mut quantiles = Quantiles::default();
        for value in values {
            quantiles.add(*value).unwrap();
        }
        quantiles
    }

    #[test]
    fn a_value_keeps_three_significant_digits() {
        for (seconds, expected) in [
            (0.0, 0.0),
            (1.2345, 1.23),
            (1.236, 1.24),
            (9.999, 10.0),
            (1234.0, 1230.0),
            (0.001, 0.001),
            (1.239e-8, 1.2e-8),
            (1e-12, 0.0),
            (9.99e9, 9.99e9),
        ] {
            assert_eq!(of(&[seconds]).quantile(0.5), Some(expected), "{seconds}");
        }
    }

    #[test]
    fn the_rank_is_q_times_n_rounded_up() {
        let hundred = of(&(1..=100).map(f64::from).collect::<Vec<_>>());
        assert_eq!(hundred.quantile(0.95), Some(95.0));
        assert_eq!(hundred.quantile(0.951), Some(96.0));
        assert_eq!(hundred.quantile(0.07), Some(7.0));
        assert_eq!(hundred.quantile(0.001), Some(1.0));
        assert_eq!(of(&[1.0, 2.0, 3.0]).quantile(0.5), Some(2.0));
        assert_eq!(Quantiles::default().quantile(0.5), None);
    }

    #[test]
    fn merging_equals_adding_one_by_one() {
        let mut merged = of(&[3.0, 1.0]);
        merged.merge(&of(&[1.0, 2.0]));
        assert_eq!(merged, of(&[1.0, 1.0, 2.0, 3.0]));
        assert_eq!(merged.count(), 4);
    }

    #[test]
    fn values_that_are_no_duration_are_refused_and_change_nothing() {
        for value in [-0.001, f64::NAN, f64::INFINITY, 1e10] {
            let mut quantiles = of(&[1.0]);
            assert!(quantiles.add(value).is_err(), "{value}");
            assert_eq!(quantiles, of(&[1.0]));
        }
    }
}

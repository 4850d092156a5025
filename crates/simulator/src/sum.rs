//! Sums in fixed point: the same whatever the order of the values.

use thiserror::Error;

use crate::decimal::Decimal;

/// Numbers from this size on stay out of the rollup, and so out of the truth.
const LIMIT: f64 = 1e10;
const LIMIT_MICROS: i128 = 10_000_000_000_000_000;
const MICROS: f64 = 1e6;

/// A value that the rollup would leave out: not finite, or 1e10 and more in size.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[error("{0} cannot be summed: values must be finite and smaller than 1e10 in size")]
pub struct UnrepresentableValue(pub f64);

/// The count and the sum of values, each rounded to 6 decimals (half to even, on the value's exact binary expansion).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExactSum {
    count: u64,
    micros: i128,
}

impl ExactSum {
    /// Adds one value.
    ///
    /// # Errors
    /// Refuses a value that is not finite, or 1e10 and more in size; the sum is then unchanged.
    pub fn add(&mut self, value: f64) -> Result<(), UnrepresentableValue> {
        // By way of its decimal digits, as the rollup does: a multiplication by 1e6 would round a second time.
        let micros = (value.abs() < LIMIT)
            .then(|| format!("{value:.6}").replace('.', ""))
            .and_then(|digits| digits.parse::<i128>().ok())
            .ok_or(UnrepresentableValue(value))?;
        self.count += 1;
        self.micros += micros;
        Ok(())
    }

    /// Adds a decimal of at most six places: what [`Self::add`] does of its double, without rounding anything.
    pub(crate) fn add_decimal(&mut self, value: Decimal) -> Result<(), UnrepresentableValue> {
        let micros = value.micros();
        if micros >= LIMIT_MICROS {
            return Err(UnrepresentableValue(value.value()));
        }
        self.count += 1;
        self.micros += micros;
        Ok(())
    }

    /// Adds all values of another sum.
    pub fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.micros += other.micros;
    }

    /// How many values were added.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The sum, in the values' unit.
    pub fn sum(&self) -> f64 {
        self.micros as f64 / MICROS
    }

    /// The sum divided by the count, in the values' unit; nothing when there are no values.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum() / self.count as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum_of(values: &[f64]) -> ExactSum {
        let mut sum = ExactSum::default();
        for value in values {
            sum.add(*value).unwrap();
        }
        sum
    }

    #[test]
    fn decimals_add_up_without_binary_drift() {
        let sum = sum_of(&[0.1; 10]);
        assert_eq!(sum.sum(), 1.0);
        assert_ne!(
            [0.1; 10].iter().sum::<f64>(),
            1.0,
            "floats do drift here, or this test shows nothing"
        );
    }

    #[test]
    fn a_decimal_adds_what_its_double_adds() {
        for (value, decimals) in [(81.7, 1), (0.289_999, 6), (1234.567, 3), (9_999_999_999.0, 0)] {
            let decimal = Decimal::round(value, decimals, 0);
            let mut sum = ExactSum::default();
            sum.add_decimal(decimal).unwrap();
            assert_eq!(sum, sum_of(&[decimal.value()]), "{value}");
        }
        assert!(
            ExactSum::default()
                .add_decimal(Decimal::round(1e10, 0, 0))
                .is_err()
        );
    }

    #[test]
    fn order_and_grouping_change_nothing() {
        let values = [0.289_999, 1e9, -3.5, 1e-6, 72.5, 0.001];
        let mut reversed = values;
        reversed.reverse();
        let mut merged = sum_of(&values[..2]);
        merged.merge(sum_of(&values[2..]));
        assert_eq!(sum_of(&values), sum_of(&reversed));
        assert_eq!(sum_of(&values), merged);
    }

    #[test]
    fn negative_values_between_zero_and_one_keep_their_sign() {
        assert_eq!(sum_of(&[-0.25]).sum(), -0.25);
    }

    #[test]
    fn values_are_rounded_to_six_decimals_one_by_one() {
        assert_eq!(sum_of(&[0.000_000_4; 10]).sum(), 0.0);
        assert_eq!(sum_of(&[0.000_000_6; 10]).sum(), 0.000_01);
    }

    #[test]
    fn no_values_have_no_mean() {
        assert_eq!(ExactSum::default().mean(), None);
        assert_eq!(sum_of(&[1.0, 2.0]).mean(), Some(1.5));
    }

    #[test]
    fn values_the_rollup_leaves_out_are_refused_and_change_nothing() {
        for value in [f64::NAN, f64::INFINITY, 1e10, -1e10] {
            let mut sum = sum_of(&[1.0]);
            assert!(sum.add(value).is_err(), "{value}");
            assert_eq!(sum, sum_of(&[1.0]));
        }
    }
}

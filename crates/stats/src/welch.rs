use statrs::distribution::{ContinuousCDF, StudentsT};

/// What a rollup keeps of a number: how many, their sum, and the sum of their squares.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Moments {
    /// How many numbers.
    pub count: f64,
    /// Their sum.
    pub sum: f64,
    /// The sum of their squares.
    pub sum_of_squares: f64,
}

impl Moments {
    /// Of these values.
    pub fn of(values: &[f64]) -> Self {
        values.iter().fold(Self::default(), |moments, value| {
            moments.plus(&Self {
                count: 1.0,
                sum: *value,
                sum_of_squares: value * value,
            })
        })
    }

    /// Of both together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            count: self.count + other.count,
            sum: self.sum + other.sum,
            sum_of_squares: self.sum_of_squares + other.sum_of_squares,
        }
    }

    /// Mean; not a number when there is nothing.
    pub fn mean(&self) -> f64 {
        self.sum / self.count
    }

    /// Sum of squared deviations from the mean. What rounding left of numbers that are all the same counts as 0.
    pub fn squared_deviations(&self) -> f64 {
        let deviations = self.sum_of_squares - self.sum * self.mean();
        if deviations > self.sum_of_squares.abs() * 1e-12 {
            deviations
        } else {
            0.0
        }
    }

    /// Sample variance (n − 1); not a number with fewer than two.
    pub fn variance(&self) -> f64 {
        self.squared_deviations() / (self.count - 1.0)
    }
}

/// Result of [`welch`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Welch {
    /// Mean of the second minus mean of the first.
    pub difference: f64,
    /// Interval of the difference.
    pub interval: (f64, f64),
    /// The difference in its standard errors.
    pub t: f64,
    /// Degrees of freedom by Satterthwaite.
    pub degrees: f64,
    /// Two-sided p-value of no difference.
    pub p_value: f64,
}

/// Compares two means whose variances may differ. `dispersion` (1 or more, of
/// [`mean_dispersion`](crate::mean_dispersion)) says how many times the variance of a mean is that of independent values;
/// the interval covers the difference with probability `level`. `None` with fewer than two values on a side. Where
/// nothing varies there is no scatter to judge by: the p-value is 1 when the means are the same, else 0.
///
/// B. L. Welch, "The Generalization of 'Student's' Problem when Several Different Population Variances are Involved",
/// Biometrika 34 (1947).
pub fn welch(first: &Moments, second: &Moments, dispersion: f64, level: f64) -> Option<Welch> {
    if !(first.count >= 2.0 && second.count >= 2.0) {
        return None;
    }
    let dispersion = dispersion.max(1.0);
    let [part_1, part_2] = [first, second].map(|side| side.variance() / side.count * dispersion);
    let difference = second.mean() - first.mean();
    if !(difference.is_finite() && (part_1 + part_2).is_finite()) {
        return None;
    }
    if part_1 + part_2 == 0.0 {
        return Some(Welch {
            difference,
            interval: (difference, difference),
            t: 0.0,
            degrees: first.count + second.count - 2.0,
            p_value: if difference == 0.0 { 1.0 } else { 0.0 },
        });
    }
    let degrees = (part_1 + part_2).powi(2)
        / (part_1 * part_1 / (first.count - 1.0) + part_2 * part_2 / (second.count - 1.0));
    let error = (part_1 + part_2).sqrt();
    let t = difference / error;
    let student = StudentsT::new(0.0, 1.0, degrees).ok()?;
    let half = student.inverse_cdf(0.5 + level / 2.0) * error;
    Some(Welch {
        difference,
        interval: (difference - half, difference + half),
        t,
        degrees,
        p_value: 2.0 * student.cdf(-t.abs()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn shift_and_scale_change_no_p_value_and_swapped_sides_turn_the_sign(
            first in prop::collection::vec(-10.0..10.0_f64, 3..30),
            second in prop::collection::vec(-10.0..10.0_f64, 3..30),
            shift in -5.0..5.0_f64, scale in 0.1..10.0_f64,
        ) {
            let moved = |values: &[f64]| Moments::of(&values.iter().map(|x| x * scale + shift).collect::<Vec<_>>());
            let plain = welch(&Moments::of(&first), &Moments::of(&second), 1.0, 0.95).unwrap();
            let other = welch(&moved(&first), &moved(&second), 1.0, 0.95).unwrap();
            let back = welch(&Moments::of(&second), &Moments::of(&first), 1.0, 0.95).unwrap();
            prop_assert!((plain.p_value - other.p_value).abs() < 1e-6);
            prop_assert_eq!(plain.difference, -back.difference);
            prop_assert!((plain.p_value - back.p_value).abs() < 1e-12);
        }
    }

    #[test]
    fn too_little_has_no_result_and_no_scatter_is_certain_either_way() {
        let once = Moments::of(&[1.0]);
        let same = Moments::of(&[0.1, 0.1, 0.1]);
        let other = Moments::of(&[0.2, 0.2, 0.2]);
        assert_eq!(welch(&once, &same, 1.0, 0.95), None);
        assert_eq!(welch(&same, &same, 1.0, 0.95).unwrap().p_value, 1.0);
        assert_eq!(welch(&same, &other, 1.0, 0.95).unwrap().p_value, 0.0);
    }
}

use crate::robust;

/// A scale on which the scatter of a series does not grow with its level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// As it is: the scatter is the same everywhere.
    AsIs,
    /// Its root, as of numbers of independent events, whose variance is their mean.
    Root,
    /// Its logarithm, as of what varies by a share of itself.
    Log,
}

/// Fewest places of the cycle that tell.
const FEWEST: usize = 6;
/// Fewest cycles.
const CYCLES: usize = 3;

impl Scale {
    /// The scale of a series whose level follows a cycle of `period` steps: by how its scatter from cycle to cycle grows with its
    /// level, from place to place of the cycle. As it is where a value is below 0, a root where the cycles are too few to tell.
    /// NaN is missing.
    ///
    /// V. M. Guerrero, "Time-series Analysis Supported by Power Transformations", J. Forecasting 12 (1993).
    pub fn of(values: &[f64], period: usize) -> Self {
        if values.iter().any(|value| *value < 0.0) {
            return Self::AsIs;
        }
        let places = (0..period.min(values.len())).filter_map(|place| {
            let cycle: Vec<f64> = values.iter().skip(place).step_by(period).copied().collect();
            let steps: Vec<f64> = cycle.windows(2).map(|pair| pair[1] - pair[0]).collect();
            let steps = robust::present(&steps);
            let (level, scatter) = (
                robust::median(&robust::present(&cycle)),
                robust::scale(&steps, 0.0),
            );
            (steps.len() + 1 >= CYCLES && level > 0.0 && scatter > 0.0).then(|| (level.ln(), scatter.ln()))
        });
        let places: Vec<(f64, f64)> = places.collect();
        match growth(&places) {
            Some(growth) if growth < 0.25 => Self::AsIs,
            Some(growth) if growth > 0.75 => Self::Log,
            _ => Self::Root,
        }
    }

    /// A value on the scale.
    pub fn put(self, value: f64) -> f64 {
        match self {
            Self::AsIs => value,
            Self::Root => (value + 3.0 / 8.0).sqrt(),
            Self::Log => (value + 0.5).ln(),
        }
    }

    /// A small difference on the scale, at a level, as a difference of values.
    pub fn back(self, difference: f64, level: f64) -> f64 {
        match self {
            Self::AsIs => difference,
            Self::Root => 2.0 * difference * (level + 3.0 / 8.0).sqrt(),
            Self::Log => difference * (level + 0.5),
        }
    }
}

/// The slope of the scatter's logarithm on the level's; `None` where too few places tell it, or all have one level.
fn growth(places: &[(f64, f64)]) -> Option<f64> {
    let n = places.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| places.iter().map(of).sum::<f64>() / n;
    let (level, scatter) = (mean(|it| it.0), mean(|it| it.1));
    let squares: f64 = places.iter().map(|it| (it.0 - level).powi(2)).sum();
    let products: f64 = places.iter().map(|it| (it.0 - level) * (it.1 - scatter)).sum();
    (places.len() >= FEWEST && squares > 1e-6 * n).then(|| products / squares)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ar1;
    use proptest::prelude::*;

    /// A day from 20 to 180, whose scatter grows with that power of its level.
    fn scattered(power: f64) -> Vec<f64> {
        let level = |hour: usize| 100.0 + 80.0 * (std::f64::consts::TAU * hour as f64 / 24.0).sin();
        let noise = ar1(1, 1344, 0.3);
        (0..1344)
            .map(|hour| level(hour) + level(hour).powf(power) * 0.1 * noise[hour])
            .collect()
    }

    #[test]
    fn the_scale_is_told_by_how_scatter_grows_with_the_level() {
        assert_eq!(Scale::of(&scattered(0.0), 24), Scale::AsIs);
        assert_eq!(Scale::of(&scattered(0.5), 24), Scale::Root);
        assert_eq!(Scale::of(&scattered(1.0), 24), Scale::Log);
    }

    #[test]
    fn what_cannot_be_told_is_a_root_and_what_may_be_negative_is_left_as_it_is() {
        assert_eq!(Scale::of(&[5.0, 6.0, 7.0], 24), Scale::Root);
        assert_eq!(Scale::of(&[], 24), Scale::Root);
        assert_eq!(Scale::of(&[5.0, -6.0, 7.0], 24), Scale::AsIs);
    }

    proptest! {
        #[test]
        fn a_small_difference_comes_back_as_it_was(level in 1.0..1e6_f64, share in -1e-4..1e-4_f64) {
            for scale in [Scale::AsIs, Scale::Root, Scale::Log] {
                let difference = level * share;
                let put = scale.put(level + difference / 2.0) - scale.put(level - difference / 2.0);
                prop_assert!((scale.back(put, level) - difference).abs() <= 1e-6 * difference.abs() + 1e-9);
            }
        }
    }
}

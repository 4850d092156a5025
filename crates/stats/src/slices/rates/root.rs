/// Where a falling function, given with by how much it falls, is 0, or the end that is nearer to it: by Newton's steps, and by
/// halves where they lead out of what is known to hold it (W. H. Press et al., "Numerical Recipes", 3rd ed. (2007), section 9.4).
pub(super) fn root(mut low: f64, mut high: f64, falling: impl Fn(f64) -> (f64, f64)) -> f64 {
    const ROUNDS: usize = 60;
    // Steps are smaller than what rounding leaves of a sum over a million cells only below this
    const NEAR: f64 = 1e-10;
    let mut at = f64::midpoint(low, high);
    for _ in 0..ROUNDS {
        let (value, slope) = falling(at);
        if value > 0.0 {
            low = at;
        } else {
            high = at;
        }
        let step = value / slope;
        let next = if step.is_finite() && (low..=high).contains(&(at + step)) {
            at + step
        } else {
            f64::midpoint(low, high)
        };
        if (next - at).abs() < NEAR {
            return next;
        }
        at = next;
    }
    at
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn steps_find_the_root_that_halving_finds(parts in prop::collection::vec((0.1..50.0_f64, -6.0..6.0_f64), 1..40), share in 0.0..1.0_f64) {
            let whole: f64 = parts.iter().map(|(weight, _)| weight).sum();
            let left = |at: f64| parts.iter().fold((share * whole, 0.0), |(left, slope), (weight, odds)| {
                let moved = 1.0 / (1.0 + (-odds - at).exp());
                (left - weight * moved, slope + weight * moved * (1.0 - moved))
            });
            let (mut low, mut high) = (-10.0, 10.0);
            for _ in 0..60 {
                let middle = f64::midpoint(low, high);
                if left(middle).0 > 0.0 { low = middle } else { high = middle }
            }
            let found = root(-10.0, 10.0, left);
            prop_assert!((found - low).abs() < 1e-6, "{found} {low}");
        }
    }
}

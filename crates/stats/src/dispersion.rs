use crate::welch::Moments;

/// How many times the variance of the successes from group to group (day to day, say) is that of independent trials, from
/// `(successes, trials)` a group: Pearson's X² over its degrees of freedom, never below 1. Tests of two periods divide
/// their z by its root. 1 with fewer than two groups, or where all or none succeeded.
///
/// P. McCullagh and J. A. Nelder, "Generalized Linear Models", 2nd ed. (1989), 4.5.
pub fn proportion_dispersion(groups: &[(f64, f64)]) -> f64 {
    let groups: Vec<_> = groups.iter().filter(|(_, trials)| *trials > 0.0).collect();
    let (successes, trials) = groups
        .iter()
        .fold((0.0, 0.0), |(s, n), group| (s + group.0, n + group.1));
    let share = successes / trials;
    if groups.len() < 2 || share <= 0.0 || share >= 1.0 {
        return 1.0;
    }
    let chi_square: f64 = groups
        .iter()
        .map(|(successes, trials)| (successes - trials * share).powi(2) / (trials * share * (1.0 - share)))
        .sum();
    (chi_square / (groups.len() - 1) as f64).max(1.0)
}

/// The same for means: the mean square between groups over the one within (Fisher's F), never below 1. 1 where there are
/// fewer than two groups or nothing varies within them.
///
/// R. A. Fisher, "Statistical Methods for Research Workers" (1925), VII.
pub fn mean_dispersion(groups: &[Moments]) -> f64 {
    let groups: Vec<_> = groups.iter().filter(|group| group.count > 0.0).collect();
    let all = groups
        .iter()
        .fold(Moments::default(), |sum, group| sum.plus(group));
    let within_degrees = all.count - groups.len() as f64;
    if groups.len() < 2 || within_degrees <= 0.0 {
        return 1.0;
    }
    let grand = all.mean();
    let between: f64 = groups
        .iter()
        .map(|group| group.count * (group.mean() - grand).powi(2))
        .sum::<f64>()
        / (groups.len() - 1) as f64;
    let within = groups.iter().map(|group| group.squared_deviations()).sum::<f64>() / within_degrees;
    if within > 0.0 {
        (between / within).max(1.0)
    } else {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_that_scatter_no_more_than_chance_are_not_dispersed() {
        assert_eq!(
            proportion_dispersion(&[(50.0, 100.0), (51.0, 100.0), (49.0, 100.0)]),
            1.0
        );
        assert_eq!(proportion_dispersion(&[(0.0, 100.0), (0.0, 90.0)]), 1.0);
        assert_eq!(proportion_dispersion(&[(3.0, 100.0)]), 1.0);
        assert_eq!(mean_dispersion(&[]), 1.0);
    }

    #[test]
    fn groups_that_scatter_more_than_chance_are() {
        let phi = proportion_dispersion(&[(30.0, 100.0), (70.0, 100.0), (30.0, 100.0), (70.0, 100.0)]);
        assert!((phi - 64.0 / 3.0).abs() < 1e-9, "{phi}");
        let spread = [0.0, 5.0].map(|shift| Moments::of(&[shift, shift + 1.0, shift + 2.0]));
        assert!((mean_dispersion(&spread) - 37.5).abs() < 1e-9);
    }
}

use crate::robust;

/// A value far from what its neighbours and the season make likely.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Anomaly {
    /// Step of the value farthest away.
    pub index: usize,
    /// Distance in standard deviations of the bulk of the series.
    pub score: f64,
    /// The value lies above what was likely.
    pub high: bool,
}

/// Least distance in standard deviations of the bulk.
pub(crate) const FAR: f64 = 5.0;

/// Least distance as a share of the range that holds the middle 98 % of the series: what is less does not matter in practice,
/// however steady the series is.
pub(crate) const MATTERS: f64 = 0.2;

/// Values of a series far from the level around them, both statistically and practically. `adjusted` is the series without
/// its season, `values` the series itself; NaN is missing. `reach` is how many steps on each side make the level, `day` how
/// many steps count as one anomaly: it is named where it is farthest, and the next one must be so many steps later.
///
/// The deviation is the larger of that around the value and that of all; where the tails are heavy it is told by the tails.
/// B. Rosner, "Percentage Points for a Generalized ESD Many-Outlier Procedure", Technometrics 25 (1983), of which it keeps
/// the robust start and leaves out the recursion.
pub fn anomalies(values: &[f64], adjusted: &[f64], reach: usize, day: usize) -> Vec<Anomaly> {
    let present = robust::present(values);
    if present.len() < 10 {
        return Vec::new();
    }
    let level = robust::running_median(adjusted, reach);
    let rest: Vec<f64> = adjusted
        .iter()
        .zip(&level)
        .map(|(value, level)| value - level)
        .collect();
    let distances: Vec<f64> = rest.iter().map(|rest| rest.abs()).collect();
    let around = robust::running_median(&distances, (4 * reach).min(500));
    let present_rest = robust::present(&rest);
    let (all, heavy) = (bulk(&present_rest), heaviness(&present_rest));
    let matters = MATTERS * (robust::quantile(&present, 0.99) - robust::quantile(&present, 0.01));
    let score = |step: usize| {
        let deviation = heavy * all.max(around[step] / 0.674_489_750_196_081_7);
        // Where nothing scatters, whatever differs is as far as can be.
        let score = if deviation > 0.0 {
            distances[step] / deviation
        } else {
            f64::from(u8::from(distances[step] > 0.0)) * 1e6
        };
        (score > FAR && distances[step] > matters).then_some(score.min(1e6))
    };
    let mut found: Vec<Anomaly> = Vec::new();
    let mut last = 0;
    for (index, rest) in rest.iter().enumerate() {
        let Some(score) = score(index) else { continue };
        let anomaly = Anomaly {
            index,
            score,
            high: *rest > 0.0,
        };
        match found.last_mut() {
            Some(open) if index - last <= day => {
                if score > open.score {
                    *open = anomaly;
                }
            }
            _ => found.push(anomaly),
        }
        last = index;
    }
    found
}

/// Standard deviation of the bulk around its median: of the middle, or of the tails where they reach farther than a normal
/// distribution's, as far as they are a thirtieth of all on each side.
pub(crate) fn bulk(values: &[f64]) -> f64 {
    let centre = robust::median(values);
    // Quantiles of the standard normal distribution at 95 and 97 %.
    let tail = |share: f64, normal: f64| {
        (robust::quantile(values, 1.0 - share) - robust::quantile(values, share)) / 2.0 / normal
    };
    let enough = values.len() >= 200;
    let tails = tail(0.05, 1.644_853_626_951).max(if enough {
        tail(0.03, 1.880_793_608_151)
    } else {
        0.0
    });
    robust::scale(values, centre).max(tails)
}

/// How much farther than a normal distribution's the tails reach, at least 1: the ratio of the distances that a hundredth
/// and a tenth of the values exceed. It takes 200 values to tell.
pub(crate) fn heaviness(values: &[f64]) -> f64 {
    if values.len() < 200 {
        return 1.0;
    }
    let centre = robust::median(values);
    let distances: Vec<f64> = values.iter().map(|value| (value - centre).abs()).collect();
    let (far, near) = (
        robust::quantile(&distances, 0.99),
        robust::quantile(&distances, 0.9),
    );
    // That ratio of a normal distribution.
    if near > 0.0 {
        (far / near / 1.566).max(1.0)
    } else {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ar1;

    fn found(values: &[f64]) -> Vec<(usize, bool)> {
        anomalies(values, values, 24, 24)
            .iter()
            .map(|anomaly| (anomaly.index, anomaly.high))
            .collect()
    }

    #[test]
    fn spikes_and_dips_are_found_and_those_of_a_day_are_one() {
        let mut values = ar1(1, 1000, 0.5);
        values[300] += 12.0;
        values[310] += 20.0;
        values[700] -= 15.0;
        assert_eq!(found(&values), [(310, true), (700, false)]);
    }

    #[test]
    fn noise_steps_and_ramps_are_no_anomalies() {
        for phi in [0.0, 0.5, 0.8] {
            let count: usize = (0..100).map(|seed| found(&ar1(seed, 1344, phi)).len()).sum();
            assert!(count <= 8, "{count} at {phi}");
        }
        let values: Vec<f64> = ar1(2, 1000, 0.3)
            .iter()
            .enumerate()
            .map(|(t, v)| v + if t < 500 { 0.0 } else { 10.0 } + 0.02 * t as f64)
            .collect();
        assert_eq!(found(&values), []);
    }

    #[test]
    fn what_is_small_in_practice_is_no_anomaly() {
        let mut values: Vec<f64> = (0..500).map(|t| 100.0 * (f64::from(t) / 80.0).sin()).collect();
        values[250] += 3.0;
        assert_eq!(found(&values), []);
        assert_eq!(found(&[3.0; 100]), []);
        let mut still = [3.0; 100];
        still[60] = 4.0;
        assert_eq!(found(&still), [(60, true)]);
    }
}

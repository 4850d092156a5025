//! Distributions of what is added to log-odds, as a few points with weights.

/// A point and its probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Node {
    pub at: f64,
    pub weight: f64,
}

/// Nothing is added.
pub(crate) const NOTHING: Node = Node { at: 0.0, weight: 1.0 };

/// The distribution of the sum of two independent numbers, in at most so many points.
pub(crate) fn sum(one: &[Node], other: &[Node], most: usize) -> Vec<Node> {
    let sums = one.iter().flat_map(|a| {
        other.iter().map(|b| Node {
            at: a.at + b.at,
            weight: a.weight * b.weight,
        })
    });
    compress(sums.collect(), most)
}

/// A normal distribution around 0: the trapezoidal rule, whose error falls exponentially for smooth functions (L. N. Trefethen,
/// J. A. C. Weideman, "The Exponentially Convergent Trapezoidal Rule", SIAM Review 56, 2014).
pub(crate) fn normal(deviation: f64) -> Vec<Node> {
    if deviation == 0.0 {
        return vec![NOTHING];
    }
    let density = |z: f64| libm::exp(-z * z / 2.0);
    let points: Vec<f64> = (-12..=12).map(|step| f64::from(step) / 2.0).collect();
    let whole: f64 = points.iter().copied().map(density).sum();
    points
        .into_iter()
        .map(|z| Node {
            at: z * deviation,
            weight: density(z) / whole,
        })
        .collect()
}

/// The same distribution in at most so many points: equal ones are joined; too many become the means of equal intervals.
pub(crate) fn compress(mut nodes: Vec<Node>, most: usize) -> Vec<Node> {
    nodes.retain(|node| node.weight > 0.0);
    nodes.sort_by(|a, b| a.at.total_cmp(&b.at));
    let joined = join(&nodes, |a, b| a.at == b.at);
    if joined.len() <= most {
        return joined;
    }
    let (low, high) = (joined[0].at, joined[joined.len() - 1].at);
    let interval =
        |node: &Node| ((node.at - low) / (high - low) * most as f64).min(most as f64 - 1.0) as usize;
    join(&joined, |a, b| interval(a) == interval(b))
}

/// Neighbours that belong together become one point at their mean.
fn join(nodes: &[Node], together: impl Fn(&Node, &Node) -> bool) -> Vec<Node> {
    let joined = nodes.chunk_by(together).map(|group| {
        let weight: f64 = group.iter().map(|node| node.weight).sum();
        let same = group.iter().all(|node| node.at == group[0].at);
        let mean = group.iter().map(|node| node.at * node.weight).sum::<f64>() / weight;
        Node {
            at: if same { group[0].at } else { mean },
            weight,
        }
    });
    joined.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_keeps_weight_and_mean_and_nearly_the_variance() {
        let spread = |weights: &[f64]| -> Vec<Node> {
            let node = |(index, weight): (usize, &f64)| Node {
                at: (index as f64 * 1.7).sin(),
                weight: *weight,
            };
            weights.iter().enumerate().map(node).collect()
        };
        let (one, other) = (spread(&[0.2, 0.5, 0.3]), normal(0.7));
        let moments = |nodes: &[Node]| {
            let mean: f64 = nodes.iter().map(|it| it.at * it.weight).sum();
            let squares: f64 = nodes.iter().map(|it| it.at * it.at * it.weight).sum();
            (
                nodes.iter().map(|it| it.weight).sum::<f64>(),
                mean,
                squares - mean * mean,
            )
        };
        let (whole, mean, variance) = moments(&sum(&one, &other, 40));
        let (a, b) = (moments(&one), moments(&other));
        assert!((whole - 1.0).abs() < 1e-12 && (mean - a.1 - b.1).abs() < 1e-12);
        assert!((variance / (a.2 + b.2) - 1.0).abs() < 0.01, "{variance}");
        assert!((b.2 - 0.49).abs() < 1e-6);
    }

    #[test]
    fn few_points_stay_as_they_are() {
        let nodes = vec![
            Node { at: 1.0, weight: 0.5 },
            Node {
                at: -1.0,
                weight: 0.25,
            },
            Node {
                at: 1.0,
                weight: 0.25,
            },
        ];
        let expected = vec![
            Node {
                at: -1.0,
                weight: 0.25,
            },
            Node {
                at: 1.0,
                weight: 0.75,
            },
        ];
        assert_eq!(compress(nodes, 2), expected);
    }
}

//! Simulated cubes of what came and what was expected, as in the literature on root causes in many dimensions: every
//! combination a cell, heavy-tailed sizes, noise, and one to three causes, each one or more slices over the same dimensions
//! whose cells all lose or gain about the same proportion.

#![expect(
    clippy::unwrap_used,
    reason = "the parameters are constants, and a cell has all its values"
)]

use kaizen_stats::{Cube, Measured, MeasuredRatio};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;
use rand_distr::{Distribution, Poisson, StandardNormal, Weibull};

/// Dimension and value of each condition.
pub type Slice = Vec<(String, String)>;

/// A kind of cube.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    pub cardinalities: &'static [usize],
    /// Bounds of the relative noise of cells.
    pub noise: (f64, f64),
    /// Bounds of what a cause takes away, beyond the noise.
    pub severity: (f64, f64),
    /// Bounds of how that differs from cell to cell.
    pub deviation: (f64, f64),
    /// Bounds of the conditions of a cause.
    pub conditions: (usize, usize),
    /// Most causes, and most slices of each.
    pub causes: usize,
    pub slices: usize,
    /// Counts, whose noise is Poisson's, instead of amounts.
    pub counts: bool,
    /// Standard deviation of what the forecast is wrong by for each value of each dimension.
    pub bias: f64,
    /// Values are unequally frequent, so cells are.
    pub skewed: bool,
    /// Some causes take away and others add.
    pub both_ways: bool,
}

/// Many dimensions, causes of any depth.
pub const MIXED: Kind = Kind {
    cardinalities: &[10, 12, 10, 8, 5],
    noise: (0.0, 0.25),
    severity: (0.2, 1.0),
    deviation: (0.0, 0.1),
    conditions: (1, 5),
    causes: 3,
    slices: 3,
    counts: false,
    bias: 0.0,
    skewed: false,
    both_ways: false,
};
/// Up to three conditions.
pub const SHALLOW: Kind = Kind {
    conditions: (1, 3),
    ..MIXED
};
/// Single cells.
pub const CELLS: Kind = Kind {
    cardinalities: &[10, 24, 10, 15],
    noise: (0.0, 0.1),
    severity: (0.5, 1.0),
    deviation: (0.0, 0.0),
    conditions: (4, 4),
    causes: 5,
    slices: 1,
    counts: false,
    bias: 0.0,
    skewed: false,
    both_ways: false,
};
/// Counts.
pub const COUNTS: Kind = Kind {
    conditions: (1, 3),
    noise: (0.0, 0.1),
    counts: true,
    ..MIXED
};

/// Counts of unequally frequent values with a forecast that is a little wrong for each of them; causes of all sizes, both
/// ways.
pub const FORECASTS: Kind = Kind {
    cardinalities: &[12, 9, 16, 6],
    noise: (0.0, 0.1),
    severity: (0.1, 0.8),
    deviation: (0.0, 0.05),
    conditions: (1, 3),
    causes: 2,
    slices: 3,
    counts: true,
    bias: 0.02,
    skewed: true,
    both_ways: true,
};

fn normal(draws: &mut ChaCha12Rng) -> f64 {
    StandardNormal.sample(draws)
}

fn between(draws: &mut ChaCha12Rng, (low, high): (f64, f64)) -> f64 {
    low + (high - low) * draws.random::<f64>()
}

struct Cause {
    slices: Vec<Vec<(usize, usize)>>,
    severity: f64,
    deviation: f64,
    up: bool,
}

/// Causes that share no value of a dimension with one another.
fn causes(draws: &mut ChaCha12Rng, kind: &Kind, noise: f64, one_way: bool) -> Vec<Cause> {
    'again: loop {
        let mut causes: Vec<Cause> = Vec::new();
        let up = draws.random();
        for _ in 0..draws.random_range(1..=kind.causes) {
            let count = draws.random_range(kind.conditions.0..=kind.conditions.1);
            let mut dimensions: Vec<usize> = Vec::new();
            while dimensions.len() < count {
                let dimension = draws.random_range(0..kind.cardinalities.len());
                if !dimensions.contains(&dimension) {
                    dimensions.push(dimension);
                }
            }
            dimensions.sort_unstable();
            let mut slices: Vec<Vec<(usize, usize)>> = Vec::new();
            for _ in 0..draws.random_range(1..=kind.slices) {
                let slice: Vec<(usize, usize)> = dimensions
                    .iter()
                    .map(|d| (*d, draws.random_range(0..kind.cardinalities[*d])))
                    .collect();
                let taken = causes.iter().flat_map(|cause| cause.slices.iter().flatten());
                if slices.contains(&slice) || taken.clone().any(|condition| slice.contains(condition)) {
                    continue 'again;
                }
                slices.push(slice);
            }
            if causes
                .iter()
                .any(|cause| cause.slices[0].iter().map(|c| c.0).eq(dimensions.iter().copied()))
            {
                continue 'again;
            }
            let severity = between(draws, kind.severity) + noise;
            let deviation = between(draws, kind.deviation);
            let up = if one_way { up } else { draws.random() };
            causes.push(Cause {
                slices,
                severity,
                deviation,
                up,
            });
        }
        return causes;
    }
}

fn labels(slice: &[(usize, usize)]) -> Slice {
    slice
        .iter()
        .map(|(dimension, value)| (format!("d{dimension}"), format!("v{value:02}")))
        .collect()
}

/// Every combination of values.
fn combinations(cardinalities: &[usize]) -> impl Iterator<Item = Vec<usize>> {
    (0..cardinalities.iter().product::<usize>()).map(|mut cell| {
        cardinalities
            .iter()
            .map(|cardinality| {
                let value = cell % cardinality;
                cell /= cardinality;
                value
            })
            .collect()
    })
}

fn cause_of<'a>(causes: &'a [Cause], cell: &[usize]) -> Option<&'a Cause> {
    let inside =
        |slice: &Vec<(usize, usize)>| slice.iter().all(|(dimension, value)| cell[*dimension] == *value);
    causes.iter().find(|cause| cause.slices.iter().any(inside))
}

/// A cube of this seed and its causes; none when `faulty` is false.
#[expect(clippy::too_many_lines, reason = "one recipe, a step a paragraph")]
pub fn cube(seed: u64, kind: &Kind, faulty: bool) -> (Cube<Measured>, Vec<Slice>) {
    let mut draws = ChaCha12Rng::seed_from_u64(seed);
    let noise = between(&mut draws, kind.noise);
    let empty = between(&mut draws, (0.0, 0.25));
    let shape = between(&mut draws, (0.5, 1.0));
    let sizes = Weibull::new(if kind.counts { 30.0 } else { 100.0 }, shape).unwrap();
    let causes = if faulty {
        causes(&mut draws, kind, noise, !kind.both_ways)
    } else {
        Vec::new()
    };
    let mut values = |deviation: f64| -> Vec<Vec<f64>> {
        let of = |cardinality: &usize| {
            (0..*cardinality)
                .map(|_| (deviation * normal(&mut draws)).exp())
                .collect()
        };
        kind.cardinalities.iter().map(of).collect()
    };
    let (frequencies, biases) = (values(if kind.skewed { 1.0 } else { 0.0 }), values(kind.bias));
    let factor = |of: &[Vec<f64>], cell: &[usize]| -> f64 {
        cell.iter().zip(of).map(|(value, of)| of[*value]).product()
    };
    let mut cube = Cube::new((0..kind.cardinalities.len()).map(|at| format!("d{at}")));
    for cell in combinations(kind.cardinalities) {
        let size: f64 = Distribution::<f64>::sample(&sizes, &mut draws) * factor(&frequencies, &cell);
        // A cause that is a single empty cell could not be seen.
        let cause = cause_of(&causes, &cell);
        let single = cause.is_some_and(|cause| cause.slices[0].len() == cell.len());
        let size = if draws.random::<f64>() < empty && !single {
            0.0
        } else {
            size
        };
        let noisy = size * (1.0 + noise * normal(&mut draws));
        let (mut actual, mut expected) = if draws.random() {
            (size, noisy)
        } else {
            (noisy, size)
        };
        expected = expected.max(0.0) * factor(&biases, &cell);
        if let Some(cause) = cause {
            let left = (1.0 - cause.severity - cause.deviation * normal(&mut draws)).max(0.0);
            if cause.up {
                expected = actual * left;
            } else {
                actual = expected * left;
            }
        }
        if kind.counts {
            actual = if actual > 0.0 {
                Poisson::new(actual).unwrap().sample(&mut draws)
            } else {
                0.0
            };
        }
        let values: Vec<String> = cell.iter().map(|value| format!("v{value:02}")).collect();
        cube.add(&values, Measured { actual, expected }).unwrap();
    }
    (
        cube,
        causes
            .iter()
            .flat_map(|cause| &cause.slices)
            .map(|slice| labels(slice))
            .collect(),
    )
}

/// A cube of ratios: a share of successes that some slices lose.
pub fn ratios(seed: u64, faulty: bool) -> (Cube<MeasuredRatio>, Vec<Slice>) {
    let kind = Kind {
        noise: (0.0, 0.02),
        ..SHALLOW
    };
    let mut draws = ChaCha12Rng::seed_from_u64(seed);
    let noise = between(&mut draws, kind.noise);
    let sizes = Weibull::new(200.0, 0.7).unwrap();
    let causes = if faulty {
        causes(&mut draws, &kind, noise, true)
    } else {
        Vec::new()
    };
    let mut cube = Cube::new((0..kind.cardinalities.len()).map(|at| format!("d{at}")));
    for cell in combinations(kind.cardinalities) {
        let expected_total: f64 = Distribution::<f64>::sample(&sizes, &mut draws).ceil();
        let actual_total = (expected_total * (1.0 + 0.2 * normal(&mut draws)))
            .max(1.0)
            .round();
        let share = 0.6 + 0.3 * draws.random::<f64>();
        let mut now = share * (1.0 + noise * normal(&mut draws));
        if let Some(cause) = cause_of(&causes, &cell) {
            now *= (1.0 - cause.severity / 2.0).max(0.0);
        }
        let chance = (now * (1.0 - now.min(1.0)) / actual_total).max(0.0).sqrt();
        let actual = (actual_total * (now + chance * normal(&mut draws)))
            .clamp(0.0, actual_total)
            .round();
        let values: Vec<String> = cell.iter().map(|value| format!("v{value:02}")).collect();
        let cell = MeasuredRatio {
            actual,
            actual_total,
            expected: share * expected_total,
            expected_total,
        };
        cube.add(&values, cell).unwrap();
    }
    (
        cube,
        causes
            .iter()
            .flat_map(|cause| &cause.slices)
            .map(|slice| labels(slice))
            .collect(),
    )
}

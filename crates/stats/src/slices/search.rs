use crate::normal::{two_sided, two_sided_quantile};
use crate::slices::grid::{Grid, Table, tables};
use crate::slices::scatter::Scatter;

/// What is compared about a slice.
pub(crate) trait Contrast<const K: usize> {
    /// The effect in a slice of these sums, and its standard error; `None` with too little to say.
    fn estimate(&self, slice: &[f64; K], total: &[f64; K]) -> Option<(f64, f64)>;
    /// How the sums of a cell change when an effect is added to it.
    fn change(&self, cell: &[f64; K], effect: f64) -> [f64; K];
    /// Whether everything together may have an effect of its own, which is then taken out and not named.
    fn shared_effect(&self) -> bool;
    /// Decides between slices that explain the same, as the two values of a dimension do: the more prominent is named.
    fn prominence(&self, slice: &[f64; K]) -> f64;
}

/// How far a search goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Most conditions of a slice.
    pub(crate) depth: usize,
    /// Chance to name any slice when nothing happened.
    pub(crate) false_alarm: f64,
    /// Most slices named.
    pub(crate) most: usize,
    /// Least effect worth a name.
    pub(crate) least_effect: f64,
}

/// A slice that was found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    /// Dimension and code of each condition; none for everything together.
    pub(crate) conditions: Vec<(usize, u32)>,
    pub(crate) effect: f64,
    pub(crate) error: f64,
    /// p-value times the number of slices it was chosen from, on all levels.
    pub(crate) adjusted_p_value: f64,
    gain: f64,
    prominence: f64,
}

/// Searches all slices of up to `depth` conditions for effects. The one that explains most is named, its effect taken out,
/// and the search repeated until nothing significant is left; so one cause is named once. What a slice explains is the
/// gain in log-likelihood less the logarithm of the number of slices with as many conditions: a more special slice must
/// beat the more general one by what the wider choice alone would give. A slice is not named, but its part that explains
/// most, when its parts by a further dimension together explain more than it does.
pub(crate) fn search<const K: usize>(
    grid: &Grid<K>,
    contrast: &impl Contrast<K>,
    limits: &Limits,
) -> Vec<Found> {
    let mut search = Search {
        tables: tables(grid, limits.depth),
        grid,
        contrast,
        limits,
    };
    let mut named = Vec::new();
    while named.len() < limits.most {
        let Some(found) = search.best() else { break };
        search.apply(&found, -1.0);
        named.push(found);
    }
    search.revise(&mut named);
    named.retain(|found| !found.conditions.is_empty());
    named
}

struct Search<'a, const K: usize, C> {
    tables: Vec<Table<K>>,
    grid: &'a Grid<K>,
    contrast: &'a C,
    limits: &'a Limits,
}

/// The slices with the same number of conditions.
struct Level {
    /// How their scores scatter where nothing happened.
    scatter: Scatter,
    slices: f64,
    /// Scores from here on are significant.
    critical: f64,
}

impl<const K: usize, C: Contrast<K>> Search<'_, K, C> {
    fn total(&self) -> [f64; K] {
        let mut total = [0.0; K];
        for sums in self.tables.first().map_or(&[][..], |table| &table.sums) {
            for (sum, part) in total.iter_mut().zip(sums) {
                *sum += part;
            }
        }
        total
    }

    fn levels(&self, total: &[f64; K]) -> Vec<Level> {
        let depth = self.limits.depth.min(self.grid.cardinalities.len());
        let scores: Vec<Vec<f64>> = (1..=depth)
            .map(|level| {
                let tables = self.tables.iter().filter(|table| table.dimensions.len() == level);
                tables
                    .flat_map(|table| &table.sums)
                    .filter_map(|sums| self.contrast.estimate(sums, total))
                    .map(|(effect, error)| (effect / error).abs())
                    .collect()
            })
            .collect();
        let shared = Scatter::shared(&scores);
        scores
            .into_iter()
            .map(|scores| {
                let slices = (scores.len() as f64).max(1.0);
                let p_value = self.limits.false_alarm / depth as f64 / slices;
                Level {
                    scatter: Scatter::of(scores, shared),
                    slices,
                    critical: two_sided_quantile(p_value),
                }
            })
            .collect()
    }

    fn judge(
        &self,
        conditions: Vec<(usize, u32)>,
        sums: &[f64; K],
        total: &[f64; K],
        levels: &[Level],
    ) -> Option<Found> {
        let (effect, error) = self.contrast.estimate(sums, total)?;
        if effect.abs() < self.limits.least_effect {
            return None;
        }
        let level = levels.get(conditions.len().max(1) - 1)?;
        let slices = if conditions.is_empty() { 1.0 } else { level.slices };
        let score = level.scatter.normal((effect / error).abs());
        (score >= level.critical).then(|| Found {
            conditions,
            effect,
            error: error * level.scatter.scale(),
            adjusted_p_value: (two_sided(score) * slices * levels.len() as f64).min(1.0),
            gain: score * score / 2.0 - slices.ln(),
            prominence: self.contrast.prominence(sums),
        })
    }

    /// The slice to name next.
    fn best(&self) -> Option<Found> {
        let total = self.total();
        let levels = self.levels(&total);
        let mut best: Option<Found> = None;
        let mut consider = |found: Option<Found>| {
            if let Some(found) = found
                && best.as_ref().is_none_or(|best| found.explains_more_than(best))
            {
                best = Some(found);
            }
        };
        if self.contrast.shared_effect() {
            consider(self.judge(Vec::new(), &total, &total, &levels));
        }
        for table in &self.tables {
            let level = &levels[table.dimensions.len() - 1];
            for (place, sums) in table.sums.iter().enumerate() {
                let Some((effect, error)) = self.contrast.estimate(sums, &total) else {
                    continue;
                };
                if (effect / error).abs() >= level.critical {
                    consider(self.judge(table.conditions(place), sums, &total, &levels));
                }
            }
        }
        let mut best = best?;
        while let Some(part) = self.best_part(&best, &total, &levels) {
            best = part;
        }
        Some(best)
    }

    /// The part of a slice to name in its place, if its parts by some further dimension together explain more.
    fn best_part(&self, whole: &Found, total: &[f64; K], levels: &[Level]) -> Option<Found> {
        let mut most = (whole.gain, None);
        for table in &self.tables {
            let one_more = table.dimensions.len() == whole.conditions.len() + 1;
            if !one_more
                || !whole
                    .conditions
                    .iter()
                    .all(|(dimension, _)| table.dimensions.contains(dimension))
            {
                continue;
            }
            let Some(at) = (0..table.dimensions.len()).find(|at| {
                whole
                    .conditions
                    .iter()
                    .all(|(dimension, _)| *dimension != table.dimensions[*at])
            }) else {
                continue;
            };
            let further = table.dimensions[at];
            let parts: Vec<Found> = (0..self.grid.cardinalities[further] as u32)
                .filter_map(|code| {
                    let mut conditions = whole.conditions.clone();
                    conditions.insert(at, (further, code));
                    let sums = &table.sums[table.place(&conditions)?];
                    self.judge(conditions, sums, total, levels)
                })
                .collect();
            let gain: f64 = parts.iter().map(|part| part.gain.max(0.0)).sum();
            if gain > most.0 {
                most = (
                    gain,
                    parts
                        .into_iter()
                        .reduce(|a, b| if b.explains_more_than(&a) { b } else { a }),
                );
            }
        }
        most.1
    }

    /// Adds `sign` times the effect of a slice to its cells, in all tables.
    fn apply(&mut self, found: &Found, sign: f64) {
        for (codes, sums) in self.grid.rows().zip(&self.grid.sums) {
            if found
                .conditions
                .iter()
                .all(|(dimension, code)| codes[*dimension] == *code)
            {
                let change = self.contrast.change(sums, sign * found.effect);
                for table in &mut self.tables {
                    table.change(codes, &change);
                }
            }
        }
    }

    /// Looks at each named slice again, now that all others are taken out: it stays, another explains more, or none is left.
    fn revise(&mut self, named: &mut Vec<Found>) {
        if named.len() < 2 {
            return;
        }
        for found in std::mem::take(named) {
            self.apply(&found, 1.0);
            if let Some(again) = self.best() {
                self.apply(&again, -1.0);
                named.push(again);
            }
        }
    }
}

impl Found {
    /// Whether to name it rather than the other.
    fn explains_more_than(&self, other: &Self) -> bool {
        let same = 1e-9 * other.gain.abs();
        let alike = (self.gain - other.gain).abs() <= same;
        if alike {
            self.prominence > other.prominence
        } else {
            self.gain > other.gain
        }
    }
}

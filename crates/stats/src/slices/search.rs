mod nested;

use crate::normal::{two_sided, two_sided_quantile};
use crate::slices::bulk::{ENOUGH, variance_beyond};
use crate::slices::grid::{Grid, Table, tables};
use crate::slices::scatter::Scatter;

/// What is compared about a slice.
pub(crate) trait Contrast<const K: usize> {
    /// The effect in a slice of these sums, and its standard error; `None` with too little to say.
    fn estimate(&self, slice: &[f64; K], total: &[f64; K]) -> Option<(f64, f64)>;
    /// How the sums of a cell change when an effect is added to it.
    fn change(&self, cell: &[f64; K], effect: f64) -> [f64; K];
    /// Whether the cells of a named slice are left out of the further search, as their deviations have no other cause; else
    /// its effect is taken out of them and they stay.
    fn leaves_out_named(&self) -> bool;
    /// Whether scores scatter as their errors say, at least until what was found is taken out. Where a score is a difference
    /// to the rest, how all scores scatter can be seen at once; where it is one to what was expected, any cause is in many
    /// scores.
    fn scatters_as_stated(&self) -> bool;
    /// Whether everything together may have an effect of its own, which is then taken out and not named.
    fn shared_effect(&self) -> bool;
    /// Decides between slices that explain the same, as the two values of a dimension do: the more prominent is named.
    fn prominence(&self, slice: &[f64; K]) -> f64;
    /// Learns how cells vary from what is left of them without the effects of the suspects.
    fn learn(&mut self, grid: &Grid<K>, left: &[[f64; K]]);
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
    /// Least share of the largest effect worth a name beside it, 0–1.
    pub(crate) least_of_largest: f64,
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
/// beat the more general one by what the wider choice alone would give. Instead of a slice its part that explains most is
/// named, when its parts by a further dimension together explain more than it does.
pub(crate) fn search<const K: usize>(
    grid: &Grid<K>,
    contrast: impl Contrast<K>,
    limits: &Limits,
) -> Vec<Found> {
    let mut search = Search {
        tables: tables(grid, limits.depth),
        depth: limits.depth.min(grid.cardinalities.len()),
        grid,
        contrast,
        limits,
        scatters: Vec::new(),
        cells: grid.sums.clone(),
        left_out: vec![0; grid.sums.len()],
    };
    // First as if all effects were told by their errors alone; then with what is seen to vary besides.
    search.scatters = vec![Scatter::NORMAL; search.depth];
    search.scatters = if search.contrast.scatters_as_stated() {
        let named = search.name(limits.most);
        search.settle(named)
    } else {
        let suspects = search.name(SUSPECTS);
        search.without(&suspects)
    };
    let mut named = search.name(limits.most);
    search.revise(&mut named);
    named.retain(|found| !found.conditions.is_empty());
    let largest = named.iter().map(|found| found.effect.abs()).fold(0.0, f64::max);
    named.retain(|found| found.effect.abs() >= limits.least_of_largest * largest);
    named.sort_by(|a, b| b.gain.total_cmp(&a.gain));
    named
}

struct Search<'a, const K: usize, C> {
    tables: Vec<Table<K>>,
    depth: usize,
    grid: &'a Grid<K>,
    contrast: C,
    limits: &'a Limits,
    /// How scores scatter where nothing happened, level by level.
    scatters: Vec<Scatter>,
    /// The cells, without what everything shares.
    cells: Vec<[f64; K]>,
    /// How many named slices leave each cell out.
    left_out: Vec<u32>,
}

/// The slices with the same number of conditions.
struct Level {
    scatter: Scatter,
    slices: f64,
    /// Scores from here on are significant.
    critical: f64,
}

/// By how much parts must explain more than the whole: its cells may differ a little from one another.
const PARTS_EXPLAIN_MORE: f64 = 1.05;
/// Effects of this share of the largest one named on the level are outstanding.
const OUTSTANDING: f64 = 0.5;
/// So are those this many standard errors from none.
const FAR: f64 = 5.0;
/// So many slices are suspects: what most deviates is no example of how slices vary where nothing happened. Of more, some would be
/// taken out that are.
const SUSPECTS: usize = 1;
/// How often named slices are looked at again.
const REVISIONS: usize = 3;

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

    /// Effects and errors of all slices, level by level.
    fn estimates(&self, total: &[f64; K]) -> Vec<Vec<(f64, f64)>> {
        (1..=self.depth)
            .map(|level| {
                let tables = self.tables.iter().filter(|table| table.dimensions.len() == level);
                let sums = tables.flat_map(|table| &table.sums);
                sums.filter_map(|sums| self.contrast.estimate(sums, total))
                    .collect()
            })
            .collect()
    }

    /// How effects vary where nothing happened, level by level. Of what was named on a level, all that is not outstanding
    /// is put back before the level is looked at: a forecast that is a little wrong for every value is no cause of any. In
    /// the end everything is put back.
    fn settle(&mut self, mut named: Vec<Found>) -> Vec<Scatter> {
        let mut between: Vec<f64> = Vec::new();
        for level in 1..=self.depth {
            let (here, elsewhere): (Vec<Found>, Vec<Found>) = named
                .into_iter()
                .partition(|found| found.conditions.len() == level);
            named = elsewhere;
            let largest = here.iter().map(|found| found.effect.abs()).fold(0.0, f64::max);
            let (outstanding, small): (Vec<Found>, Vec<Found>) = here
                .into_iter()
                .partition(|found| found.effect.abs() >= OUTSTANDING * largest);
            for found in &small {
                self.put_back(found);
            }
            let effects = self.estimates(&self.total()).swap_remove(level - 1);
            let variances: Vec<(f64, f64)> = effects
                .iter()
                .map(|(effect, error)| (*effect, error * error))
                .collect();
            // A slice is at least as wrong as all its values are together.
            let values = between.first().map_or(0.0, |of_one| level as f64 * of_one);
            let variance = variance_beyond(&variances, ENOUGH).unwrap_or(0.0).max(values);
            between.push(variance);
            named.extend(outstanding);
            for found in small {
                if found.effect.abs() > FAR * found.error.hypot(variance.sqrt()) {
                    self.take_out(&found);
                    named.push(found);
                }
            }
        }
        let effects = self.estimates(&self.total());
        for found in &named {
            self.put_back(found);
        }
        let values = effects.first().map_or(0, Vec::len);
        (1..)
            .zip(effects.iter().zip(between))
            .map(|(level, (effects, between))| Scatter::beyond(effects, between, level * values))
            .collect()
    }

    /// How scores scatter, level by level, and what else varies, as seen without the suspects: what they do would be taken for
    /// scatter and hide them (masking: P. J. Rousseeuw and A. M. Leroy, "Robust Regression and Outlier Detection" (1987), ch. 1).
    /// They were taken out before and are put back.
    fn without(&mut self, suspects: &[Found]) -> Vec<Scatter> {
        self.contrast.learn(self.grid, &self.cells);
        let scores = |level: Vec<(f64, f64)>| {
            level
                .iter()
                .map(|(effect, error)| (effect / error).abs())
                .collect()
        };
        let levels = self.estimates(&self.total()).into_iter().map(scores);
        let scatters = Scatter::of_levels(levels.collect());
        for suspect in suspects {
            self.put_back(suspect);
        }
        scatters
    }

    fn levels(&self, total: &[f64; K]) -> Vec<Level> {
        let estimates = self.estimates(total);
        let slices: Vec<f64> = estimates
            .iter()
            .map(|level| (level.len() as f64).max(1.0))
            .collect();
        let false_alarm = self.limits.false_alarm / self.depth as f64;
        let levels = self.scatters.iter().zip(slices);
        levels
            .map(|(scatter, slices)| Level {
                scatter: *scatter,
                slices,
                critical: two_sided_quantile(false_alarm / slices),
            })
            .collect()
    }

    /// The slice of these conditions, if it is worth a name.
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
        let score = level.scatter.normal(effect, error);
        (score >= level.critical).then(|| Found {
            conditions,
            effect,
            error: level.scatter.error(error),
            adjusted_p_value: (two_sided(score) * slices * levels.len() as f64).min(1.0),
            gain: level.scatter.log_likelihood(effect, error) - slices.ln(),
            prominence: self.contrast.prominence(sums),
        })
    }

    /// Names slices one after the other, and takes out what they explain.
    fn name(&mut self, most: usize) -> Vec<Found> {
        let mut named: Vec<Found> = Vec::new();
        while named.len() < most {
            let Some(found) = self.best() else { break };
            self.take_out(&found);
            named.push(found);
        }
        named
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
        if !self.contrast.scatters_as_stated() {
            for _ in 0..self.depth {
                let Some(nearest) = self.nested(&best, &total, &levels) else {
                    break;
                };
                best = nearest;
            }
        }
        Some(best)
    }

    /// The part of a slice to name in its place, if its parts by some further dimension together explain more.
    fn best_part(&self, whole: &Found, total: &[f64; K], levels: &[Level]) -> Option<Found> {
        let mut most = (whole.gain, None);
        for table in &self.tables {
            let Some(at) = further_dimension(&table.dimensions, &whole.conditions) else {
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
            if gain > most.0 && gain > PARTS_EXPLAIN_MORE * whole.gain {
                let first = |a: Found, b: Found| if b.explains_more_than(&a) { b } else { a };
                most = (gain, parts.into_iter().reduce(first));
            }
        }
        most.1
    }

    fn take_out(&mut self, found: &Found) {
        if self.contrast.leaves_out_named() && !found.conditions.is_empty() {
            self.leave_out(found, true);
        } else {
            self.add(found, -found.effect);
        }
    }

    fn put_back(&mut self, found: &Found) {
        if self.contrast.leaves_out_named() && !found.conditions.is_empty() {
            self.leave_out(found, false);
        } else {
            self.add(found, found.effect);
        }
    }

    /// Adds an effect to the cells of a slice, in all tables.
    fn add(&mut self, found: &Found, effect: f64) {
        for ((codes, cell), left_out) in self.grid.rows().zip(&mut self.cells).zip(&self.left_out) {
            if !found.holds(codes) {
                continue;
            }
            let change = self.contrast.change(cell, effect);
            for (sum, change) in cell.iter_mut().zip(&change) {
                *sum += change;
            }
            if *left_out == 0 {
                for table in &mut self.tables {
                    table.change(codes, &change);
                }
            }
        }
    }

    /// Leaves the cells of a slice out of all tables, or takes them in again.
    fn leave_out(&mut self, found: &Found, out: bool) {
        for ((codes, cell), left_out) in self.grid.rows().zip(&self.cells).zip(&mut self.left_out) {
            if !found.holds(codes) {
                continue;
            }
            let before = *left_out;
            *left_out = if out { before + 1 } else { before.saturating_sub(1) };
            if (before == 0) != (*left_out == 0) {
                let change = cell.map(|sum| if out { -sum } else { sum });
                for table in &mut self.tables {
                    table.change(codes, &change);
                }
            }
        }
    }

    /// Looks at each named slice again, now that all others are taken out: it stays, another explains more, or none is left.
    fn revise(&mut self, named: &mut Vec<Found>) {
        for _ in 0..REVISIONS {
            if named.len() < 2 {
                return;
            }
            let before: Vec<_> = named.iter().map(|found| found.conditions.clone()).collect();
            for conditions in before.iter().rev() {
                let Some(at) = named.iter().position(|found| found.conditions == *conditions) else {
                    continue;
                };
                let found = named.remove(at);
                self.put_back(&found);
                let Some(mut again) = self.best() else { continue };
                if let Some(same) = named
                    .iter()
                    .position(|other| other.conditions == again.conditions)
                {
                    // It was named before with a part of its effect.
                    let other = named.remove(same);
                    self.put_back(&other);
                    match self.best() {
                        Some(whole) => again = whole,
                        None => continue,
                    }
                }
                self.take_out(&again);
                let place = at.min(named.len());
                named.insert(place, again);
            }
            if named.iter().map(|found| &found.conditions).eq(&before) {
                return;
            }
        }
    }
}

/// Which of these dimensions the conditions leave open, if it is the only one and they are on no others.
fn further_dimension(dimensions: &[usize], conditions: &[(usize, u32)]) -> Option<usize> {
    let within = conditions
        .iter()
        .all(|(dimension, _)| dimensions.contains(dimension));
    if !within || dimensions.len() != conditions.len() + 1 {
        return None;
    }
    dimensions
        .iter()
        .position(|dimension| conditions.iter().all(|(other, _)| other != dimension))
}

impl Found {
    fn holds(&self, codes: &[u32]) -> bool {
        self.conditions
            .iter()
            .all(|(dimension, code)| codes[*dimension] == *code)
    }

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

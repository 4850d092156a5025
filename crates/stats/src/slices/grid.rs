use std::collections::HashMap;

/// Cells of a cube: for each, the code of its value in every dimension, and the sums a contrast is made of.
#[derive(Debug, Clone)]
pub(crate) struct Grid<const K: usize> {
    /// How many values each dimension has.
    pub(crate) cardinalities: Vec<usize>,
    /// Cell after cell, the code in each dimension.
    pub(crate) codes: Vec<u32>,
    /// The sums of each cell.
    pub(crate) sums: Vec<[f64; K]>,
}

impl<const K: usize> Grid<K> {
    /// The codes of one cell after the other.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &[u32]> {
        self.codes.chunks_exact(self.cardinalities.len().max(1))
    }
}

/// The sums of every slice over the same dimensions.
#[derive(Debug, Clone)]
pub(crate) struct Table<const K: usize> {
    /// The dimensions, ascending.
    pub(crate) dimensions: Vec<usize>,
    strides: Vec<u64>,
    cardinalities: Vec<u64>,
    /// Where the sums of a key are, for tables that would be mostly empty; else the key is the place.
    places: Option<HashMap<u64, usize>>,
    keys: Vec<u64>,
    /// The sums of each slice.
    pub(crate) sums: Vec<[f64; K]>,
}

impl<const K: usize> Table<K> {
    fn empty(dimensions: &[usize], grid: &Grid<K>) -> Self {
        let cardinalities: Vec<u64> = dimensions.iter().map(|d| grid.cardinalities[*d] as u64).collect();
        let mut strides = Vec::with_capacity(dimensions.len());
        let mut slices = 1_u64;
        for cardinality in &cardinalities {
            strides.push(slices);
            slices = slices.saturating_mul((*cardinality).max(1));
        }
        let dense = slices <= (2 * grid.sums.len() as u64).max(65_536);
        Self {
            dimensions: dimensions.to_vec(),
            strides,
            cardinalities,
            places: (!dense).then(HashMap::new),
            keys: if dense { (0..slices).collect() } else { Vec::new() },
            sums: if dense {
                vec![[0.0; K]; slices as usize]
            } else {
                Vec::new()
            },
        }
    }

    /// Sums the cells.
    pub(crate) fn of_cells(dimensions: &[usize], grid: &Grid<K>) -> Self {
        let mut table = Self::empty(dimensions, grid);
        for (codes, sums) in grid.rows().zip(&grid.sums) {
            table.add(table.key(codes), sums);
        }
        table
    }

    /// Sums the slices of a table with one dimension more.
    pub(crate) fn of_finer(dimensions: &[usize], finer: &Self, grid: &Grid<K>) -> Self {
        let mut table = Self::empty(dimensions, grid);
        let kept: Vec<usize> = (0..finer.dimensions.len())
            .filter(|at| dimensions.contains(&finer.dimensions[*at]))
            .collect();
        for (place, sums) in finer.sums.iter().enumerate() {
            let key = kept
                .iter()
                .zip(&table.strides)
                .map(|(at, stride)| finer.code(place, *at) * stride)
                .sum();
            table.add(key, sums);
        }
        table
    }

    /// The key of the slice that a cell is in.
    fn key(&self, codes: &[u32]) -> u64 {
        self.dimensions
            .iter()
            .zip(&self.strides)
            .map(|(dimension, stride)| u64::from(codes[*dimension]) * stride)
            .sum()
    }

    fn add(&mut self, key: u64, sums: &[f64; K]) {
        let place = match &mut self.places {
            None => key as usize,
            Some(places) => *places.entry(key).or_insert_with(|| {
                self.keys.push(key);
                self.sums.push([0.0; K]);
                self.sums.len() - 1
            }),
        };
        for (total, sum) in self.sums[place].iter_mut().zip(sums) {
            *total += sum;
        }
    }

    /// Adds a change of a cell to the slice it is in.
    pub(crate) fn change(&mut self, codes: &[u32], change: &[f64; K]) {
        self.add(self.key(codes), change);
    }

    /// The code in the `at`-th of the table's dimensions.
    pub(crate) fn code(&self, place: usize, at: usize) -> u64 {
        self.keys[place] / self.strides[at] % self.cardinalities[at]
    }

    /// Dimension and code of each condition of a slice.
    pub(crate) fn conditions(&self, place: usize) -> Vec<(usize, u32)> {
        (0..self.dimensions.len())
            .map(|at| (self.dimensions[at], self.code(place, at) as u32))
            .collect()
    }

    /// Where the slice of these conditions is. `None` when it has no cell, or the conditions are on other dimensions.
    pub(crate) fn place(&self, conditions: &[(usize, u32)]) -> Option<usize> {
        if !conditions
            .iter()
            .map(|(dimension, _)| dimension)
            .eq(&self.dimensions)
        {
            return None;
        }
        let key = conditions
            .iter()
            .zip(&self.strides)
            .map(|((_, code), stride)| u64::from(*code) * stride)
            .sum();
        match &self.places {
            None => Some(key as usize),
            Some(places) => places.get(&key).copied(),
        }
    }
}

/// One table for each set of up to `depth` dimensions; sets of one first.
pub(crate) fn tables<const K: usize>(grid: &Grid<K>, depth: usize) -> Vec<Table<K>> {
    let dimensions = grid.cardinalities.len();
    let mut finer: Vec<Table<K>> = Vec::new();
    let mut all: Vec<Vec<Table<K>>> = Vec::new();
    for level in (1..=depth.min(dimensions)).rev() {
        let subsets = subsets(dimensions, level);
        let made = each(&subsets, subsets.len() * grid.sums.len() >= MUCH, |subset| {
            let source = finer
                .iter()
                .filter(|table| {
                    subset
                        .iter()
                        .all(|dimension| table.dimensions.contains(dimension))
                })
                .min_by_key(|table| table.sums.len());
            match source {
                Some(table) if table.sums.len() < grid.sums.len() => Table::of_finer(subset, table, grid),
                _ => Table::of_cells(subset, grid),
            }
        });
        all.push(std::mem::replace(&mut finer, made));
    }
    all.push(finer);
    all.into_iter().rev().flatten().collect()
}

/// From so many additions on they are shared among processors.
const MUCH: usize = 1_000_000;

/// What `of` makes of each item, in their order: where it is `much` work, on as many threads as there are processors, each of which
/// makes whole results, so that their number changes none.
fn each<T: Sync, R: Send>(items: &[T], much: bool, of: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = if much {
        std::thread::available_parallelism().map_or(1, usize::from)
    } else {
        1
    };
    if threads == 1 {
        return items.iter().map(of).collect();
    }
    let of = &of;
    std::thread::scope(|scope| {
        let parts = items.chunks(items.len().div_ceil(threads).max(1));
        let begun: Vec<_> = parts
            .map(|part| scope.spawn(move || part.iter().map(of).collect::<Vec<R>>()))
            .collect();
        let ended = begun.into_iter().map(|thread| thread.join());
        ended
            .flat_map(|made| made.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

/// All sets of `size` of the numbers below `count`, each ascending.
fn subsets(count: usize, size: usize) -> Vec<Vec<usize>> {
    (0_u32..1 << count)
        .filter(|set| set.count_ones() as usize == size)
        .map(|set| (0..count).filter(|at| set >> at & 1 == 1).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(cardinalities: [usize; 3]) -> Grid<1> {
        let mut grid = Grid {
            cardinalities: cardinalities.to_vec(),
            codes: Vec::new(),
            sums: Vec::new(),
        };
        for cell in 0..200_u32 {
            grid.codes.extend([cell % 4, cell % 7, (cell * 31) % 97]);
            grid.sums.push([f64::from(cell)]);
        }
        grid
    }

    #[test]
    fn every_table_holds_all_cells_whether_dense_or_not() {
        // The second has too many values for a place for each triple.
        for cardinalities in [[4, 7, 97], [4_000, 7_000, 97_000]] {
            let grid = grid(cardinalities);
            let tables = tables(&grid, 3);
            assert_eq!(tables.len(), 7);
            for table in &tables {
                let total: f64 = table.sums.iter().map(|sums| sums[0]).sum();
                assert_eq!(total, 199.0 * 100.0, "{:?}", table.dimensions);
            }
            let pair = &tables[3];
            let wanted: f64 = grid
                .rows()
                .zip(&grid.sums)
                .filter(|(c, _)| c[0] == 1 && c[1] == 3)
                .map(|c| c.1[0])
                .sum();
            let place = pair.place(&[(0, 1), (1, 3)]).unwrap();
            assert_eq!(pair.sums[place][0], wanted);
            assert_eq!(pair.conditions(place), [(0, 1), (1, 3)]);
            assert_eq!(pair.place(&[(0, 1), (2, 3)]), None);
        }
    }

    #[test]
    fn threads_change_no_result() {
        let items: Vec<u32> = (0..101).collect();
        let square = |it: &u32| it * it;
        assert_eq!(each(&items, true, square), each(&items, false, square));
        assert_eq!(each(&items[..1], true, square), [0]);
        assert_eq!(each(&items[..0], true, square), [0; 0]);
    }
}

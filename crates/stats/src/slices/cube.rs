use std::borrow::Cow;
use std::collections::HashMap;

use crate::slices::grid::Grid;

/// The value that stands for all that are too rare to stand alone.
pub const OTHER: &str = "(other)";

/// Labelled cells: each has a value in every dimension. A combination may come more than once.
#[derive(Debug, Clone, PartialEq)]
pub struct Cube<V> {
    dimensions: Vec<Dimension>,
    codes: Vec<u32>,
    cells: Vec<V>,
}

#[derive(Debug, Clone, PartialEq)]
struct Dimension {
    name: String,
    values: Vec<String>,
    codes: HashMap<String, u32>,
}

/// A cell is of another cube.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotOfTheCube {
    /// It does not have one value for each dimension.
    #[error("a cell has {found} values, not one for each of {expected} dimensions")]
    WrongNumberOfValues {
        /// How many values the cell has.
        found: usize,
        /// How many dimensions the cube has.
        expected: usize,
    },
    /// One of its values is none that the dimension has.
    #[error("a cell has value {place} of dimension {dimension}, which has {values}")]
    NoSuchValue {
        /// The value's place among those of the dimension, from 0 on.
        place: u32,
        /// The dimension's place, from 0 on.
        dimension: usize,
        /// How many values the dimension has.
        values: usize,
    },
}

impl<V> Cube<V> {
    /// A cube without cells, of the dimensions with these names.
    pub fn new<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        let dimensions = names
            .into_iter()
            .map(|name| Dimension {
                name: name.into(),
                values: Vec::new(),
                codes: HashMap::new(),
            })
            .collect();
        Self {
            dimensions,
            codes: Vec::new(),
            cells: Vec::new(),
        }
    }

    /// A cube without cells, of dimensions with these names and different values, for cells that come by the places of their
    /// values.
    pub fn of_values<S: Into<String>>(dimensions: impl IntoIterator<Item = (S, Vec<String>)>) -> Self {
        let mut cube = Self::new(std::iter::empty::<String>());
        for (name, values) in dimensions {
            let places = values.iter().cloned().zip(0..);
            cube.dimensions.push(Dimension {
                name: name.into(),
                codes: places.collect(),
                values,
            });
        }
        cube
    }

    /// Adds a cell.
    ///
    /// # Errors
    /// There is not one value for each dimension.
    pub fn add<S: AsRef<str>>(&mut self, values: &[S], cell: V) -> Result<(), NotOfTheCube> {
        self.check_number(values.len())?;
        for (dimension, value) in self.dimensions.iter_mut().zip(values) {
            self.codes.push(dimension.code(value.as_ref()));
        }
        self.cells.push(cell);
        Ok(())
    }

    /// Adds a cell by the places of its values among those of their dimensions.
    ///
    /// # Errors
    /// There is not one value for each dimension, or a dimension does not have it.
    pub fn add_at(&mut self, places: &[u32], cell: V) -> Result<(), NotOfTheCube> {
        self.check_number(places.len())?;
        for (at, (dimension, place)) in self.dimensions.iter().zip(places).enumerate() {
            if *place as usize >= dimension.values.len() {
                return Err(NotOfTheCube::NoSuchValue {
                    place: *place,
                    dimension: at,
                    values: dimension.values.len(),
                });
            }
        }
        self.codes.extend(places);
        self.cells.push(cell);
        Ok(())
    }

    fn check_number(&self, found: usize) -> Result<(), NotOfTheCube> {
        let expected = self.dimensions.len();
        if found == expected {
            Ok(())
        } else {
            Err(NotOfTheCube::WrongNumberOfValues { found, expected })
        }
    }

    /// The names of the dimensions.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.dimensions.iter().map(|dimension| dimension.name.as_str())
    }

    /// The cells with their values, in the order they came.
    pub fn labelled(&self) -> impl Iterator<Item = (Vec<&str>, &V)> {
        let width = self.dimensions.len();
        self.cells.iter().enumerate().map(move |(at, cell)| {
            let codes = self.codes.iter().skip(at * width).take(width);
            let values = self.dimensions.iter().zip(codes);
            let values = values.map(|(dimension, code)| dimension.values[*code as usize].as_str());
            (values.collect(), cell)
        })
    }

    /// The cells, in the order they came.
    pub fn cells(&self) -> &[V] {
        &self.cells
    }

    /// How many dimensions.
    pub fn dimensions(&self) -> usize {
        self.dimensions.len()
    }

    /// The same cube with one cell for each combination, in the order they first came; `add` adds to the first the second.
    pub fn merged(&self, mut add: impl FnMut(&mut V, &V)) -> Cow<'_, Self>
    where
        V: Clone,
    {
        let rows = || self.codes.chunks_exact(self.dimensions.len().max(1));
        if !self.dimensions.is_empty() && rows().zip(rows().skip(1)).all(|(a, b)| a < b) {
            return Cow::Borrowed(self);
        }
        let mut merged = Self {
            dimensions: self.dimensions.clone(),
            codes: Vec::new(),
            cells: Vec::new(),
        };
        let mut places: HashMap<&[u32], usize> = HashMap::with_capacity(self.cells.len());
        for (codes, cell) in rows().zip(&self.cells) {
            if let Some(place) = places.get(codes) {
                add(&mut merged.cells[*place], cell);
            } else {
                places.insert(codes, merged.cells.len());
                merged.codes.extend(codes);
                merged.cells.push(cell.clone());
            }
        }
        Cow::Owned(merged)
    }

    /// Keeps the `most` heaviest values of each dimension and puts the cells of all others under [`OTHER`].
    pub fn cap(&mut self, most: usize, weight: impl Fn(&V) -> f64) {
        for at in 0..self.dimensions.len() {
            if self.dimensions[at].values.len() <= most {
                continue;
            }
            let mut weights = vec![0.0; self.dimensions[at].values.len()];
            for (codes, cell) in self.codes.chunks_exact(self.dimensions.len()).zip(&self.cells) {
                weights[codes[at] as usize] += weight(cell);
            }
            let old = std::mem::take(&mut self.dimensions[at].values);
            self.dimensions[at].codes.clear();
            let mut order: Vec<usize> = (0..old.len()).collect();
            order.sort_by(|a, b| {
                weights[*b]
                    .total_cmp(&weights[*a])
                    .then_with(|| old[*a].cmp(&old[*b]))
            });
            let mut codes = vec![0; old.len()];
            for (rank, code) in order.into_iter().enumerate() {
                let value = if rank < most { &old[code] } else { OTHER };
                codes[code] = self.dimensions[at].code(value);
            }
            let width = self.dimensions.len();
            for code in self.codes.iter_mut().skip(at).step_by(width) {
                *code = codes[*code as usize];
            }
        }
    }

    /// The grid of these sums, one a cell. Codes are put in the order of the values, so that the order of the cells means
    /// nothing.
    pub(crate) fn grid<const K: usize>(&self, sums: Vec<[f64; K]>) -> (Grid<K>, Names<'_>) {
        let ranked: Vec<(Vec<&str>, Vec<u32>)> = self.dimensions.iter().map(Dimension::ranked).collect();
        let mut codes = self.codes.clone();
        for cell in codes.chunks_exact_mut(self.dimensions.len().max(1)) {
            for (code, (_, ranks)) in cell.iter_mut().zip(&ranked) {
                *code = ranks[*code as usize];
            }
        }
        let cardinalities = ranked.iter().map(|(values, _)| values.len()).collect();
        let dimensions = self.dimensions.iter().map(|dimension| dimension.name.as_str());
        let names = Names(
            dimensions
                .zip(ranked.into_iter().map(|(values, _)| values))
                .collect(),
        );
        (
            Grid {
                cardinalities,
                codes,
                sums,
            },
            names,
        )
    }
}

impl Dimension {
    fn code(&mut self, value: &str) -> u32 {
        if let Some(code) = self.codes.get(value) {
            return *code;
        }
        let code = self.values.len() as u32;
        self.codes.insert(value.to_owned(), code);
        self.values.push(value.to_owned());
        code
    }

    /// The values in order, and the place of each code among them.
    fn ranked(&self) -> (Vec<&str>, Vec<u32>) {
        let mut order: Vec<usize> = (0..self.values.len()).collect();
        order.sort_by(|a, b| self.values[*a].cmp(&self.values[*b]));
        let mut ranks = vec![0; order.len()];
        for (rank, code) in order.iter().enumerate() {
            ranks[*code] = rank as u32;
        }
        (
            order.into_iter().map(|code| self.values[code].as_str()).collect(),
            ranks,
        )
    }
}

/// Name and values of each dimension of a grid.
pub(crate) struct Names<'a>(Vec<(&'a str, Vec<&'a str>)>);

impl Names<'_> {
    /// Dimension and value of each condition.
    pub(crate) fn slice(&self, conditions: &[(usize, u32)]) -> Vec<(String, String)> {
        conditions
            .iter()
            .map(|(dimension, code)| {
                let (name, values) = &self.0[*dimension];
                ((*name).to_owned(), values[*code as usize].to_owned())
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_values_become_one_and_lose_no_cell() {
        let mut cube = Cube::new(["model", "region"]);
        for (model, weight) in [("a", 5.0), ("b", 1.0), ("c", 3.0), ("d", 1.5), ("a", 1.0)] {
            cube.add(&[model, "eu"], weight).unwrap();
        }
        cube.cap(2, |weight| *weight);
        let sums = cube.cells().iter().map(|weight| [*weight]).collect();
        let (grid, names) = cube.grid(sums);
        assert_eq!(grid.cardinalities, [3, 1]);
        let models: Vec<String> = grid
            .rows()
            .map(|codes| names.slice(&[(0, codes[0])])[0].1.clone())
            .collect();
        assert_eq!(models, ["a", OTHER, "c", OTHER, "a"]);
    }

    #[test]
    fn a_cell_needs_a_value_for_each_dimension() {
        let mut cube = Cube::new(["model", "region"]);
        let error = cube.add(&["a"], 1.0).unwrap_err();
        assert_eq!(
            error,
            NotOfTheCube::WrongNumberOfValues {
                found: 1,
                expected: 2
            }
        );
        assert!(cube.cells().is_empty());
    }

    #[test]
    fn a_cell_by_places_is_the_one_by_values_and_no_other_place_is_taken() {
        let mut by_places = Cube::of_values([
            ("model", vec!["b".to_owned(), "a".to_owned()]),
            ("region", vec!["eu".to_owned()]),
        ]);
        by_places.add_at(&[1, 0], 5.0).unwrap();
        by_places.add(&["b", "us"], 3.0).unwrap();
        by_places.add_at(&[0, 1], 1.0).unwrap();
        let labelled: Vec<_> = by_places.labelled().collect();
        let expected = [
            (vec!["a", "eu"], &5.0),
            (vec!["b", "us"], &3.0),
            (vec!["b", "us"], &1.0),
        ];
        assert_eq!(labelled, expected);
        let error = by_places.add_at(&[2, 0], 1.0).unwrap_err();
        assert_eq!(
            error,
            NotOfTheCube::NoSuchValue {
                place: 2,
                dimension: 0,
                values: 2
            }
        );
        assert_eq!(by_places.cells().len(), 3);
    }
}

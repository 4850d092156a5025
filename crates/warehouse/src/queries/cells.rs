//! Combinations of values of dimensions as numbers: ClickHouse groups by them, and they are read, many times faster than by names.

use clickhouse::query::Query;

use super::QueryError;
use super::scope::{Listed, bind_dimension};

/// All combinations of the listed values of some dimensions, those not listed counting as one more, numbered in the order of their
/// places, the first dimension's before all.
#[derive(Debug, Clone)]
pub(super) struct Cells<'a> {
    listed: Vec<Listed<'a>>,
    kind: Kind,
}

/// Numbers of this many bits.
#[derive(Debug, Clone, Copy)]
enum Kind {
    U64,
    U128,
}

impl<'a> Cells<'a> {
    /// Of these dimensions; each value may be listed once, and the name of all others not at all.
    ///
    /// # Errors
    /// There are more than 2¹²⁸.
    pub(super) fn of(listed: Vec<Listed<'a>>) -> Result<Self, QueryError> {
        let mut places = listed.iter().map(|it| it.values.len() as u128 + 1);
        let count = places.try_fold(1_u128, u128::checked_mul);
        let kind = match count {
            Some(count) if count <= u128::from(u64::MAX) => Kind::U64,
            Some(_) => Kind::U128,
            None => {
                let rule = format!("has {} dimensions, too many to look at together", listed.len());
                return Err(QueryError::invalid("metric", rule));
            }
        };
        Ok(Self { listed, kind })
    }

    /// Name and values of each dimension, in the order of their places.
    pub(super) fn dimensions(&self) -> impl Iterator<Item = (&'a str, Vec<String>)> {
        self.listed.iter().map(|it| {
            let mut values = it.values.clone();
            values.push(it.other.to_owned());
            (it.dimension, values)
        })
    }

    /// The place of its value in each dimension: `places` has one for each.
    pub(super) fn places(&self, number: u128, places: &mut [u32]) {
        let each = places.iter_mut().zip(&self.listed).rev();
        // Most are small, and dividing those is much faster
        if let Ok(mut number) = u64::try_from(number) {
            for (place, listed) in each {
                let values = listed.values.len() as u64 + 1;
                *place = (number % values) as u32;
                number /= values;
            }
            return;
        }
        let mut number = number;
        for (place, listed) in each {
            let values = listed.values.len() as u128 + 1;
            *place = (number % values) as u32;
            number /= values;
        }
    }

    /// SQL of the number of a row's, to be bound by [`Cells::bind`]; `value` gives that of a dimension.
    pub(super) fn sql(&self, value: impl Fn(&str) -> String) -> String {
        let kind = self.kind();
        self.listed.iter().fold(format!("to{kind}(0)"), |before, listed| {
            let (last, value) = (listed.values.len(), value(listed.dimension));
            let places: Vec<String> = (0..last.max(1)).map(|place| place.to_string()).collect();
            let place = format!("transform({value}, ?, [{}], {last})", places.join(", "));
            format!("({before} * {} + to{kind}({place}))", last + 1)
        })
    }

    /// ClickHouse's type of [`Cells::sql`].
    pub(super) const fn kind(&self) -> &'static str {
        match self.kind {
            Kind::U64 => "UInt64",
            Kind::U128 => "UInt128",
        }
    }

    pub(super) fn bind(&self, query: Query) -> Query {
        self.listed.iter().fold(query, |query, listed| {
            bind_dimension(query, listed.dimension).bind(listed.values_or_none())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(dimension: &str, values: usize) -> Listed<'_> {
        Listed {
            dimension,
            values: (0..values).map(|value| format!("v{value}")).collect(),
            other: "(other)",
        }
    }

    #[test]
    fn every_number_is_another_combination_in_order() {
        let cells = Cells::of(vec![listed("a", 2), listed("b", 0), listed("c", 3)]).unwrap();
        let of = |number| {
            let mut places = vec![9; 3];
            cells.places(number, &mut places);
            places
        };
        let places: Vec<Vec<u32>> = (0..12).map(of).collect();
        let expected = (0..3).flat_map(|a| (0..4).map(move |c| vec![a, 0, c]));
        assert_eq!(places, expected.collect::<Vec<_>>());
        let names: Vec<_> = cells
            .dimensions()
            .map(|(name, values)| (name, values.len()))
            .collect();
        assert_eq!(names, [("a", 3), ("b", 1), ("c", 4)]);
    }

    #[test]
    fn a_number_beyond_64_bits_has_its_places_too() {
        let cells = Cells::of(vec![listed("a", 40); 20]).unwrap();
        let wanted: Vec<u32> = (0..20).map(|at| (at * 7) % 41).collect();
        let number = wanted.iter().fold(0, |all, place| all * 41 + u128::from(*place));
        let mut places = vec![0; 20];
        cells.places(number, &mut places);
        assert_eq!(places, wanted);
    }

    #[test]
    fn more_dimensions_take_wider_numbers_and_too_many_are_refused() {
        let of = |count| Cells::of(vec![listed("a", 40); count]);
        assert_eq!(of(11).unwrap().kind(), "UInt64");
        assert_eq!(of(12).unwrap().kind(), "UInt128");
        assert!(of(24).unwrap_err().to_string().contains("24 dimensions"));
    }
}

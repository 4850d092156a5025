//! Encoded rows as one block of columns: `RowBinary` to `Native` (<https://clickhouse.com/docs/interfaces/formats/Native>).
//! ClickHouse takes a row apart value by value and looks each string of a dictionary up, while it copies columns. The block is a
//! function of the rows, so that the same rows are always the same bytes; and it is one block, however it is cut on its way.

use bytes::Bytes;
use hashbrown::HashMap;

use crate::rows::{Column, Kind, length};

/// Bytes after which a piece of the block is full.
const PIECE: usize = 256 * 1024;
/// Room of a piece beyond that, so that the last string mostly fits.
const SLACK: usize = 8 * 1024;
/// Version of dictionaries that come with each block.
const DICTIONARY_VERSION: u64 = 1;
/// Keys follow, and are all there are.
const OWN_KEYS: u64 = 0x600;

/// Rows that are not what their columns say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// The column whose value cannot be read.
    pub(crate) column: &'static str,
}

/// Columns that grow row by row. Long strings stay where they are, all else is copied.
pub(crate) struct Block<'a> {
    columns: &'static [Column],
    values: Vec<Values<'a>>,
    rows: usize,
}

impl<'a> Block<'a> {
    pub(crate) fn new(columns: &'static [Column]) -> Self {
        Self {
            columns,
            values: columns.iter().map(|column| Values::of(column.kind)).collect(),
            rows: 0,
        }
    }

    /// Adds whole rows.
    pub(crate) fn add(&mut self, rows: &'a [u8]) -> Result<(), Malformed> {
        let mut rest = Rest(rows);
        while !rest.0.is_empty() {
            for (column, values) in self.columns.iter().zip(&mut self.values) {
                values.add(&mut rest).ok_or(Malformed { column: column.name })?;
            }
            self.rows += 1;
        }
        Ok(())
    }

    /// The block, piece by piece.
    pub(crate) fn pieces(self) -> Pieces<'a> {
        let mut open = Vec::with_capacity(PIECE + SLACK);
        length(&mut open, self.columns.len());
        length(&mut open, self.rows);
        Pieces {
            open,
            columns: self
                .columns
                .iter()
                .zip(self.values)
                .collect::<Vec<_>>()
                .into_iter(),
            texts: Vec::new().into_iter(),
        }
    }
}

/// What remains of some rows.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    fn length(&mut self) -> Option<usize> {
        let mut length = 0;
        for place in 0..5 {
            let byte = self.byte()?;
            length |= usize::from(byte & 0x7f) << (7 * place);
            if byte < 0x80 {
                return Some(length);
            }
        }
        None
    }

    /// A string with its length before it, as both formats have it.
    fn string(&mut self) -> Option<&'a [u8]> {
        let before = self.0;
        let length = self.length()?;
        let head = before.len() - self.0.len();
        self.take(length)?;
        before.get(..head + length)
    }
}

/// Values of one column.
enum Values<'a> {
    Numbers(usize, Vec<u8>),
    Strings(Vec<u8>),
    Texts(Vec<&'a [u8]>),
    Dictionary(Dictionary<'a>),
    Nullable {
        width: usize,
        nulls: Vec<u8>,
        values: Vec<u8>,
    },
    Map {
        /// Pairs up to the end of each row.
        ends: Vec<u8>,
        pairs: u64,
        keys: Dictionary<'a>,
        values: Box<Self>,
    },
}

impl<'a> Values<'a> {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Number(_, width) => Self::Numbers(width, Vec::new()),
            Kind::String => Self::Strings(Vec::new()),
            Kind::Text => Self::Texts(Vec::new()),
            Kind::Dictionary => Self::Dictionary(Dictionary::default()),
            Kind::Nullable(_, width) => Self::Nullable {
                width,
                nulls: Vec::new(),
                values: Vec::new(),
            },
            Kind::Map(values) => Self::Map {
                ends: Vec::new(),
                pairs: 0,
                keys: Dictionary::default(),
                values: Box::new(Self::of(*values)),
            },
        }
    }

    /// Takes the next value. `None` if there is no such value.
    fn add(&mut self, rest: &mut Rest<'a>) -> Option<()> {
        match self {
            Self::Numbers(width, numbers) => numbers.extend_from_slice(rest.take(*width)?),
            Self::Strings(strings) => strings.extend_from_slice(rest.string()?),
            Self::Texts(texts) => texts.push(rest.string()?),
            Self::Dictionary(dictionary) => dictionary.add(rest.string()?),
            Self::Nullable { width, nulls, values } => {
                let is_null = rest.byte()?;
                nulls.push(is_null);
                if is_null == 0 {
                    values.extend_from_slice(rest.take(*width)?);
                } else {
                    values.resize(values.len() + *width, 0);
                }
            }
            Self::Map {
                ends,
                pairs,
                keys,
                values,
            } => {
                for _ in 0..rest.length()? {
                    keys.add(rest.string()?);
                    values.add(rest)?;
                    *pairs += 1;
                }
                ends.extend_from_slice(&pairs.to_le_bytes());
            }
        }
        Some(())
    }

    /// What comes before all values of a column.
    fn begin(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Dictionary(_) => bytes.extend_from_slice(&DICTIONARY_VERSION.to_le_bytes()),
            Self::Map { values, .. } => {
                bytes.extend_from_slice(&DICTIONARY_VERSION.to_le_bytes());
                values.begin(bytes);
            }
            Self::Numbers(..) | Self::Strings(_) | Self::Texts(_) | Self::Nullable { .. } => {}
        }
    }

    /// Appends them; returns the long strings, which come after.
    fn write(self, bytes: &mut Vec<u8>) -> Vec<&'a [u8]> {
        match self {
            Self::Numbers(_, values) | Self::Strings(values) => bytes.extend_from_slice(&values),
            Self::Texts(texts) => return texts,
            Self::Dictionary(dictionary) => dictionary.write(bytes),
            Self::Nullable { nulls, values, .. } => {
                bytes.extend_from_slice(&nulls);
                bytes.extend_from_slice(&values);
            }
            Self::Map {
                ends, keys, values, ..
            } => {
                bytes.extend_from_slice(&ends);
                keys.write(bytes);
                return values.write(bytes);
            }
        }
        Vec::new()
    }
}

/// Strings of which there are few different ones: each once, in the order they first came, and which one every value is.
#[derive(Default)]
struct Dictionary<'a> {
    keys: Vec<u8>,
    places: HashMap<&'a [u8], u32>,
    last: Option<(&'a [u8], u32)>,
    indexes: Vec<u32>,
}

impl<'a> Dictionary<'a> {
    fn add(&mut self, string: &'a [u8]) {
        let index = match self.last {
            Some((last, index)) if last == string => index,
            _ => {
                let next = self.places.len() as u32;
                *self.places.entry(string).or_insert_with(|| {
                    self.keys.extend_from_slice(string);
                    next
                })
            }
        };
        self.last = Some((string, index));
        self.indexes.push(index);
    }

    fn write(self, bytes: &mut Vec<u8>) {
        // A column inside an empty one has nothing at all.
        if self.indexes.is_empty() {
            return;
        }
        let keys = self.places.len();
        let indexes = self.indexes.iter();
        let (width, indexes): (u64, Vec<u8>) = match keys {
            0..=0x100 => (0, indexes.map(|index| *index as u8).collect()),
            0x101..=0x1_0000 => (
                1,
                indexes.flat_map(|index| (*index as u16).to_le_bytes()).collect(),
            ),
            _ => (2, indexes.flat_map(|index| index.to_le_bytes()).collect()),
        };
        for number in [OWN_KEYS | width, keys as u64] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&self.keys);
        bytes.extend_from_slice(&(self.indexes.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&indexes);
    }
}

/// A block in pieces of one size.
pub(crate) struct Pieces<'a> {
    open: Vec<u8>,
    columns: std::vec::IntoIter<(&'static Column, Values<'a>)>,
    texts: std::vec::IntoIter<&'a [u8]>,
}

impl Iterator for Pieces<'_> {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        while self.open.len() < PIECE {
            if let Some(text) = self.texts.next() {
                self.open.extend_from_slice(text);
            } else if let Some((column, values)) = self.columns.next() {
                for text in [column.name, &column.kind.to_string()] {
                    length(&mut self.open, text.len());
                    self.open.extend_from_slice(text.as_bytes());
                }
                values.begin(&mut self.open);
                self.texts = values.write(&mut self.open).into_iter();
            } else {
                break;
            }
        }
        let empty = Vec::with_capacity(PIECE + SLACK);
        let full = std::mem::replace(&mut self.open, empty);
        (!full.is_empty()).then(|| full.into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rows::{decision, rejection};

    fn rejected(offset: i64, reason: &str) -> Vec<u8> {
        let mut row = vec![1, b't'];
        row.extend_from_slice(&7_i32.to_le_bytes());
        row.extend_from_slice(&offset.to_le_bytes());
        row.extend_from_slice(&(offset * 10).to_le_bytes());
        length(&mut row, reason.len());
        row.extend_from_slice(reason.as_bytes());
        row.extend_from_slice(&[0, 9, 0, 0, 0, 0, 0, 0, 0]);
        row
    }

    fn written(rows: &[u8]) -> Vec<u8> {
        let mut block = Block::new(rejection::COLUMNS);
        block.add(rows).unwrap();
        block.pieces().flatten().collect()
    }

    #[test]
    fn a_block_is_its_columns_one_after_the_other() {
        let block = written(&[rejected(1, "a"), rejected(2, "bc")].concat());
        let mut expected = vec![7, 2];
        let mut column = |name: &str, kind: &str, values: &[u8]| {
            for text in [name, kind] {
                length(&mut expected, text.len());
                expected.extend_from_slice(text.as_bytes());
            }
            expected.extend_from_slice(values);
        };
        let numbers = |numbers: [u64; 2]| numbers.map(u64::to_le_bytes).concat();
        let dictionary = |keys: &[u8], indexes: [u8; 2]| {
            let count = if indexes == [0, 0] { 1 } else { 2 };
            let head = [1, 0x600, count].map(u64::to_le_bytes).concat();
            [&head, keys, &2_u64.to_le_bytes(), &indexes].concat()
        };
        column("_topic", "LowCardinality(String)", &dictionary(b"\x01t", [0, 0]));
        column("_partition", "Int32", &[7, 0, 0, 0, 7, 0, 0, 0]);
        column("_offset", "Int64", &numbers([1, 2]));
        column("_ingested_at", "DateTime64(3, 'UTC')", &numbers([10, 20]));
        column(
            "reason",
            "LowCardinality(String)",
            &dictionary(b"\x01a\x02bc", [0, 1]),
        );
        column("field", "String", &[0, 0]);
        column("bytes", "UInt64", &numbers([9, 9]));
        assert_eq!(block, expected);
    }

    #[test]
    fn a_row_that_ends_early_names_the_column() {
        let row = rejected(1, "reason");
        for (bytes, column) in [(1, "_topic"), (3, "_partition"), (25, "reason"), (34, "bytes")] {
            let error = Block::new(rejection::COLUMNS).add(&row[..bytes]).unwrap_err();
            assert_eq!(error, Malformed { column }, "{bytes}");
        }
    }

    proptest! {
        #[test]
        fn where_rows_are_cut_into_pieces_does_not_matter(
            reasons in prop::collection::vec("[a-c]{0,2}", 1..40),
            cut in any::<prop::sample::Index>(),
        ) {
            let rows: Vec<_> = (0..).zip(&reasons).map(|(offset, reason)| rejected(offset, reason)).collect();
            let (before, after) = rows.split_at(cut.index(rows.len()));
            let (before, after) = (before.concat(), after.concat());
            let mut block = Block::new(rejection::COLUMNS);
            block.add(&before).unwrap();
            block.add(&after).unwrap();
            let pieces: Vec<u8> = block.pieces().flatten().collect();
            prop_assert_eq!(pieces, written(&rows.concat()));
        }

        #[test]
        fn any_bytes_end_in_a_block_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut block = Block::new(decision::COLUMNS);
            if block.add(&bytes).is_ok() {
                prop_assert!(block.pieces().count() > 0);
            }
        }
    }
}

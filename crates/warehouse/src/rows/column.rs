//! What the values of a column are: their type in ClickHouse, and how `RowBinary` writes them.

use std::fmt;

/// A column of encoded rows.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name in the table.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
}

/// A type of values.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A number, as many bytes of it as told.
    Number(&'static str, usize),
    /// A short string.
    String,
    /// A string that may be most of its row.
    Text,
    /// A string of which there are few different ones.
    Dictionary,
    /// A number or nothing.
    Nullable(&'static str, usize),
    /// Pairs of a string of which there are few different ones, and a value that is not nullable.
    Map(&'static Self),
}

pub(super) const BOOL: Kind = Kind::Number("Bool", 1);
pub(super) const INT32: Kind = Kind::Number("Int32", 4);
pub(super) const INT64: Kind = Kind::Number("Int64", 8);
pub(super) const UINT64: Kind = Kind::Number("UInt64", 8);
pub(super) const FLOAT64: Kind = Kind::Number("Float64", 8);
/// Milliseconds since 1970.
pub(super) const TIME: Kind = Kind::Number("DateTime64(3, 'UTC')", 8);
pub(super) const OPTIONAL_FLOAT64: Kind = Kind::Nullable("Float64", 8);
pub(super) const OPTIONAL_BOOL: Kind = Kind::Nullable("Bool", 1);
pub(super) const LABELS: Kind = Kind::Map(&Kind::Dictionary);
pub(super) const NUMBERS: Kind = Kind::Map(&FLOAT64);

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(name, _) => f.write_str(name),
            Self::String | Self::Text => f.write_str("String"),
            Self::Dictionary => f.write_str("LowCardinality(String)"),
            Self::Nullable(name, _) => write!(f, "Nullable({name})"),
            Self::Map(value) => write!(f, "Map(LowCardinality(String), {value})"),
        }
    }
}

pub(super) const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind }
}

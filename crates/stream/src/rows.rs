//! Encoded rows of a batch, in pieces of one size: what is full is never copied again, and memory is what was written,
//! not twice that.

use bytes::Bytes;
use kaizen_decision::RawRecord;

use crate::batch::digest;

/// Bytes after which a piece is full. Small enough that the last one wastes little, large enough that sending costs
/// nothing.
const PIECE: usize = 256 * 1024;
/// Room of a piece beyond that, so that the last row mostly fits.
const SLACK: usize = 8 * 1024;

/// Encoded rows of one table, one a record.
#[derive(Debug, Default)]
pub struct Rows {
    full: Vec<Bytes>,
    /// Memory of those: a row longer than its piece has room for makes the piece grow beyond what it then holds.
    closed: usize,
    open: Vec<u8>,
    bytes: usize,
    index: Vec<Row>,
}

/// The place of a record's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Offset of the record.
    pub offset: i64,
    /// Kafka's time of the record, milliseconds since 1970; 0 without. With the offset it tells the record from every
    /// other of its partition, also of a topic that was created anew.
    pub time: i64,
    /// Length of the row.
    length: usize,
}

impl Rows {
    /// Adds the row of the record, which `encode` appends to what it is given.
    pub fn push(&mut self, record: &RawRecord<'_>, encode: impl FnOnce(&mut Vec<u8>)) {
        if self.open.len() >= PIECE {
            self.close();
        }
        if self.open.capacity() == 0 {
            self.open.reserve_exact(PIECE + SLACK);
        }
        let before = self.open.len();
        encode(&mut self.open);
        let length = self.open.len() - before;
        self.bytes += length;
        self.index.push(Row {
            offset: record.offset,
            time: record.time.unwrap_or_default().max(0),
            length,
        });
    }

    /// Ends the last piece: no row comes after.
    pub fn close(&mut self) {
        if !self.open.is_empty() {
            self.closed += self.open.capacity();
            self.full.push(Bytes::from(std::mem::take(&mut self.open)));
        }
    }

    /// The pieces that are full or closed, in their order; each holds whole rows.
    pub fn pieces(&self) -> &[Bytes] {
        &self.full
    }

    /// What tells these rows from others, however full the last piece is.
    pub fn digest(&self) -> u128 {
        let pieces = self.full.iter().map(|piece| &piece[..]);
        let open = (!self.open.is_empty()).then_some(&self.open[..]);
        let digests: Vec<u8> = pieces
            .chain(open)
            .flat_map(|piece| digest(piece).to_le_bytes())
            .collect();
        digest(&digests)
    }

    /// The rows of the pieces, each with its bytes.
    pub fn iter(&self) -> impl Iterator<Item = (Row, &[u8])> {
        let (mut pieces, mut left) = (self.full.iter(), &[][..]);
        self.index.iter().map_while(move |row| {
            if left.is_empty() && row.length > 0 {
                left = pieces.next()?;
            }
            let bytes;
            (bytes, left) = left.split_at_checked(row.length)?;
            Some((*row, bytes))
        })
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// Bytes of the rows.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes of memory.
    pub fn memory(&self) -> usize {
        self.closed + self.open.capacity() + self.index.capacity() * size_of::<Row>()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(offset: i64) -> RawRecord<'static> {
        RawRecord {
            topic: "t",
            partition: 0,
            offset,
            time: Some(offset * 10),
            key: None,
            value: None,
            content_type: None,
            event_id: None,
            replay: kaizen_decision::Replay::default(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn every_row_comes_back_whole_and_in_its_order(lengths in prop::collection::vec(0..200_000_usize, 0..30)) {
            let mut rows = Rows::default();
            for (offset, length) in (0..).zip(&lengths) {
                rows.push(&record(offset), |bytes| bytes.extend(std::iter::repeat_n(offset as u8, *length)));
            }
            let before = rows.digest();
            rows.close();
            prop_assert_eq!(rows.digest(), before);
            prop_assert_eq!(rows.bytes(), lengths.iter().sum::<usize>());
            prop_assert_eq!(rows.pieces().iter().map(Bytes::len).sum::<usize>(), rows.bytes());
            let expected: Vec<_> = (0..).zip(&lengths).map(|(offset, length)| (offset, vec![offset as u8; *length])).collect();
            let found: Vec<_> = rows.iter().map(|(row, bytes)| (row.offset, bytes.to_vec())).collect();
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn memory_is_little_more_than_the_rows(length in 100..4_000_usize, count in 1_000..4_000_i64) {
            let mut rows = Rows::default();
            for offset in 0..count {
                rows.push(&record(offset), |bytes| bytes.resize(bytes.len() + length, 0));
            }
            prop_assert!(rows.memory() >= rows.bytes());
            let index = count as usize * 2 * size_of::<Row>();
            prop_assert!(rows.memory() <= rows.bytes() * 21 / 20 + index + PIECE + SLACK);
        }
    }
}

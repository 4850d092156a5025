//! What was found and stands: each lost offset, row too many and wrong hour counts once, however often it is seen.

use std::collections::{BTreeMap, HashMap};

use kaizen_stream::{Partition, Run};
use rangemap::RangeInclusiveSet;

/// Runs and rows a partition is remembered by. Of more than that, each would be counted again.
const MOST: usize = 100_000;

/// The findings of one partition.
#[derive(Debug, Default)]
pub struct Findings {
    lost: RangeInclusiveSet<i64>,
    /// Rows too many by offset.
    repeated: HashMap<i64, u64>,
    /// Offsets that hold no record.
    empty: RangeInclusiveSet<i64>,
    /// Offsets without a row that Kafka has not been asked about yet.
    suspect: RangeInclusiveSet<i64>,
}

impl Findings {
    /// Notes what has no row within a span. What is lost already and what is known to be empty is no suspect. Returns what was
    /// lost and is not any more.
    pub fn gaps(&mut self, span: Run, gaps: &[Run]) -> Vec<Run> {
        let mut there = RangeInclusiveSet::from_iter([span.0..=span.1]);
        for (first, last) in gaps {
            there.remove(*first..=*last);
            for unknown in self.empty.gaps(&(*first..=*last)).collect::<Vec<_>>() {
                for unknown in self.lost.gaps(&unknown).collect::<Vec<_>>() {
                    self.suspect.insert(unknown);
                }
            }
        }
        let mut mended = Vec::new();
        for there in there {
            mended.extend(
                self.lost
                    .overlapping(&there)
                    .map(|run| (*run.start().max(there.start()), *run.end().min(there.end()))),
            );
            for set in [&mut self.lost, &mut self.suspect, &mut self.empty] {
                set.remove(there.clone());
            }
        }
        mended
    }

    /// Offsets that Kafka is to be asked about, in order.
    pub fn suspects(&self) -> Vec<Run> {
        self.suspect
            .iter()
            .map(|run| (*run.start(), *run.end()))
            .collect()
    }

    /// Kafka has a record at these offsets: they are lost.
    pub fn lost(&mut self, runs: &[Run]) {
        Self::settle(&mut self.suspect, &mut self.lost, runs);
    }

    /// There is no record at these offsets.
    pub fn empty(&mut self, runs: &[Run]) {
        Self::settle(&mut self.suspect, &mut self.empty, runs);
    }

    /// Nobody can tell any more.
    pub fn unknown(&mut self, runs: &[Run]) {
        for (first, last) in runs {
            self.suspect.remove(*first..=*last);
        }
    }

    fn settle(suspect: &mut RangeInclusiveSet<i64>, set: &mut RangeInclusiveSet<i64>, runs: &[Run]) {
        for (first, last) in runs {
            suspect.remove(*first..=*last);
            if set.len() < MOST {
                set.insert(*first..=*last);
            }
        }
    }

    /// Notes the rows too many within a span. Returns how many are new, and how many are gone.
    pub fn duplicates(&mut self, span: Run, rows: impl IntoIterator<Item = i64>) -> (Vec<i64>, u64) {
        let mut now: BTreeMap<i64, u64> = BTreeMap::new();
        for offset in rows {
            *now.entry(offset).or_default() += 1;
        }
        let mut mended = 0;
        self.repeated.retain(|offset, rows| {
            let left = match (span.0..=span.1).contains(offset) {
                true => now.get(offset).copied().unwrap_or_default().min(*rows),
                false => *rows,
            };
            mended += *rows - left;
            *rows = left;
            left > 0
        });
        let mut found = Vec::new();
        for (offset, rows) in now {
            let known = self.repeated.get(&offset).copied().unwrap_or_default();
            found.extend((known..rows).map(|_| offset));
            if self.repeated.len() < MOST {
                self.repeated.insert(offset, rows);
            }
        }
        (found, mended)
    }

    /// Offsets that are lost, and rows too many.
    pub fn standing(&self) -> (u64, u64) {
        let lost = self
            .lost
            .iter()
            .map(|run| run.end().abs_diff(*run.start()) + 1)
            .sum();
        (lost, self.repeated.values().sum())
    }
}

/// The findings of every partition that was ever owned: one that comes back is not counted again.
pub type All = HashMap<Partition, Findings>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_offset_is_suspected_once_and_told_when_it_is_mended() {
        let mut findings = Findings::default();
        assert!(findings.gaps((0, 99), &[(10, 12), (50, 50)]).is_empty());
        assert_eq!(findings.suspects(), [(10, 12), (50, 50)]);
        findings.lost(&[(10, 11)]);
        findings.empty(&[(12, 12), (50, 50)]);
        assert!(findings.suspects().is_empty());
        assert!(findings.gaps((0, 99), &[(10, 12), (50, 50)]).is_empty());
        assert!(findings.suspects().is_empty(), "asked once");
        assert_eq!(findings.standing(), (2, 0));
        assert!(findings.gaps((11, 99), &[(11, 13)]).is_empty());
        assert_eq!(findings.suspects(), [(13, 13)], "only what is new");
        assert_eq!(findings.gaps((0, 99), &[(11, 11)]), [(10, 10)]);
        assert_eq!(findings.standing(), (1, 0));
        assert!(findings.suspects().is_empty());
    }

    #[test]
    fn each_row_too_many_is_found_once_and_told_when_it_is_gone() {
        let mut findings = Findings::default();
        assert_eq!(findings.duplicates((0, 99), [7, 7, 9]), (vec![7, 7, 9], 0));
        assert_eq!(findings.duplicates((0, 99), [7, 7, 9]), (vec![], 0));
        assert_eq!(findings.duplicates((0, 99), [7, 9, 9]), (vec![9], 1));
        assert_eq!(findings.duplicates((0, 7), []), (vec![], 1));
        assert_eq!(findings.standing(), (0, 2));
    }
}

//! What is wrong with spans of offsets: blocks are counted, and those that do not add up are looked at closely.

use std::collections::{BTreeMap, HashMap};

use super::offsets::{Block, Flaws, Span, count_blocks, find_flaws};
use crate::client::{Client, WarehouseError};

/// Blocks looked at closely by one query: a million offsets.
const AT_ONCE: usize = 16;

/// What the tables hold of some spans of a topic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpanAudit {
    /// What was counted, by partition and block.
    pub blocks: Vec<Block>,
    /// Runs without a row, in order.
    pub gaps: Vec<Span>,
    /// Partition and offset of each row too many.
    pub duplicates: Vec<(i32, i64)>,
}

/// Audits disjoint spans of a topic. It is Kafka that tells whether the offsets of a gap hold records.
///
/// # Errors
/// Any [`WarehouseError`].
pub async fn audit_spans(client: &Client, topic: &str, spans: &[Span]) -> Result<SpanAudit, WarehouseError> {
    let blocks = count_blocks(client, topic, spans).await?;
    let parts = by_block(spans);
    let wrong: Vec<_> = parts
        .iter()
        .filter(|(place, parts)| !adds_up(**place, parts, &blocks))
        .collect();
    let mut flaws = Vec::new();
    for wrong in wrong.chunks(AT_ONCE) {
        let parts: Vec<_> = wrong
            .iter()
            .flat_map(|(_, parts)| parts.iter().copied())
            .collect();
        flaws.extend(find_flaws(client, topic, &parts).await?);
    }
    let flaws: HashMap<_, _> = flaws
        .into_iter()
        .map(|it| ((it.partition, it.block), it))
        .collect();
    let mut gaps = Vec::new();
    for (place, parts) in &wrong {
        gaps.extend(parts.iter().flat_map(|part| missing(*part, flaws.get(place))));
    }
    let duplicates =
        (flaws.values()).flat_map(|it| it.duplicates.iter().map(|offset| (it.partition, *offset)));
    let mut duplicates: Vec<_> = duplicates.collect();
    duplicates.sort_unstable();
    Ok(SpanAudit {
        blocks,
        gaps: joined(gaps),
        duplicates,
    })
}

type Place = (i32, i64);

fn by_block(spans: &[Span]) -> BTreeMap<Place, Vec<Span>> {
    let mut parts: BTreeMap<Place, Vec<Span>> = BTreeMap::new();
    for part in spans.iter().flat_map(|span| span.blocks()) {
        parts
            .entry((part.partition, part.block()))
            .or_default()
            .push(part);
    }
    parts
}

fn adds_up((partition, number): Place, parts: &[Span], blocks: &[Block]) -> bool {
    let expected = parts.iter().map(Span::offsets).sum::<u64>();
    let at = blocks.binary_search_by_key(&(partition, number), |block| (block.partition, block.block));
    let found = at.ok().and_then(|at| blocks.get(at));
    found.is_some_and(|block| block.offsets == expected && block.rows() == expected)
}

/// What of a part of a block has no row.
fn missing(part: Span, flaws: Option<&Flaws>) -> Vec<Span> {
    let Some(flaws) = flaws else {
        return vec![part];
    };
    let before = (i64::MIN, flaws.first - 1);
    let after = (flaws.last + 1, i64::MAX);
    let runs = [before]
        .into_iter()
        .chain(flaws.gaps.iter().copied())
        .chain([after]);
    let within = runs.map(|(first, last)| Span {
        first: first.max(part.first),
        last: last.min(part.last),
        ..part
    });
    within.filter(|span| span.first <= span.last).collect()
}

/// In order, with what is adjacent made one.
fn joined(mut gaps: Vec<Span>) -> Vec<Span> {
    gaps.sort_unstable();
    let mut joined: Vec<Span> = Vec::with_capacity(gaps.len());
    for gap in gaps {
        match joined.last_mut() {
            Some(before) if before.partition == gap.partition && before.last + 1 == gap.first => {
                before.last = gap.last;
            }
            _ => joined.push(gap),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queries::BLOCK;

    fn span(first: i64, last: i64) -> Span {
        Span {
            partition: 3,
            first,
            last,
        }
    }

    #[test]
    fn what_is_missing_lies_before_between_and_after_what_is_there_within_the_part() {
        let flaws = Flaws {
            partition: 3,
            block: 0,
            first: 10,
            last: 20,
            gaps: vec![(12, 13), (18, 18)],
            duplicates: vec![],
        };
        let all = [span(5, 9), span(12, 13), span(18, 18), span(21, 25)];
        assert_eq!(missing(span(5, 25), Some(&flaws)), all);
        assert_eq!(missing(span(13, 18), Some(&flaws)), [span(13, 13), span(18, 18)]);
        assert_eq!(missing(span(10, 11), Some(&flaws)), []);
        assert_eq!(missing(span(1, 2), None), [span(1, 2)]);
    }

    #[test]
    fn gaps_that_touch_are_one_and_parts_of_one_block_are_counted_together() {
        assert_eq!(
            joined(vec![span(6, 9), span(0, 5), span(11, 11)]),
            [span(0, 9), span(11, 11)]
        );
        let parts = by_block(&[span(0, 9), span(20, BLOCK)]);
        assert_eq!(parts[&(3, 0)], [span(0, 9), span(20, BLOCK - 1)]);
        let block = |offsets, stored| Block {
            partition: 3,
            block: 0,
            stored,
            dead_lettered: 0,
            repeated: 0,
            offsets,
        };
        let whole = (10 + BLOCK - 20).unsigned_abs();
        let sums = |offsets, rows| adds_up((3, 0), &parts[&(3, 0)], &[block(offsets, rows)]);
        assert!(sums(whole, whole));
        assert!(!sums(whole, whole + 1), "a row too many");
        assert!(!sums(whole - 1, whole), "one too many and one missing");
    }
}

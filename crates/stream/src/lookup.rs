//! Asks Kafka about offsets: what is committed, what is left, and whether an offset holds a record at all. Not every one does: a
//! transaction leaves a marker in the topic, an aborted one its records too, and compaction removes records; a consumer that
//! reads committed records passes over these. Only Kafka itself can tell such an offset from one whose record was lost.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};

use crate::ask::{Reasons, Unanswered, metadata};
use crate::batch::Partition;
use crate::consume::list;
use crate::kafka::KafkaConfig;

const ANSWER: Duration = Duration::from_secs(20);
/// Up to so many offsets ahead are read over; further ones are sought.
const NEAR: i64 = 1_000;

/// First and last of consecutive offsets.
pub type Run = (i64, i64);

/// What Kafka says of offsets.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Looked {
    /// They hold records.
    pub records: Vec<Run>,
    /// They hold no record that a consumer is given.
    pub empty: Vec<Run>,
    /// They were removed from the topic: nobody can tell any more.
    pub removed: Vec<Run>,
    /// They were not looked at, as enough was read.
    pub left: Vec<Run>,
}

/// A consumer that belongs to no group: it commits nothing and disturbs nobody. Its calls block for up to 20 s.
pub struct Lookup {
    consumer: BaseConsumer<Reasons>,
}

impl Lookup {
    /// A consumer that can ask. Opens no connection yet.
    ///
    /// # Errors
    /// librdkafka refuses the configuration.
    pub fn new(kafka: &KafkaConfig) -> KafkaResult<Self> {
        let consumer = kafka.reader().create_with_context(Reasons::default())?;
        Ok(Self { consumer })
    }

    /// Each partition of which the group has committed an offset, and that.
    ///
    /// # Errors
    /// Kafka does not answer.
    pub fn committed(&self) -> Result<Vec<(Partition, i64)>, Unanswered> {
        let metadata = metadata(&self.consumer, None, ANSWER)?;
        let mut all = TopicPartitionList::new();
        for topic in metadata
            .topics()
            .iter()
            .filter(|topic| !topic.name().starts_with("__"))
        {
            for partition in topic.partitions() {
                all.add_partition(topic.name(), partition.id());
            }
        }
        let committed = self.consumer.committed_offsets(all, ANSWER)?;
        Ok(offsets(&committed)?)
    }

    /// The first offset of each of these partitions whose record is of this time (milliseconds since 1970) or later and is still
    /// there; the end of the partition where there is none. Partitions that the cluster does not have are left out.
    ///
    /// # Errors
    /// Kafka does not answer.
    pub fn first_at(&self, partitions: &[Partition], time: i64) -> KafkaResult<Vec<(Partition, i64)>> {
        if partitions.is_empty() {
            return Ok(Vec::new());
        }
        let mut times = list(partitions);
        times.set_all_offsets(Offset::Offset(time))?;
        let found = self.consumer.offsets_for_times(times, ANSWER)?;
        let mut first = Vec::new();
        for place in found.elements() {
            let partition = Partition {
                topic: place.topic().to_owned(),
                number: place.partition(),
            };
            match (place.error(), place.offset()) {
                (Err(error), _) if is_unknown(&error) => {}
                (Err(error), _) => return Err(error),
                (Ok(()), Offset::Offset(offset)) => first.push((partition, offset)),
                (Ok(()), _) => {
                    let (_, end) =
                        self.consumer
                            .fetch_watermarks(&partition.topic, partition.number, ANSWER)?;
                    first.push((partition, end));
                }
            }
        }
        Ok(first)
    }

    /// Looks at runs of offsets, in order and disjoint, by reading the partition there; at most some `most` records of it.
    ///
    /// # Errors
    /// Kafka does not answer.
    pub fn look(&self, partition: &Partition, runs: &[Run], most: usize) -> KafkaResult<Looked> {
        let mut looked = Looked::default();
        let left = self
            .consumer
            .fetch_watermarks(&partition.topic, partition.number, ANSWER);
        let begin = match left {
            Ok((begin, _)) => begin,
            Err(error) if is_unknown(&error) => i64::MAX,
            Err(error) => return Err(error),
        };
        let mut reader = Reader {
            consumer: &self.consumer,
            partition,
            next: None,
            read: 0,
        };
        for &(first, last) in runs {
            if first < begin {
                looked.removed.push((first, last.min(begin - 1)));
            }
            let first = first.max(begin);
            if first > last {
                continue;
            }
            if reader.read >= most {
                looked.left.push((first, last));
                continue;
            }
            match reader.records((first, last), most) {
                Ok((records, seen)) => {
                    looked.empty.extend(between((first, seen), &records));
                    looked.records.extend(records);
                    if seen < last {
                        looked.left.push((seen + 1, last));
                    }
                }
                // Removed since.
                Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AutoOffsetReset) => {
                    reader.next = None;
                    looked.removed.push((first, last));
                }
                Err(error) => return Err(error),
            }
        }
        self.consumer.unassign()?;
        Ok(looked)
    }
}

fn is_unknown(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{UnknownPartition, UnknownTopic, UnknownTopicOrPartition};
    let code = error.rdkafka_error_code();
    matches!(
        code,
        Some(UnknownPartition | UnknownTopic | UnknownTopicOrPartition)
    )
}

fn offsets(places: &TopicPartitionList) -> KafkaResult<Vec<(Partition, i64)>> {
    let mut offsets = Vec::new();
    for place in places.elements() {
        place.error()?;
        if let Offset::Offset(offset) = place.offset() {
            let partition = Partition {
                topic: place.topic().to_owned(),
                number: place.partition(),
            };
            offsets.push((partition, offset));
        }
    }
    Ok(offsets)
}

/// Reads a partition forwards, skipping what is far ahead.
struct Reader<'a> {
    consumer: &'a BaseConsumer<Reasons>,
    partition: &'a Partition,
    /// Where the last read record that was beyond what was asked for stands; all before it was read. The end is `i64::MAX`.
    next: Option<i64>,
    read: usize,
}

impl Reader<'_> {
    /// The runs of records among these offsets, and up to which of them it got before `most` records were read.
    fn records(&mut self, (first, last): Run, most: usize) -> KafkaResult<(Vec<Run>, i64)> {
        let mut records: Vec<Run> = Vec::new();
        if self.next.is_none_or(|next| next < first - NEAR) {
            self.seek(first)?;
        }
        loop {
            if let Some(next) = self.next {
                if next > last {
                    return Ok((records, last));
                }
                match records.last_mut() {
                    Some(run) if run.1 + 1 == next => run.1 = next,
                    _ if next >= first => records.push((next, next)),
                    _ => {}
                }
                if self.read >= most && next >= first {
                    return Ok((records, next));
                }
            }
            self.next = Some(self.poll()?);
        }
    }

    fn seek(&mut self, offset: i64) -> KafkaResult<()> {
        let mut place = list(std::slice::from_ref(self.partition));
        place.set_all_offsets(Offset::Offset(offset))?;
        self.consumer.assign(&place)?;
        self.next = None;
        Ok(())
    }

    fn poll(&mut self) -> KafkaResult<i64> {
        match self.consumer.poll(ANSWER) {
            Some(Ok(message)) => {
                self.read += 1;
                Ok(message.offset())
            }
            Some(Err(KafkaError::PartitionEOF(_))) => Ok(i64::MAX),
            Some(Err(error)) => Err(error),
            None => Err(KafkaError::MessageConsumption(
                RDKafkaErrorCode::OperationTimedOut,
            )),
        }
    }
}

/// What of a run is in none of its parts.
fn between((first, last): Run, parts: &[Run]) -> Vec<Run> {
    let mut rest = Vec::new();
    let mut next = first;
    for (begin, end) in parts {
        if next < *begin {
            rest.push((next, begin - 1));
        }
        next = end + 1;
    }
    if next <= last {
        rest.push((next, last));
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_between_the_records_of_a_run_is_empty() {
        assert_eq!(between((3, 9), &[]), [(3, 9)]);
        assert_eq!(between((3, 9), &[(3, 9)]), []);
        assert_eq!(between((3, 9), &[(4, 4), (6, 7)]), [(3, 3), (5, 5), (8, 9)]);
    }
}

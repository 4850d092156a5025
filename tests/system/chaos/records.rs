//! What is published, and what has to become of it.

use kaizen_testkit::{DecisionBuilder, Record};
use rand::RngExt;
use rand::rngs::StdRng;

use crate::malformed::malformed_records;

/// Takes live decisions.
pub const LIVE: &str = "kaizen.decisions";
/// Takes decisions of any time.
pub const BACKFILL: &str = "kaizen.decisions.backfill";
/// How many days ago those of history were: three partitions of the table.
pub const HISTORY: [i64; 3] = [200, 240, 280];

/// What was published so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Published {
    pub records: usize,
    /// Events that are no repeat of another.
    pub decisions: usize,
    pub repeats: usize,
    pub malformed: usize,
    pub large: usize,
}

/// The time so many days ago.
pub fn days_ago(days: i64) -> jiff::Timestamp {
    jiff::Timestamp::now() - jiff::SignedDuration::from_hours(days * 24)
}

impl Published {
    /// Records of the topic, or of a random one. A fifth repeats the event before, as a producer's retry does; a few
    /// are no decisions, of every kind; a few are as large as they may be. Those of history lie in three partitions of the
    /// table.
    pub fn more(
        &mut self,
        random: &mut StdRng,
        topic: Option<&'static str>,
        count: usize,
    ) -> (&'static str, Vec<Record>) {
        let any = if random.random_bool(0.7) { LIVE } else { BACKFILL };
        let topic = topic.unwrap_or(any);
        let days = if topic == LIVE { [0; 3] } else { HISTORY };
        let times = days.map(|days| days_ago(days).to_string());
        let large = "x".repeat(255 * 1024);
        let (mut records, mut session, mut id) = (Vec::new(), String::new(), String::new());
        for n in 0..count {
            let kind = random.random_range(0..100);
            if kind < 2 && topic == LIVE {
                let mut kinds = malformed_records(&format!("session-{}", n % 97));
                records.push(kinds.swap_remove(random.random_range(0..kinds.len())));
                self.malformed += 1;
                continue;
            }
            if kind >= 22 || id.is_empty() {
                session = format!("session-{}", n % 97);
                id = format!("e-{}-{n}", self.records);
                self.decisions += 1;
            } else {
                self.repeats += 1;
            }
            let time = times[random.random_range(0..times.len())].as_str();
            let mut event = DecisionBuilder::new(&session, time).with("/event_id", id.as_str());
            if n % 500 == 250 {
                event = event.with("/output_data/note", large.as_str());
                self.large += 1;
            }
            records.push(Record::new(session.as_str(), event.build()));
        }
        self.records += records.len();
        (topic, records)
    }
}

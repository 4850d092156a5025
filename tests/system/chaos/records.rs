//! What is published, and what has to become of it.

use kaizen_testkit::{DecisionBuilder, Record};
use rand::RngExt;
use rand::rngs::StdRng;

use crate::malformed::malformed_records;

/// Takes live decisions.
const LIVE: &str = "kaizen.decisions";
/// Takes decisions of any time.
const BACKFILL: &str = "kaizen.decisions.backfill";

/// What was published so far.
#[derive(Debug, Default)]
pub struct Published {
    pub records: usize,
    /// Events that are no repeat of another.
    pub decisions: usize,
    pub malformed: usize,
}

impl Published {
    /// Records of a random topic, which is returned too. A fifth repeats the event before, as a producer's retry does; a few
    /// are no decisions, of every kind; a few are as large as they may be. Those of history lie in three partitions of the
    /// table.
    pub fn more(&mut self, random: &mut StdRng, count: usize) -> (&'static str, Vec<Record>) {
        let topic = if random.random_bool(0.7) { LIVE } else { BACKFILL };
        let now = jiff::Timestamp::now();
        let days = |days: i64| (now - jiff::SignedDuration::from_hours(days * 24)).to_string();
        let times = if topic == LIVE {
            [days(0), days(0), days(0)]
        } else {
            [days(200), days(240), days(280)]
        };
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
            }
            let time = times[random.random_range(0..times.len())].as_str();
            let mut event = DecisionBuilder::new(&session, time).with("/event_id", id.as_str());
            if n % 500 == 250 {
                event = event.with("/output_data/note", large.as_str());
            }
            records.push(Record::new(session.as_str(), event.build()));
        }
        self.records += records.len();
        (topic, records)
    }
}

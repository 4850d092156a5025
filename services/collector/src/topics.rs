//! What the records of each topic are, and how their timestamps are judged.

use kaizen_decision::TimePolicy;
use kaizen_warehouse::queries::Table;
use regex::Regex;

use crate::config::{Kind, Topic};

/// What is known of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// What its records are.
    pub kind: Kind,
    /// How their timestamps are judged.
    pub times: TimePolicy,
}

/// A topic that no configuration names: decisions, judged strictly.
const STRICTEST: Rules = Rules {
    kind: Kind::Decision,
    times: TimePolicy::LIVE,
};

/// The configured topics.
#[derive(Debug)]
pub struct Topics {
    named: Vec<(String, Rules)>,
    matching: Vec<(Regex, Rules)>,
}

impl Topics {
    /// Of the configuration.
    ///
    /// # Errors
    /// A name beginning with `^` is no regular expression.
    pub fn of(topics: &[Topic]) -> Result<Self, regex::Error> {
        let rules = |topic: &Topic| Rules {
            kind: topic.kind,
            times: topic.policy.times(),
        };
        let (patterns, names): (Vec<_>, Vec<_>) =
            topics.iter().partition(|topic| topic.name.starts_with('^'));
        Ok(Self {
            named: names
                .into_iter()
                .map(|topic| (topic.name.clone(), rules(topic)))
                .collect(),
            matching: (patterns.into_iter())
                .map(|topic| Ok((Regex::new(&topic.name)?, rules(topic))))
                .collect::<Result<_, regex::Error>>()?,
        })
    }

    /// The rules of one topic: by its name, else by the first expression that matches, else the strictest.
    pub fn rules(&self, topic: &str) -> &Rules {
        self.find(topic).unwrap_or(&STRICTEST)
    }

    fn find(&self, topic: &str) -> Option<&Rules> {
        let named = self.named.iter().find(|(name, _)| name == topic);
        named.map(|(_, rules)| rules).or_else(|| {
            let matching = self.matching.iter().find(|(name, _)| name.is_match(topic));
            matching.map(|(_, rules)| rules)
        })
    }

    /// Whether events of a kind may be published to a topic: nothing says that it holds another.
    pub fn holds(&self, topic: &str, kind: Kind) -> bool {
        self.find(topic).is_none_or(|rules| rules.kind == kind)
    }

    /// Where the records of a topic go that are accepted.
    pub fn table(&self, topic: &str) -> Table {
        self.rules(topic).kind.table()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Policy;

    #[test]
    fn a_name_wins_over_an_expression_and_what_nobody_names_is_judged_strictly() {
        let topic = |name: &str, kind, policy| Topic {
            name: name.to_owned(),
            kind,
            policy,
        };
        let topics = Topics::of(&[
            topic("^crm\\..*", Kind::Outcome, Policy::Late),
            topic("crm.deploys", Kind::Change, Policy::Backfill),
        ]);
        let topics = topics.unwrap();
        assert_eq!(topics.table("crm.deploys"), Table::Changes);
        assert_eq!(topics.rules("crm.deals").times, TimePolicy::LATE);
        assert_eq!(topics.table("crm.deals"), Table::Outcomes);
        assert_eq!(topics.rules("other"), &STRICTEST);
        assert!(topics.holds("other", Kind::Change) && !topics.holds("crm.deals", Kind::Change));
    }
}

//! Which dead letters a command is about.

use clap::Args;
use clap::builder::PossibleValuesParser;
use jiff::Timestamp;
use kaizen_decision::Reason;

use super::letter::Head;
use crate::metrics::time;

/// All that is given must hold.
#[derive(Debug, Args)]
pub struct Filter {
    /// Only letters rejected for this reason; may be repeated
    #[arg(long = "reason", value_name = "REASON", value_parser = reasons(), hide_possible_values = true)]
    reasons: Vec<String>,
    /// Only records of this topic; may be repeated
    #[arg(long = "topic", value_name = "TOPIC")]
    topics: Vec<String>,
    /// Only records published at or after: a date, or a time in RFC 3339
    #[arg(long, value_name = "TIME", value_parser = instant)]
    from: Option<Timestamp>,
    /// Only records published before
    #[arg(long, value_name = "TIME", value_parser = instant)]
    to: Option<Timestamp>,
}

fn reasons() -> PossibleValuesParser {
    PossibleValuesParser::new(Reason::ALL.iter().map(|reason| reason.as_str()))
}

fn instant(text: &str) -> anyhow::Result<Timestamp> {
    time(text, "UTC")
}

impl Filter {
    /// Whether it lets everything through.
    pub fn is_open(&self) -> bool {
        self.reasons.is_empty() && self.topics.is_empty() && self.from.is_none() && self.to.is_none()
    }

    /// Whether the letter is meant.
    pub fn admits(&self, letter: &Head) -> bool {
        let one_of = |wanted: &[String], word: &String| wanted.is_empty() || wanted.contains(word);
        let time = letter.id.time;
        one_of(&self.reasons, &letter.reason)
            && one_of(&self.topics, &letter.id.topic)
            && self.from.is_none_or(|from| time >= from.as_millisecond())
            && self.to.is_none_or(|to| time < to.as_millisecond())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        filter: Filter,
    }

    fn filter(arguments: &[&str]) -> Result<Filter, String> {
        let line = Line::try_parse_from([&["dlq"], arguments].concat());
        line.map(|line| line.filter).map_err(|error| error.to_string())
    }

    fn head(reason: &str, topic: &str, time: &str) -> Head {
        let time = time.parse::<Timestamp>().unwrap().as_millisecond();
        Head {
            id: format!("{topic}/0/1@{time}").parse().unwrap(),
            reason: reason.to_owned(),
            field: String::new(),
            bytes: 0,
            replay_of: None,
            first_time: time,
        }
    }

    #[test]
    fn all_that_is_given_must_hold_and_of_what_is_repeated_one() {
        let letter = head("not_json", "a", "2026-03-02T00:00:00Z");
        for (arguments, admits) in [
            (&[][..], true),
            (&["--reason", "not_json"], true),
            (&["--reason", "too_late", "--reason", "not_json"], true),
            (&["--reason", "too_late"], false),
            (&["--reason", "not_json", "--topic", "b"], false),
            (&["--topic", "b", "--topic", "a"], true),
            (&["--from", "2026-03-02", "--to", "2026-03-03"], true),
            (&["--to", "2026-03-02"], false),
            (&["--from", "2026-03-02T00:00:01Z"], false),
        ] {
            assert_eq!(
                filter(arguments).unwrap().admits(&letter),
                admits,
                "{arguments:?}"
            );
        }
        assert!(filter(&[]).unwrap().is_open() && !filter(&["--topic", "a"]).unwrap().is_open());
    }

    #[test]
    fn a_reason_or_time_that_is_none_is_refused_with_what_is_allowed() {
        let refused = filter(&["--reason", "bad"]).unwrap_err();
        let all = Reason::ALL.iter().all(|reason| refused.contains(reason.as_str()));
        assert!(all && refused.contains("bad"), "{refused}");
        let refused = filter(&["--from", "yesterday"]).unwrap_err();
        assert!(
            refused.contains("yesterday") && refused.contains("RFC 3339"),
            "{refused}"
        );
    }
}

//! One decision, as drawn, and as it is written.

use std::io::Write;

use jiff::Timestamp;

/// An event ready to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Key of the record: the session, or the component that changed.
    pub key: String,
    /// Producer's identity of the event.
    pub event_id: String,
    /// When it happened.
    pub timestamp: Timestamp,
    /// JSON in UTF-8.
    pub value: Vec<u8>,
}

/// What was drawn for one decision. Numbers are decimals of few places, so that text and number are the same.
#[derive(Debug)]
pub(crate) struct Drawn<'a> {
    pub event_id: String,
    pub session_id: String,
    pub timestamp: Timestamp,
    pub lead: u32,
    pub industry: &'a str,
    pub log_type: &'a str,
    pub method: &'a str,
    pub confidence: &'static str,
    /// Pointer and value.
    pub dimensions: Vec<(&'a str, &'a str)>,
    pub measures: Vec<(&'a str, Decimal)>,
    pub seconds: Decimal,
    pub success: bool,
    pub quality: Option<Decimal>,
    pub success_indicator: Option<bool>,
    pub text: usize,
}

/// A number of at most six decimals, 0 or more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Decimal {
    units: u64,
    decimals: u32,
}

impl Decimal {
    /// `value` rounded to `decimals`, at least `least` of its last place.
    pub(crate) fn round(value: f64, decimals: u32, least: u64) -> Self {
        let scaled = (value * f64::from(10_u32.pow(decimals))).round();
        Self {
            units: (scaled.clamp(0.0, 1e15) as u64).max(least),
            decimals,
        }
    }

    /// The nearest double: a division of integers that are both exact.
    pub(crate) fn value(self) -> f64 {
        self.units as f64 / f64::from(10_u32.pow(self.decimals))
    }

    pub(crate) fn write(self, json: &mut Vec<u8>) {
        let scale = 10_u64.pow(self.decimals);
        let (whole, rest) = (self.units / scale, self.units % scale);
        // Writing to a Vec cannot fail.
        let _ = match self.decimals {
            0 => write!(json, "{whole}"),
            places => write!(json, "{whole}.{rest:0places$}", places = places as usize),
        };
    }
}

/// Prose to fill messages with. Only characters that JSON does not escape.
const PROSE: &str = "We looked at how your team plans the week and found three places where an hour goes missing: \
    the handover on Monday, the list that two people keep, and the call that is moved twice. A short trial shows what \
    it is worth before anything changes. ";

impl Drawn<'_> {
    /// The event in the production log schema.
    pub(crate) fn write(&self) -> Event {
        let mut json = Vec::with_capacity(self.text + 700);
        let quoted = |text: &str, json: &mut Vec<u8>| {
            // A string always has a form in JSON.
            let _ = serde_json::to_writer(json, text);
        };
        let _ = write!(json, "{{\"event_id\":\"{}\",\"log_type\":", self.event_id);
        quoted(self.log_type, &mut json);
        let _ = write!(
            json,
            ",\"session_id\":\"{}\",\"timestamp\":\"{}\"",
            self.session_id, self.timestamp
        );
        let lead = self.lead;
        let _ = write!(
            json,
            ",\"lead_identifier\":{{\"name\":\"Lead {lead:05}\",\"company\":\"Company {:04}\",\"industry\":",
            lead / 7
        );
        quoted(self.industry, &mut json);
        json.extend_from_slice(b"},\"input_data\":{");
        self.members("/input_data/", &mut json);
        let _ = write!(json, "\"lead_score\":{}}},\"output_data\":{{", lead % 101);
        self.members("/output_data/", &mut json);
        json.extend_from_slice(b"\"text\":\"");
        let prose = PROSE
            .as_bytes()
            .iter()
            .cycle()
            .skip(lead as usize % PROSE.len())
            .take(self.text);
        json.extend(prose);
        json.extend_from_slice(b"\"},\"decision_reasoning\":{\"method_used\":");
        quoted(self.method, &mut json);
        let _ = write!(
            json,
            ",\"confidence_level\":\"{}\",\"processing_time\":",
            self.confidence
        );
        self.seconds.write(&mut json);
        let _ = write!(json, ",\"success\":{}}},\"training_labels\":{{", self.success);
        self.labels(&mut json);
        json.extend_from_slice(b"}}");
        let (key, event_id) = (self.session_id.clone(), self.event_id.clone());
        Event {
            key,
            event_id,
            timestamp: self.timestamp,
            value: json,
        }
    }

    fn members(&self, object: &str, json: &mut Vec<u8>) {
        for (pointer, value) in &self.dimensions {
            if let Some(name) = pointer.strip_prefix(object) {
                let _ = write!(json, "\"{name}\":");
                let _ = serde_json::to_writer(&mut *json, value);
                json.push(b',');
            }
        }
        for (pointer, value) in &self.measures {
            if let Some(name) = pointer.strip_prefix(object) {
                let _ = write!(json, "\"{name}\":");
                value.write(json);
                json.push(b',');
            }
        }
    }

    fn labels(&self, json: &mut Vec<u8>) {
        let potential = match self.quality.map(Decimal::value) {
            Some(quality) if quality >= 80.0 => "low",
            Some(quality) if quality >= 60.0 => "medium",
            _ => "high",
        };
        let _ = write!(json, "\"improvement_potential\":\"{potential}\"");
        if let Some(quality) = self.quality {
            json.extend_from_slice(b",\"quality_score\":");
            quality.write(json);
        }
        if let Some(reached) = self.success_indicator {
            let _ = write!(json, ",\"success_indicator\":{reached}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_the_same_number_in_text_and_in_binary() {
        for (value, decimals, text) in [
            (81.66, 1, "81.7"),
            (0.0004, 3, "0.001"),
            (1234.0, 0, "1234"),
            (0.002_1, 6, "0.002100"),
        ] {
            let decimal = Decimal::round(value, decimals, 1);
            let mut json = Vec::new();
            decimal.write(&mut json);
            assert_eq!(String::from_utf8(json.clone()).unwrap(), text);
            assert_eq!(
                std::str::from_utf8(&json).unwrap().parse::<f64>().unwrap(),
                decimal.value()
            );
        }
    }
}

//! Events of the simulated fleet, as many as are wanted.

use anyhow::{Context, Result};
use jiff::Timestamp;
use kaizen_catalogue::Catalogue;
use kaizen_simulator::{Event, Scenario, Simulation};
use kaizen_testkit::workspace;

const SCENARIO: &str = "config/scenarios/fleet-8-weeks.yaml";
/// As the scenario says it, to be replaced.
const EVENTS: &str = "events: 200000";

/// The fleet, with what generating its events needs.
pub struct Fleet {
    catalogue: Catalogue,
    scenario: Scenario,
}

impl Fleet {
    /// A fleet whose simulation has so many events.
    pub fn load(events: u64) -> Result<Self> {
        let catalogue = Catalogue::load(&workspace().join("config/catalogue.yaml"))?;
        let text = std::fs::read_to_string(workspace().join(SCENARIO)).context(SCENARIO)?;
        anyhow::ensure!(text.contains(EVENTS), "{SCENARIO}: no line `{EVENTS}`");
        let scenario = Scenario::parse(&text.replace(EVENTS, &format!("events: {events}")))?;
        Ok(Self { catalogue, scenario })
    }

    /// Its events, other ones for another seed.
    pub fn events(&self, seed: u64) -> impl Iterator<Item = Event> {
        Simulation::new(&self.scenario, &self.catalogue, seed)
    }
}

/// The event, as if its decision had been made now.
pub fn made_now(event: &[u8]) -> Result<Vec<u8>> {
    let text = std::str::from_utf8(event)?;
    let (before, rest) = text.split_once("\"timestamp\":\"").context("no timestamp")?;
    let (_, after) = rest.split_once('"').context("a timestamp without end")?;
    let now = Timestamp::from_millisecond(Timestamp::now().as_millisecond())?;
    Ok(format!("{before}\"timestamp\":\"{now}\"{after}").into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_made_now_differs_in_its_time_alone() {
        let event = br#"{"log_type":"a","timestamp":"2026-01-05T09:00:00Z","session_id":"s"}"#;
        let made = String::from_utf8(made_now(event).unwrap()).unwrap();
        let year = format!("\"timestamp\":\"{}", &Timestamp::now().to_string()[..10]);
        assert!(made.contains(&year), "{made}");
        assert!(
            made.starts_with(r#"{"log_type":"a","timestamp":"#) && made.ends_with(r#","session_id":"s"}"#)
        );
    }
}

//! What the ledger promises, in a few lines of memory: the random commands are held to it.

use std::collections::BTreeMap;

/// What may follow what, written down a second time: as pairs of words, after the lifecycle in the product's conventions.
const STEPS: &str = "proposed>accepted proposed>cancelled proposed>duplicate \
    accepted>in_progress accepted>cancelled accepted>duplicate \
    in_progress>implemented in_progress>accepted in_progress>cancelled in_progress>duplicate \
    implemented>measuring implemented>reopened \
    measuring>verified measuring>no_effect measuring>worse measuring>inconclusive measuring>reopened \
    verified>measuring verified>reopened no_effect>measuring no_effect>reopened \
    worse>measuring worse>reopened inconclusive>measuring inconclusive>reopened \
    cancelled>reopened duplicate>reopened \
    reopened>accepted reopened>in_progress reopened>cancelled reopened>duplicate";
const ENDS: [&str; 6] = [
    "verified",
    "no_effect",
    "worse",
    "inconclusive",
    "cancelled",
    "duplicate",
];

/// A ticket of the model.
#[derive(Debug, Clone, PartialEq)]
pub struct Modelled {
    pub state: String,
    pub owner: String,
    pub labels: Vec<String>,
    pub recommendation: String,
    /// How often it changed, its creation counted.
    pub changes: usize,
    /// The days it was measured for, in the order of its measurements.
    pub measured: Vec<u32>,
    pub etag: i64,
}

/// Why the model refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    NotFound,
    Stale,
    Illegal,
    Invalid,
    Ticketed,
}

/// All tickets, by their number.
#[derive(Debug, Default)]
pub struct Model {
    pub tickets: BTreeMap<i64, Modelled>,
    requests: BTreeMap<String, i64>,
}

impl Model {
    /// The number of the ticket and whether it is new.
    pub fn create(&mut self, request: &str, recommendation: &str) -> Result<(i64, bool), Refusal> {
        if let Some(number) = self.requests.get(request) {
            return Ok((*number, false));
        }
        self.refuse_another(recommendation, 0)?;
        let number = i64::try_from(self.tickets.len()).unwrap() + 1;
        let ticket = Modelled {
            state: "proposed".into(),
            owner: String::new(),
            labels: Vec::new(),
            recommendation: recommendation.into(),
            changes: 1,
            measured: Vec::new(),
            etag: 0,
        };
        self.tickets.insert(number, ticket);
        self.requests.insert(request.into(), number);
        Ok((number, true))
    }

    fn refuse_another(&self, recommendation: &str, number: i64) -> Result<(), Refusal> {
        let another = |(other, it): (&i64, &Modelled)| {
            *other != number && it.recommendation == recommendation && !ENDS.contains(&it.state.as_str())
        };
        let taken = !recommendation.is_empty() && self.tickets.iter().any(another);
        if taken { Err(Refusal::Ticketed) } else { Ok(()) }
    }

    fn fresh(&self, number: i64, stale: bool) -> Result<&Modelled, Refusal> {
        let ticket = self.tickets.get(&number).ok_or(Refusal::NotFound)?;
        if stale { Err(Refusal::Stale) } else { Ok(ticket) }
    }

    pub fn transition(&mut self, number: i64, stale: bool, to: &str, original: i64) -> Result<(), Refusal> {
        let ticket = self.fresh(number, stale)?;
        let step = format!("{}>{to}", ticket.state);
        if !STEPS.split_whitespace().any(|it| it == step) {
            return Err(Refusal::Illegal);
        }
        if to == "duplicate" {
            let original = self.tickets.get(&original).filter(|_| original != number);
            original
                .filter(|it| it.state != "duplicate")
                .ok_or(Refusal::Invalid)?;
        }
        if !ENDS.contains(&to) {
            self.refuse_another(&ticket.recommendation, number)?;
        }
        if let Some(ticket) = self.tickets.get_mut(&number) {
            ticket.state = to.into();
            ticket.changes += 1;
        }
        Ok(())
    }

    pub fn assign(
        &mut self,
        number: i64,
        stale: bool,
        owner: &str,
        labels: &[String],
    ) -> Result<(), Refusal> {
        let mut labels = labels.to_vec();
        labels.sort();
        labels.dedup();
        self.fresh(number, stale)?;
        if let Some(ticket) = self.tickets.get_mut(&number)
            && (ticket.owner != owner || ticket.labels != labels)
        {
            ticket.owner = owner.into();
            ticket.labels = labels;
            ticket.changes += 1;
        }
        Ok(())
    }

    pub fn comment(&mut self, number: i64) -> Result<(), Refusal> {
        self.tickets.get_mut(&number).ok_or(Refusal::NotFound)?.changes += 1;
        Ok(())
    }

    /// A measurement is in the history once, and leaves the ticket alone.
    pub fn measure(&mut self, number: i64, day: u32) -> Result<(), Refusal> {
        let ticket = self.tickets.get_mut(&number).ok_or(Refusal::NotFound)?;
        if !ticket.measured.contains(&day) {
            ticket.measured.push(day);
            ticket.changes += 1;
        }
        Ok(())
    }

    /// Numbers of the tickets in a state, newest first; of all when it is empty.
    pub fn in_state(&self, state: &str, label: &str) -> Vec<i64> {
        let has = |it: &Modelled| label.is_empty() || it.labels.iter().any(|it| it == label);
        let found = self.tickets.iter().rev();
        let found = found.filter(|(_, it)| (state.is_empty() || it.state == state) && has(it));
        found.map(|(number, _)| *number).collect()
    }
}

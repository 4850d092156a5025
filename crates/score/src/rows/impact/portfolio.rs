//! The winner's curse: what a portfolio of measured changes is said to have brought, as measured and drawn together.

use anyhow::Result;
use kaizen_stats::{Verdict, shrunk};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::super::Row;
use super::measure;
use crate::cell::Cell;
use crate::estimate::{Estimate, Kind};
use crate::generate::change::{AFTER, Scenario, sample};
use crate::seeds::Seeds;

pub(in crate::rows) const ROW: Row = Row {
    number: 23,
    title: "The winner's curse: what portfolios are said to have brought",
    light: false,
    score,
};

/// Changes of a portfolio, and how many of them are its best.
const CHANGES: usize = 30;
const BEST: usize = 5;

/// Seeds: each measures a whole portfolio three times.
const PORTFOLIOS: u64 = 200;

/// A stream that no sample has.
const EFFECTS: u64 = u64::MAX;

/// An effect in standard deviations of a day, by its place in the portfolio and a normal draw.
type Effect = fn(usize, f64) -> f64;

/// What the effects of a portfolio are.
const KINDS: [(&str, Effect); 3] = [
    ("nothing works", |_, _| 0.0),
    ("one in five works by 1 sd", |place, _| {
        f64::from(u8::from(place.is_multiple_of(5)))
    }),
    ("effects of 0.2 ± 0.3 sd", |_, draw| 0.2 + 0.3 * draw),
];

/// A change, what is measured of it, and what is left of that beside the others.
#[derive(Clone, Copy)]
struct Measured {
    truth: f64,
    measured: f64,
    error: f64,
    shrunk: f64,
    improved: bool,
}

impl Measured {
    /// What is said of it.
    fn value(&self, drawn: bool) -> f64 {
        if drawn { self.shrunk } else { self.measured }
    }

    fn above_truth(&self, drawn: bool) -> f64 {
        self.value(drawn) - self.truth
    }
}

fn score(seeds: &Seeds) -> Result<Vec<Cell>> {
    let seeds = seeds.first(PORTFOLIOS);
    let mut cells = Vec::new();
    for (name, effect) in KINDS {
        let portfolios = seeds.map(|seed| Ok(portfolio(seed, effect)))?;
        let cell = |what: String, number: &dyn Fn(&[Measured], bool) -> f64| {
            let of = |drawn: bool| {
                let numbers: Vec<f64> = portfolios.iter().map(|it| number(it, drawn)).collect();
                Estimate::of(Kind::Mean, &numbers)
            };
            Cell::new(format!("{name}: {what}"), of(true)).beside("as measured", of(false))
        };
        cells.extend([
            cell(
                format!("all {CHANGES} together, above the truth"),
                &|it, drawn| sum_above(it, drawn),
            ),
            cell(
                format!("the {BEST} best together, above the truth"),
                &|it, drawn| sum_above(&best(it, drawn), drawn),
            ),
            cell(
                "those called improved together, above the truth".to_owned(),
                &|it, drawn| {
                    let called: Vec<Measured> = it.iter().filter(|it| it.improved).copied().collect();
                    sum_above(&called, drawn)
                },
            ),
            cell("mean square error of one".to_owned(), &|it, drawn| {
                let squares: f64 = it.iter().map(|it| it.above_truth(drawn).powi(2)).sum();
                squares / it.len() as f64
            }),
        ]);
    }
    Ok(cells)
}

fn sum_above(measured: &[Measured], drawn: bool) -> f64 {
    measured.iter().map(|it| it.above_truth(drawn)).sum()
}

/// The best by what is said of them.
fn best(portfolio: &[Measured], drawn: bool) -> Vec<Measured> {
    let mut sorted = portfolio.to_vec();
    sorted.sort_by(|a, b| b.value(drawn).total_cmp(&a.value(drawn)));
    sorted.truncate(BEST);
    sorted
}

/// Changes in series of different noise, some with controls.
fn portfolio(seed: u64, effect: Effect) -> Vec<Measured> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(EFFECTS);
    let mut found: Vec<Measured> = (0..CHANGES)
        .filter_map(|place| {
            let scenario = Scenario {
                controls: if place.is_multiple_of(2) { 0 } else { 3 },
                sample: place as u64,
                ..Scenario::plain(
                    [0.0, 0.3, 0.6][place % 3],
                    effect(place, StandardNormal.sample(&mut random)),
                )
            };
            let sample = sample(&scenario, seed);
            let found = measure(&sample, AFTER, None)?;
            Some(Measured {
                truth: sample.truth,
                measured: found.effect,
                error: found.posterior.error(),
                shrunk: found.effect,
                improved: found.verdict == Verdict::Improved,
            })
        })
        .collect();
    let known: Vec<(f64, f64)> = found.iter().map(|it| (it.measured, it.error)).collect();
    for (measured, shrunk) in found.iter_mut().zip(shrunk(&known)) {
        measured.shrunk = shrunk.value;
    }
    found
}

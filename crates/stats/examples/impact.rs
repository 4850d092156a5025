//! How often the measurement of impact is wrong, on seeds 0 to 999, the ones that may be tuned on:
//! `cargo run --release -p kaizen-stats --example impact` prints the coverage of intervals, with `looks` false impact under daily
//! looks, with `stated` probabilities and returns, with `mean` regression to the mean, with `hard` shocks, wrong controls,
//! seasons that change and effects that fade.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::sync::LazyLock;

use kaizen_stats::{Control, Economics, Impact, Investment, Question, Uncertain, Verdict, impact, roi};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Fewer with `KAIZEN_SEEDS`.
static SEEDS: LazyLock<u64> = LazyLock::new(|| {
    let asked = std::env::var("KAIZEN_SEEDS")
        .ok()
        .and_then(|seeds| seeds.parse().ok());
    asked.unwrap_or(1000).min(1000)
});
const BEFORE: usize = 60;
const AFTER: usize = 28;

/// Noise of a seed: autoregressions of order one with standard deviation 1, each with a stream of its own.
struct Noise {
    seed: u64,
    stream: u64,
}

impl Noise {
    fn of(seed: u64) -> Self {
        Self { seed, stream: 0 }
    }

    fn random(&mut self) -> ChaCha8Rng {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(self.stream);
        self.stream += 1;
        random
    }

    fn ar1(&mut self, n: usize, phi: f64) -> Vec<f64> {
        let mut random = self.random();
        let mut normal = || -> f64 { StandardNormal.sample(&mut random) };
        let innovation = (1.0 - phi * phi).sqrt();
        let mut value: f64 = normal();
        (0..n)
            .map(|_| {
                let now = value;
                value = phi * value + innovation * normal();
                now
            })
            .collect()
    }
}

/// What is generated.
#[derive(Clone, Copy)]
struct Scenario {
    phi: f64,
    effect: f64,
    /// How many good controls, and how alike any two series are.
    controls: usize,
    alike: f64,
    wrong: Wrong,
    /// Something that happens to all series at the change.
    shock: f64,
    /// Height of a week's course before and after the change.
    week: (f64, f64),
    /// Every so many days is missing.
    missing: Option<u64>,
    /// Steps in which the effect halves.
    half_life: Option<f64>,
}

#[derive(Clone, Copy, PartialEq)]
enum Wrong {
    None,
    /// One more control that has nothing to do with the series.
    Unrelated,
    /// One more control that moves by so much at the change.
    Moves(f64),
}

impl Scenario {
    fn plain(phi: f64, effect: f64) -> Self {
        Self {
            phi,
            effect,
            controls: 0,
            alike: 0.6,
            wrong: Wrong::None,
            shock: 0.0,
            week: (0.0, 0.0),
            missing: None,
            half_life: None,
        }
    }
}

struct Sample {
    values: Vec<f64>,
    controls: Vec<Vec<f64>>,
    /// Mean effect over the days after.
    truth: f64,
}

fn sample(scenario: &Scenario, seed: u64) -> Sample {
    let days = BEFORE + AFTER;
    let mut noise = Noise::of(seed);
    let common = noise.ar1(days, scenario.phi);
    let mut series = || -> Vec<f64> {
        let own = noise.ar1(days, scenario.phi);
        let mixed = common.iter().zip(&own);
        mixed
            .map(|(common, own)| scenario.alike.sqrt() * common + (1.0 - scenario.alike).sqrt() * own)
            .collect()
    };
    let mut values = series();
    let mut controls: Vec<Vec<f64>> = (0..scenario.controls).map(|_| series()).collect();
    for column in std::iter::once(&mut values).chain(&mut controls) {
        for (day, value) in column.iter_mut().enumerate() {
            let after = day >= BEFORE;
            let height = if after { scenario.week.1 } else { scenario.week.0 };
            *value += height * (std::f64::consts::TAU * day as f64 / 7.0).sin();
            *value += if after { scenario.shock } else { 0.0 };
        }
    }
    match scenario.wrong {
        Wrong::None => {}
        Wrong::Unrelated => {
            let other = noise.ar1(days, scenario.phi);
            controls.push(other);
        }
        Wrong::Moves(size) => {
            let own = noise.ar1(days, scenario.phi);
            let wrong = common.iter().zip(&own).enumerate().map(|(day, (common, own))| {
                let moved = if day >= BEFORE { size } else { 0.0 };
                moved + scenario.alike.sqrt() * common + (1.0 - scenario.alike).sqrt() * own
            });
            controls.push(wrong.collect());
        }
    }
    let mut truth = 0.0;
    for (day, value) in values[BEFORE..].iter_mut().enumerate() {
        let left = scenario
            .half_life
            .map_or(1.0, |half| 0.5_f64.powf(day as f64 / half));
        *value += scenario.effect * left;
        truth += scenario.effect * left / AFTER as f64;
    }
    if let Some(every) = scenario.missing {
        let mut random = noise.random();
        for value in &mut values {
            if rand::Rng::next_u64(&mut random).is_multiple_of(every) {
                *value = f64::NAN;
            }
        }
    }
    Sample {
        values,
        controls,
        truth,
    }
}

fn measure(sample: &Sample, until: usize) -> Option<Impact> {
    let controls: Vec<Control<'_>> = sample
        .controls
        .iter()
        .map(|values| Control {
            name: "control",
            values: &values[..until],
        })
        .collect();
    impact(&Question {
        values: &sample.values[..until],
        change: BEFORE,
        samples: None,
        controls: &controls,
        seasons: &[7],
        excluded: &[],
        higher_is_better: true,
        horizon: AFTER,
        arms: None,
    })
    .ok()
}

/// Of all seeds, how often the interval holds the truth, how wide it is, and how often something was called.
fn row(name: &str, scenario: &Scenario) {
    let (mut held, mut width, mut called, mut wrong, mut once, mut fading, mut error) =
        (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
    for seed in 0..*SEEDS {
        let sample = sample(scenario, seed);
        let Some(found) = measure(&sample, BEFORE + AFTER) else {
            continue;
        };
        let count = |what: bool| f64::from(u8::from(what)) / *SEEDS as f64;
        held += count(found.interval.0 <= sample.truth && sample.truth <= found.interval.1);
        width += (found.interval.1 - found.interval.0) / *SEEDS as f64;
        error += (found.effect - sample.truth) / *SEEDS as f64;
        called += count(found.verdict == Verdict::Improved);
        wrong += count(found.verdict == Verdict::Worse);
        once += count(found.interval.0 > 0.0 || found.interval.1 < 0.0);
        fading += count(
            found
                .series
                .and_then(|series| series.novelty)
                .is_some_and(|novelty| novelty.fading),
        );
    }
    println!(
        "{name}, phi {}, effect {}: held {held:.3}, width {width:.2}, bias {error:.3}, improved {called:.3}, worse {wrong:.3}, once {once:.3}, fading {fading:.3}",
        scenario.phi, scenario.effect
    );
}

fn coverage() {
    for phi in [0.0, 0.3, 0.6] {
        for effect in [0.0, 1.0] {
            let plain = Scenario::plain(phi, effect);
            row("no control", &plain);
            row(
                "no control, week",
                &Scenario {
                    week: (1.0, 1.0),
                    ..plain
                },
            );
            row(
                "no control, missing",
                &Scenario {
                    missing: Some(10),
                    ..plain
                },
            );
            for alike in [0.3, 0.6, 0.8] {
                row(
                    &format!("one control {alike}"),
                    &Scenario {
                        controls: 1,
                        alike,
                        ..plain
                    },
                );
                row(
                    &format!("three controls {alike}"),
                    &Scenario {
                        controls: 3,
                        alike,
                        ..plain
                    },
                );
                row(
                    &format!("two controls {alike} and one moved"),
                    &Scenario {
                        controls: 2,
                        alike,
                        wrong: Wrong::Moves(1.0),
                        ..plain
                    },
                );
                row(
                    &format!("three controls {alike} and one moved"),
                    &Scenario {
                        controls: 3,
                        alike,
                        wrong: Wrong::Moves(1.0),
                        ..plain
                    },
                );
                row(
                    &format!("two controls {alike} and one unrelated"),
                    &Scenario {
                        controls: 2,
                        alike,
                        wrong: Wrong::Unrelated,
                        ..plain
                    },
                );
            }
            row("eight controls 0.6", &Scenario { controls: 8, ..plain });
        }
    }
}

fn hard() {
    for phi in [0.0, 0.3, 0.6] {
        let plain = Scenario::plain(phi, 0.0);
        for controls in [1, 3] {
            for alike in [0.3, 0.6, 0.8] {
                for shock in [0.5, 1.0, 2.0] {
                    row(
                        &format!("shock {shock}, {controls} controls {alike}"),
                        &Scenario {
                            controls,
                            alike,
                            shock,
                            ..plain
                        },
                    );
                }
            }
        }
        for size in [0.5, 1.0, 2.0] {
            row(
                &format!("only control moved {size}"),
                &Scenario {
                    wrong: Wrong::Moves(size),
                    ..plain
                },
            );
            row(
                &format!("one of two moved {size}"),
                &Scenario {
                    controls: 1,
                    wrong: Wrong::Moves(size),
                    ..plain
                },
            );
            row(
                &format!("one of four moved {size}"),
                &Scenario {
                    controls: 3,
                    wrong: Wrong::Moves(size),
                    ..plain
                },
            );
        }
        row(
            "season changes",
            &Scenario {
                week: (1.5, 0.5),
                ..plain
            },
        );
        row(
            "novelty",
            &Scenario {
                effect: 2.0,
                half_life: Some(7.0),
                ..plain
            },
        );
        row(
            "novelty, three controls",
            &Scenario {
                effect: 2.0,
                controls: 3,
                half_life: Some(7.0),
                ..plain
            },
        );
        row("no novelty", &Scenario { effect: 2.0, ..plain });
    }
}

fn looks() {
    for phi in [0.0, 0.3, 0.5, 0.6, 0.8] {
        for controls in [0, 3] {
            for effect in [0.0, 0.5, 1.0] {
                let scenario = Scenario {
                    controls,
                    ..Scenario::plain(phi, effect)
                };
                let (mut called, mut once, mut last) = (0, 0, 0);
                for seed in 0..*SEEDS {
                    let sample = sample(&scenario, seed);
                    let found: Vec<Impact> = (BEFORE + 1..=BEFORE + AFTER)
                        .filter_map(|until| measure(&sample, until))
                        .collect();
                    let decided =
                        |found: &Impact| matches!(found.verdict, Verdict::Improved | Verdict::Worse);
                    called += u32::from(found.iter().any(decided));
                    once += u32::from(found.iter().any(|it| it.interval.0 > 0.0 || it.interval.1 < 0.0));
                    last += u32::from(found.last().is_some_and(decided));
                }
                println!(
                    "daily looks, phi {phi}, {controls} controls, effect {effect}: called at any {:.3}, at the last {:.3}, by the interval of one look at any {:.3}",
                    f64::from(called) / *SEEDS as f64,
                    f64::from(last) / *SEEDS as f64,
                    f64::from(once) / *SEEDS as f64
                );
            }
        }
    }
}

/// Effects of both signs, and of either sort only: how far what is stated of the sign is from what is, and of returns, with a
/// value of 1 a day and standard deviation, and costs that are near and far from what comes in.
fn stated() {
    for controls in [0, 3] {
        for phi in [0.2, 0.5] {
            let mut both = Vec::new();
            let mut rises = Vec::new();
            let (mut decided, mut right, mut asked) = (0.0, 0.0, 0.0);
            for seed in 0..*SEEDS {
                for size in [0.0, 0.25, 0.5, 1.0, 2.0] {
                    for sign in [1.0, -1.0] {
                        let effect = sign * size;
                        let scenario = Scenario {
                            controls,
                            ..Scenario::plain(phi, effect)
                        };
                        let Some(found) = measure(&sample(&scenario, seed), BEFORE + AFTER) else {
                            continue;
                        };
                        let net = |cost: f64| {
                            let economics = Economics {
                                volume: Uncertain::Known(28.0),
                                unit_value: Some(Uncertain::Known(1.0)),
                                investment: Investment {
                                    hours: cost * 28.0,
                                    rate: 1.0,
                                    running: 0.0,
                                },
                                days: 28.0,
                            };
                            roi(&Uncertain::Measured(found.posterior.clone()), &economics)
                        };
                        let cost = [0.0, 0.3, 0.8][(seed % 3) as usize];
                        if sign > 0.0
                            && (effect - cost).abs() > 1e-9
                            && let Some(gain) = net(cost)
                        {
                            asked += 1.0;
                            decided += f64::from(u8::from(gain.gain.is_some()));
                            right += f64::from(u8::from(gain.gain == Some(effect > cost)));
                        }
                        if size > 0.0 {
                            both.push((found.p_positive, effect > 0.0));
                        }
                        if sign > 0.0 {
                            rises.push((found.p_positive, effect > 0.0));
                        }
                    }
                }
            }
            println!(
                "{controls} controls, phi {phi}: P(effect > 0) off by {:.3} for effects of both signs, {:.3} for none and rises; returns decided {:.3}, of these right {:.4}",
                calibration_error(&both),
                calibration_error(&rises),
                decided / asked,
                right / decided
            );
        }
    }
}

/// Expected calibration error over ten bins.
fn calibration_error(stated: &[(f64, bool)]) -> f64 {
    let mut bins = [(0.0, 0.0, 0.0); 10];
    for (probability, truth) in stated {
        let bin = &mut bins[((probability * 10.0) as usize).min(9)];
        bin.0 += probability;
        bin.1 += f64::from(u8::from(*truth));
        bin.2 += 1.0;
    }
    bins.iter()
        .map(|(stated, true_ones, _)| (stated - true_ones).abs())
        .sum::<f64>()
        / stated.len() as f64
}

/// A change that does nothing, made after the worst week of the last four: how often it is called an improvement, the week
/// being part of the baseline or not.
fn regression_to_the_mean() {
    for phi in [0.0, 0.3, 0.6] {
        for controls in [0, 3] {
            for excluded in [false, true] {
                let (mut improved, mut once, mut fading) = (0.0, 0.0, 0.0);
                for seed in 0..*SEEDS {
                    let days = 150;
                    let mut noise = Noise::of(seed);
                    let common = noise.ar1(days, phi);
                    let mut series = || -> Vec<f64> {
                        let own = noise.ar1(days, phi);
                        common
                            .iter()
                            .zip(&own)
                            .map(|(a, b)| 0.6_f64.sqrt() * a + 0.4_f64.sqrt() * b)
                            .collect()
                    };
                    let values = series();
                    let others: Vec<Vec<f64>> = (0..controls).map(|_| series()).collect();
                    let week = |end: usize| values[end - 7..end].iter().sum::<f64>();
                    let change = (60..=days - AFTER)
                        .min_by(|a, b| week(*a).total_cmp(&week(*b)))
                        .unwrap_or(60);
                    let range = change - 60..change + AFTER;
                    let named: Vec<Control<'_>> = others
                        .iter()
                        .map(|values| Control {
                            name: "control",
                            values: &values[range.clone()],
                        })
                        .collect();
                    let found = impact(&Question {
                        values: &values[range.clone()],
                        change: 60,
                        samples: None,
                        controls: &named,
                        seasons: &[7],
                        excluded: if excluded { &[53..60] } else { &[] },
                        higher_is_better: true,
                        horizon: AFTER,
                        arms: None,
                    });
                    let Ok(found) = found else { continue };
                    improved += f64::from(u8::from(found.verdict == Verdict::Improved)) / *SEEDS as f64;
                    once += f64::from(u8::from(found.interval.0 > 0.0)) / *SEEDS as f64;
                    let novelty = found.series.and_then(|series| series.novelty);
                    fading +=
                        f64::from(u8::from(novelty.is_some_and(|novelty| novelty.fading))) / *SEEDS as f64;
                }
                println!(
                    "after the worst week of thirteen, excluded {excluded}, phi {phi}, {controls} controls: improved {improved:.3}, by the interval {once:.3}, fading {fading:.3}"
                );
            }
        }
    }
}

fn main() {
    let asked = |word: &str| std::env::args().any(|argument| argument == word);
    if asked("stated") {
        stated();
    } else if asked("mean") {
        regression_to_the_mean();
    } else if asked("looks") {
        looks();
    } else if asked("hard") {
        hard();
    } else {
        coverage();
    }
}

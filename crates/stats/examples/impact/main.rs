//! How often the measurement of impact is wrong, on seeds 0 to 999, the ones that may be tuned on:
//! `cargo run --release -p kaizen-stats --example impact` prints the coverage of intervals, with `looks` false impact under daily
//! looks, with `stated` probabilities and returns, with `mean` regression to the mean, with `hard` shocks, wrong controls,
//! seasons that change and effects that fade.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]

mod generate;

use std::sync::LazyLock;

use kaizen_stats::{Control, Economics, Impact, Investment, Question, Uncertain, Verdict, impact, roi};

use generate::{AFTER, BEFORE, Noise, Sample, Scenario, Wrong, sample};

/// Fewer with `KAIZEN_SEEDS`.
static SEEDS: LazyLock<u64> = LazyLock::new(|| {
    let asked = std::env::var("KAIZEN_SEEDS")
        .ok()
        .and_then(|seeds| seeds.parse().ok());
    asked.unwrap_or(1000).min(1000)
});

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
        scales: None,
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
        // What is added to the series after the change moves the interval and nothing else.
        for effect in [0.0, 1.0] {
            let plain = Scenario::plain(phi, effect);
            row("no control", &plain);
            let week = (1.0, 1.0);
            row("no control, week", &Scenario { week, ..plain });
            let missing = Some(10);
            row("no control, missing", &Scenario { missing, ..plain });
            for alike in [0.3, 0.6, 0.8] {
                beside_controls(&Scenario { alike, ..plain });
            }
            row("eight controls 0.6", &Scenario { controls: 8, ..plain });
        }
    }
}

fn beside_controls(plain: &Scenario) {
    let alike = plain.alike;
    let with = |controls, wrong| Scenario {
        controls,
        wrong,
        ..*plain
    };
    row(&format!("one control {alike}"), &with(1, Wrong::None));
    row(&format!("three controls {alike}"), &with(3, Wrong::None));
    row(
        &format!("two controls {alike} and one moved"),
        &with(2, Wrong::Moves(1.0)),
    );
    row(
        &format!("three controls {alike} and one moved"),
        &with(3, Wrong::Moves(1.0)),
    );
    row(
        &format!("two controls {alike} and one unrelated"),
        &with(2, Wrong::Unrelated),
    );
}

fn hard() {
    for phi in [0.0, 0.3, 0.6] {
        let plain = Scenario::plain(phi, 0.0);
        for (controls, alike) in [(1, 0.3), (1, 0.6), (1, 0.8), (3, 0.3), (3, 0.6), (3, 0.8)] {
            for shock in [0.5, 1.0, 2.0] {
                let name = format!("shock {shock}, {controls} controls {alike}");
                row(
                    &name,
                    &Scenario {
                        controls,
                        alike,
                        shock,
                        ..plain
                    },
                );
            }
        }
        for size in [0.5, 1.0, 2.0] {
            let wrong = Wrong::Moves(size);
            row(
                &format!("only control moved {size}"),
                &Scenario { wrong, ..plain },
            );
            row(
                &format!("one of two moved {size}"),
                &Scenario {
                    controls: 1,
                    wrong,
                    ..plain
                },
            );
            row(
                &format!("one of four moved {size}"),
                &Scenario {
                    controls: 3,
                    wrong,
                    ..plain
                },
            );
        }
        let week = (1.5, 0.5);
        row("season changes", &Scenario { week, ..plain });
        let fades = Scenario {
            effect: 2.0,
            half_life: Some(7.0),
            ..plain
        };
        row("novelty", &fades);
        row("novelty, three controls", &Scenario { controls: 3, ..fades });
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
                    let week_before = 53..60;
                    let found = impact(&Question {
                        values: &values[range.clone()],
                        change: 60,
                        samples: None,
                        scales: None,
                        controls: &named,
                        seasons: &[7],
                        excluded: if excluded {
                            std::slice::from_ref(&week_before)
                        } else {
                            &[]
                        },
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

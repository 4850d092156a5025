//! Answers in which every field says something, and some in which little is known.

use kaizen_api::analysis::v1::{ChangeEntry, Condition, Estimate, Interval, Metric, Window};
use kaizen_api::tracker::v1::{
    Calibration, Contribution, Control, Correction, CorrectionOutcome, CorrectionState, CumulativePoint,
    Forecast, GetCalibrationResponse, GetCumulativeRoiResponse, GetRoiResponse, Guardrail, Impact, ImpactDay,
    ImpactMetrics, ImpactVerdict, Measurement, MeasurementConfidence, Novelty, Overlap, Placebo, Return,
    Rung, Total,
};
use prost_types::Timestamp;

/// Midnight of 2 March 2026, UTC.
const CHANGE: i64 = 1_772_409_600;
const DAY: i64 = 86_400;

fn day(after: i64) -> Option<Timestamp> {
    Some(Timestamp {
        seconds: CHANGE + after * DAY,
        nanos: 0,
    })
}

fn days(from: i64, to: i64) -> Option<Window> {
    Some(Window {
        start_time: day(from),
        end_time: day(to),
    })
}

fn interval(lower: f64, upper: f64) -> Option<Interval> {
    Some(Interval { lower, upper })
}

fn estimate(value: f64, lower: f64, upper: f64) -> Option<Estimate> {
    Some(Estimate {
        value,
        interval: interval(lower, upper),
    })
}

fn metric(name: &str, title: &str, unit: &str) -> Option<Metric> {
    Some(Metric {
        name: name.to_owned(),
        title: title.to_owned(),
        unit: unit.to_owned(),
        ..Metric::default()
    })
}

fn rung(method: &str, refused: &str) -> Rung {
    Rung {
        method: method.to_owned(),
        refused: refused.to_owned(),
    }
}

fn control(name: &str, weight: Option<f64>, refused: &str) -> Control {
    Control {
        name: name.to_owned(),
        weight,
        refused: refused.to_owned(),
        moved_alone: Some(0.02),
    }
}

/// An improvement of which everything is known.
pub fn impact() -> Impact {
    Impact {
        ticket_id: "T-17".to_owned(),
        metric: metric("lead_enrichment.success_rate", "Success rate", "ratio"),
        slice: vec![Condition {
            dimension: "source".to_owned(),
            value: "Apollo".to_owned(),
        }],
        change_time: day(0),
        measurement_period_days: 14,
        before: days(-28, 0),
        baseline: [days(-28, -13), days(-6, 0)].into_iter().flatten().collect(),
        after: days(0, 14),
        verdict: ImpactVerdict::Improved.into(),
        summary: "Success rate rose by 8.7 percentage points".to_owned(),
        method: "control_regression".to_owned(),
        rungs: vec![
            rung(
                "randomised",
                "chance did not say which decisions the change applies to",
            ),
            rung("controls", ""),
        ],
        mean_before: 0.821,
        mean_after: 0.908,
        effect: estimate(0.087, 0.061, 0.113),
        interval_at_any_look: interval(0.049, 0.125),
        probability_better: 0.9998,
        detectable: 0.024,
        confidence: Some(MeasurementConfidence {
            value: 0.8208,
            method: 0.9,
            information: 1.0,
            present: 0.96,
            placebo: 0.95,
        }),
        controls: vec![
            control("source = Hunter", Some(0.71), ""),
            control("source = Website", None, "it is a sum of other controls"),
        ],
        shock: Some(0.03),
        placebo: Some(Placebo {
            tried: 60,
            as_large: 3,
        }),
        novelty: Some(Novelty {
            first: 0.091,
            last: 0.082,
            p_value: 0.41,
            fading: false,
        }),
        guardrails: guardrails(),
        overlaps: overlaps(),
        days: impact_days(),
        metrics: Some(metrics()),
        roi: Some(returned()),
        roi_not_computed: String::new(),
    }
}

fn guardrails() -> Vec<Guardrail> {
    vec![
        Guardrail {
            metric: metric(
                "lead_enrichment.p95_processing_time",
                "95th percentile processing time",
                "seconds",
            ),
            verdict: ImpactVerdict::Worse.into(),
            effect: estimate(0.21, 0.12, 0.3),
            unmeasurable: String::new(),
            method: "control_regression".to_owned(),
        },
        Guardrail {
            metric: metric("lead_enrichment.cost", "Cost", "eur"),
            verdict: ImpactVerdict::Unspecified.into(),
            effect: None,
            unmeasurable: "there are 3 values before the change; 14 are needed".to_owned(),
            method: String::new(),
        },
    ]
}

fn overlaps() -> Vec<Overlap> {
    let change = |version: &str, after: i64| {
        Some(ChangeEntry {
            kind: "deploy".to_owned(),
            component: "lead_enrichment".to_owned(),
            version: version.to_owned(),
            change_time: day(after),
            link: "https://deploy.example/9".to_owned(),
        })
    };
    vec![
        Overlap {
            ticket_id: "T-12".to_owned(),
            change: change("v12", -5),
            after: false,
        },
        Overlap {
            ticket_id: String::new(),
            change: change("v14", 6),
            after: true,
        },
    ]
}

fn impact_days() -> Vec<ImpactDay> {
    let shown = |at: i64, value: Option<f64>, n: u64, left_out: &str| ImpactDay {
        window: days(at, at + 1),
        value,
        n,
        left_out: left_out.to_owned(),
    };
    vec![
        shown(-2, Some(0.82), 512, ""),
        shown(-1, None, 0, "it has no decisions"),
        shown(0, Some(0.9), 498, ""),
    ]
}

fn metrics() -> ImpactMetrics {
    let name = || "lead_enrichment.success_rate".to_owned();
    let cost = || "lead_enrichment.p95_processing_time".to_owned();
    ImpactMetrics {
        recommendation_id: "re-1".to_owned(),
        before_metrics: [(name(), 0.821), (cost(), 1.7)].into(),
        after_metrics: [(name(), 0.908), (cost(), 1.91)].into(),
        improvement_percentage: [(name(), 10.6), (cost(), -12.4)].into(),
        improvement_intervals: [(
            name(),
            Interval {
                lower: 7.4,
                upper: 13.8,
            },
        )]
        .into(),
        roi_calculation: Some(19.4),
        measurement_confidence: 0.8208,
        measurement_period_days: 14,
    }
}

fn returned() -> Return {
    Return {
        currency: "EUR".to_owned(),
        days: 84.0,
        net: estimate(12_400.0, 8_100.0, 16_700.0),
        probability_above_zero: 0.9999,
        gain: Some(true),
        detectable: 6_150.0,
        benefit: estimate(13_040.0, 8_740.0, 17_340.0),
        cost: 640.0,
        hours: 8.0,
        hours_forecast: true,
        hourly_rate: 80.0,
        running_cost: 0.0,
        volume: 42_000.0,
        unit_value: 3.57,
        roi: Some(19.375),
        payback_days: Some(4.1),
    }
}

/// What a measurement says that was made too early.
pub fn early() -> Impact {
    Impact {
        ticket_id: "T-17".to_owned(),
        metric: metric("crm_sync.total", "Syncs", "count"),
        change_time: day(0),
        measurement_period_days: 14,
        verdict: ImpactVerdict::CannotTell.into(),
        summary: "It is too early to tell".to_owned(),
        method: "seasonal_level".to_owned(),
        rungs: vec![
            rung("randomised", "no experiment is named"),
            rung("controls", "no control can be used"),
            rung("seasonal", ""),
        ],
        mean_before: 400.0,
        mean_after: 380.0,
        effect: estimate(-20.0, -90.0, 50.0),
        interval_at_any_look: interval(-140.0, 100.0),
        probability_better: 0.3,
        detectable: 180.0,
        roi_not_computed: "the catalogue does not say what the metric is worth".to_owned(),
        ..Impact::default()
    }
}

/// One that could not be made, and one that was.
pub fn measurements() -> Vec<Measurement> {
    vec![
        Measurement {
            measurement_id: "41".to_owned(),
            day: 7,
            measure_time: day(7),
            impact: None,
            unmeasurable: "the warehouse was away".to_owned(),
        },
        Measurement {
            measurement_id: "57".to_owned(),
            day: 14,
            measure_time: day(14),
            impact: Some(impact()),
            unmeasurable: String::new(),
        },
    ]
}

/// The return of the ticket from the kept measurement.
pub fn roi() -> GetRoiResponse {
    GetRoiResponse {
        roi: Some(returned()),
        not_computed: String::new(),
        effect: estimate(0.087, 0.061, 0.113),
        measurement_id: "57".to_owned(),
    }
}

fn total(name: &str, tickets: u32, net: f64, shrunk: f64) -> Total {
    Total {
        name: name.to_owned(),
        tickets,
        net: estimate(net, net - 4_000.0, net + 4_000.0),
        shrunk: estimate(shrunk, shrunk - 3_000.0, shrunk + 3_000.0),
        cost: 800.0,
    }
}

/// Three tickets, one of which counts nowhere.
pub fn cumulative() -> GetCumulativeRoiResponse {
    let ticket = |id: &str, verdict: ImpactVerdict, kind: &str, net: Option<Estimate>| Contribution {
        ticket_id: id.to_owned(),
        title: "Mend the prompt".to_owned(),
        category: "enrichment".to_owned(),
        change_time: day(0),
        measure_time: day(14),
        verdict: verdict.into(),
        net,
        shrunk: net,
        kind: kind.to_owned(),
        not_computed: if net.is_some() {
            ""
        } else {
            "nobody said what it is worth"
        }
        .to_owned(),
    };
    GetCumulativeRoiResponse {
        currency: "EUR".to_owned(),
        total: Some(total("", 2, 11_600.0, 9_100.0)),
        kinds: vec![
            total("gain", 1, 12_400.0, 9_900.0),
            total("avoided_loss", 0, 0.0, 0.0),
            total("failed_work", 1, -800.0, -800.0),
        ],
        categories: vec![total("message_generation", 2, 11_600.0, 9_100.0)],
        points: [(7, 1, 12_400.0, 9_900.0), (14, 2, 11_600.0, 9_100.0)]
            .map(|(after, tickets, net, shrunk)| CumulativePoint {
                time: day(after),
                tickets,
                net,
                shrunk,
            })
            .into(),
        contributions: vec![
            ticket(
                "T-17",
                ImpactVerdict::Improved,
                "gain",
                estimate(12_400.0, 8_100.0, 16_700.0),
            ),
            ticket(
                "T-12",
                ImpactVerdict::NoDetectableChange,
                "failed_work",
                estimate(-800.0, -2_000.0, 400.0),
            ),
            ticket("T-9", ImpactVerdict::Improved, "", None),
        ],
    }
}

/// Two forecasts of one rule.
pub fn calibration() -> GetCalibrationResponse {
    let of = |name: &str, brier: Option<f64>, realised: Option<f64>| Calibration {
        name: name.to_owned(),
        forecasts: 2,
        coverage: 0.5,
        brier,
        realised,
        bias: -1.25,
    };
    let forecast = |id: &str, measured: f64, covered: bool| Forecast {
        ticket_id: id.to_owned(),
        rule: "slice_regression".to_owned(),
        category: "enrichment".to_owned(),
        forecast: estimate(310.0, 120.0, 500.0),
        measured: estimate(measured, measured - 80.0, measured + 80.0),
        covered,
        probability: 0.97,
        verdict: ImpactVerdict::Improved.into(),
        correction_id: if covered { "C-2" } else { "" }.to_owned(),
        uncorrected: covered.then(|| estimate(620.0, 240.0, 1_000.0)).flatten(),
    };
    GetCalibrationResponse {
        calibrations: vec![
            of("all", Some(0.0009), Some(0.61)),
            of("rule: slice_regression", Some(0.0009), Some(0.61)),
            of("category: enrichment", None, None),
        ],
        forecasts: vec![forecast("T-17", 290.0, true), forecast("T-12", 90.0, false)],
        corrections: corrections().into_iter().take(1).collect(),
    }
}

/// One that is applied, and one that was taken back.
pub fn corrections() -> Vec<Correction> {
    let outcome = |ticket_id: &str| CorrectionOutcome {
        ticket_id: ticket_id.to_owned(),
        change_time: day(0),
        measurement_id: "57".to_owned(),
        forecast: estimate(620.0, 240.0, 1_000.0),
        measured: estimate(290.0, 210.0, 370.0),
    };
    let active = Correction {
        correction_id: "C-3".to_owned(),
        rule: "slice_regression".to_owned(),
        state: CorrectionState::Active.into(),
        factor: 0.53,
        widening: 0.18,
        ratio: estimate(0.51, 0.45, 0.57),
        p_value: 1e-9,
        share: 0.04,
        outcomes: vec![outcome("T-17"), outcome("T-12")],
        learn_time: day(14),
        learner: "kaizen".to_owned(),
        ..Correction::default()
    };
    let reverted = Correction {
        correction_id: "C-2".to_owned(),
        state: CorrectionState::Reverted.into(),
        end_time: day(15),
        ender: "anna".to_owned(),
        end_reason: "The fixes were undone".to_owned(),
        ..active.clone()
    };
    vec![active, reverted]
}

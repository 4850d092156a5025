//! What the rules make of facts.

use kaizen_findings::{
    Cause, CellSums, Change, ChangeEntry, ComponentFacts, Correction, Detail, Explained, Explanation, Facts,
    Finding, Groups, LabelOrder, LabelShape, LatencyTail, Level, MetricFacts, Miscalibration, Move, Priority,
    Recommendation, Role, TrendFacts, recommend,
};

fn sums(n: f64, mean: f64) -> CellSums {
    CellSums {
        n,
        sum: n * mean,
        sum_squares: n * mean,
    }
}

fn metric() -> MetricFacts {
    MetricFacts {
        name: "sync.success_rate".to_owned(),
        title: "Success rate".to_owned(),
        unit: "ratio".to_owned(),
        higher_is_better: true,
        minimum_sample: 30.0,
        now: Some(0.85),
        before: Some(0.9),
        ..MetricFacts::default()
    }
}

fn facts(metric: MetricFacts) -> Facts {
    let component = ComponentFacts {
        name: "sync".to_owned(),
        log_type: "sync_operation".to_owned(),
        title: "Sync".to_owned(),
        category: "crm".to_owned(),
        coverage: Some(1.0),
        metrics: vec![metric],
        findings: Vec::new(),
    };
    Facts {
        components: vec![component],
        weeks: 1.0,
        ..Facts::default()
    }
}

/// 1,000 of 5,000 decisions went from 90 % to 65 %.
fn regression(higher_is_better: bool) -> MetricFacts {
    let cause = Cause {
        slice: vec![("method".to_owned(), "web".to_owned())],
        baseline: sums(1_000.0, 0.9),
        current: sums(1_000.0, 0.65),
        effect: -0.25,
        interval: (-0.30, -0.20),
        p_value: 1e-12,
        mix: 0.0,
        rate: -0.05,
    };
    let change = Change {
        difference: -0.05,
        interval: (-0.06, -0.04),
        p_value: 1e-9,
        mix: 0.0,
        rate: -0.05,
    };
    MetricFacts {
        explained: Some(Explained {
            what: "Success rate".to_owned(),
            unit: "ratio".to_owned(),
            higher_is_better,
            explanation: Explanation {
                baseline: sums(5_000.0, 0.9),
                current: sums(5_000.0, 0.85),
                change: Some(change),
                causes: vec![cause],
            },
        }),
        trend: Some(TrendFacts {
            is_improving: false,
            p_value: 1e-6,
        }),
        ..metric()
    }
}

fn only(facts: &Facts) -> Recommendation {
    let mut all = recommend(facts);
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

#[test]
fn a_slice_that_got_worse_is_one_recommendation_with_what_mending_it_gains() {
    let found = only(&facts(regression(true)));
    assert_eq!(found.key(), "slice_regression|sync.success_rate|method=web");
    assert_eq!(
        (found.rule.as_str(), found.category.as_str()),
        ("slice_regression", "crm")
    );
    let impact = found.impact.unwrap();
    assert!((impact.per_week.value - 250.0).abs() < 1e-9, "{impact:?}");
    assert!(
        (impact.improvement.value - 0.05).abs() < 1e-9 && impact.improvement.lower > 0.0,
        "{impact:?}"
    );
    assert!(
        (impact.improvement_percent.unwrap() - 5.0 / 0.9).abs() < 1e-9,
        "{impact:?}"
    );
    assert!(found.certainty > 0.99);
    assert_eq!(
        found.roi, None,
        "what the metric is worth is not known: not computed, never zero"
    );
}

#[test]
fn a_slice_that_got_better_is_none() {
    let better = MetricFacts {
        trend: None,
        ..regression(false)
    };
    assert_eq!(recommend(&facts(better)), []);
}

#[test]
fn what_a_metric_is_worth_makes_a_return_with_its_probability() {
    let worth = |amount, currency: &str| MetricFacts {
        value_per_unit: Some((amount, currency.to_owned())),
        ..regression(true)
    };
    // 250 a week over 12 weeks at 2 EUR, for 8 h at 80 EUR.
    let roi = only(&facts(worth(2.0, "EUR"))).roi.unwrap();
    assert!((roi.benefit.value - 6_000.0).abs() < 1e-6, "{roi:?}");
    assert!((roi.cost - 640.0).abs() < 1e-9, "{roi:?}");
    assert!(
        (roi.roi.value - 5_360.0 / 640.0).abs() < 1e-9 && roi.probability_above_zero > 0.999,
        "{roi:?}"
    );
    // Worth a cent each: 30 EUR for 640.
    let poor = only(&facts(worth(0.01, "EUR")));
    assert!(
        poor.roi.as_ref().unwrap().probability_above_zero < 0.01,
        "{poor:?}"
    );
    assert_eq!(poor.priority, Priority::Low);
    assert_eq!(
        only(&facts(worth(2.0, "USD"))).roi,
        None,
        "no exchange rate is made up"
    );
}

#[test]
fn less_of_the_data_makes_less_certain_and_not_more_urgent() {
    let mut sparse = facts(regression(true));
    sparse.components[0].coverage = Some(0.91);
    let (whole, sparse) = (only(&facts(regression(true))), only(&sparse));
    assert!(sparse.certainty < whole.certainty && sparse.score < whole.score);
    assert_eq!(sparse.coverage, Some(0.91));
}

#[test]
fn missing_data_is_its_own_recommendation() {
    let mut silent = facts(metric());
    silent.components[0].coverage = Some(0.4);
    let found = only(&silent);
    assert_eq!(
        (found.key().as_str(), found.priority),
        ("low_coverage|sync", Priority::High)
    );
    assert_eq!((found.impact, found.roi), (None, None));
}

#[test]
fn a_decline_that_no_slice_explains_is_told_once_of_the_whole() {
    let mut everywhere = regression(true);
    everywhere.explained.as_mut().unwrap().explanation.causes.clear();
    assert_eq!(
        only(&facts(everywhere)).key(),
        "declining_metric|sync.success_rate"
    );
}

#[test]
fn changes_of_the_component_or_to_the_slice_are_candidates() {
    let change = |component: &str, version: &str| ChangeEntry {
        kind: "config".to_owned(),
        component: component.to_owned(),
        version: version.to_owned(),
        at: "2026-02-23T00:00:00Z".to_owned(),
        link: String::new(),
    };
    let mut changed = facts(regression(true));
    changed.changes = vec![
        change("sync", "7"),
        change("elsewhere", "1"),
        change("router", "web"),
    ];
    let found = only(&changed);
    let versions: Vec<_> = found.candidates.iter().map(|it| it.version.as_str()).collect();
    assert_eq!(versions, ["web", "7"], "latest first");
    assert!(
        found.action_items[0].contains("router"),
        "{:?}",
        found.action_items
    );
}

fn split(of_the_whole: bool, groups: &[(&str, CellSums, CellSums)]) -> MetricFacts {
    MetricFacts {
        groups: Some(Groups {
            dimension: "template".to_owned(),
            of_the_whole,
            groups: (groups.iter())
                .map(|(name, before, now)| ((*name).to_owned(), *before, *now))
                .collect(),
        }),
        ..metric()
    }
}

#[test]
fn a_losing_group_is_to_move_to_the_best_for_what_is_left_of_the_lift() {
    let group = |name, mean| (name, sums(1_000.0, mean), sums(1_000.0, mean));
    let found = only(&facts(split(
        false,
        &[group("a", 0.6), group("b", 0.62), group("c", 0.4)],
    )));
    assert_eq!(found.key(), "losing_group|sync.success_rate|template=c");
    let impact = found.impact.unwrap();
    // 0.22 as measured, less what chance has added, of 1,000 decisions a week.
    assert!(
        (200.0..220.0).contains(&impact.per_week.value) && impact.per_week.lower > 0.0,
        "{impact:?}"
    );
    assert!(
        found.description.contains("The best is b"),
        "{}",
        found.description
    );
    let even = [group("a", 0.6), group("b", 0.61), group("c", 0.59)];
    assert_eq!(recommend(&facts(split(false, &even))), []);
    let since_now = [
        group("a", 0.6),
        group("b", 0.62),
        ("c", sums(1_000.0, 0.6), sums(1_000.0, 0.4)),
    ];
    assert_eq!(
        recommend(&facts(split(false, &since_now))),
        [],
        "what is wrong since now is to be mended"
    );
}

#[test]
fn a_kind_of_failure_that_came_up_is_named_and_one_that_did_not_is_not() {
    let kind = |name, before: f64, now: f64| (name, sums(5_000.0, before), sums(5_000.0, now));
    let kinds = [
        kind("timeout", 0.02, 0.08),
        kind("refused", 0.03, 0.03),
        kind("gone", 0.05, 0.01),
    ];
    let failures = MetricFacts {
        higher_is_better: false,
        ..split(true, &kinds)
    };
    let found = only(&facts(failures));
    assert_eq!(found.key(), "error_surge|sync.success_rate|template=timeout");
    assert!((found.impact.unwrap().per_week.value - 300.0).abs() < 1e-6);
}

#[test]
fn the_same_facts_give_the_same_recommendations_most_urgent_first() {
    let mut many = facts(regression(true));
    let mut silent = many.components[0].clone();
    silent.name = "silent".to_owned();
    silent.coverage = Some(0.2);
    silent.metrics.clear();
    many.components.push(silent);
    let all = recommend(&many);
    assert_eq!(all, recommend(&many));
    let order: Vec<_> = all.iter().map(|it| it.priority).collect();
    assert!(order.is_sorted(), "{order:?}");
    assert_eq!(all.len(), 2);
}

/// Facts of a metric of which this was found.
fn found(metric: MetricFacts, detail: Detail) -> Facts {
    let finding = Finding {
        component: "sync".to_owned(),
        metric: metric.name.clone(),
        text: "What was found".to_owned(),
        is_worse: Some(true),
        detail,
    };
    let mut facts = facts(metric);
    facts.components[0].findings.push(finding);
    facts
}

/// A step down at 2026-02-23T00:00:00Z.
fn step(effect: f64) -> Detail {
    Detail::LevelChange(Move {
        at: 1_771_804_800,
        step: 3_600,
        effect,
        interval: (effect - 0.01, effect + 0.01),
        is_improving: effect > 0.0,
    })
}

fn change(component: &str, at: &str) -> ChangeEntry {
    ChangeEntry {
        kind: "deploy".to_owned(),
        component: component.to_owned(),
        version: "2.14.0".to_owned(),
        at: at.to_owned(),
        link: String::new(),
    }
}

#[test]
fn a_step_down_within_a_day_of_a_change_asks_to_undo_it() {
    let with = |changes: Vec<ChangeEntry>, effect: f64| {
        let declining = MetricFacts {
            n: 5_000.0,
            ..regression(true)
        };
        let mut facts = found(declining, step(effect));
        // Everywhere alike: no slice explains it.
        let explained = facts.components[0].metrics[0].explained.as_mut().unwrap();
        explained.explanation.causes.clear();
        facts.changes = changes;
        recommend(&facts)
            .into_iter()
            .map(|it| it.rule)
            .collect::<Vec<_>>()
    };
    let near = || change("sync", "2026-02-22T20:00:00Z");
    assert_eq!(with(vec![near()], -0.05), ["step_after_change"]);
    for other in [
        change("sync", "2026-02-20T20:00:00Z"),
        change("other", "2026-02-22T20:00:00Z"),
    ] {
        assert_eq!(with(vec![other], -0.05), ["declining_metric"]);
    }
    assert_eq!(with(vec![near()], 0.05), ["declining_metric"]);
}

#[test]
fn a_slower_tail_is_mended_and_a_faster_one_left_alone() {
    let tail = |change: f64| {
        Detail::LatencyTail(LatencyTail {
            median: (0.5, 0.5),
            tail: (4.0, 4.0 * (1.0 + change)),
            change,
            interval: (change - 0.1, change + 0.1),
            p_value: 1e-5,
            n: 20_000.0,
        })
    };
    let only = only(&found(metric(), tail(0.3)));
    assert_eq!(
        (only.rule.as_str(), only.priority),
        ("latency_tail", Priority::Medium)
    );
    assert!((only.evidence.effect.value - 1.2).abs() < 1e-9);
    assert_eq!(recommend(&found(metric(), tail(-0.3))), []);
}

#[test]
fn a_lasting_drop_of_the_volume_is_told_once_and_not_as_a_decline() {
    let volume = |now: f64| MetricFacts {
        role: Role::Volume,
        unit: "count".to_owned(),
        now: Some(now),
        before: Some(1_000.0),
        n: now,
        ..regression(true)
    };
    let rules = |now: f64| {
        let mut facts = found(volume(now), step(-30.0));
        facts.components[0].metrics[0].explained = None;
        recommend(&facts)
            .into_iter()
            .map(|it| it.rule)
            .collect::<Vec<_>>()
    };
    assert_eq!(rules(600.0), ["volume_shift"]);
    assert_eq!(rules(900.0), [""; 0]);
}

#[test]
fn bold_confidence_is_divided_by_its_temperature() {
    let level = |stated: &str, observed| Level {
        stated: stated.to_owned(),
        observed,
        n: 1_000.0,
    };
    let only = only(&found(
        metric(),
        Detail::Miscalibration(Miscalibration {
            stated_by: "confidence".to_owned(),
            slope: Some(0.5),
            error: Some(0.06),
            bias: Some(0.01),
            p_value: 1e-9,
            levels: vec![level("0.9", 0.84), level("0.6", 0.58)],
        }),
    ));
    assert_eq!(only.rule, "miscalibrated_confidence");
    assert!(
        only.action_items[0].contains("by 2.00"),
        "{}",
        only.action_items[0]
    );
    assert_eq!(only.evidence.n, 2_000.0);
}

#[test]
fn scores_that_rise_while_aims_fall_do_not_measure_them() {
    let aim = MetricFacts {
        role: Role::Aim,
        trend: Some(TrendFacts {
            is_improving: false,
            p_value: 1e-4,
        }),
        ..metric()
    };
    let score = |is_improving| MetricFacts {
        name: "sync.quality".to_owned(),
        role: Role::Quality,
        now: Some(80.0),
        before: Some(75.0),
        trend: Some(TrendFacts {
            is_improving,
            p_value: 1e-3,
        }),
        ..metric()
    };
    let rules = |is_improving| {
        let mut facts = facts(aim.clone());
        facts.components[0].metrics.push(score(is_improving));
        recommend(&facts)
            .into_iter()
            .map(|it| it.rule)
            .collect::<Vec<_>>()
    };
    assert_eq!(rules(true), ["quality_outcome_mismatch"]);
    assert_eq!(rules(false), [""; 0]);
}

fn order(label: &str, shape: LabelShape, auc: f64) -> Finding {
    let level = |stated: &str, observed| Level {
        stated: stated.to_owned(),
        observed,
        n: 4_000.0,
    };
    Finding {
        component: "sync".to_owned(),
        metric: String::new(),
        text: format!("Sync: {label}"),
        is_worse: Some(true),
        detail: Detail::LabelOrder(LabelOrder {
            label: label.to_owned(),
            of: "success_indicator".to_owned(),
            shape,
            auc,
            interval: (auc - 0.02, auc + 0.02),
            p_value: 1e-6,
            levels: vec![level("80 to 90", 0.7), level("70 to 80", 0.8)],
        }),
    }
}

#[test]
fn labels_of_the_output_that_do_not_order_are_one_recommendation_and_the_inverted_one_is_its_evidence() {
    let mut facts = facts(metric());
    facts.components[0].findings = vec![
        order("quality_score", LabelShape::Uninformative, 0.5),
        order("improvement_potential", LabelShape::Inverted, 0.4),
    ];
    let found = only(&facts);
    assert_eq!(found.key(), "quality_outcome_mismatch|sync");
    assert_eq!(
        (found.evidence.now, found.evidence.before),
        (Some(0.4), Some(0.5))
    );
    assert_eq!(found.evidence.n, 8_000.0);
    assert!((found.evidence.effect.value + 0.1).abs() < 1e-9 && found.evidence.effect.upper < 0.0);
    assert_eq!(found.priority, Priority::High);
    for label in ["quality_score", "improvement_potential"] {
        assert!(
            found.title.contains(label) && found.description.contains(label),
            "{found:?}"
        );
    }
    assert!(
        found.action_items[0].starts_with("improvement_potential"),
        "{:?}",
        found.action_items
    );
    facts.components[0].findings.pop();
    let silent = only(&facts);
    assert_eq!(silent.priority, Priority::Medium);
    assert!(
        silent
            .title
            .ends_with("quality_score does not tell good decisions from bad"),
        "{}",
        silent.title
    );
}

#[test]
fn levels_of_confidence_that_do_not_order_are_miscalibrated_confidence_unless_probabilities_say_more() {
    let mut facts = facts(metric());
    facts.components[0].findings = vec![order("confidence_level", LabelShape::Uninformative, 0.5)];
    let found = only(&facts);
    assert_eq!(found.key(), "miscalibrated_confidence|sync");
    assert!(
        found.title.contains("confidence_level does not tell"),
        "{}",
        found.title
    );
    facts.components[0].findings.push(Finding {
        detail: Detail::Miscalibration(Miscalibration {
            stated_by: "confidence".to_owned(),
            slope: Some(0.5),
            error: Some(0.06),
            bias: Some(0.01),
            p_value: 1e-9,
            levels: Vec::new(),
        }),
        ..order("", LabelShape::Inverted, 0.5)
    });
    assert_eq!(only(&facts).evidence.now, Some(0.06));
}

/// A slice whose mending gains 250 successes a week, each worth something.
fn worth(amount: f64) -> Facts {
    facts(MetricFacts {
        value_per_unit: Some((amount, "EUR".to_owned())),
        ..regression(true)
    })
}

fn correction(factor: f64, widening: f64) -> Correction {
    Correction {
        correction_id: "C-3".to_owned(),
        factor,
        widening,
    }
}

fn corrected(mut facts: Facts, rule: &str, factor: f64, widening: f64) -> Recommendation {
    facts
        .corrections
        .insert(rule.to_owned(), correction(factor, widening));
    only(&facts)
}

#[test]
fn a_forecast_that_is_corrected_tells_both_and_what_corrected_it() {
    let own = only(&worth(1.0));
    let found = corrected(worth(1.0), "slice_regression", 0.5, 0.2);
    let before = found.corrected.clone().unwrap();
    assert_eq!(before.by, correction(0.5, 0.2));
    assert_eq!((Some(before.impact), before.roi), (own.impact, own.roi.clone()));
    assert_eq!(
        (before.priority, found.forecast()),
        (own.priority, own.forecast())
    );
    let (was, is) = (own.impact.unwrap(), found.impact.unwrap());
    assert!((is.per_week.value - was.per_week.value / 2.0).abs() < 1e-9);
    assert!((is.improvement.value - was.improvement.value / 2.0).abs() < 1e-9);
    // 1.96 errors of 0.2 of the forecast beside half of its own interval
    let half = (25.0_f64).hypot(1.959_963_984_540_054 * 0.2 * 250.0);
    assert!((is.per_week.upper - (125.0 + half)).abs() < 1e-9, "{is:?}");
    let (was, is) = (own.roi.unwrap(), found.roi.unwrap());
    assert!((is.benefit.value - was.benefit.value / 2.0).abs() < 1e-9);
    assert!(
        (is.cost - was.cost).abs() < f64::EPSILON && is.probability_above_zero < was.probability_above_zero
    );
    assert!((found.score - own.score / 2.0).abs() < 1e-9);
    assert_eq!(found.certainty, own.certainty);
}

#[test]
fn a_correction_of_another_rule_changes_nothing() {
    assert_eq!(corrected(worth(1.0), "error_surge", 0.5, 0.2), only(&worth(1.0)));
    let text = serde_json::to_string(&only(&worth(1.0))).unwrap();
    assert!(
        !text.contains("corrected"),
        "what is not corrected is kept as before: {text}"
    );
    let read: Recommendation = serde_json::from_str(&text).unwrap();
    assert_eq!(read, only(&worth(1.0)));
}

#[test]
fn a_priority_follows_the_corrected_forecast() {
    let own = only(&worth(1.0));
    let high = 2.0 * Facts::default().costs.hour;
    // Just above what makes it urgent
    let amount = 1.2 * high / own.score;
    assert_eq!(only(&worth(amount)).priority, Priority::High);
    let found = corrected(worth(amount), "slice_regression", 0.5, 0.0);
    assert_eq!(found.priority, Priority::Medium);
    assert_eq!(found.corrected.map(|it| it.priority), Some(Priority::High));
}

//! `kaizen score` on small files whose truth is known.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot write its file or start its program has failed"
)]

use std::fmt::Write;
use std::process::{Command, Output};

use serde_json::{Value, json};

fn score(csv: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cube.csv");
    std::fs::write(&file, csv).unwrap();
    Command::new(env!("CARGO_BIN_EXE_kaizen"))
        .args(["score", "--cube"])
        .arg(&file)
        .output()
        .unwrap()
}

fn found(csv: &str) -> Value {
    let output = score(csv);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn refusal(csv: &str) -> String {
    let output = score(csv);
    assert!(!output.status.success() && output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

/// Cells of 4 regions, 5 models and 3 channels; `factor` says what share of the expected came, beside a little noise.
fn counts(factor: impl Fn(&str, &str, &str) -> f64) -> String {
    let mut csv = "region,model,channel,actual,expected\n".to_owned();
    let mut cell = 0_u32;
    for region in ["eu", "us", "in", "br"] {
        for model in ["a", "b", "c", "d", "e"] {
            for channel in ["mail", "chat", "call"] {
                cell += 1;
                let expected = f64::from(200 + cell * 37 % 900);
                let noise = 1.0 + f64::from(cell * 7919 % 41) / 1000.0 - 0.02;
                let actual = (expected * factor(region, model, channel) * noise).round();
                writeln!(csv, "{region},{model},{channel},{actual},{expected}").unwrap();
            }
        }
    }
    csv
}

#[test]
fn nothing_is_named_when_all_came_as_expected() {
    assert_eq!(found(&counts(|_, _, _| 1.0)), json!({"culprits": []}));
    assert_eq!(found("region,actual,expected\n"), json!({"culprits": []}));
    // Everything at once is no slice.
    assert_eq!(found(&counts(|_, _, _| 0.7)), json!({"culprits": []}));
}

#[test]
fn a_slice_of_two_conditions_is_named_once_with_its_size() {
    let answer = found(&counts(
        |region, model, _| if region == "us" && model == "c" { 0.5 } else { 1.0 },
    ));
    let culprits = answer["culprits"].as_array().unwrap();
    assert_eq!(culprits.len(), 1, "{answer}");
    assert_eq!(culprits[0]["slice"], json!({"region": "us", "model": "c"}));
    let [low, high] = [0, 1].map(|at| culprits[0]["interval"][at].as_f64().unwrap());
    let effect = culprits[0]["effect"].as_f64().unwrap();
    assert!(
        low < -0.5 && -0.5 < high && low <= effect && effect <= high && high - low < 0.1,
        "{answer}"
    );
    assert!(culprits[0]["actual"].as_f64() < culprits[0]["expected"].as_f64());
}

#[test]
fn causes_of_unequal_depth_are_named_together_the_most_important_first() {
    let answer = found(&counts(|region, model, channel| match (region, model, channel) {
        ("br", _, _) => 1.6,
        ("in", "e", "chat") => 0.3,
        _ => 1.0,
    }));
    let slices: Vec<&Value> = answer["culprits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| &found["slice"])
        .collect();
    let wanted = [
        json!({"region": "br"}),
        json!({"region": "in", "model": "e", "channel": "chat"}),
    ];
    assert_eq!(slices, wanted.iter().collect::<Vec<_>>());
}

#[test]
fn a_ratio_that_fell_is_named_though_its_volume_rose() {
    let mut csv = "model,region,actual,actual_total,expected,expected_total\n".to_owned();
    for (at, model) in ["a", "b", "c", "d"].into_iter().enumerate() {
        for (place, region) in ["eu", "us", "in", "br", "jp"].into_iter().enumerate() {
            let total = 4_000 + 700 * at + 300 * place;
            let rate = if model == "b" { 0.6 } else { 0.8 } + 0.002 * (place as f64 - 2.0);
            let more = if model == "c" { 2 } else { 1 };
            let actual = (rate * (total * more) as f64).round();
            writeln!(
                csv,
                "{model},{region},{actual},{},{},{total}",
                total * more,
                0.8 * total as f64
            )
            .unwrap();
        }
    }
    let answer = found(&csv);
    assert_eq!(answer["culprits"].as_array().unwrap().len(), 1, "{answer}");
    assert_eq!(answer["culprits"][0]["slice"], json!({"model": "b"}));
    assert!((answer["culprits"][0]["actual"].as_f64().unwrap() - 0.6).abs() < 0.01);
    assert!((answer["culprits"][0]["expected"].as_f64().unwrap() - 0.8).abs() < 1e-9);
}

#[test]
fn a_bad_file_is_refused_with_the_place_and_the_rule() {
    for (csv, wanted) in [
        (
            "region,actual,expected\neu,1,2\nus,x,2\n",
            "line 3, column `actual`: `x` is not allowed; a finite number",
        ),
        (
            "region,actual,expected\neu,1,\n",
            "line 2, column `expected`: `` is not allowed",
        ),
        (
            "region,actual,expected\neu,inf,2\n",
            "line 2, column `actual`: `inf`",
        ),
        (
            "region,actual,expected\neu,1\n",
            "line 2: 2 values; one for each of the 3 columns",
        ),
        ("region,actual\neu,1\n", "line 1: column `expected` is missing"),
        (
            "region,actual,expected,expected_total\neu,1,1,1\n",
            "line 1: column `actual_total` is missing",
        ),
        (
            "region,actual,actual_total,expected,expected_total\neu,1,-3,1,2\n",
            "line 2, column `actual_total`: `-3` is not allowed; a finite number of 0 or more",
        ),
        ("actual,expected\n1,2\n", "line 1: there is no dimension"),
        (
            "region,region,actual,expected\neu,eu,1,2\n",
            "line 1: column `region` comes twice",
        ),
    ] {
        let complaint = refusal(csv);
        assert!(complaint.contains(wanted), "{complaint}");
    }
}

//! `kaizen score` on files whose truth is known.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use kaizen_testkit::program;
use serde_json::Value;

fn score(file: &Path, more: &[&str]) -> Result<(bool, String, String)> {
    score_as("--series", file, more)
}

fn score_as(kind: &str, file: &Path, more: &[&str]) -> Result<(bool, String, String)> {
    let output = Command::new(program("kaizen")?)
        .args(["score", kind])
        .arg(file)
        .args(more)
        .output()?;
    Ok((
        output.status.success(),
        String::from_utf8(output.stdout)?,
        String::from_utf8(output.stderr)?,
    ))
}

/// Noise that is the same everywhere: the middle of twelve numbers of a generator.
fn noise(state: &mut u64) -> f64 {
    let mut sum = -6.0;
    for _ in 0..12 {
        *state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        sum += (*state >> 11) as f64 / (1_u64 << 53) as f64;
    }
    sum
}

/// Five weeks of hours: the course of a day, a level 5 higher from hour 500, hour 300 far too high, a gap.
fn hours() -> String {
    let mut state = 7;
    let mut csv = "timestamp,value\n".to_owned();
    for hour in 0..840 {
        let level = if hour < 500 { 20.0 } else { 25.0 };
        let day = 3.0 * (f64::from(hour % 24) / 24.0 * std::f64::consts::TAU).sin();
        let spike = if hour == 300 { 30.0 } else { 0.0 };
        let value = level + day + spike + noise(&mut state);
        let value = if (100..120).contains(&hour) {
            String::new()
        } else {
            value.to_string()
        };
        let _ = writeln!(csv, "2026-01-{:02} {:02}:00:00,{value}", 1 + hour / 24, hour % 24);
    }
    // January ends.
    for day in 32..36 {
        csv = csv.replace(&format!("2026-01-{day:02}"), &format!("2026-02-{:02}", day - 31));
    }
    csv
}

fn indices(found: &Value, what: &str) -> Vec<u64> {
    found[what]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|item| item["index"].as_u64())
        .collect()
}

#[test]
fn a_series_tells_what_was_put_into_it_and_nothing_else() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("hours.csv");
    std::fs::write(&file, hours())?;
    let (good, out, error) = score(&file, &[])?;
    assert!(good, "{error}");
    let found: Value = serde_json::from_str(&out)?;
    let changes = indices(&found, "change_points");
    assert!(changes.len() == 1 && changes[0].abs_diff(500) <= 2, "{out}");
    let change = &found["change_points"][0];
    assert!(
        change["at"].as_str().context("at")?.starts_with("2026-01-21 "),
        "{out}"
    );
    let [low, high] = [0, 1].map(|end| change["interval"][end].as_f64().unwrap_or(f64::NAN));
    assert!(low < 5.0 && 5.0 < high && high - low < 2.0, "{out}");
    assert_eq!(indices(&found, "anomalies"), [300], "{out}");
    assert_eq!(found["anomalies"][0]["direction"], "high");
    assert_eq!(found["trend"]["direction"], "increasing", "{out}");

    let (good, out, error) = score(&file, &["--online"])?;
    assert!(good, "{error}");
    let found: Value = serde_json::from_str(&out)?;
    let changes = indices(&found, "change_points");
    assert!(changes.len() == 1 && (500..512).contains(&changes[0]), "{out}");
    assert!(indices(&found, "anomalies").contains(&300), "{out}");
    Ok(())
}

#[test]
fn a_plain_index_in_any_order_is_a_series_too() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("index.csv");
    let mut state = 5;
    let mut lines: Vec<String> = (0..60)
        .map(|n| format!("{n},{}", noise(&mut state) + if n < 35 { 0.0 } else { 6.0 }))
        .collect();
    lines.reverse();
    std::fs::write(&file, format!("timestamp,value\n{}\n", lines.join("\n")))?;
    let (good, out, error) = score(&file, &[])?;
    assert!(good, "{error}");
    let found: Value = serde_json::from_str(&out)?;
    assert_eq!(indices(&found, "change_points"), [59 - 35], "{out}");
    assert_eq!(found["change_points"][0]["at"], 35);
    Ok(())
}

#[test]
fn a_bad_line_is_named_with_its_field_and_rule() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("bad.csv");
    std::fs::write(&file, "timestamp,value\n2026-01-01,1\n2026-01-02,lots\n")?;
    let (good, out, error) = score(&file, &[])?;
    assert!(!good && out.is_empty());
    assert!(
        error.contains("bad.csv: line 3: value: \"lots\": must be a finite number"),
        "{error}"
    );
    Ok(())
}

/// Five weeks of hours before a change by 2 and one after it, beside a series that shares all but a little noise.
#[test]
fn what_a_change_did_is_told_beside_a_control() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("change.csv");
    let mut state = 11;
    let mut csv = "timestamp,value,control_other\n".to_owned();
    for hour in 0..1008_i64 {
        let day = 3.0 * ((hour % 24) as f64 / 24.0 * std::f64::consts::TAU).sin();
        let shared = 5.0 + day + noise(&mut state);
        let effect = if hour < 840 { 0.0 } else { 2.0 };
        let value = shared + effect + 0.2 * noise(&mut state);
        let _ = writeln!(
            csv,
            "{}T{:02}:00:00Z,{value},{shared}",
            date(hour / 24),
            hour % 24
        );
    }
    std::fs::write(&file, csv)?;
    let (good, out, error) = score_as("--impact", &file, &["--change", "2026-02-05"])?;
    assert!(good, "{error}");
    let found: Value = serde_json::from_str(&out)?;
    assert_eq!(found["method"], "control_regression", "{out}");
    assert_eq!(found["verdict"], "improved", "{out}");
    let [low, high] = [0, 1].map(|end| found["interval"][end].as_f64().unwrap_or(f64::NAN));
    assert!(low < 2.0 && 2.0 < high && high - low < 0.5, "{out}");
    assert!(
        found["p_positive"].as_f64() > Some(0.999) && found["detectable"].as_f64() < Some(1.0),
        "{out}"
    );

    let (good, out, error) = score_as("--impact", &file, &["--change", "later"])?;
    assert!(
        !good && out.is_empty() && error.contains("--change \"later\": must be RFC 3339"),
        "{error}"
    );
    Ok(())
}

/// A day of January or February 2026.
fn date(day: i64) -> String {
    if day < 31 {
        format!("2026-01-{:02}", day + 1)
    } else {
        format!("2026-02-{:02}", day - 30)
    }
}

#[test]
fn a_return_is_told_and_without_a_unit_value_it_is_not() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("return.json");
    let question =
        r#"{"effect": 0.02, "interval": [0.015, 0.025], "volume": 100000, "hours": 40, "rate": 100"#;
    std::fs::write(&file, format!("{question}, \"unit_value\": 5}}"))?;
    let (good, out, error) = score_as("--roi", &file, &[])?;
    assert!(good, "{error}");
    let found: Value = serde_json::from_str(&out)?;
    assert_eq!(
        (&found["verdict"], &found["effect"]),
        (&"gain".into(), &6000.0.into()),
        "{out}"
    );
    std::fs::write(&file, format!("{question}}}"))?;
    let (good, out, error) = score_as("--roi", &file, &[])?;
    assert!(good, "{error}");
    let found: Value = serde_json::from_str(&out)?;
    assert_eq!(
        (&found["verdict"], &found["effect"]),
        (&"not_computed".into(), &Value::Null),
        "{out}"
    );
    Ok(())
}

//! `kaizen score` on files whose truth is known.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use kaizen_testkit::program;
use serde_json::Value;

fn score(file: &Path, more: &[&str]) -> Result<(bool, String, String)> {
    let output = Command::new(program("kaizen")?)
        .args(["score", "--series"])
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

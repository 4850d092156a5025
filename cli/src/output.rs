//! How results are printed: tables for people, JSON for machines. Progress and complaints go to standard error.

#![expect(clippy::print_stderr, reason = "printing is what this module is for")]

use std::io::{ErrorKind, Write, stdout};

use clap::ValueEnum;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Table,
    /// For machines.
    Json,
}

/// A table; columns after the first `left` ones are numbers.
pub fn table(header: &[&str], left: usize, rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.to_vec()).add_rows(rows);
    for column in table.column_iter_mut().skip(left) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

/// Prints for people.
pub fn say(text: impl std::fmt::Display) {
    let Err(error) = writeln!(stdout(), "{text}") else {
        return;
    };
    // Whoever reads (`kaizen … | head`) has seen enough: nothing went wrong, and there is nothing left to do.
    let enough = error.kind() == ErrorKind::BrokenPipe;
    if !enough {
        note(format_args!("kaizen: standard output: {error}"));
    }
    std::process::exit(i32::from(!enough));
}

/// Prints for machines.
///
/// # Errors
/// The value has no form in JSON.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    say(serde_json::to_string_pretty(value)?);
    Ok(())
}

/// A remark that is no result.
pub fn note(text: impl std::fmt::Display) {
    eprintln!("{text}");
}

/// What went wrong, with its causes, in one line.
pub fn complain(error: &anyhow::Error) {
    eprintln!("kaizen: {error:#}");
}

/// A number with its thousands apart.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A value in its unit, with as many digits as a reader wants.
pub fn value(value: Option<f64>, unit: &str) -> String {
    let Some(value) = value else {
        return "–".to_owned();
    };
    match unit {
        "ratio" => format!("{:.1} %", value * 100.0),
        "count" if value >= 0.0 && value.fract() == 0.0 && value < 1e15 => count(value as u64),
        "seconds" => format!("{value:.3} s"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_values_carry_their_unit() {
        assert_eq!(
            (count(7), count(41_188), count(1_000_000)),
            ("7".into(), "41,188".into(), "1,000,000".into())
        );
        assert_eq!(value(Some(0.4531), "ratio"), "45.3 %");
        assert_eq!(value(Some(41_188.0), "count"), "41,188");
        assert_eq!(value(Some(1.5), "seconds"), "1.500 s");
        assert_eq!(value(None, "score"), "–");
    }
}

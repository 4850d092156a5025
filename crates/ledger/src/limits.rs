//! What a text may be. Rules complete the sentence that the field's name begins.

use crate::error::LedgerError;

/// Longest title, in characters.
pub(crate) const TITLE: usize = 200;
/// Longest description or comment, in characters.
pub(crate) const TEXT: usize = 4_000;
/// Longest name of a person, a metric, a rule or a version, in characters.
pub(crate) const NAME: usize = 128;
/// Longest category or label, in characters.
pub(crate) const LABEL: usize = 64;
/// Longest address of a link, in characters.
pub(crate) const ADDRESS: usize = 2_000;
/// Most conditions of a slice.
pub(crate) const CONDITIONS: usize = 10;
/// Longest value of a dimension, in characters.
pub(crate) const VALUE: usize = 256;
/// Most hours of work, and the largest cost a day.
pub(crate) const HOURS: f64 = 1e6;
pub(crate) const COST: f64 = 1e9;
/// Most labels of a ticket.
pub(crate) const LABELS: usize = 20;
/// Most links of a ticket.
pub(crate) const LINKS: usize = 50;

/// A line that must say something.
pub(crate) fn line(field: &str, text: &str, most: usize) -> Result<(), LedgerError> {
    if text.trim().is_empty() {
        return Err(LedgerError::invalid(field, "is required"));
    }
    optional_line(field, text, most)
}

/// A line that may be empty.
pub(crate) fn optional_line(field: &str, text: &str, most: usize) -> Result<(), LedgerError> {
    if text.contains(char::is_control) {
        return Err(LedgerError::invalid(
            field,
            "must be one line without control characters",
        ));
    }
    length(field, text, most)
}

/// Lines that may be empty.
pub(crate) fn lines(field: &str, text: &str) -> Result<(), LedgerError> {
    if text.contains(|it: char| it.is_control() && it != '\n' && it != '\t') {
        return Err(LedgerError::invalid(
            field,
            "must be without control characters other than new lines and tabs",
        ));
    }
    length(field, text, TEXT)
}

fn length(field: &str, text: &str, most: usize) -> Result<(), LedgerError> {
    if text.chars().count() > most {
        return Err(LedgerError::invalid(
            field,
            format!("must be at most {most} characters"),
        ));
    }
    Ok(())
}

/// 1 to 64 letters, digits, `-` and `_`.
pub(crate) fn request_id(id: &str) -> Result<(), LedgerError> {
    let fits = |it: char| it.is_ascii_alphanumeric() || it == '-' || it == '_';
    if (1..=64).contains(&id.len()) && id.chars().all(fits) {
        return Ok(());
    }
    Err(LedgerError::invalid(
        "request_id",
        "must be 1 to 64 letters, digits, - and _",
    ))
}

/// An address that a browser may follow: nothing but `http` and `https`.
pub(crate) fn address(field: &str, address: &str) -> Result<(), LedgerError> {
    length(field, address, ADDRESS)?;
    let parsed = url::Url::parse(address).ok();
    if parsed.is_some_and(|it| matches!(it.scheme(), "http" | "https")) {
        return Ok(());
    }
    Err(LedgerError::invalid(
        field,
        "must be a URL that begins with http:// or https://",
    ))
}

//! Values, differences and slices in words.

/// A slice in words.
pub fn in_words(slice: &[(String, String)]) -> String {
    let condition = |(name, value): &(String, String)| match value.as_str() {
        "" => format!("no {name}"),
        value => format!("{name} = {value}"),
    };
    slice.iter().map(condition).collect::<Vec<_>>().join(" and ")
}

/// A value in its unit.
pub fn told(value: f64, unit: &str) -> String {
    match unit {
        "ratio" => format!("{:.1} %", value * 100.0),
        "seconds" => format!("{value:.2} s"),
        unit => format!("{value:.2} {unit}"),
    }
}

/// A difference in its unit.
pub fn difference(value: f64, unit: &str) -> String {
    match unit {
        "ratio" => format!("{:+.1} points", value * 100.0),
        "seconds" => format!("{value:+.2} s"),
        unit => format!("{value:+.2} {unit}"),
    }
}

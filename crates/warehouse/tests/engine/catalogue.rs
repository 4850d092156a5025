//! A catalogue of one component.

use anyhow::Result;
use kaizen_catalogue::Catalogue;

/// Of component `c`, of decisions of kind `l` with the dimension `model`: what else it declares, a line each, and the name,
/// expression, unit and direction of each metric.
///
/// # Errors
/// It breaks a rule of catalogues.
pub fn catalogue(declares: &[&str], metrics: &[(&str, &str, &str, &str)]) -> Result<Catalogue> {
    let mut text = "version: 1\ncomponents:\n  - name: c\n    title: C\n    log_type: l\n    dimensions: {model: /input_data/model}\n"
        .to_owned();
    for line in declares {
        text += &format!("    {line}\n");
    }
    text += "    metrics:\n";
    for (name, expression, unit, direction) in metrics {
        text += &format!(
            "      - {{name: {name}, title: T, description: D, expression: '{expression}', unit: {unit}, direction: {direction}, \
             minimum_sample: 1}}\n"
        );
    }
    Ok(Catalogue::parse(&text)?)
}

//! The instruments of a service, listed as its Prometheus endpoint names them.

use std::collections::HashMap;
use std::fmt::Write;

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use super::Application;

/// Where the instruments of `kaizen-NAME` are registered.
pub(super) fn registry(name: &str) -> Registry {
    Registry::with_prefix(format!("kaizen_{name}"))
}

/// A Markdown table: name, type, labels, meaning.
pub(super) fn table<A: Application>(name: &str) -> anyhow::Result<String> {
    let mut registry = registry(name);
    A::describe(&A::instruments(&mut registry));
    let mut text = String::new();
    encode(&mut text, &registry)?;

    let mut table = "| instrument | type | labels | meaning |\n|---|---|---|---|\n".to_owned();
    let (mut meaning, mut labels) = (HashMap::new(), HashMap::new());
    let mut kinds = Vec::new();
    for line in text.lines() {
        if let Some((name, text)) = described(line, "# HELP ") {
            meaning.insert(name, text.trim_end_matches('.').replace('|', "\\|"));
        } else if let Some(pair) = described(line, "# TYPE ") {
            kinds.push(pair);
        } else if let (Some((name, _)), false) = (kinds.last(), line.starts_with('#')) {
            labels.entry(*name).or_insert_with(|| label_names(line));
        }
    }
    for (name, kind) in kinds {
        let total = if kind == "counter" { "_total" } else { "" };
        let meaning = meaning.get(name).map_or("", String::as_str);
        let labels = labels.get(name).map_or("", String::as_str);
        writeln!(table, "| `{name}{total}` | {kind} | {labels} | {meaning} |")?;
    }
    Ok(table)
}

fn described<'a>(line: &'a str, prefix: &str) -> Option<(&'a str, &'a str)> {
    line.strip_prefix(prefix)?.split_once(' ')
}

/// The names of a sample's labels, the encoding's own `le` left out.
fn label_names(sample: &str) -> String {
    let inside = sample
        .split_once('{')
        .and_then(|(_, rest)| rest.rsplit_once('}'))
        .map_or("", |(labels, _)| labels);
    let names: Vec<_> = inside
        .split("\",")
        .filter_map(|pair| pair.split_once("=\""))
        .map(|(name, _)| name)
        .filter(|name| *name != "le")
        .map(|name| format!("`{name}`"))
        .collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_labels_of_a_sample_are_named_without_the_encodings_own() {
        assert_eq!(label_names("a_total 1"), "");
        assert_eq!(label_names("a_bucket{le=\"1.0\"} 1"), "");
        assert_eq!(
            label_names("a_bucket{method=\"x.v1.Y/Z\",code=\"Ok\",le=\"1.0\"} 1"),
            "`method`, `code`"
        );
    }
}

//! Decisions to list: what to ask for, and where the dashboard shows them.

use form_urlencoded::Serializer;
use jiff::Timestamp;
use kaizen_findings::{Detail, Finding, REST};
use kaizen_warehouse::queries::Window;

use super::instant;
use crate::analysis::v1 as wire;

/// Decisions of a component in a half-open window, in seconds since 1970, that fulfil all conditions.
pub(super) fn selection(
    component: &str,
    window: (i64, i64),
    filters: &[(String, String)],
) -> wire::DecisionSelection {
    let filter = |(dimension, value): &(String, String)| wire::Filter {
        dimension: dimension.clone(),
        values: vec![value.clone()],
    };
    wire::DecisionSelection {
        component: component.to_owned(),
        window: Some(wire::Window {
            start_time: instant(window.0),
            end_time: instant(window.1),
        }),
        filters: filters.iter().map(filter).collect(),
        dashboard_path: path(component, window, filters),
    }
}

/// `/decisions?component=…&from=…&to=…&filter=DIMENSION=VALUE…`
fn path(component: &str, (start, end): (i64, i64), filters: &[(String, String)]) -> String {
    let time = |second| Timestamp::from_second(second).map_or_else(|_| String::new(), |it| it.to_string());
    let mut query = Serializer::new(String::new());
    query
        .append_pair("component", component)
        .append_pair("from", &time(start))
        .append_pair("to", &time(end));
    for (dimension, value) in filters {
        query.append_pair("filter", &format!("{dimension}={value}"));
    }
    format!("/decisions?{}", query.finish())
}

/// The decisions that a finding of an analysis of `period` was found in.
pub(super) fn of_finding(period: Window, found: &Finding) -> wire::DecisionSelection {
    let whole = (period.start().as_second(), period.end().as_second());
    let (window, filters) = match &found.detail {
        // A change before the period has its new level since then.
        Detail::LevelChange(it) => ((it.at, whole.1.max(it.at + it.step)), Vec::new()),
        Detail::Anomaly(it) => ((it.at, it.at + it.step), Vec::new()),
        Detail::MissingData(it) => ((it.start, it.end), Vec::new()),
        Detail::Standing(it) if it.group != REST => (whole, vec![(it.dimension.clone(), it.group.clone())]),
        Detail::Standing(_) | Detail::LatencyTail(_) | Detail::Miscalibration(_) | Detail::LabelOrder(_) => {
            (whole, Vec::new())
        }
    };
    selection(&found.component, window, &filters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_whatever_a_value_holds() {
        let filters = [
            ("method_used".to_owned(), "a&b=c d/ü".to_owned()),
            ("industry".to_owned(), String::new()),
        ];
        assert_eq!(
            selection("lead_enrichment", (1_767_571_200, 1_768_176_000), &filters).dashboard_path,
            "/decisions?component=lead_enrichment&from=2026-01-05T00%3A00%3A00Z&to=2026-01-12T00%3A00%3A00Z\
             &filter=method_used%3Da%26b%3Dc+d%2F%C3%BC&filter=industry%3D"
        );
    }
}

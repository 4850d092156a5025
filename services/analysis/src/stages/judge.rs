//! Which way every metric goes, and where it turned.

use kaizen_findings::{About, Spans, anomaly, judge as by_history, level_change};
use kaizen_warehouse::queries::{MetricTrend, Window};

use super::Work;

/// Judges every metric that was measured.
pub fn judge(work: &mut Work<'_>) {
    let span = |window: Window| (window.start().as_second(), window.end().as_second());
    let spans = Spans {
        before: span(work.analysis.previous),
        now: span(work.analysis.period),
    };
    let judged = by_history(&work.histories, spans);
    for (history, found) in work.histories.iter().zip(judged) {
        if let Some((component, metric)) = work.catalogue.metric(&history.metric) {
            let about = About {
                component: &component.name,
                metric: &history.metric,
                title: &metric.title,
                unit: &metric.unit,
            };
            // A metric that only splits another one moves with it.
            let is_new = !component
                .metrics
                .iter()
                .take_while(|it| it.name != metric.name)
                .any(|it| it.expression == metric.expression);
            if is_new {
                let moves = found.moves.iter().map(|it| level_change(about, *it));
                work.findings.extend(moves);
                let anomalies = found.anomalies.iter().map(|it| anomaly(about, *it));
                work.findings.extend(anomalies);
            }
        }
        work.trends.push(MetricTrend {
            metric: history.metric.clone(),
            trend: found.trend,
        });
    }
}

//! The W3C `traceparent` that an event carries.

/// Whether the text is a `traceparent` of version 00 that names a trace and a span.
pub(crate) fn is_traceparent(text: &str) -> bool {
    let mut parts = text.split('-');
    let mut part = |length: usize| {
        parts.next().is_some_and(|part| {
            part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        })
    };
    let shaped =
        text.starts_with("00-") && part(2) && part(32) && part(16) && part(2) && parts.next().is_none();
    let named = |range: std::ops::Range<usize>| {
        text.as_bytes()
            .get(range)
            .is_some_and(|id| id.iter().any(|byte| *byte != b'0'))
    };
    shaped && named(3..35) && named(36..52)
}

/// That of the current `tracing` span, when the program exports its spans.
#[cfg(feature = "otel")]
pub(crate) fn current() -> Option<String> {
    use opentelemetry::trace::TraceContextExt as _;
    use tracing_opentelemetry::OpenTelemetrySpanExt as _;

    let context = tracing::Span::current().context();
    let span = context.span();
    let span = span.span_context();
    span.is_valid().then(|| {
        format!(
            "00-{}-{}-{:02x}",
            span.trace_id(),
            span.span_id(),
            span.trace_flags().to_u8()
        )
    })
}

/// None: the feature `otel` is off.
#[cfg(not(feature = "otel"))]
pub(crate) const fn current() -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::is_traceparent;

    #[test]
    fn only_what_names_a_trace_and_a_span_is_a_traceparent() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert!(is_traceparent(good));
        for bad in [
            "",
            "00",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-01",
        ] {
            assert!(!is_traceparent(bad), "{bad}");
        }
    }
}

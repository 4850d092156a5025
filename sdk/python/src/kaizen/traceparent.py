"""The trace a decision belongs to, from OpenTelemetry where that is installed."""

from __future__ import annotations

try:
    from opentelemetry.trace import get_current_span
except ImportError:

    def current_traceparent() -> str:
        """Nothing: without `opentelemetry-api` there is no current span."""
        return ""

else:

    def current_traceparent() -> str:
        """The current span as W3C Trace Context; nothing when there is none."""
        span = get_current_span().get_span_context()
        if not span.is_valid:
            return ""
        return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"

"""Decisions by way of the standard library's `logging`."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timezone

from kaizen import default
from kaizen.decision import Recorder


class KaizenHandler(logging.Handler):
    """Logs the decision in `extra={"decision": {...}}`, named as on the wire; ignores records without one.

    Without a logger of its own it uses that of `kaizen.configure`.
    """

    def __init__(self, logger: Recorder | None = None, level: int = logging.NOTSET) -> None:
        super().__init__(level)
        self._recorder = logger or default.RECORDER

    def emit(self, record: logging.LogRecord) -> None:
        """Logs the record's decision, made at the record's time unless it has one."""
        decision = getattr(record, "decision", None)
        if isinstance(decision, Mapping):
            made = datetime.fromtimestamp(record.created, timezone.utc)
            self._recorder.record(lambda: {"timestamp": made, **decision})

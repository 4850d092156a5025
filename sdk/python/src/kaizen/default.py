"""The logger of the process: `configure` makes it, the functions here use it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

from kaizen.config import Options
from kaizen.decision import Decision
from kaizen.decorate import P, R, decorator
from kaizen.event import Context, Fields, Lead, Level
from kaizen.logger import DecisionLogger

if TYPE_CHECKING:
    from typing_extensions import Unpack

_LOG = logging.getLogger("kaizen")


class _Default:
    """Passes decisions on to the process's logger, whichever that is at the time."""

    def __init__(self) -> None:
        self.logger: DecisionLogger | None = None
        self._has_warned = False
        self.lock = Lock()

    def record(self, fields: Callable[[], Mapping[str, Any]]) -> None:
        """Logs the decision, or drops it with one warning when there is no logger."""
        if self.logger is not None:
            self.logger.record(fields)
        elif not self._has_warned:
            self._has_warned = True
            _LOG.warning("Decisions are dropped until kaizen.configure is called")

    def suppress(self, error: Exception) -> None:
        """Counts an exception that is kept from the caller."""
        if self.logger is not None:
            self.logger.suppress(error)


RECORDER = _Default()


def configure(**options: Unpack[Options]) -> DecisionLogger:
    """Makes the logger of the process, in place of the one before, which is closed.

    Raises:
        ConfigError: an option is unknown, missing or against its rule; the message names it.
    """
    with RECORDER.lock:
        before, RECORDER.logger = RECORDER.logger, DecisionLogger(**options)
    if before is not None:
        before.close()
    return RECORDER.logger


def log_decision(log_type: str | None = None, **fields: Unpack[Fields]) -> None:
    """As `DecisionLogger.log_decision`, on the process's logger."""
    RECORDER.record(lambda: {**fields, "log_type": log_type})


def decision(log_type: str, *, session_id: str | None, method: str, **context: Unpack[Context]) -> Decision:
    """As `DecisionLogger.decision`, on the process's logger."""
    logger = RECORDER.logger
    send_error_message = logger is not None and logger.config.send_error_message
    return Decision(
        RECORDER, log_type, session_id=session_id, method=method, send_error_message=send_error_message, **context
    )


def logged(
    log_type: str,
    *,
    method: str,
    session_id: Callable[..., str],
    lead_identifier: Callable[..., Lead] | None = None,
    input_data: Callable[..., Mapping[str, Any]] | None = None,
    output_data: Callable[[Any], Mapping[str, Any]] | None = None,
    confidence: Callable[[Any], Level] | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """As `DecisionLogger.logged`, on the process's logger at the time of each call."""
    return decorator(
        decision,
        log_type,
        method=method,
        session_id=session_id,
        lead_identifier=lead_identifier,
        input_data=input_data,
        output_data=output_data,
        confidence=confidence,
    )

"""The logger of decisions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from kaizen import lifecycle
from kaizen.config import Config, ConfigError, Options, resolve
from kaizen.decision import Decision
from kaizen.decorate import P, R, decorator
from kaizen.encode import NotSerialisable
from kaizen.event import Context, Fields, Lead, Level, build
from kaizen.pipeline import Pipeline
from kaizen.stats import Stats

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack


class DecisionLogger:
    """Publishes decisions to Kafka from a background thread. Thread-safe, fork-safe; closed at exit.

    Options are those of `kaizen.config.Config`, as arguments or by the environment. Once it is made, no method raises
    into the caller, and none but `flush` and `close` waits for anything.

    Raises:
        ConfigError: an option is unknown, missing or against its rule; the message names it.
    """

    def __init__(self, **options: Unpack[Options]) -> None:
        self.config: Config = resolve(**options)
        self._pipeline = Pipeline(self.config)
        try:
            self._pipeline.start()
        except OSError as error:
            raise ConfigError(
                "spill_dir", f"must be a folder that can be written, or spill_bytes be 0: {error}"
            ) from error
        if self.config.handle_sigterm:
            try:
                lifecycle.close_on_sigterm(self)
            except ValueError as error:
                self._pipeline.close(0)
                raise ConfigError("handle_sigterm", "can only be set in the main thread") from error
        lifecycle.watch(self)

    def log_decision(self, log_type: str | None = None, **fields: Unpack[Fields]) -> None:
        """Logs a decision, named as on the wire: `log_decision(**event)` takes an event as it is.

        Required are `log_type`, `session_id` and `decision_reasoning`. `event_id` is made anew and `timestamp` is now
        unless given; a timestamp without an offset is UTC. `traceparent` is that of OpenTelemetry's current span unless
        given. The values are encoded before the call returns: what is changed afterwards is not in the event.
        """
        self.record(lambda: {**fields, "log_type": log_type})

    def decision(self, log_type: str, *, session_id: str | None, method: str, **context: Unpack[Context]) -> Decision:
        """A decision to be made in a `with` or `async with` block, which is timed."""
        send_error_message = self.config.send_error_message
        return Decision(
            self, log_type, session_id=session_id, method=method, send_error_message=send_error_message, **context
        )

    def logged(
        self,
        log_type: str,
        *,
        method: str,
        session_id: Callable[..., str],
        lead_identifier: Callable[..., Lead] | None = None,
        input_data: Callable[..., Mapping[str, Any]] | None = None,
        output_data: Callable[[Any], Mapping[str, Any]] | None = None,
        confidence: Callable[[Any], Level] | None = None,
    ) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Decorates a function, or a coroutine function, each call of which is a decision.

        `session_id`, `lead_identifier` and `input_data` are made from the call's arguments, before it; `output_data`
        and `confidence` from its result. An extractor that raises leaves its field out and is counted as suppressed.

        Raises:
            TypeError: the function is a generator.
        """
        return decorator(
            self.decision,
            log_type,
            method=method,
            session_id=session_id,
            lead_identifier=lead_identifier,
            input_data=input_data,
            output_data=output_data,
            confidence=confidence,
        )

    def record(self, fields: Callable[[], Mapping[str, Any]]) -> None:
        """Logs the decision that the function describes; if that raises, the decision is dropped and counted."""
        pipeline = self._pipeline
        try:
            pipeline.put(build(fields(), send_lead_name=self.config.send_lead_name))
        except NotSerialisable:
            pipeline.counters.drop("not_serialisable")
        except Exception:
            pipeline.counters.drop("unexpected")

    def suppress(self, error: Exception) -> None:  # noqa: ARG002 - its message may be personal
        """Counts an exception that is kept from the caller."""
        self._pipeline.counters.suppress()

    def flush(self, timeout: float = 5.0) -> bool:
        """Waits until every decision logged so far is acknowledged, on disk or dropped.

        False: that has not happened within `timeout` seconds.
        """
        return self._pipeline.flush(timeout)

    def close(self, timeout: float | None = None) -> None:
        """Flushes and ends the logger; decisions logged afterwards are dropped and counted.

        What the broker has not acknowledged within `timeout` seconds, by default `exit_timeout`, stays in the spill
        folder, for the next process to send.
        """
        self._pipeline.close(self.config.exit_timeout if timeout is None else timeout)
        lifecycle.unwatch(self)

    def stats(self) -> Stats:
        """What became of the decisions so far."""
        return self._pipeline.stats()

    def renew(self) -> None:
        """Starts afresh in a child process; what the parent has buffered is the parent's to send."""
        self._pipeline.abandon()
        self._pipeline = Pipeline(self.config)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

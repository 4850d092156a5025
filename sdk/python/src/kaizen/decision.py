"""A decision that is timed while it is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import perf_counter
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from kaizen.event import Allocation, Context, Labels, Lead, Level

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack


class Recorder(Protocol):
    """Takes decisions and never raises."""

    def record(self, fields: Callable[[], Mapping[str, Any]]) -> None:
        """Logs the decision that the function describes; if that raises, the decision is dropped and counted."""

    def suppress(self, error: Exception) -> None:
        """Counts an exception that is kept from the caller."""


class Decision:
    """Times a `with` or `async with` block and logs one decision at its end.

    The decision is a success unless an exception leaves the block or `failed` was called. An exception goes on
    unchanged; its type is recorded as `error_kind` in `output_data`, its message only with `send_error_message`.
    """

    def __init__(
        self,
        recorder: Recorder,
        log_type: str,
        *,
        session_id: str | None,
        method: str,
        send_error_message: bool,
        **context: Unpack[Context],
    ) -> None:
        self._recorder = recorder
        self._send_error_message = send_error_message
        self._fields: dict[str, Any] = {**context, "log_type": log_type, "session_id": session_id}
        self._reasoning: dict[str, Any] = {"method_used": method, "success": True}
        self._outputs: list[Any] = [context.get("output_data")]
        self._labels: list[Any] = [context.get("training_labels")]
        self._began = perf_counter()

    def session(self, session_id: str) -> None:
        """Sets the session, when it was not known at the beginning."""
        self._fields["session_id"] = session_id

    def lead(self, lead: Lead) -> None:
        """Sets whom the decision is about."""
        self._fields["lead_identifier"] = lead

    def input(self, data: Mapping[str, Any]) -> None:
        """Sets what the decision is made from. It is read at the end of the block."""
        self._fields["input_data"] = data

    def output(self, data: Mapping[str, Any] | None = None, /, **members: Any) -> None:
        """Adds to what was decided. It is read at the end of the block."""
        self._outputs += (data, members)

    def confidence(self, level: Level) -> None:
        """Sets how sure the system was."""
        self._reasoning["confidence_level"] = level

    def labels(self, labels: Labels | None = None, /, **members: Unpack[Labels]) -> None:
        """Adds to how good the decision was."""
        self._labels += (labels, members)

    def allocation(self, allocation: Allocation) -> None:
        """Sets the randomised choice that led to the decision."""
        self._fields["allocation"] = allocation

    def failed(self, error_kind: str | None = None) -> None:
        """Has the decision count as failed, though no exception leaves the block."""
        self._reasoning["success"] = False
        if error_kind is not None:
            self._outputs.append({"error_kind": error_kind})

    def extract(
        self, take: Callable[..., None], extractor: Callable[..., Any] | None, *args: Any, **named: Any
    ) -> None:
        """Passes to a method of this decision what an extractor makes of the arguments; if it raises, nothing."""
        if extractor is None:
            return
        try:
            take(extractor(*args, **named))
        except Exception as error:
            self._recorder.suppress(error)

    def __enter__(self) -> Self:
        self._began = perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reasoning["processing_time"] = perf_counter() - self._began
        self._recorder.record(lambda: self._describe(error))

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def _describe(self, error: BaseException | None) -> dict[str, Any]:
        if error is not None:
            self.failed(type(error).__name__)
            if self._send_error_message:
                self._outputs.append({"error_message": str(error)})
        return {
            **self._fields,
            "decision_reasoning": self._reasoning,
            "output_data": _merged(self._outputs),
            "training_labels": _merged(self._labels),
        }


def _merged(parts: list[Any]) -> Any:
    """The members of all parts. A part that is no mapping stands for the whole: the collector says what it is."""
    members: dict[str, Any] = {}
    for part in parts:
        if part is not None and not isinstance(part, Mapping):
            return part
        members.update(part or {})
    return members or None

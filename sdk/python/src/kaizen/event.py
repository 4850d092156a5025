"""The decision, as its fields are named on the wire."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from random import Random
from typing import Any, Literal, NamedTuple, TypedDict

from kaizen.encode import encode
from kaizen.traceparent import current_traceparent

Level = Literal["high", "medium", "low"]

# Not `uuid4`, which asks the system and meanwhile lets other threads run: the caller would wait for them.
_random = Random()  # noqa: S311 - an identity, no secret
os.register_at_fork(after_in_child=_random.seed)

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")


class Lead(TypedDict, total=False):
    """Whom a decision is about; each at most 256 characters."""

    name: str | None
    company: str | None
    industry: str | None


class _RequiredReasoning(TypedDict):
    method_used: str
    success: bool


class Reasoning(_RequiredReasoning, total=False):
    """How a decision was reached.

    `method_used` (1 to 128 characters) and `success` are required; `processing_time` is in seconds, at least 0.
    """

    confidence_level: Level | None
    processing_time: float | None


class Labels(TypedDict, total=False):
    """How good a decision was, when known at once. `quality_score` is 0 to 100."""

    quality_score: float | None
    success_indicator: bool | None
    improvement_potential: Level | None


class Allocation(TypedDict, total=False):
    """The randomised choice that led to a decision.

    `experiment` has at most 128 characters, `arm` at most 64; `probability` is 0 to 1.
    """

    experiment: str | None
    arm: str | None
    probability: float | None


class Context(TypedDict, total=False):
    """The fields that no decision must have."""

    lead_identifier: Lead | None
    input_data: Mapping[str, Any] | None
    output_data: Mapping[str, Any] | None
    training_labels: Labels | None
    allocation: Allocation | None
    timestamp: datetime | str | None
    event_id: str | None
    traceparent: str | None


class _RequiredFields(TypedDict):
    session_id: str
    decision_reasoning: Reasoning


class Fields(_RequiredFields, Context):
    """The fields of a decision beside its `log_type`."""


class Record(NamedTuple):
    """A decision as it goes to Kafka."""

    key: bytes
    """The session, or nothing."""
    value: bytes
    """The event as JSON."""
    event_id: str
    traceparent: str
    """W3C Trace Context, or nothing."""

    @property
    def size(self) -> int:
        """Bytes it takes in memory, about."""
        return len(self.key) + len(self.value) + 256


def build(fields: Mapping[str, Any], *, send_lead_name: bool) -> Record:
    """Completes a decision and encodes it. Nothing of what the caller passed is kept or changed.

    Raises:
        NotSerialisable: a value has no form in JSON.
    """
    event = dict(fields)
    traceparent = event.pop("traceparent", None)
    if not isinstance(traceparent, str) or not _TRACEPARENT.fullmatch(traceparent):
        traceparent = current_traceparent()
    event_id = str(event.get("event_id") or _random_uuid())
    event["event_id"] = event_id
    if event.get("timestamp") is None:
        event["timestamp"] = datetime.now(timezone.utc)
    session_id = event.get("session_id")
    if session_id is not None and not isinstance(session_id, str):
        event["session_id"] = session_id = str(session_id)
    if not send_lead_name:
        event["lead_identifier"] = _without_name(event.get("lead_identifier"))
    return Record(
        key=(session_id or "").encode("utf-8", "replace"),
        value=encode(event),
        event_id=event_id,
        traceparent=traceparent,
    )


def _random_uuid() -> str:
    digits = f"{_random.getrandbits(128):032x}"
    # Version 4, RFC 9562
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"


def _without_name(lead: object) -> dict[str, object] | None:
    """The lead without its name; a lead that is no mapping is left out, since nobody can tell the name in it."""
    if not isinstance(lead, Mapping):
        return None
    return {field: value for field, value in lead.items() if field != "name"}

"""The rules of the schema, in the background, so that a producer learns what the collector will reject.

Not judged here: whether the catalogue knows the `log_type`; that is the collector's alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, Literal

import orjson

Reason = Literal[
    "missing_field",
    "wrong_type",
    "out_of_range",
    "unknown_value",
    "timestamp_invalid",
    "too_late",
    "in_future",
    "too_large",
    "too_deep",
]
"""The collector's words; of its closed list those that can befall what this library encodes."""

_OBJECTS = ("lead_identifier", "input_data", "output_data", "decision_reasoning", "training_labels", "allocation")
_LEVELS = ("high", "medium", "low")
_MAX_OBJECT_BYTES = 256 * 1024
_MAX_DEPTH = 32
_LATE_SECONDS = 30 * 86_400
_AHEAD_SECONDS = 600
_END_OF_SECONDS = 1e10
_END_OF_HOURS = 4_294_965_600
_TIMESTAMP = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})[Tt ](\d{2}):?(\d{2})?:?(\d{2})?([.,]\d+)?\s*(.*)")
_OFFSET = re.compile(r"([+-]\d{2}):?(\d{2})?(?::?\d{2})?(?:\[.*\])?")


class _Broken(Exception):
    def __init__(self, reason: Reason) -> None:
        self.reason = reason


def broken_rule(value: bytes, now: float, *, judge_lateness: bool) -> Reason | None:
    """The first rule of the schema that an encoded event breaks, if any. `now` is in seconds since 1970."""
    try:
        _check(orjson.loads(value), len(value), now, judge_lateness)
    except _Broken as broken:
        return broken.reason
    return None


def _check(event: Mapping[str, Any], size: int, now: float, judge_lateness: bool) -> None:
    parts = {name: _object(event.get(name)) for name in _OBJECTS}
    _text(event.get("event_id"), 0, 64)
    _required(_text(event.get("log_type"), 0))
    _required(_text(event.get("session_id"), 1, 128))
    _timestamp(_required(_text(event.get("timestamp"), 0)), now, judge_lateness)
    for field in ("name", "company", "industry"):
        _text(parts["lead_identifier"].get(field), 0, 256)
    for part in ("input_data", "output_data"):
        _measured(parts[part], size)
    reasoning = parts["decision_reasoning"]
    _required(event.get("decision_reasoning"))
    _required(_text(reasoning.get("method_used"), 1, 128))
    _level(reasoning.get("confidence_level"))
    _seconds(reasoning.get("processing_time"))
    _required(_boolean(reasoning.get("success")))
    labels = parts["training_labels"]
    _number(labels.get("quality_score"), 100)
    _boolean(labels.get("success_indicator"))
    _level(labels.get("improvement_potential"))
    allocation = parts["allocation"]
    _text(allocation.get("experiment"), 0, 128)
    _text(allocation.get("arm"), 0, 64)
    _number(allocation.get("probability"), 1)


def _must(holds: bool, reason: Reason) -> None:
    if not holds:
        raise _Broken(reason)


def _required(value: Any) -> Any:
    _must(value is not None, "missing_field")
    return value


def _object(value: Any) -> dict[str, Any]:
    _must(value is None or isinstance(value, dict), "wrong_type")
    return value or {}


def _text(value: Any, least: int, most: float = float("inf")) -> Any:
    if value is not None:
        _must(isinstance(value, str), "wrong_type")
        _must(least <= len(value) <= most, "out_of_range")
    return value


def _boolean(value: Any) -> Any:
    _must(value is None or isinstance(value, bool), "wrong_type")
    return value


def _number(value: Any, most: float) -> None:
    if value is not None:
        _must(isinstance(value, (int, float)) and not isinstance(value, bool), "wrong_type")
        _must(0 <= value <= most, "out_of_range")


def _level(value: Any) -> None:
    _text(value, 0)
    _must(value is None or value in _LEVELS, "unknown_value")


def _seconds(value: Any) -> None:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            raise _Broken("wrong_type") from None
    _number(value, float("inf"))
    _must(value is None or value < _END_OF_SECONDS, "out_of_range")


def _measured(value: dict[str, Any], size: int) -> None:
    if size > _MAX_OBJECT_BYTES:
        _must(len(orjson.dumps(value)) <= _MAX_OBJECT_BYTES, "too_large")
    _must(_is_shallow(value, _MAX_DEPTH), "too_deep")


def _is_shallow(value: Any, levels: int) -> bool:
    members = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_is_shallow(member, levels - 1) for member in members if isinstance(member, (dict, list)))


def _timestamp(text: str, now: float, judge_lateness: bool) -> None:
    seconds = _read_timestamp(text)
    _must(0 <= seconds < _END_OF_HOURS, "out_of_range")
    if judge_lateness:
        _must(now - seconds <= _LATE_SECONDS, "too_late")
        _must(seconds - now <= _AHEAD_SECONDS, "in_future")


def _read_timestamp(text: str) -> float:
    match = _TIMESTAMP.fullmatch(text)
    zone = match and (_OFFSET.fullmatch(match[8]) or match[8] in ("", "Z", "z"))
    if not match or not zone:
        raise _Broken("timestamp_invalid")
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    try:
        naive = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=timezone.utc)
    except ValueError:
        raise _Broken("timestamp_invalid") from None
    offset = 0
    if isinstance(zone, re.Match):
        offset = int(zone[1]) * 3600 + int(f"{zone[1][0]}{zone[2] or 0}") * 60
    return naive.timestamp() - offset

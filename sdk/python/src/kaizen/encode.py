"""Values to JSON, in the caller's thread: what the caller changes afterwards is not in the event."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

import orjson

_OPTIONS = orjson.OPT_UTC_Z
# Far beyond the 32 levels the collector takes; ends values that hold themselves.
_MAX_DEPTH = 200
_ARRAYS = (list, tuple, set, frozenset, deque)


class NotSerialisable(Exception):
    """A value has no form in JSON."""


def encode(event: Mapping[str, Any]) -> bytes:
    """The event as JSON in UTF-8.

    Beside what JSON has: dates and times as ISO 8601, `timedelta` as seconds, `Decimal` and numpy's scalars as numbers,
    `UUID` and paths as text, enumerations as their value, dataclasses as objects, sets as arrays; NaN and infinity as
    null. Half surrogate pairs become question marks.

    Raises:
        NotSerialisable: a value has no such form, holds itself, or is deeper than 200 levels.
    """
    try:
        return orjson.dumps(event, default=_convert, option=_OPTIONS)
    except Exception:  # noqa: S110 - the values are the caller's and may raise anything
        pass
    # Large integers, keys that are no text and half surrogate pairs are not the encoder's; they are rare.
    try:
        return orjson.dumps(_plain(event, 0), option=_OPTIONS)
    except Exception as error:
        raise NotSerialisable from error


def _convert(value: Any) -> Any:
    """The next simpler form of a value that JSON does not have."""
    match value:
        case Decimal():
            return float(value) if value.is_finite() else None
        case set() | frozenset() | deque() | tuple():
            return list(value)
        case Mapping():
            return dict(value)
        case date() | time():
            return value.isoformat().replace("+00:00", "Z")
        case timedelta():
            return value.total_seconds()
        case UUID() | PurePath():
            return str(value)
    if hasattr(value, "tolist"):  # numpy's scalars and arrays
        return value.tolist()
    raise TypeError


def _plain(value: Any, depth: int) -> Any:
    """The value of types that the encoder takes as they are."""
    if depth > _MAX_DEPTH:
        raise RecursionError
    match value:
        case None | bool():
            return value
        case float():
            return float(value)  # numpy's is a subclass
        case Enum():
            return _plain(value.value, depth + 1)
        case str():
            return _text(value)
        case int():
            return int(value) if -(2**63) <= value < 2**64 else orjson.Fragment(str(int(value)))
        case Mapping():
            return {_name(name): _plain(member, depth + 1) for name, member in value.items()}
    if isinstance(value, _ARRAYS):
        return [_plain(element, depth + 1) for element in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {member.name: _plain(getattr(value, member.name), depth + 1) for member in fields(value)}
    return _plain(_convert(value), depth + 1)


def _name(name: object) -> str:
    match name:
        case Enum():
            return _name(name.value)
        case str():
            return _text(name)
        case None | bool():
            return orjson.dumps(name).decode()
        case int() | float() | UUID():
            return str(name)
        case date() | time():
            return name.isoformat()
    raise TypeError


def _text(text: str) -> str:
    return text.encode("utf-8", "replace").decode()

from __future__ import annotations

import json
from collections import OrderedDict, deque, namedtuple
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaizen.encode import NotSerialisable, encode


class Colour(Enum):
    RED = "red"


@dataclass
class Point:
    x: int
    label: object


class Later(datetime):
    """A subclass, as of pandas."""


Pair = namedtuple("Pair", "left right")
NOON = datetime(2024, 5, 1, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (NOON, "2024-05-01T12:00:00Z"),
        (Later(2024, 5, 1, 12, tzinfo=timezone.utc), "2024-05-01T12:00:00Z"),
        (date(2024, 5, 1), "2024-05-01"),
        (timedelta(minutes=1.5), 90.0),
        (Decimal("1.25"), 1.25),
        (Decimal("NaN"), None),
        (Decimal("sNaN"), None),
        (float("inf"), None),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (PurePosixPath("a/b"), "a/b"),
        (Colour.RED, "red"),
        (Point(1, Decimal(2)), {"x": 1, "label": 2.0}),
        (Pair(1, 2), [1, 2]),
        ({3}, [3]),
        (frozenset(), []),
        (deque([1]), [1]),
        (OrderedDict(a=1), {"a": 1}),
        (MappingProxyType({"a": 1}), {"a": 1}),
        (np.float32(0.5), 0.5),
        (np.int64(7), 7),
        (np.bool_(True), True),
        (np.array([[1, 2]]), [[1, 2]]),
        (10**30, 10**30),
        ("half \ud800 pair", "half ? pair"),
        (
            {1: "a", None: "b", False: "c", UUID(int=0): "d"},
            {"1": "a", "null": "b", "false": "c", str(UUID(int=0)): "d"},
        ),
        ({Colour.RED: 1, date(2024, 5, 1): 2, 1.5: 3}, {"red": 1, "2024-05-01": 2, "1.5": 3}),
    ],
)
def test_values_json_does_not_have_are_converted(value: object, expected: object) -> None:
    assert json.loads(encode({"v": value})) == {"v": expected}


@pytest.mark.parametrize(
    "value", [NOON, float("nan"), Colour.RED, Point(1, {2}), UUID(int=1), np.int64(7), np.float64(2)]
)
def test_a_value_is_converted_alike_in_the_company_of_one_the_fast_encoder_refuses(value: object) -> None:
    alone, beside = encode({"v": value}), encode({"v": value, "big": 10**30})
    assert json.loads(beside) == {**json.loads(alone), "big": 10**30}


class Raises:
    @property
    def tolist(self) -> object:
        raise ValueError("no")


def _self_referring() -> Any:
    value: list[Any] = []
    value.append(value)
    return value


def _deep(levels: int) -> Any:
    value: Any = 0
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value", [object(), b"bytes", len, Raises(), _self_referring(), _deep(5000), {(1, 2): 3}, {"v": 1j}, Point]
)
def test_values_without_a_form_are_not_serialisable(value: object) -> None:
    with pytest.raises(NotSerialisable):
        encode({"v": value})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), json_values, max_size=5))
def test_what_json_has_is_read_back_as_it_was(event: dict[str, Any]) -> None:
    assert json.loads(encode(event)) == event

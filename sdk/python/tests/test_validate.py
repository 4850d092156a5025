from __future__ import annotations

import re
from typing import Any, get_args

import pytest
from broker import REPOSITORY
from sample import sample

from kaizen.encode import encode
from kaizen.validate import Reason, broken_rule

NOON = 1_714_564_800.0
VALID: dict[str, Any] = {**sample(), "log_type": "x", "timestamp": "2024-05-01T12:00:00Z"}


def _deep(levels: int) -> Any:
    value: Any = {}
    for _ in range(levels - 1):
        value = {"v": value}
    return value


@pytest.mark.parametrize(
    ("pointer", "value", "rule"),
    [
        ("session_id", None, "missing_field"),
        ("session_id", "", "out_of_range"),
        ("session_id", "ü" * 128, None),
        ("session_id", "s" * 129, "out_of_range"),
        ("event_id", "e" * 65, "out_of_range"),
        ("log_type", None, "missing_field"),
        ("log_type", ["x"], "wrong_type"),
        ("timestamp", None, "missing_field"),
        ("timestamp", "yesterday", "timestamp_invalid"),
        ("timestamp", "2024-02-30T12:00:00Z", "timestamp_invalid"),
        ("timestamp", "2024-05-01", "timestamp_invalid"),
        ("timestamp", "20240501T120000+0000", None),
        ("timestamp", "2024-05-01T14:00:00.5+02:00[Europe/Berlin]", None),
        ("timestamp", "2024-05-01 12", None),
        ("timestamp", "1969-12-31T23:59:59Z", "out_of_range"),
        ("timestamp", "2107-01-01T00:00:00Z", "out_of_range"),
        ("timestamp", "2024-04-01T12:00:00Z", None),
        ("timestamp", "2024-04-01T11:59:59Z", "too_late"),
        ("timestamp", "2024-05-01T12:10:00Z", None),
        ("timestamp", "2024-05-01T12:10:01Z", "in_future"),
        ("lead_identifier", "Ada", "wrong_type"),
        ("lead_identifier.company", "c" * 257, "out_of_range"),
        ("input_data", [1], "wrong_type"),
        ("input_data", {"v": "x" * (256 * 1024 - 8)}, None),
        ("input_data", {"v": "x" * (256 * 1024 - 7)}, "too_large"),
        ("output_data", _deep(32), None),
        ("output_data", _deep(33), "too_deep"),
        ("output_data", {"v": [[[_deep(30)]]]}, "too_deep"),
        ("decision_reasoning", None, "missing_field"),
        ("decision_reasoning.method_used", "", "out_of_range"),
        ("decision_reasoning.success", None, "missing_field"),
        ("decision_reasoning.success", 1, "wrong_type"),
        ("decision_reasoning.confidence_level", "sure", "unknown_value"),
        ("decision_reasoning.processing_time", -0.1, "out_of_range"),
        ("decision_reasoning.processing_time", "1.5", None),
        ("decision_reasoning.processing_time", "quick", "wrong_type"),
        ("decision_reasoning.processing_time", 1e10, "out_of_range"),
        ("training_labels.quality_score", 100.5, "out_of_range"),
        ("training_labels.quality_score", True, "wrong_type"),
        ("training_labels.improvement_potential", None, None),
        ("allocation.arm", "a" * 65, "out_of_range"),
        ("allocation.probability", 1.1, "out_of_range"),
        ("allocation", None, None),
        ("house_rule", [[1]], None),
    ],
)
def test_the_first_broken_rule_is_told_in_the_collectors_word(pointer: str, value: object, rule: str | None) -> None:
    outer, _, inner = pointer.partition(".")
    event = {**VALID, outer: {**VALID[outer], inner: value} if inner else value}
    assert broken_rule(encode(event), NOON, judge_lateness=True) == rule


def test_history_is_never_late() -> None:
    assert broken_rule(encode(VALID), NOON * 2, judge_lateness=False) is None


def test_the_words_are_of_the_collectors_closed_list() -> None:
    source = (REPOSITORY / "crates/decision/src/reason.rs").read_text()
    assert set(get_args(Reason)) <= set(re.findall(r'= "(\w+)",', source))

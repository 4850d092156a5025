"""The repository's schema of a decision, and decisions that keep it."""

from __future__ import annotations

import json
from typing import Any

from broker import REPOSITORY
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

SCHEMA: dict[str, Any] = json.loads((REPOSITORY / "docs/api/decision.schema.json").read_text())
Draft202012Validator.check_schema(SCHEMA)
VALIDATOR = Draft202012Validator(SCHEMA)

_levels = st.sampled_from(["high", "medium", "low", None])
_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=20)
    | st.datetimes()
    | st.decimals()
    | st.uuids()
    | st.timedeltas(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_objects = st.none() | st.dictionaries(st.text(max_size=8), _values, max_size=4)


def _text(most: int) -> st.SearchStrategy[str | None]:
    return st.none() | st.text(max_size=most)


def _partial(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any] | None]:
    return st.none() | st.fixed_dictionaries({}, optional=members)


valid_decisions: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "log_type": st.sampled_from(["campaign_generation", "enrichment_decision"]),
        "session_id": st.text(min_size=1, max_size=128),
        "decision_reasoning": st.fixed_dictionaries(
            {"method_used": st.text(min_size=1, max_size=128), "success": st.booleans()},
            optional={"confidence_level": _levels, "processing_time": st.none() | st.floats(0, 1e9)},
        ),
    },
    optional={
        "event_id": _text(64),
        "lead_identifier": _partial(name=_text(256), company=_text(256), industry=_text(256)),
        "input_data": _objects,
        "output_data": _objects,
        "training_labels": _partial(
            quality_score=st.none() | st.floats(0, 100) | st.integers(0, 100),
            success_indicator=st.none() | st.booleans(),
            improvement_potential=_levels,
        ),
        "allocation": _partial(experiment=_text(128), arm=_text(64), probability=st.none() | st.floats(0, 1)),
    },
)

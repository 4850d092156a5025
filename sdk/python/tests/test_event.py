from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import datetime, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span
from sample import sample
from schema import VALIDATOR, valid_decisions

from kaizen.event import Record, build
from kaizen.validate import broken_rule

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def _build(**changes: Any) -> Record:
    return build({**sample(**changes), "log_type": "campaign_generation"}, send_lead_name=True)


def _event(record: Record) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(record.value)
    return event


@given(valid_decisions)
def test_a_valid_decision_is_encoded_as_the_schema_says(decision: dict[str, Any]) -> None:
    record = build(decision, send_lead_name=True)
    VALIDATOR.validate(_event(record))
    assert broken_rule(record.value, time.time(), judge_lateness=True) is None
    assert record.event_id == _event(record)["event_id"]
    assert record.key.decode() == _event(record)["session_id"]


def test_an_event_is_completed_with_its_identity_and_time() -> None:
    before = datetime.now(timezone.utc)
    first, second = _build(), _build()
    assert UUID(first.event_id).version == 4
    assert UUID(first.event_id).variant == UUID(int=0, version=4).variant
    assert first.event_id != second.event_id
    made = _event(first)["timestamp"]
    assert made.endswith("Z")
    assert before <= datetime.fromisoformat(made.replace("Z", "+00:00")) <= datetime.now(timezone.utc)


def test_what_the_caller_gives_is_kept() -> None:
    record = _build(event_id="mine", timestamp="2024-05-01T12:00:00", house_rule=7)
    event = _event(record)
    assert record.event_id == event["event_id"] == "mine"
    assert event["timestamp"] == "2024-05-01T12:00:00"
    assert event["house_rule"] == 7


def test_a_session_that_is_no_text_becomes_text_in_key_and_event() -> None:
    record = _build(session_id=UUID(int=5))
    assert record.key.decode() == _event(record)["session_id"] == str(UUID(int=5))


def test_a_decision_changed_after_the_call_is_encoded_as_it_was() -> None:
    decision: dict[str, Any] = {**sample(input_data={"list": [1]}), "log_type": "campaign_generation"}
    record = build(decision, send_lead_name=True)
    decision["input_data"]["list"].append(2)
    decision["session_id"] = "another"
    assert _event(record)["input_data"] == {"list": [1]}
    assert _event(record)["session_id"] == "session-1"


@pytest.mark.parametrize("lead", [{"name": "Ada", "company": "C"}, ("Ada", "C"), "Ada"])
def test_the_leads_name_stays_here_when_told_so(lead: object) -> None:
    decision: dict[str, Any] = {**sample(lead_identifier=lead)}
    kept = json.dumps(lead)
    record = build(decision, send_lead_name=False)
    assert b"Ada" not in record.value
    assert json.dumps(decision["lead_identifier"]) == kept


def test_the_trace_is_the_argument_or_the_current_span_or_none() -> None:
    span = SpanContext(int(TRACE[3:35], 16), int(TRACE[36:52], 16), False, TraceFlags(1))
    given_trace = TRACE.replace("0a", "0b")
    assert _build().traceparent == ""
    with use_span(NonRecordingSpan(span)):
        assert _build().traceparent == TRACE
        assert _build(traceparent=given_trace).traceparent == given_trace
        assert _build(traceparent="nonsense").traceparent == TRACE
    assert "traceparent" not in _event(_build(traceparent=given_trace))


def test_without_opentelemetry_there_is_no_trace_and_no_error() -> None:
    program = "import sys; sys.modules['opentelemetry'] = None; from kaizen.traceparent import *"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run(
        [sys.executable, "-c", f"{program}; assert current_traceparent() == ''"], env=environment, check=True
    )

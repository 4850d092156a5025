from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from conftest import Kept

from kaizen import Decision, KaizenHandler
from kaizen.decorate import decorator


def _decision(kept: Kept, **changes: Any) -> Decision:
    options = {"session_id": "s", "method": "m", "send_error_message": False, **changes}
    return Decision(kept, "campaign_generation", **options)


def test_a_decision_is_timed_and_described_at_the_end_of_its_block(kept: Kept) -> None:
    with _decision(kept, input_data={"a": 1}, allocation={"arm": "b"}) as decision:
        decision.lead({"company": "C"})
        decision.output({"subject": "x"}, tokens=3)
        decision.output(template="t")
        decision.confidence("high")
        decision.labels({"quality_score": 80}, success_indicator=True)
    (event,) = kept.events
    assert 0 <= event["decision_reasoning"].pop("processing_time") < 30
    assert event == {
        "log_type": "campaign_generation",
        "session_id": "s",
        "lead_identifier": {"company": "C"},
        "input_data": {"a": 1},
        "output_data": {"subject": "x", "tokens": 3, "template": "t"},
        "decision_reasoning": {"method_used": "m", "success": True, "confidence_level": "high"},
        "training_labels": {"quality_score": 80, "success_indicator": True},
        "allocation": {"arm": "b"},
    }


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, asyncio.CancelledError])
@pytest.mark.parametrize("send_error_message", [False, True])
def test_an_exception_is_recorded_and_goes_on_unchanged(
    kept: Kept, kind: type[BaseException], send_error_message: bool
) -> None:
    error = kind("about Ada")
    with (
        pytest.raises(kind) as raised,
        _decision(kept, send_error_message=send_error_message, output_data={"step": 2}),
    ):
        raise error
    assert raised.value is error
    (event,) = kept.events
    message = {"error_message": "about Ada"} if send_error_message else {}
    assert event["output_data"] == {"step": 2, "error_kind": kind.__name__, **message}
    assert event["decision_reasoning"]["success"] is False


def test_a_failure_that_was_handled_can_be_told(kept: Kept) -> None:
    with _decision(kept) as decision:
        decision.failed("quota")
    assert kept.events[0]["decision_reasoning"]["success"] is False
    assert kept.events[0]["output_data"] == {"error_kind": "quota"}


def test_output_that_is_no_mapping_is_left_to_the_collector_to_judge(kept: Kept) -> None:
    wrong: Any = ["x"]
    with _decision(kept) as decision:
        decision.output(wrong)
    assert kept.events[0]["output_data"] == ["x"]


def test_a_decision_can_be_made_asynchronously(kept: Kept) -> None:
    async def decide() -> None:
        async with _decision(kept) as decision:
            await asyncio.sleep(0)
            decision.output(a=1)

    asyncio.run(decide())
    assert kept.events[0]["output_data"] == {"a": 1}


def _decorated(kept: Kept, **changes: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def begin(log_type: str, **fields: Any) -> Decision:
        return Decision(kept, log_type, send_error_message=False, **fields)

    extractors: dict[str, Any] = {
        "session_id": lambda lead, **_: lead["id"],
        "lead_identifier": lambda lead, **_: {"company": lead["company"]},
        "input_data": lambda lead, depth: {"depth": depth},
        "output_data": lambda result: {"score": result},
        "confidence": lambda result: "high" if result > 1 else "low",
        **changes,
    }
    return decorator(begin, "enrichment_decision", method="m", **extractors)


def _checked(kept: Kept, result: object) -> None:
    (event,) = kept.events
    assert result == 4
    assert event["session_id"] == "s-7"
    assert event["lead_identifier"] == {"company": "C"}
    assert event["input_data"] == {"depth": 2}
    assert event["output_data"] == {"score": 4}
    assert event["decision_reasoning"]["confidence_level"] == "high"


def test_each_call_of_a_decorated_function_is_a_decision(kept: Kept) -> None:
    @_decorated(kept)
    def enrich(lead: dict[str, str], *, depth: int) -> int:
        """Doubles."""
        lead.clear()
        return depth * 2

    _checked(kept, enrich({"id": "s-7", "company": "C"}, depth=2))
    assert enrich.__name__ == "enrich"
    assert enrich.__doc__ == "Doubles."


def test_each_call_of_a_decorated_coroutine_is_a_decision(kept: Kept) -> None:
    @_decorated(kept)
    async def enrich(lead: dict[str, str], *, depth: int) -> int:
        await asyncio.sleep(0)
        return depth * 2

    _checked(kept, asyncio.run(enrich({"id": "s-7", "company": "C"}, depth=2)))


def test_an_exception_leaves_a_decorated_function_unchanged(kept: Kept) -> None:
    @_decorated(kept)
    def enrich(lead: dict[str, str], *, depth: int) -> int:
        return depth // 0

    with pytest.raises(ZeroDivisionError):
        enrich({"id": "s-7", "company": "C"}, depth=2)
    assert kept.events[0]["output_data"] == {"error_kind": "ZeroDivisionError"}
    assert kept.events[0]["session_id"] == "s-7"


def test_an_extractor_that_raises_costs_its_field_and_no_more(kept: Kept) -> None:
    @_decorated(kept, lead_identifier=lambda *_, **__: 1 / 0, confidence=None)
    def enrich(lead: dict[str, str], *, depth: int) -> int:
        return depth

    assert enrich({"id": "s-7"}, depth=2) == 2
    assert [type(error) for error in kept.errors] == [ZeroDivisionError]
    assert "lead_identifier" not in kept.events[0]
    assert kept.events[0]["output_data"] == {"score": 2}


def test_a_generator_is_refused_when_it_is_decorated(kept: Kept) -> None:
    def stream() -> Iterator[int]:
        yield 1

    with pytest.raises(TypeError, match="stream is a generator"):
        _decorated(kept)(stream)


def test_the_handler_takes_records_with_a_decision_and_ignores_others(kept: Kept) -> None:
    logger = logging.getLogger("test-handler")
    logger.setLevel(logging.INFO)
    handler = KaizenHandler(kept)
    logger.addHandler(handler)
    try:
        logger.info("plain")
        logger.info("odd", extra={"decision": 7})
        logger.info("decided", extra={"decision": {"log_type": "website_analysis", "session_id": "s"}})
        logger.info("dated", extra={"decision": {"timestamp": "2024-05-01T12:00:00Z"}})
    finally:
        logger.removeHandler(handler)
    first, second = kept.events
    assert first["log_type"] == "website_analysis"
    assert first["timestamp"].utcoffset().total_seconds() == 0
    assert second["timestamp"] == "2024-05-01T12:00:00Z"

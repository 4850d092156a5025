from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from broker import await_true
from conftest import NOBODY
from hypothesis import given
from hypothesis import strategies as st
from sample import sample

import kaizen
from kaizen import ConfigError, DecisionLogger
from kaizen.default import RECORDER

MakeLogger = Callable[..., DecisionLogger]


class Hostile:
    """Raises whatever is done to it."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __str__(self) -> str:
        raise RuntimeError

    __repr__ = __str__

    def __bool__(self) -> bool:
        raise RuntimeError

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    __hash__ = None  # type: ignore[assignment]


anything = st.recursive(
    st.none() | st.text() | st.floats() | st.binary() | st.builds(object) | st.builds(Hostile) | st.just(len),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.integers(), inner, max_size=3),
    max_leaves=6,
)
fields = st.sampled_from([*sample(), "timestamp", "event_id", "traceparent", "house_rule"])


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DecisionLogger]:
    with DecisionLogger(brokers=NOBODY, spill_dir=tmp_path_factory.mktemp("spill"), exit_timeout=0) as logger:
        yield logger


@given(st.dictionaries(fields, anything), anything)
def test_logging_never_raises_whatever_it_is_given(alone: DecisionLogger, event: dict[str, Any], odd: Any) -> None:
    alone.log_decision(odd, **event)
    with alone.decision(odd, session_id=odd, method=odd) as decision:
        decision.output(odd)
        decision.labels(odd)
        decision.confidence(odd)
        decision.lead(odd)
        decision.failed(odd)


def test_every_decision_is_accepted_or_counted_as_dropped(make_logger: MakeLogger) -> None:
    logger = make_logger()
    for value in ({"v": 1}, {"v": object()}, {"v": b""}):
        logger.log_decision("campaign_generation", **sample(output_data=value))
    logger.record(lambda: 1 / 0)  # type: ignore[arg-type,return-value]
    assert logger.flush(10)
    stats = logger.stats()
    assert (stats.accepted, stats.spilled) == (1, 1)
    assert stats.dropped == {"not_serialisable": 2, "unexpected": 1}


def test_decisions_against_the_schema_are_counted_and_kept(make_logger: MakeLogger) -> None:
    logger = make_logger()
    logger.log_decision("campaign_generation", **sample(""))
    logger.log_decision("campaign_generation", **sample(training_labels={"quality_score": 101}))
    logger.log_decision()  # type: ignore[call-arg]
    assert logger.flush(10)
    assert logger.stats().invalid == {"out_of_range": 2, "missing_field": 1}
    assert logger.stats().spilled == 3


def test_after_close_decisions_are_counted_as_dropped(make_logger: MakeLogger) -> None:
    logger = make_logger()
    logger.close()
    logger.close()
    logger.log_decision("campaign_generation", **sample())
    assert logger.stats().dropped == {"closed": 1}
    assert logger.flush(1)


def test_losses_are_warned_of_without_personal_data(make_logger: MakeLogger, caplog: pytest.LogCaptureFixture) -> None:
    logger = make_logger(spill_bytes=0)
    with caplog.at_level(logging.WARNING, "kaizen"):
        logger.log_decision("campaign_generation", **sample(output_data={"v": object()}))
        logger.log_decision("campaign_generation", **sample())
        logger.close(0)
    text = caplog.text
    assert "lost, not_serialisable: 1" in text
    assert "lost, undelivered: 1" in text
    assert "Lovelace" not in text


@pytest.mark.parametrize(
    ("option", "changes"),
    [
        ("kafka", {"kafka": {"no.such.option": 1}}),
        ("kafka", {"kafka": {"linger.ms": "long"}}),
        ("spill_dir", {"spill_dir": "/dev/null/spill"}),
    ],
)
def test_what_cannot_be_opened_is_told_at_once_with_the_option(
    make_logger: MakeLogger, option: str, changes: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError) as refusal:
        make_logger(**changes)
    assert refusal.value.option == option


def test_sigterm_can_only_be_handled_in_the_main_thread(make_logger: MakeLogger) -> None:
    refusals: list[str] = []

    def make() -> None:
        try:
            make_logger(handle_sigterm=True)
        except ConfigError as error:
            refusals.append(error.option)

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    assert refusals == ["handle_sigterm"]


def test_a_refused_logger_leaves_no_thread_and_no_folder(tmp_path: Path, make_logger: MakeLogger) -> None:
    before = threading.active_count()
    with pytest.raises(ConfigError):
        make_logger(kafka={"no.such.option": 1})
    assert not (tmp_path / "spill").exists()
    assert threading.active_count() == before


def test_the_processs_logger_is_whichever_was_configured_last(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    @kaizen.logged("enrichment_decision", method="m", session_id=lambda _: "s")
    def enrich(lead: str) -> str:
        with kaizen.decision("website_analysis", session_id="s", method="m"):
            return lead.upper()

    handled = logging.getLogger("test-default")
    handler = kaizen.KaizenHandler()
    handled.addHandler(handler)
    try:
        assert enrich("before") == "BEFORE"
        assert caplog.text.count("until kaizen.configure is called") == 1
        first = kaizen.configure(brokers=NOBODY, spill_dir=tmp_path, exit_timeout=0)
        assert enrich("a") == "A"
        second = kaizen.configure(brokers=NOBODY, spill_dir=tmp_path, exit_timeout=0)
        kaizen.log_decision("campaign_generation", **sample())
        handled.warning("decided", extra={"decision": {"log_type": "x", **sample()}})
        assert enrich("b") == "B"
        assert (first.stats().accepted, second.stats().accepted) == (2, 4)
        first.log_decision("campaign_generation", **sample())
        assert first.stats().dropped == {"closed": 1}
        second.close()
    finally:
        handled.removeHandler(handler)
        RECORDER.logger = None


def test_a_signal_handler_may_log_while_its_thread_logs(make_logger: MakeLogger) -> None:
    logger = make_logger(buffer_events=1_000_000)

    def log(*_: object) -> None:
        logger.log_decision("campaign_generation", **sample())

    previous = signal.signal(signal.SIGALRM, log)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
        for _ in range(3000):
            log()
        signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        signal.signal(signal.SIGALRM, previous)
    assert logger.flush(30)
    stats = logger.stats()
    assert stats.accepted > 3000
    assert stats.spilled == stats.accepted


def test_open_files_do_not_outlive_the_logger(make_logger: MakeLogger) -> None:
    def opened() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    make_logger().close(0)
    before = opened()
    for _ in range(3):
        logger = make_logger()
        logger.log_decision("campaign_generation", **sample())
        logger.close(0)
    await_true(lambda: opened() <= before)

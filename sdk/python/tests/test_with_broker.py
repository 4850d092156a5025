"""The whole way, with a real broker that is stopped, hangs and comes back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from broker import Broker, await_true
from confluent_kafka import Message
from sample import sample
from schema import VALIDATOR

from kaizen import DecisionLogger

MakeLogger = Callable[..., DecisionLogger]
Run = Callable[..., "subprocess.Popen[str]"]

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
PROGRAM = """
import json, os, signal, sys
from kaizen import DecisionLogger
from test_with_broker import log
logger = DecisionLogger(**json.loads(sys.argv[1]))
"""


def log(logger: DecisionLogger, first: int, end: int) -> float:
    """Logs decisions with these numbers; the longest that one call took, in seconds."""
    longest = 0.0
    for number in range(first, end):
        decision = sample(f"session-{number % 20}", event_id=f"event-{number}", input_data={"number": number})
        began = time.perf_counter()
        logger.log_decision("campaign_generation", **decision)
        longest = max(longest, time.perf_counter() - began)
    return longest


@dataclass(frozen=True)
class Outage:
    """What a logger and two other processes logged while the broker was stopped."""

    witness: DecisionLogger
    """Logged before, during and after."""
    witnessed: str
    longest_call: float
    """Of the witness's calls, in seconds."""
    orphaned: str
    """Topic of a process that was killed and of one that has ended."""
    orphanage: Path


@pytest.fixture(scope="module")
def outage(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outage]:
    witnessed, orphaned = broker.topic(), broker.topic()
    folder, orphanage = tmp_path_factory.mktemp("spill"), tmp_path_factory.mktemp("spill")
    with DecisionLogger(brokers=broker.address, topic=witnessed, spill_dir=folder) as witness:
        log(witness, 0, 200)
        broker.stop()
        try:
            longest = log(witness, 200, 3000)
            options = {"brokers": broker.address, "topic": orphaned, "spill_dir": str(orphanage), "exit_timeout": 1}
            killed = _start("log(logger, 0, 1000)\nlogger.flush(30)\nos.kill(os.getpid(), signal.SIGKILL)", options)
            ended = _start("log(logger, 1000, 2000)", options)
            with killed, ended:
                assert killed.wait(60) == -signal.SIGKILL
                assert ended.wait(60) == 0
            await_true(lambda: witness.stats().spilled >= 2500)
        finally:
            broker.start()
        log(witness, 3000, 3200)
        yield Outage(witness, witnessed, longest, orphaned, orphanage)


def _start(program: str, options: dict[str, object]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM + program, json.dumps(options)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def run(tmp_path: Path, broker: Broker) -> Iterator[Run]:
    """Runs a program in a process of its own, with a logger for a topic."""
    programs: list[subprocess.Popen[str]] = []

    def run(topic: str, program: str, **options: object) -> subprocess.Popen[str]:
        given = {"brokers": broker.address, "topic": topic, "spill_dir": str(tmp_path / "spill"), **options}
        programs.append(_start(program, given))
        return programs[-1]

    yield run
    for program in programs:
        program.kill()
        program.communicate()


def _numbers(records: list[Message]) -> Counter[int]:
    return Counter(json.loads(record.value() or b"")["input_data"]["number"] for record in records)


def _assert_sessions_keep_their_order(records: list[Message]) -> None:
    """By the first time each event is there: those that come again are removed as duplicates."""
    sessions: dict[bytes, dict[int, None]] = defaultdict(dict)
    for record in records:
        sessions[record.key() or b""][json.loads(record.value() or b"")["input_data"]["number"]] = None
    for numbers in sessions.values():
        assert list(numbers) == sorted(numbers)


def test_decisions_arrive_once_and_as_the_contract_says(broker: Broker, make_logger: MakeLogger) -> None:
    topic = broker.topic()
    logger = make_logger(brokers=broker.address, topic=topic)
    log(logger, 0, 500)
    logger.log_decision("website_analysis", **sample(input_data={"number": 500}, traceparent=TRACE))
    assert logger.flush(30)
    stats = logger.stats()
    assert (stats.accepted, stats.acknowledged, stats.spilled, stats.in_flight) == (501, 501, 0, 0)
    assert not stats.invalid
    records = broker.records(topic, 501)
    assert _numbers(records) == Counter(range(501))
    _assert_sessions_keep_their_order(records)
    for record in records:
        event = json.loads(record.value() or b"")
        VALIDATOR.validate(event)
        assert record.key() == event["session_id"].encode()
        headers = dict(record.headers() or [])
        assert headers.pop("content-type") == b"application/json"
        assert headers.pop("event-id") == event["event_id"].encode()
        assert headers == ({"traceparent": TRACE.encode()} if event["input_data"]["number"] == 500 else {})


def test_while_the_broker_is_away_nobody_waits(outage: Outage) -> None:
    assert outage.longest_call < 1


def test_after_an_outage_everything_arrives_and_sessions_keep_their_order(broker: Broker, outage: Outage) -> None:
    await_true(lambda: outage.witness.stats().acknowledged == 3200)
    assert outage.witness.stats().spill_bytes == 0
    assert not outage.witness.stats().dropped
    records = broker.records(outage.witnessed, 3200)
    assert set(_numbers(records)) == set(range(3200))
    _assert_sessions_keep_their_order(records)


def test_what_a_killed_and_an_ended_process_had_spilled_is_sent_by_another(broker: Broker, outage: Outage) -> None:
    with DecisionLogger(brokers=broker.address, topic=outage.orphaned, spill_dir=outage.orphanage) as heir:
        await_true(lambda: heir.stats().resent == 2000)
        assert set(_numbers(broker.records(outage.orphaned, 2000))) == set(range(2000))
    assert not list(outage.orphanage.iterdir())


def test_what_a_broker_that_hangs_does_not_acknowledge_is_spilled_and_sent_again(
    broker: Broker, make_logger: MakeLogger
) -> None:
    topic = broker.topic()
    logger = make_logger(brokers=broker.address, topic=topic, delivery_timeout=1)
    log(logger, 0, 100)
    assert logger.flush(30)
    broker.pause()
    try:
        log(logger, 100, 600)
        await_true(lambda: logger.stats().spilled >= 1)
        log(logger, 600, 700)
    finally:
        broker.resume()
    await_true(lambda: logger.stats().acknowledged == 700)
    records = broker.records(topic, 700)
    assert set(_numbers(records)) == set(range(700))
    _assert_sessions_keep_their_order(records)


def test_a_fork_sends_nothing_twice_and_loses_nothing(broker: Broker, run: Run) -> None:
    topic = broker.topic()
    parent = run(
        topic,
        """
log(logger, 0, 500)
idle = os.fork()
if idle == 0:
    sys.exit(0)  # never logs
busy = os.fork()
if busy == 0:
    log(logger, 500, 1000)
    grandchild = os.fork()
    if grandchild == 0:
        log(logger, 1000, 1500)
        sys.exit(0)
    assert os.waitpid(grandchild, 0)[1] == 0
    assert logger.stats().accepted == 500
    sys.exit(0)
log(logger, 1500, 2000)
for child in (idle, busy):
    assert os.waitpid(child, 0)[1] == 0
assert logger.stats().accepted == 1000
""",
    )
    assert parent.wait(60) == 0
    assert _numbers(broker.records(topic, 2000)) == Counter(range(2000))


def log_as_a_worker(options: Mapping[str, Any], first: int, end: int) -> None:
    """Where a process that was spawned begins."""
    log(DecisionLogger(**options), first, end)


def test_workers_of_multiprocessing_flush_at_their_end(broker: Broker, run: Run) -> None:
    topic = broker.topic()
    parent = run(
        topic,
        """
from multiprocessing import get_context
from test_with_broker import log_as_a_worker
workers = [
    get_context("fork").Process(target=log, args=(logger, 0, 500)),
    get_context("spawn").Process(target=log_as_a_worker, args=(json.loads(sys.argv[1]), 500, 1000)),
]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
    assert worker.exitcode == 0
""",
    )
    assert parent.wait(60) == 0
    assert _numbers(broker.records(topic, 1000)) == Counter(range(1000))


def test_forked_processes_have_identities_of_their_own(broker: Broker, run: Run) -> None:
    topic = broker.topic()
    parent = run(
        topic,
        """
from sample import sample
children = [os.fork() for _ in range(3)]
for _ in range(10):
    logger.log_decision("campaign_generation", **sample())
if 0 not in children:
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
""",
    )
    assert parent.wait(60) == 0
    records = broker.records(topic, 80)
    assert len({json.loads(record.value() or b"")["event_id"] for record in records}) == 80


@pytest.mark.parametrize("end", ["", "raise SystemExit(3)", "1 / 0"])
def test_the_end_of_a_process_flushes(broker: Broker, run: Run, end: str) -> None:
    topic = broker.topic()
    assert run(topic, f"sys.stderr = open(os.devnull, 'w')\nlog(logger, 0, 1000)\n{end}").wait(60) in (0, 1, 3)
    assert _numbers(broker.records(topic, 1000)) == Counter(range(1000))


def test_sigterm_flushes_when_told_so_and_still_ends_the_process(broker: Broker, run: Run) -> None:
    topic = broker.topic()
    program = run(topic, "log(logger, 0, 1000)\nprint('logged', flush=True)\nsignal.pause()", handle_sigterm=True)
    assert program.stdout
    assert program.stdout.readline() == "logged\n"
    program.terminate()
    assert program.wait(30) == -signal.SIGTERM
    assert _numbers(broker.records(topic, 1000)) == Counter(range(1000))


@pytest.mark.parametrize("when_full", ["drop_newest", "drop_oldest"])
def test_a_full_buffer_drops_no_more_than_it_counts(broker: Broker, make_logger: MakeLogger, when_full: str) -> None:
    topic = broker.topic()
    logger = make_logger(brokers=broker.address, topic=topic, buffer_events=10, when_full=when_full)
    log(logger, 0, 5000)
    assert logger.flush(30)
    stats = logger.stats()
    dropped = stats.dropped["buffer_full"]
    assert dropped > 0
    assert stats.acknowledged == 5000 - dropped
    assert stats.accepted == (stats.acknowledged if when_full == "drop_newest" else 5000)
    records = broker.records(topic, stats.acknowledged)
    assert len(_numbers(records)) == len(records) == stats.acknowledged
    _assert_sessions_keep_their_order(records)


def test_a_decision_no_broker_would_take_is_counted_and_its_neighbours_arrive(
    broker: Broker, make_logger: MakeLogger
) -> None:
    topic = broker.topic()
    logger = make_logger(brokers=broker.address, topic=topic)
    log(logger, 0, 10)
    logger.log_decision("campaign_generation", **sample(output_data={"v": "x" * 3_000_000}))
    log(logger, 10, 20)
    assert logger.flush(30)
    assert logger.stats().dropped == {"refused": 1}
    assert logger.stats().invalid == {"too_large": 1}
    assert _numbers(broker.records(topic, 20)) == Counter(range(20))

"""How long logging a decision of 1.2 kB holds up its caller, at 5,000 a second and with a real broker.

Beside it, in the same run: the Kafka client called directly with the standard library's JSON, and the standard
library's own way to log without waiting, `QueueHandler`. Prints microseconds; asserts nothing.
The last column is the processor time of the call, without what other programs took on a busy machine.
"""

from __future__ import annotations

import argparse
import json
import logging
import queue
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timezone
from logging.handlers import QueueHandler, QueueListener
from pathlib import Path
from typing import Any
from uuid import uuid4

from confluent_kafka import Producer

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / folder) for folder in ("src", "tests")]
from broker import Broker  # noqa: E402 - found by the line above
from sample import sample  # noqa: E402

from kaizen import DecisionLogger, Fields  # noqa: E402

_PER_SECOND = 5_000


def main() -> None:
    """Runs each way once and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each way runs, default %(default)s")
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder:
        broker = Broker(Path(folder))
        try:
            print(f"{_PER_SECOND:,} decisions/s for {seconds:g} s each, microseconds in the caller's thread")
            print(f"{'':42}{'p50':>9}{'p99':>9}{'p99.9':>9}{'max':>10}{'CPU p99':>9}")
            _with_kaizen(broker, Path(folder), seconds)
            _with_the_kafka_client(broker, seconds)
            _with_a_queue_handler(seconds)
        finally:
            broker.stop()


def _with_kaizen(broker: Broker, folder: Path, seconds: float) -> None:
    options: Any = {"brokers": broker.address, "topic": broker.topic(), "spill_dir": folder / "spill"}
    with DecisionLogger(**options) as logger:

        def log(event: Fields) -> None:
            logger.log_decision("campaign_generation", **event)

        def decide(event: Fields) -> None:
            with logger.decision("campaign_generation", session_id=event["session_id"], method="m") as decision:
                decision.input(event["input_data"] or {})
                decision.output(event["output_data"])

        _measure("kaizen: log_decision", log, seconds)
        _measure("kaizen: with decision(...)", decide, seconds)
        logger.flush(30)
        broker.stop()
        _measure("kaizen: log_decision, broker away", log, seconds)
        broker.start()
        logger.flush(30)
        print(f"{'':4}{logger.stats()}", file=sys.stderr)


def _with_the_kafka_client(broker: Broker, seconds: float) -> None:
    topic = broker.topic()
    settings = {"enable.idempotence": True, "linger.ms": 20, "compression.type": "lz4"}
    producer = Producer({"bootstrap.servers": broker.address, **settings})

    def produce(event: Fields) -> None:
        producer.produce(topic, json.dumps(_completed(event)), key=event["session_id"])
        producer.poll(0)

    _measure("confluent-kafka: produce(json.dumps)", produce, seconds)
    producer.flush(30)


def _with_a_queue_handler(seconds: float) -> None:
    waiting: queue.Queue[logging.LogRecord] = queue.Queue(10_000)
    listener = QueueListener(waiting, logging.NullHandler())
    logger = logging.getLogger("bench")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(QueueHandler(waiting))
    listener.start()

    def log(event: Fields) -> None:
        logger.info("%s", json.dumps(_completed(event)))

    _measure("logging: QueueHandler of json.dumps", log, seconds)
    listener.stop()


def _completed(event: Fields) -> dict[str, Any]:
    made = datetime.now(timezone.utc).isoformat()
    return {**event, "log_type": "campaign_generation", "event_id": str(uuid4()), "timestamp": made}


def _measure(name: str, step: Callable[[Fields], None], seconds: float) -> None:
    times: list[int] = []
    processor_times: list[int] = []
    began = time.perf_counter()
    for number in range(round(_PER_SECOND * seconds)):
        due = began + number / _PER_SECOND
        if due > (now := time.perf_counter()):
            time.sleep(due - now)
        event = sample(f"session-{number % 100}")
        processor_start = time.thread_time_ns()
        start = time.perf_counter_ns()
        step(event)
        times.append(time.perf_counter_ns() - start)
        processor_times.append(time.thread_time_ns() - processor_start)
    times.sort()
    processor_times.sort()
    processor_p99 = processor_times[int(len(times) * 0.99)] / 1000
    p50, p99, p999 = (times[int(len(times) * part)] / 1000 for part in (0.5, 0.99, 0.999))
    print(f"{name:42}{p50:9.1f}{p99:9.1f}{p999:9.1f}{times[-1] / 1000:10.1f}{processor_p99:9.1f}", flush=True)


if __name__ == "__main__":
    main()

"""Apache Kafka, by the repository's own scripts, on free ports and in a folder of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

T = TypeVar("T")

REPOSITORY = Path(__file__).resolve().parents[3]
_PARTITIONS = 8
# Short-lived: the fast compiler and the small collector start in half the time.
_JVM = "-Xms128m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1"


def await_true(condition: Callable[[], T], seconds: float = 30.0) -> T:
    """What the condition gives as soon as it is true; fails when it is not within so many seconds."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("the condition did not become true")
        time.sleep(0.01)


class Broker:
    """A broker that can be stopped, started again and read."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._ports = [str(_free_port()), str(_free_port())]
        self._process: subprocess.Popen[bytes] | None = None
        self.address = f"127.0.0.1:{self._ports[0]}"
        subprocess.run([REPOSITORY / "deploy/kafka/install.sh"], check=True, stdout=subprocess.DEVNULL)
        self.start()

    def start(self) -> None:
        """Starts it, and returns when it answers."""
        with (self._state / "kafka.log").open("ab") as log:
            self._process = subprocess.Popen(
                [REPOSITORY / "deploy/kafka/run.sh", self._state / "data", *self._ports],
                env={**os.environ, "KAIZEN_KAFKA_JVM": _JVM},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        await_true(self._answers, 60)

    def stop(self) -> None:
        """Stops it, and returns when it is gone."""
        if self._process:
            os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait(30)
            self._process = None

    def pause(self) -> None:
        """Has it hang, its connections open, until `resume`."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Ends a pause."""
        self._signal(signal.SIGCONT)

    def topic(self, **settings: str) -> str:
        """Makes a topic of eight partitions."""
        name = f"kaizen.decisions.{uuid4().hex}"
        topic = NewTopic(name, _PARTITIONS, 1, config={"max.message.bytes": "2097152", **settings})
        admin = AdminClient({"bootstrap.servers": self.address})
        admin.create_topics([topic])[name].result()
        return name

    def records(self, topic: str, least: int) -> list[Message]:
        """The topic's records, once there are so many or more; those of a partition in order."""
        try:
            return self._read(topic, least)
        except AssertionError:
            # A consumer was once seen to get nothing; another one tells whether the records are there.
            return self._read(topic, least)

    def _read(self, topic: str, least: int) -> list[Message]:
        # A fetch that waits holds up the question for the ends.
        settings = {"group.id": uuid4().hex, "enable.auto.commit": False, "fetch.wait.max.ms": 10}
        consumer = Consumer({"bootstrap.servers": self.address, **settings})
        records: list[Message] = []

        def has(number: int) -> bool:
            for message in consumer.consume(1000, 0.1):
                if message.error():
                    raise KafkaException(message.error())
                records.append(message)
            return len(records) >= number

        def end() -> int:
            ends = (consumer.get_watermark_offsets(TopicPartition(topic, p)) for p in range(_PARTITIONS))
            return sum(high for _, high in ends)

        try:
            consumer.assign([TopicPartition(topic, partition, 0) for partition in range(_PARTITIONS)])
            await_true(lambda: has(least))
            last = end()
            await_true(lambda: has(last))
            return records
        except AssertionError as error:
            raise AssertionError(f"{least} records or more expected, read {len(records)} of {end()}") from error
        finally:
            consumer.close()

    def _answers(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise AssertionError(f"the broker has ended, see {self._state / 'kafka.log'}")
        try:
            AdminClient({"bootstrap.servers": self.address, "log_level": 0}).list_topics(timeout=0.5)
        except KafkaException:
            return False
        return True

    def _signal(self, number: int) -> None:
        if self._process:
            os.killpg(self._process.pid, number)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port

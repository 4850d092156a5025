"""Records to Kafka, and what became of each."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

from confluent_kafka import KafkaError, KafkaException, Producer

from kaizen.config import Config, ConfigError
from kaizen.event import Record

Outcome = Literal["acknowledged", "failed", "refused"]
"""`failed` may succeed later; `refused` never will."""

_CONTENT_TYPE = ("content-type", b"application/json")
_REFUSALS = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD, KafkaError.INVALID_MSG})
# The topic takes records of 2 MiB.
_MAX_MESSAGE_BYTES = 2 * 1024 * 1024
_QUEUE_KIB = 64 * 1024


class Publisher:
    """An idempotent producer. Outcomes are told during `poll` and `purge`, in the thread that calls them.

    Raises:
        ConfigError: librdkafka does not take an option.
    """

    def __init__(self, config: Config) -> None:
        self._topic = config.topic
        self._settings = {
            "linger.ms": 20,
            "compression.type": "lz4",
            "reconnect.backoff.max.ms": 1000,
            "message.max.bytes": _MAX_MESSAGE_BYTES,
            "queue.buffering.max.kbytes": _QUEUE_KIB,
            "log_level": 0,  # what goes wrong is told by outcomes
            **config.kafka,
            "bootstrap.servers": config.brokers,
            "enable.idempotence": True,
            "acks": "all",
            "message.timeout.ms": round(config.delivery_timeout * 1000),
            "error_cb": self._on_error,
        }
        self._producer = self._open()
        self._is_broken = False
        self.is_away = False
        """Whether no broker could be reached since the last acknowledgement."""
        self.error = ""
        """What went wrong last, in librdkafka's words."""

    def send(self, record: Record, settle: Callable[[Outcome], None]) -> bool:
        """Hands the record to the producer; `settle` is told once what became of it. False: its queue is full."""
        headers: list[tuple[str, str | bytes | None]] = [_CONTENT_TYPE, ("event-id", record.event_id)]
        if record.traceparent:
            headers.append(("traceparent", record.traceparent))
        try:
            self._producer.produce(
                self._topic,
                value=record.value,
                key=record.key or None,
                headers=headers,
                on_delivery=partial(self._on_delivery, settle),
            )
        except BufferError:
            return False
        except KafkaException as refusal:
            self._on_delivery(settle, refusal.args[0], None)
        return True

    def poll(self, seconds: float) -> None:
        """Waits for outcomes and tells them."""
        self._producer.poll(seconds)
        if self._is_broken:
            self.purge()
            self._producer = self._open()
            self._is_broken = False

    def purge(self) -> None:
        """Takes back everything not acknowledged yet, as failed. The broker may have it nevertheless."""
        self._producer.purge()
        self._producer.flush(1)

    def close(self) -> None:
        """Ends the producer; what is not acknowledged is lost, unless it was purged."""
        del self._producer

    def abandon(self) -> None:
        """Forgets the producer in a child process, where its threads are not: to end it would wait for them forever."""
        if hasattr(self, "_producer"):
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._producer))

    def _open(self) -> Producer:
        try:
            return Producer(self._settings)
        except (KafkaException, TypeError, ValueError) as error:
            raise ConfigError("kafka", f"librdkafka does not take it: {error}") from error

    def _on_delivery(self, settle: Callable[[Outcome], None], error: KafkaError | None, _: Any) -> None:
        if error is None:
            self.is_away = False
            settle("acknowledged")
        else:
            self.error = error.str()
            settle("refused" if error.code() in _REFUSALS else "failed")

    def _on_error(self, error: KafkaError) -> None:
        self.error = error.str()
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            self.is_away = True
        if error.fatal():
            self._is_broken = True

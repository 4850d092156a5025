"""What became of the decisions, in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from threading import RLock
from typing import Literal

DropReason = Literal[
    "not_serialisable",  # a value has no form in JSON
    "buffer_full",  # the buffer in memory was full
    "spill_full",  # the broker was away and the spill folder full
    "spill_failed",  # the spill folder could not be written
    "undelivered",  # the broker was away and spilling is off
    "refused",  # the broker takes no such record, for example because it is too large
    "closed",  # logged after `close`
    "unexpected",  # a fault of this library
]


@dataclass(frozen=True)
class Stats:
    """Counts since the logger was made, or since the fork that made this process.

    Every accepted decision is buffered, in flight, spilled and waiting, acknowledged or dropped.
    """

    accepted: int
    """Decisions that entered the buffer."""
    buffered: int
    """Of these, now in the buffer."""
    in_flight: int
    """Of these, now with the Kafka client and not yet acknowledged."""
    acknowledged: int
    """Decisions that the broker has acknowledged, resent ones included."""
    failed: int
    """Deliveries that failed; what failed is spilled and sent again, or dropped."""
    spilled: int
    """Decisions written to the spill folder."""
    resent: int
    """Decisions acknowledged from the spill folder, including those that other processes left there."""
    spill_bytes: int
    """Bytes now in the spill folder."""
    corrupt: int
    """Places in spill files that were torn or damaged and were skipped."""
    dropped: Mapping[str, int]
    """Decisions that are lost, by reason (`kaizen.stats.DropReason`)."""
    invalid: Mapping[str, int]
    """Decisions against the schema, by the collector's reason. They are sent all the same: the collector keeps them as
    dead letters."""
    suppressed: int
    """Exceptions that were kept from the caller: extractors that raised."""


class Counters:
    """The counts as they grow. Attributes are written by the background thread alone."""

    def __init__(self) -> None:
        self.acknowledged = 0
        self.failed = 0
        self.spilled = 0
        self.resent = 0
        self.corrupt = 0
        self.invalid: Counter[str] = Counter()
        self._dropped: Counter[str] = Counter()
        self.suppressed = 0
        # Reentrant: a signal handler may log while its thread is counting.
        self._lock = RLock()

    def drop(self, reason: DropReason, decisions: int = 1) -> None:
        """Counts lost decisions, from any thread."""
        with self._lock:
            self._dropped[reason] += decisions

    def losses(self) -> dict[str, int]:
        """The lost decisions so far, by reason."""
        with self._lock:
            return dict(self._dropped)

    def suppress(self) -> None:
        """Counts an exception kept from the caller, from any thread."""
        with self._lock:
            self.suppressed += 1

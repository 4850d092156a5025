"""The background thread: from the buffer to Kafka, or to disk while the broker is away.

While nothing is spilled, records go straight to Kafka. Once a delivery fails, everything not acknowledged is taken back
and spilled in its order, and what comes after goes behind it, until all that was spilled is acknowledged: a session's
decisions keep their order.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from functools import partial
from threading import Condition, Event

from kaizen.buffer import Buffer
from kaizen.config import Config
from kaizen.event import Record
from kaizen.publish import Outcome, Publisher
from kaizen.resend import Resend
from kaizen.spill import Spill
from kaizen.stats import Counters
from kaizen.validate import broken_rule
from kaizen.warn import Warnings

_LOG = logging.getLogger("kaizen")
_IDLE_SECONDS = 1.0
# How long outcomes are awaited before the buffer is looked at again; meanwhile it gathers.
_GATHER_SECONDS = 0.01
# How long the Kafka client's queue may be full before the broker counts as away.
_STALL_SECONDS = 1.0
_ADOPT_SECONDS = 30.0


class Sender:
    """Moves records until it is told to stop. One thread calls `run`; any thread the rest.

    Raises:
        ConfigError: librdkafka does not take an option.
        OSError: the spill folder cannot be made.
    """

    def __init__(self, config: Config, buffer: Buffer, counters: Counters) -> None:
        self._buffer = buffer
        self._counters = counters
        self._judge_lateness = not config.topic.endswith(".backfill")
        self._publisher = Publisher(config)
        self._spill = Spill(config.spill_dir, config.spill_bytes, counters)
        self._resend = Resend(self._spill, self._publisher, counters)
        self._warnings = Warnings(counters, self._publisher)
        self._taken: deque[Record] = deque()
        self._position = 0
        self._in_flight: dict[int, Record] = {}
        self._failed: dict[int, Record] = {}
        self._stalled_at: float | None = None
        self._adopt_at = 0.0
        self._stop = Event()
        self._stop_at = float("inf")
        self._settled = 0
        self._progress = Condition()

    @property
    def in_flight(self) -> int:
        """Records in memory behind the buffer, not acknowledged and not on disk."""
        return len(self._taken) + len(self._in_flight) + len(self._failed)

    @property
    def spill_bytes(self) -> int:
        """Bytes that wait on disk."""
        return self._spill.bytes

    def run(self) -> None:
        """Moves records until `stop`, then brings what is left to Kafka or to disk."""
        while not self._stop.is_set() or (self._has_work() and time.monotonic() < self._stop_at):
            try:
                self._turn()
            except Exception:
                _LOG.exception("The decision logger goes on after an unexpected fault")
                self._stop.wait(_IDLE_SECONDS)
        self._end()

    def stop(self, seconds: float) -> None:
        """Has `run` return within so many seconds, and what the disk takes."""
        self._stop_at = time.monotonic() + seconds
        self._buffer.close()
        self._stop.set()

    def wait_settled(self, position: int, seconds: float) -> bool:
        """Waits until everything before that position of the buffer is acknowledged, on disk or dropped."""
        with self._progress:
            return self._progress.wait_for(lambda: self._settled >= position, seconds)

    def abandon(self) -> None:
        """Forgets connections and files in a child process; the parent goes on with them."""
        self._publisher.abandon()
        self._spill.abandon()

    def _turn(self) -> None:
        if not (self._in_flight or self._taken or self._resend.is_waiting or self._stop.is_set()):
            self._buffer.wait(_IDLE_SECONDS)
        self._publisher.poll(_GATHER_SECONDS)
        self._take_back()
        self._take()
        self._route()
        self._adopt()
        self._resend.step()
        self._spill.sync()
        self._tell_progress()
        self._warnings.tell()

    def _take(self) -> None:
        """What is in the buffer, judged; nothing while the Kafka client has no room."""
        if self._taken:
            return
        self._position, self._taken = self._buffer.take()
        now = time.time()
        for record in self._taken:
            rule = broken_rule(record.value, now, judge_lateness=self._judge_lateness)
            if rule:
                self._counters.invalid[rule] += 1

    def _route(self) -> None:
        """Each taken record to Kafka, or behind what is spilled already."""
        while self._taken and not self._is_spilling():
            position, record = self._position, self._taken[0]
            self._in_flight[position] = record
            if not self._publisher.send(record, partial(self._settle, position)):
                del self._in_flight[position]
                self._stall()
                return
            self._stalled_at = None
            self._taken.popleft()
            self._position += 1
        if self._taken:
            taken, self._taken = self._taken, deque()
            self._position += len(taken)
            self._spill.append(taken)

    def _is_spilling(self) -> bool:
        return self._spill.is_enabled and (self._publisher.is_away or not self._spill.is_empty)

    def _stall(self) -> None:
        """The Kafka client has no room: if that lasts, the broker is as good as away."""
        now = time.monotonic()
        self._stalled_at = self._stalled_at or now
        if self._spill.is_enabled and now - self._stalled_at > _STALL_SECONDS:
            self._stalled_at = None
            self._publisher.purge()
            self._take_back()

    def _settle(self, position: int, outcome: Outcome) -> None:
        record = self._in_flight.pop(position)
        if outcome == "acknowledged":
            self._counters.acknowledged += 1
        elif outcome == "refused":
            self._counters.drop("refused")
        else:
            self._counters.failed += 1
            self._failed[position] = record

    def _take_back(self) -> None:
        """Spills what failed, and with it all that was sent since, so that the order stays."""
        if self._spill.is_enabled and self._in_flight and (self._failed or self._publisher.is_away):
            self._publisher.purge()
        if self._failed:
            failed, self._failed = self._failed, {}
            self._spill.append(failed[position] for position in sorted(failed))

    def _adopt(self) -> None:
        now = time.monotonic()
        if now >= self._adopt_at:
            self._adopt_at = now + _ADOPT_SECONDS
            self._spill.adopt()

    def _tell_progress(self) -> None:
        with self._progress:
            self._settled = next(iter(self._in_flight), self._position)
            self._progress.notify_all()

    def _has_work(self) -> bool:
        is_resending = not self._spill.is_empty and not self._publisher.is_away
        return bool(self._taken or self._in_flight or len(self._buffer) or is_resending)

    def _end(self) -> None:
        try:
            self._publisher.purge()
            self._take_back()
            for _ in range(2):  # what was taken and had no room, then what came since
                self._spill.append(self._taken)
                self._position, self._taken = self._buffer.take()
            self._publisher.close()
            self._spill.close()
        except Exception:
            _LOG.exception("The decision logger could not save everything at its end")
        self._tell_progress()
        self._warnings.tell(at_once=True)

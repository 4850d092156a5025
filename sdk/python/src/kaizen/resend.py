"""Spilled records, sent again in order: a segment at a time, deleted once all of it is acknowledged."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from kaizen.event import Record
from kaizen.publish import Outcome, Publisher
from kaizen.spill import Spill
from kaizen.stats import Counters

_PAUSE_SECONDS = 1.0


class Resend:
    """Works through a spill, a little at each `step`."""

    def __init__(
        self, spill: Spill, publisher: Publisher, counters: Counters, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._spill = spill
        self._publisher = publisher
        self._counters = counters
        self._segment: dict[int, Record] = {}
        self._unsent: list[int] = []
        self._awaited = 0
        self._has_failed = False
        self._not_before = 0.0

    @property
    def is_waiting(self) -> bool:
        """Whether outcomes are awaited."""
        return self._awaited > 0

    def step(self) -> None:
        """Sends what can be sent now. While the broker is away that is one record, to learn when it is back."""
        if self._has_failed and self._awaited:
            self._publisher.purge()  # so that nothing overtakes what failed
        if not self._segment and not self._spill.is_empty and not self._awaited:
            self._segment = dict(enumerate(self._spill.load()))
            self._unsent = list(reversed(self._segment))
            self._finish_segment()
        if self._clock() < self._not_before:
            return
        while self._unsent and not (self._publisher.is_away and self._awaited):
            position = self._unsent.pop()
            # Before it is sent: a refusal is told at once.
            self._awaited += 1
            if not self._publisher.send(self._segment[position], partial(self._settle, position)):
                self._awaited -= 1
                self._unsent.append(position)
                return

    def _settle(self, position: int, outcome: Outcome) -> None:
        self._awaited -= 1
        if outcome == "failed":
            self._counters.failed += 1
            self._has_failed = True
            self._not_before = self._clock() + _PAUSE_SECONDS
        else:
            del self._segment[position]
            if outcome == "acknowledged":
                self._counters.acknowledged += 1
                self._counters.resent += 1
            else:
                self._counters.drop("refused")
        if not self._awaited:
            self._has_failed = False
            # What failed is sent once more, in its order.
            self._unsent = sorted(self._segment, reverse=True)
            self._finish_segment()

    def _finish_segment(self) -> None:
        if not self._segment:
            self._spill.remove()

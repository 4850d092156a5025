"""Warnings through the logger `kaizen`, from the background thread and at most one in ten seconds."""

from __future__ import annotations

import logging
import time
from collections import Counter

from kaizen.publish import Publisher
from kaizen.stats import Counters

_LOG = logging.getLogger("kaizen")
_PAUSE_SECONDS = 10.0


class Warnings:
    """Tells what was lost, will be rejected or waits on disk since it last told so."""

    def __init__(self, counters: Counters, publisher: Publisher) -> None:
        self._counters = counters
        self._publisher = publisher
        self._told: Counter[str] = Counter()
        self._not_before = 0.0

    def tell(self, *, at_once: bool = False) -> None:
        """Logs one warning if there is news and the last one was long enough ago. `at_once`: however long ago."""
        now = time.monotonic()
        if now < self._not_before and not at_once:
            return
        counts = self._counts()
        news = {what: number - self._told[what] for what, number in counts.items() if number > self._told[what]}
        if news:
            self._told = counts
            self._not_before = now + _PAUSE_SECONDS
            error = f"; last error: {self._publisher.error}" if self._publisher.error else ""
            _LOG.warning("Decisions %s%s", ", ".join(f"{what}: {number}" for what, number in news.items()), error)

    def _counts(self) -> Counter[str]:
        counts = Counter({f"lost, {reason}": number for reason, number in self._counters.losses().items()})
        counts.update({f"the collector will reject, {rule}": n for rule, n in self._counters.invalid.items()})
        counts["spilled"] = self._counters.spilled
        counts["damaged in the spill folder"] = self._counters.corrupt
        return counts

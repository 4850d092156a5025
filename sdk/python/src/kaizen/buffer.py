"""The bounded buffer between callers and the background thread."""

from __future__ import annotations

from collections import deque
from threading import Lock, RLock

from kaizen.event import Record
from kaizen.stats import Counters


class Buffer:
    """Takes records from any thread and hands them over in order.

    The lock is held for a few instructions, never while waiting. It is reentrant: a signal handler may log while its
    thread is in `put`.
    """

    def __init__(self, max_events: int, max_bytes: int, *, drop_oldest: bool, counters: Counters) -> None:
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._drop_oldest = drop_oldest
        self._counters = counters
        self._lock = RLock()
        self._records: deque[Record] = deque()
        self._bytes = 0
        self._removed = 0
        self._closed = False
        # Held unless there is something to take: a binary semaphore whose release never waits.
        self._signal = Lock()
        self._signal.acquire()
        self.accepted = 0

    def __len__(self) -> int:
        return len(self._records)

    def put(self, record: Record) -> None:
        """Appends the record, or counts what is dropped for it or instead of it."""
        size = record.size
        with self._lock:
            if self._closed:
                self._counters.drop("closed")
                return
            if self._drop_oldest and size <= self._max_bytes:
                while self._records and self._is_full_for(size):
                    self._bytes -= self._records.popleft().size
                    self._removed += 1
                    self._counters.drop("buffer_full")
            if self._is_full_for(size):
                self._counters.drop("buffer_full")
                return
            self._records.append(record)
            self._bytes += size
            self.accepted += 1
            if len(self._records) == 1:
                self.wake()

    def take(self) -> tuple[int, deque[Record]]:
        """Everything there is, and the position of its first record."""
        with self._lock:
            first, taken = self._removed, self._records
            self._records = deque()
            self._bytes = 0
            self._removed += len(taken)
        return first, taken

    def end(self) -> int:
        """The position after the last record."""
        with self._lock:
            return self._removed + len(self._records)

    def wait(self, seconds: float) -> None:
        """Waits until there is something to take, `wake` was called or the time is over."""
        self._signal.acquire(timeout=seconds)

    def wake(self) -> None:
        """Ends the wait."""
        try:
            self._signal.release()
        except RuntimeError:
            return  # it has not been waited for since

    def close(self) -> None:
        """From now on everything is dropped."""
        with self._lock:
            self._closed = True
        self.wake()

    def _is_full_for(self, size: int) -> bool:
        return len(self._records) >= self._max_events or self._bytes + size > self._max_bytes

"""What one process needs to bring its decisions away: buffer, background thread, counts. A fork makes a new one."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from threading import Event, RLock, Thread

from kaizen.buffer import Buffer
from kaizen.config import Config
from kaizen.event import Record
from kaizen.send import Sender
from kaizen.stats import Counters, Stats

_LOG = logging.getLogger("kaizen")
# What saving to disk may take beyond the time given for the broker.
_DISK_SECONDS = 5.0


class Pipeline:
    """Starts with `start`, or by itself at the first record."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.counters = Counters()
        self._buffer = Buffer(
            config.buffer_events,
            config.buffer_bytes,
            drop_oldest=config.when_full == "drop_oldest",
            counters=self.counters,
        )
        self._sender: Sender | None = None
        self._is_open = Event()
        self._thread: Thread | None = None
        self._lock = RLock()

    def start(self) -> None:
        """Opens everything in this thread, so that what is wrong is raised here.

        Raises:
            ConfigError: librdkafka does not take an option.
            OSError: the spill folder cannot be made.
        """
        self._open(self._config)
        self._start_thread()

    def put(self, record: Record) -> None:
        """Hands the record to the background thread."""
        if self._thread is None:
            self._start_thread()
        self._buffer.put(record)

    def flush(self, seconds: float) -> bool:
        """Waits until all put so far is acknowledged, on disk or dropped. False: it is not, after so many seconds."""
        position = self._buffer.end()
        if self._thread is None:
            return True
        end = time.monotonic() + seconds
        if not self._is_open.wait(seconds) or self._sender is None:
            return False
        return self._sender.wait_settled(position, max(0.0, end - time.monotonic()))

    def close(self, seconds: float) -> None:
        """Ends the thread; what the broker has not acknowledged within so many seconds is on disk then, or dropped."""
        self._buffer.close()
        if self._thread is None:
            return
        if self._is_open.wait(seconds + _DISK_SECONDS) and self._sender is not None:
            self._sender.stop(seconds)
        self._thread.join(seconds + _DISK_SECONDS)

    def abandon(self) -> None:
        """Forgets everything in a child process; the parent goes on with it."""
        if self._sender is not None:
            self._sender.abandon()

    def stats(self) -> Stats:
        """The counts now."""
        counters, sender = self.counters, self._sender
        return Stats(
            accepted=self._buffer.accepted,
            buffered=len(self._buffer),
            in_flight=sender.in_flight if sender else 0,
            acknowledged=counters.acknowledged,
            failed=counters.failed,
            spilled=counters.spilled,
            resent=counters.resent,
            spill_bytes=sender.spill_bytes if sender else 0,
            corrupt=counters.corrupt,
            dropped=counters.losses(),
            invalid=dict(counters.invalid),
            suppressed=counters.suppressed,
        )

    def _open(self, config: Config) -> None:
        self._sender = Sender(config, self._buffer, self.counters)
        self._is_open.set()

    def _start_thread(self) -> None:
        with self._lock:
            if self._thread is None:
                thread = Thread(target=self._run, name="kaizen-sender", daemon=True)
                thread.start()
                self._thread = thread

    def _run(self) -> None:
        if self._sender is None:
            try:
                self._open(self._config)
            except OSError:
                _LOG.exception("Decisions of this process are not spilled")
                self._open(replace(self._config, spill_bytes=0))
        if self._sender is not None:
            self._sender.run()

"""Records on disk while the broker is away: append-only segments, read in order, deleted when acknowledged.

A record is with the operating system once `append` returns, so it survives the end of the process however it ends. It
is forced to disk within a second, and when a segment or the spill is closed: a power failure may take what was spilled
in the last second.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from itertools import count
from pathlib import Path

from kaizen import segment
from kaizen.event import Record
from kaizen.folder import SEGMENT, Folder
from kaizen.stats import Counters

_SEGMENT_BYTES = 1024 * 1024
_SYNC_SECONDS = 1.0


class Spill:
    """A bounded queue of records on disk, for one thread. Of `max_bytes` 0 it never takes any.

    Raises:
        OSError: the folder cannot be made.
    """

    def __init__(self, root: Path, max_bytes: int, counters: Counters) -> None:
        self._max_bytes = max_bytes
        self._counters = counters
        self._folder = Folder(root) if max_bytes else None
        self._sealed: deque[tuple[Path, int]] = deque()
        self._head: tuple[Path, int] | None = None
        self._active: int | None = None
        self._active_path = root
        self._active_bytes = 0
        self._synced = time.monotonic()
        self._numbers = count()
        self.bytes = 0

    @property
    def is_enabled(self) -> bool:
        """Whether records can be spilled at all."""
        return self._folder is not None

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits to be sent again."""
        return not (self._sealed or self._head or self._active_bytes)

    def append(self, records: Iterable[Record]) -> None:
        """Writes the records behind those that are there; what does not fit or cannot be written is dropped."""
        if self._folder is None:
            self._counters.drop("undelivered", len(list(records)))
            return
        for record in records:
            written = segment.write(record)
            if self.bytes + len(written) > self._max_bytes:
                self._counters.drop("spill_full")
            elif self._write(self._folder, written):
                self._counters.spilled += 1
            else:
                self._counters.drop("spill_failed")

    def load(self) -> list[Record]:
        """The oldest segment's records, to be acknowledged as a whole by `remove`."""
        if not self._sealed:
            self._seal()
        path, size = self._sealed.popleft()
        try:
            content = path.read_bytes()
        except OSError:  # it stays on disk, for a person to look at
            self.bytes -= size
            self._counters.corrupt += 1
            return []
        self._head = path, size
        read = list(segment.read(content))
        records = [record for record in read if record is not None]
        self._counters.corrupt += len(read) - len(records)
        return records

    def remove(self) -> None:
        """Deletes the segment that was loaded last."""
        if self._head:
            path, size = self._head
            self._head = None
            self.bytes -= size
            path.unlink(missing_ok=True)

    def adopt(self) -> None:
        """Takes over what processes that are no more left behind, before what is here already."""
        if self._folder is None:
            return
        adopted = [(path, path.stat().st_size) for path in self._folder.adopt(self._max_bytes - self.bytes)]
        self.bytes += sum(size for _, size in adopted)
        self._sealed = deque(sorted([*adopted, *self._sealed]))

    def sync(self) -> None:
        """Forces what was appended to disk, unless that was done within the last second."""
        now = time.monotonic()
        if self._active is not None and now - self._synced >= _SYNC_SECONDS:
            self._synced = now
            _force(self._active)

    def close(self) -> None:
        """Forces everything to disk and lets go of the folder; another process will send what is in it."""
        folder, self._folder = self._folder, None
        if folder is not None:
            self._seal()
            folder.release()

    def abandon(self) -> None:
        """Forgets the spill in a child process; the parent still owns it."""
        if self._active is not None:
            os.close(self._active)
        if self._folder is not None:
            self._folder.abandon()

    def _write(self, folder: Folder, written: bytes) -> bool:
        try:
            if self._active is None:
                name = f"{time.time_ns():020}-{next(self._numbers):010}{SEGMENT}"
                self._active_path = folder.path / name
                self._active = os.open(self._active_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            done = os.write(self._active, written)
            if done < len(written):  # the disk is full: take back what would read as damage
                os.ftruncate(self._active, self._active_bytes)
                os.lseek(self._active, self._active_bytes, os.SEEK_SET)
                return False
        except OSError:
            return False
        self._active_bytes += done
        self.bytes += done
        if self._active_bytes >= _SEGMENT_BYTES:
            self._seal()
        return True

    def _seal(self) -> None:
        """Ends the segment that is appended to."""
        if self._active is None:
            return
        active, self._active = self._active, None
        self._sealed.append((self._active_path, self._active_bytes))
        self._active_bytes = 0
        _force(active)
        os.close(active)


def _force(file: int) -> None:
    # What cannot be forced to disk is still with the system, and the next write will tell.
    with suppress(OSError):
        os.fsync(file)

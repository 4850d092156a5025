"""A process's own folder among those that share a spill directory.

A folder is owned by whoever holds `flock` on it; the system lets go of it when the owner ends, however it ends. What
dead owners left is then anyone's to take.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

SEGMENT = ".segment"


class Folder:
    """A folder below `root` that this process owns until `release`.

    Raises:
        OSError: the folder cannot be made.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path, self._lock = _make(root)

    def adopt(self, most_bytes: int) -> list[Path]:
        """Moves the files that dead processes left into this folder, at most so many bytes, and returns them."""
        adopted: list[Path] = []
        for orphan in self._root.iterdir():
            lock = _try_own(orphan) if orphan != self.path else None
            if lock is None:
                continue
            try:
                for file in sorted(orphan.glob(f"*{SEGMENT}")):
                    size = file.stat().st_size
                    if size <= most_bytes:
                        most_bytes -= size
                        adopted.append(file.rename(self.path / file.name))
                with suppress(OSError):  # not empty: its turn comes when there is room
                    orphan.rmdir()
            finally:
                os.close(lock)
        return adopted

    def release(self) -> None:
        """Lets go of the folder, and removes it when it is empty."""
        with suppress(OSError):
            self.path.rmdir()
        os.close(self._lock)

    def abandon(self) -> None:
        """Forgets the folder in a child process; the parent still owns it."""
        os.close(self._lock)


def _make(root: Path) -> tuple[Path, int]:
    while True:
        path = root / uuid4().hex
        path.mkdir(mode=0o700)
        lock = _try_own(path)
        if lock is not None:
            return path, lock
        # Someone took it for an orphan before it was owned.


def _try_own(path: Path) -> int | None:
    """The lock on a folder, unless someone else holds it or it is gone."""
    try:
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:  # gone, no folder, or not this user's
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(lock), path.stat()):
            return lock
    except (BlockingIOError, FileNotFoundError):
        pass
    except BaseException:
        os.close(lock)
        raise
    os.close(lock)
    return None

"""The events of a process that open loggers must live through: its end, SIGTERM and fork."""

from __future__ import annotations

import atexit
import os
import signal
from multiprocessing import parent_process
from multiprocessing.util import Finalize, register_after_fork
from types import FrameType
from typing import Protocol


class Lives(Protocol):
    """What has to be told of these events."""

    def close(self) -> None:
        """The process ends."""

    def renew(self) -> None:
        """A fork has made the process; it is the child."""


_alive: set[Lives] = set()


def watch(life: Lives) -> None:
    """Tells it of the process's end and of forks, until `unwatch`."""
    _alive.add(life)


def unwatch(life: Lives) -> None:
    """Tells it of nothing any more."""
    _alive.discard(life)


def close_on_sigterm(life: Lives) -> None:
    """Closes it on SIGTERM, and then has the signal do what it did before.

    Raises:
        ValueError: this is not the main thread.
    """
    previous = signal.getsignal(signal.SIGTERM)

    def close(number: int, frame: FrameType | None) -> None:
        life.close()
        if callable(previous):
            previous(number, frame)
        elif previous is not signal.SIG_IGN:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTERM)

    signal.signal(signal.SIGTERM, close)


def _close_all() -> None:
    for life in list(_alive):
        life.close()


def _renew_all() -> None:
    for life in list(_alive):
        life.renew()


def _close_at_the_end_of_a_worker(*_: object) -> None:
    """Processes of `multiprocessing` end without `atexit`."""
    Finalize(None, _close_all, exitpriority=0)


atexit.register(_close_all)
os.register_at_fork(after_in_child=_renew_all)
register_after_fork(_alive, _close_at_the_end_of_a_worker)
if parent_process() is not None:
    _close_at_the_end_of_a_worker()

"""What tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from broker import Broker
from hypothesis import settings

from kaizen import DecisionLogger

settings.register_profile("kaizen", database=None, deadline=None)
settings.load_profile("kaizen")

NOBODY = "127.0.0.1:9"


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One broker for all tests; each makes a topic of its own. Who stops it starts it again."""
    broker = Broker(tmp_path_factory.mktemp("broker"))
    yield broker
    broker.resume()
    broker.stop()


@pytest.fixture
def make_logger(tmp_path: Path) -> Iterator[Callable[..., DecisionLogger]]:
    """Makes loggers that are closed after the test. Without `brokers` there is no broker at all."""
    loggers: list[DecisionLogger] = []

    def make(**options: Any) -> DecisionLogger:
        logger = DecisionLogger(**{"brokers": NOBODY, "spill_dir": tmp_path / "spill", "exit_timeout": 1.0, **options})
        loggers.append(logger)
        return logger

    yield make
    for logger in loggers:
        logger.close(0)


class Kept:
    """Keeps decisions in place of a logger."""

    def __init__(self) -> None:
        self.events: list[Mapping[str, Any]] = []
        self.errors: list[Exception] = []

    def record(self, fields: Callable[[], Mapping[str, Any]]) -> None:
        self.events.append(fields())

    def suppress(self, error: Exception) -> None:
        self.errors.append(error)


@pytest.fixture
def kept() -> Kept:
    return Kept()

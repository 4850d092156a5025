from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kaizen.event import Record
from kaizen.publish import Outcome, Publisher
from kaizen.resend import Resend
from kaizen.spill import Spill
from kaizen.stats import Counters


class Scripted(Publisher):
    """A publisher whose outcomes the test tells."""

    def __init__(self) -> None:
        self.is_away = False
        self.room = 1_000
        self.refused = ""
        self.sent: list[tuple[str, Callable[[Outcome], None]]] = []

    def send(self, record: Record, settle: Callable[[Outcome], None]) -> bool:
        if len(self.sent) >= self.room:
            return False
        if record.event_id == self.refused:
            settle("refused")
        else:
            self.sent.append((record.event_id, settle))
        return True

    def tell(self, *outcomes: Outcome) -> list[str]:
        told, self.sent = self.sent[: len(outcomes)], self.sent[len(outcomes) :]
        for (_, settle), outcome in zip(told, outcomes, strict=True):
            settle(outcome)
        return [event_id for event_id, _ in told]

    def purge(self) -> None:
        sent, self.sent = self.sent, []
        for _, settle in sent:
            settle("failed")

    @property
    def waiting(self) -> list[str]:
        return [event_id for event_id, _ in self.sent]


class Stage:
    """A spill of three records, to be sent again."""

    def __init__(self, root: Path) -> None:
        self.now = 0.0
        self.counters = Counters()
        self.spill = Spill(root, 1 << 20, self.counters)
        self.spill.append(Record(b"", b"v", event_id, "") for event_id in "abc")
        self.publisher = Scripted()
        self.resend = Resend(self.spill, self.publisher, self.counters, lambda: self.now)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.spill.close()


def test_a_segment_is_deleted_when_all_of_it_is_acknowledged(stage: Stage) -> None:
    stage.resend.step()
    assert stage.publisher.tell("acknowledged", "acknowledged") == ["a", "b"]
    assert not stage.spill.is_empty
    assert stage.publisher.tell("acknowledged") == ["c"]
    assert stage.spill.is_empty
    assert stage.spill.bytes == 0
    assert (stage.counters.acknowledged, stage.counters.resent) == (3, 3)


def test_what_failed_is_sent_again_in_order_after_a_pause(stage: Stage) -> None:
    stage.resend.step()
    stage.publisher.tell("failed", "acknowledged", "failed")
    stage.resend.step()
    assert stage.publisher.waiting == []
    stage.now = 1.0
    stage.resend.step()
    assert stage.publisher.tell("acknowledged", "acknowledged") == ["a", "c"]
    assert stage.spill.is_empty


def test_what_was_sent_after_a_failure_is_taken_back_so_that_it_does_not_overtake(stage: Stage) -> None:
    stage.resend.step()
    stage.publisher.tell("failed")
    stage.resend.step()
    assert stage.publisher.waiting == []
    stage.now = 1.0
    stage.resend.step()
    assert stage.publisher.waiting == ["a", "b", "c"]


def test_while_the_broker_is_away_one_record_finds_out_whether_it_is_back(stage: Stage) -> None:
    stage.publisher.is_away = True
    stage.resend.step()
    stage.resend.step()
    assert stage.publisher.waiting == ["a"]
    stage.publisher.is_away = False
    stage.publisher.tell("acknowledged")
    stage.resend.step()
    assert stage.publisher.waiting == ["b", "c"]


@pytest.mark.parametrize("refused", "abc")
def test_a_refused_record_is_counted_and_holds_nobody_up(stage: Stage, refused: str) -> None:
    stage.publisher.refused = refused
    stage.resend.step()
    stage.publisher.tell("acknowledged", "acknowledged")
    assert stage.spill.is_empty
    assert not stage.resend.is_waiting
    assert stage.counters.losses() == {"refused": 1}


def test_what_has_no_room_in_the_kafka_client_is_sent_later(stage: Stage) -> None:
    stage.publisher.room = 2
    stage.resend.step()
    assert stage.publisher.waiting == ["a", "b"]
    stage.publisher.tell("acknowledged", "acknowledged")
    stage.resend.step()
    assert stage.publisher.waiting == ["c"]


def test_what_is_spilled_meanwhile_comes_after(stage: Stage) -> None:
    stage.resend.step()
    stage.spill.append([Record(b"", b"v", "d", "")])
    stage.resend.step()
    assert stage.publisher.tell("acknowledged", "acknowledged", "acknowledged") == ["a", "b", "c"]
    stage.resend.step()
    assert stage.publisher.waiting == ["d"]

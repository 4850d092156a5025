from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from kaizen.buffer import Buffer
from kaizen.event import Record
from kaizen.stats import Counters


def _record(number: int, size: int = 1) -> Record:
    return Record(b"", b"x" * size, str(number), "")


def _filled(drop_oldest: bool, records: list[Record], max_events: int = 3, max_bytes: int = 10_000) -> Buffer:
    buffer = Buffer(max_events, max_bytes, drop_oldest=drop_oldest, counters=Counters())
    for record in records:
        buffer.put(record)
    return buffer


def _ids(buffer: Buffer) -> list[str]:
    return [record.event_id for record in buffer.take()[1]]


def test_a_full_buffer_drops_the_newest_or_the_oldest() -> None:
    records = [_record(number) for number in range(5)]
    assert _ids(_filled(False, records)) == ["0", "1", "2"]
    assert _ids(_filled(True, records)) == ["2", "3", "4"]


def test_a_record_larger_than_the_buffer_displaces_nothing() -> None:
    assert _ids(_filled(True, [_record(0), _record(1, 20_000)])) == ["0"]


@given(st.booleans(), st.lists(st.integers(0, 4000), max_size=30), st.integers(1, 5))
def test_every_record_is_taken_or_counted_and_the_bounds_hold(
    drop_oldest: bool, sizes: list[int], max_events: int
) -> None:
    counters = Counters()
    buffer = Buffer(max_events, 5_000, drop_oldest=drop_oldest, counters=counters)
    for number, size in enumerate(sizes):
        buffer.put(_record(number, size))
    end = buffer.end()
    first, taken = buffer.take()
    assert len(taken) + counters.losses().get("buffer_full", 0) == len(sizes)
    assert len(taken) <= max_events
    assert sum(record.size for record in taken) <= 5_000
    assert [int(record.event_id) for record in taken] == sorted(int(record.event_id) for record in taken)
    assert first + len(taken) == end


def test_a_closed_buffer_keeps_what_it_has_and_counts_what_comes() -> None:
    counters = Counters()
    buffer = Buffer(3, 10_000, drop_oldest=False, counters=counters)
    buffer.put(_record(0))
    buffer.close()
    buffer.put(_record(1))
    assert _ids(buffer) == ["0"]
    assert counters.losses() == {"closed": 1}


def test_nothing_put_by_many_threads_is_lost_or_taken_twice() -> None:
    counters = Counters()
    buffer = Buffer(100_000, 1 << 30, drop_oldest=False, counters=counters)

    def put(first: int) -> None:
        for number in range(first, first + 2_000):
            buffer.put(_record(number))

    threads = [threading.Thread(target=put, args=[first]) for first in range(0, 8_000, 2_000)]
    taken: list[str] = []
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads) or len(buffer):
        buffer.wait(0.01)
        taken += _ids(buffer)
    assert len(taken) == len(set(taken)) == 8_000 == buffer.accepted

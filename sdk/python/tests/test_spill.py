from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaizen import segment
from kaizen.event import Record
from kaizen.spill import Spill
from kaizen.stats import Counters

MIB = 1024 * 1024
records = st.builds(Record, st.binary(max_size=20), st.binary(max_size=50), st.text(max_size=9), st.just(""))


def _record(number: int, size: int = 10) -> Record:
    return Record(b"key", b"x" * size, str(number), "")


def _drain(spill: Spill) -> list[str]:
    ids: list[str] = []
    while not spill.is_empty:
        ids += [record.event_id for record in spill.load()]
        spill.remove()
    return ids


@given(st.lists(records, max_size=5))
def test_records_are_read_as_they_were_written(written: list[Record]) -> None:
    assert list(segment.read(b"".join(map(segment.write, written)))) == written


@given(st.lists(records, min_size=1, max_size=4), st.data())
def test_a_torn_tail_costs_no_more_than_the_torn_record(written: list[Record], data: st.DataObject) -> None:
    content = b"".join(map(segment.write, written))
    last = len(segment.write(written[-1]))
    torn = content[: len(content) - data.draw(st.integers(1, last - 1))]
    assert list(segment.read(torn)) == [*written[:-1], None]


def test_zeros_behind_the_records_are_a_torn_tail() -> None:
    assert list(segment.read(segment.write(_record(1)) + bytes(4096))) == [_record(1), None]


@given(st.lists(records, min_size=1, max_size=4), st.data())
def test_a_damaged_record_is_never_taken_for_a_whole_one(written: list[Record], data: st.DataObject) -> None:
    content = bytearray(b"".join(map(segment.write, written)))
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    read = list(segment.read(bytes(content)))
    assert None in read
    assert set(read) - {None} <= set(written)


def test_what_was_spilled_is_loaded_in_order_over_many_segments(tmp_path: Path) -> None:
    spill = Spill(tmp_path, 64 * MIB, Counters())
    spill.append(_record(number, 1000) for number in range(3000))
    assert len(list(tmp_path.glob("*/*"))) == 3
    assert _drain(spill) == [str(number) for number in range(3000)]
    assert spill.bytes == 0
    spill.close()
    assert list(tmp_path.iterdir()) == []


def test_beyond_its_bound_the_spill_counts_what_it_drops(tmp_path: Path) -> None:
    counters = Counters()
    spill = Spill(tmp_path, MIB, counters)
    spill.append(_record(number, 100_000) for number in range(20))
    assert counters.spilled == 10
    assert counters.losses() == {"spill_full": 10}
    assert sum(file.stat().st_size for file in tmp_path.glob("*/*")) == spill.bytes <= MIB
    spill.close()


def test_without_a_bound_nothing_touches_the_disk(tmp_path: Path) -> None:
    counters = Counters()
    spill = Spill(tmp_path / "spill", 0, counters)
    spill.append([_record(0)])
    spill.adopt()
    spill.close()
    assert counters.losses() == {"undelivered": 1}
    assert not (tmp_path / "spill").exists()


def test_a_disk_that_cannot_be_written_costs_the_record_and_no_more(tmp_path: Path) -> None:
    counters = Counters()
    spill = Spill(tmp_path, MIB, counters)
    (folder,) = tmp_path.iterdir()
    folder.rmdir()
    spill.append([_record(0)])
    assert counters.losses() == {"spill_failed": 1}
    assert spill.is_empty
    spill.close()


def test_only_the_owner_can_read_what_is_spilled(tmp_path: Path) -> None:
    spill = Spill(tmp_path / "spill", MIB, Counters())
    spill.append([_record(0)])
    (file,) = (tmp_path / "spill").glob("*/*")
    assert [path.stat().st_mode & 0o077 for path in (file, file.parent, tmp_path / "spill")] == [0, 0, 0]
    spill.close()


def test_the_living_keep_their_folder_and_the_dead_are_inherited_in_order(tmp_path: Path) -> None:
    alive, ended, heir = (Spill(tmp_path, MIB, Counters()) for _ in range(3))
    alive.append([_record(1)])
    ended.append([_record(2)])
    ended.close()
    heir.append([_record(3)])
    heir.adopt()
    assert _drain(heir) == ["2", "3"]
    assert _drain(alive) == ["1"]
    alive.close()
    heir.close()
    assert list(tmp_path.iterdir()) == []


def test_an_inheritance_that_does_not_fit_is_left_where_it_is(tmp_path: Path) -> None:
    rich = Spill(tmp_path, 4 * MIB, Counters())
    rich.append(_record(number, 100_000) for number in range(35))
    rich.close()
    poor = Spill(tmp_path, MIB, Counters())
    poor.adopt()
    assert poor.bytes <= MIB
    poor.close()
    heir = Spill(tmp_path, 4 * MIB, Counters())
    heir.adopt()
    assert _drain(heir) == [str(number) for number in range(35)]
    heir.close()


KILLED = """
import os, signal, sys
from pathlib import Path
from kaizen.event import Record
from kaizen.spill import Spill
from kaizen.stats import Counters
spill = Spill(Path(sys.argv[1]), 1 << 20, Counters())
spill.append(Record(b"", b"", str(number), "") for number in range(5))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("torn", [False, True])
def test_what_a_killed_process_spilled_is_inherited_and_its_torn_tail_counted(tmp_path: Path, torn: bool) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", KILLED, tmp_path], env=environment, check=False)
    (file,) = tmp_path.glob("*/*")
    if torn:
        os.truncate(file, file.stat().st_size - 1)
    counters = Counters()
    spill = Spill(tmp_path, MIB, counters)
    spill.adopt()
    assert _drain(spill) == [str(number) for number in range(4 if torn else 5)]
    assert counters.corrupt == torn
    spill.close()

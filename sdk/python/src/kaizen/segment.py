"""Records as bytes in a spill file, each with a checksum.

A record is `length, crc32` of its body, both little-endian 32 bits; the body is the key, the event's id and the trace,
each behind its 32-bit length, and then the value.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from zlib import crc32

from kaizen.event import Record

_HEADER = struct.Struct("<II")
_LENGTH = struct.Struct("<I")


def write(record: Record) -> bytes:
    """The record as it is appended to a file."""
    parts: list[bytes] = []
    for part in (record.key, record.event_id.encode("utf-8", "replace"), record.traceparent.encode()):
        parts += (_LENGTH.pack(len(part)), part)
    body = b"".join([*parts, record.value])
    return _HEADER.pack(len(body), crc32(body)) + body


def read(content: bytes) -> Iterator[Record | None]:
    """The records of a file, `None` where one is damaged.

    What a crash cut short ends the file; a damaged record of the right length is skipped alone.
    """
    position = 0
    while position < len(content):
        start = position + _HEADER.size
        if start > len(content):
            yield None
            return
        length, checksum = _HEADER.unpack_from(content, position)
        position = start + length
        if position > len(content):
            yield None
            return
        body = content[start:position]
        yield _record(body) if crc32(body) == checksum else None


def _record(body: bytes) -> Record:
    position = 0
    parts = []
    for _ in range(3):
        (length,) = _LENGTH.unpack_from(body, position)
        position += _LENGTH.size + length
        parts.append(body[position - length : position])
    key, event_id, traceparent = parts
    return Record(key, body[position:], event_id.decode(), traceparent.decode())

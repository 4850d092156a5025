"""Records as bytes in a spill file, each with a checksum.

A record is the `length` of its body, the `crc32` of length and body, both little-endian 32 bits, and the body: the key,
the event's id and the trace, each behind its 32-bit length, and then the value.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from zlib import crc32

from kaizen.event import Record

_HEADER = struct.Struct("<II")
_LENGTH = struct.Struct("<I")
_SHORTEST = 3 * _LENGTH.size


def write(record: Record) -> bytes:
    """The record as it is appended to a file."""
    parts: list[bytes] = []
    for part in (record.key, record.event_id.encode("utf-8", "replace"), record.traceparent.encode()):
        parts += (_LENGTH.pack(len(part)), part)
    body = b"".join([*parts, record.value])
    return _HEADER.pack(len(body), _checksum(body)) + body


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
        if position > len(content) or length < _SHORTEST:
            yield None
            return
        body = content[start:position]
        yield _record(body) if _checksum(body) == checksum else None


def _checksum(body: bytes) -> int:
    # With the length, because zeros, which a crash may leave, are an empty body of checksum 0.
    return crc32(body, crc32(_LENGTH.pack(len(body))))


def _record(body: bytes) -> Record:
    position = 0
    parts = []
    for _ in range(3):
        (length,) = _LENGTH.unpack_from(body, position)
        position += _LENGTH.size + length
        parts.append(body[position - length : position])
    key, event_id, traceparent = parts
    return Record(key, body[position:], event_id.decode(), traceparent.decode())

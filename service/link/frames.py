"""Frames: what travels between two processes, a header in JSON and then arrays as they lie in memory.

Knows nothing of sockets, or of what a frame means. Never pickle: a wrong frame is refused, and can run nothing.

    u32 length of the frame | u32 length of the header | header, padded to 8 bytes | array, padded | array, padded …

Numbers are little-endian. The header's "arrays" are [name, dtype, shape], in the order in which the arrays follow.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

LIMIT = 256 * 2**20  # bytes; the largest legal answer (16 hypotheses, 256 pieces, 48 heads, 256 positions) has 201 MB
PREFIX = struct.Struct("<II")
ALIGNED = 8
NUMBERS = "biuf"  # kinds of dtype that may travel: bool, integers, floats

Header = dict[str, Any]
Arrays = Mapping[str, np.ndarray]
_encode = json.JSONEncoder(separators=(",", ":"), default=lambda number: number.item()).encode  # numpy's scalars


class BadFrame(ValueError):
    """Bytes that are no frame, or a frame beyond the limit."""


def pack(header: Header, arrays: Arrays, limit: int = LIMIT) -> bytes:
    """One frame.

    Raises:
        BadFrame: it would be larger than the limit.
    """
    flat = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    specs = [[name, array.dtype.str, array.shape] for name, array in flat.items()]
    head = _padded(_encode({**header, "arrays": specs}).encode())
    length = PREFIX.size + len(head) + sum(array.nbytes + -array.nbytes % ALIGNED for array in flat.values())
    if length > limit:
        raise BadFrame(f"a frame of {length} bytes is beyond the limit of {limit}")
    parts = [part for array in flat.values() for part in (array.data, bytes(-array.nbytes % ALIGNED))]
    return b"".join((PREFIX.pack(length, len(head)), head, *parts))


class Frames:
    """Cuts a stream of bytes into frames, however the bytes arrive."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self.buffer = bytearray()

    def feed(self, data: bytes) -> list[tuple[Header, dict[str, np.ndarray]]]:
        """The frames that these bytes complete. Their arrays are writable, and share memory with nothing else.

        Raises:
            BadFrame: nothing more can be read from this stream.
        """
        self.buffer += data
        found, start = [], 0
        while len(self.buffer) - start >= PREFIX.size:
            length, head = PREFIX.unpack_from(self.buffer, start)
            if length > self.limit or PREFIX.size + head > length:
                raise BadFrame(f"a frame of {length} bytes with a header of {head}; the limit is {self.limit}")
            if len(self.buffer) - start < length:
                break
            found.append(_unpacked(self.buffer[start : start + length], head))
            start += length
        del self.buffer[:start]
        return found


def _unpacked(frame: bytearray, head: int) -> tuple[Header, dict[str, np.ndarray]]:
    """The header and the arrays of one whole frame."""
    try:
        place = PREFIX.size + head
        header: Header = json.loads(frame[PREFIX.size : place].decode())
        arrays = {}
        for name, kind, shape in header.pop("arrays"):
            dtype, count = _dtype(kind), math.prod(shape)
            if min(shape, default=0) < 0:
                raise BadFrame("an array of less than nothing")
            arrays[name] = np.frombuffer(frame, dtype, count, place).reshape(shape) if count else np.zeros(shape, dtype)
            place += count * dtype.itemsize + -count * dtype.itemsize % ALIGNED
        return header, arrays
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise wrong if isinstance(wrong, BadFrame) else BadFrame(f"not a frame: {type(wrong).__name__}") from wrong


@cache
def _dtype(kind: str) -> np.dtype[Any]:
    """The dtype of a name.

    Raises:
        BadFrame: not one that may travel.
    """
    dtype = np.dtype(kind)
    if dtype.kind not in NUMBERS:
        raise BadFrame(f"an array of {dtype} may not travel")
    return dtype


def _padded(head: bytes) -> bytes:
    return head + b" " * (-(PREFIX.size + len(head)) % ALIGNED)

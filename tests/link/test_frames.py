"""Frames survive any cutting of the stream, keep every bit, and refuse what is none."""

from __future__ import annotations

import json
import pickle
import struct

import numpy as np
import pytest

from service.link.frames import BadFrame, Frames, pack

ARRAYS: dict[str, np.ndarray] = {
    "ids": np.array([3, 1, 2], np.int64),
    "map": np.arange(15, dtype=np.float32).reshape(3, 5) / 7,
    "turned": np.arange(15, dtype=np.float32).reshape(3, 5).T,
    "every second": np.arange(20, dtype=np.int32)[::2],
    "odd": np.array([1, 0, 1], bool),
    "none": np.zeros((0, 4), np.float32),
    "one": np.array(2.5),
    "half": np.array([1.5, np.inf, np.nan], np.float16),
}


def same(found: dict[str, np.ndarray]) -> None:
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype and found[name].shape == array.shape, name
        assert np.array_equal(found[name], array, equal_nan=array.dtype.kind == "f"), name


@pytest.mark.parametrize("piece", [1, 7, 100, 10_000])
def test_what_goes_in_comes_out_however_the_bytes_arrive(piece) -> None:
    stream = b"".join(pack({"number": i, "score": -1 / 3, "über": "ß\ud800"}, ARRAYS) for i in range(3))
    frames = Frames()
    found = [one for start in range(0, len(stream), piece) for one in frames.feed(stream[start : start + piece])]
    assert [header for header, _ in found] == [{"number": i, "score": -1 / 3, "über": "ß\ud800"} for i in range(3)]
    for _, arrays in found:
        same(arrays)
    assert not frames.buffer


def test_arrays_are_aligned_writable_and_their_own() -> None:
    frames = Frames()
    ((_, one), (_, other)) = frames.feed(pack({"a": "xyz"}, ARRAYS) + pack({}, ARRAYS))
    assert all(array.flags.aligned and array.flags.writeable for array in one.values())
    one["map"][:] = -1
    same(other)


def test_numbers_of_numpy_travel_as_numbers() -> None:
    ((header, _),) = Frames().feed(pack({"beam": np.int64(4), "share": np.float32(0.5)}, {}))
    assert header == {"beam": 4, "share": 0.5}


def test_a_frame_beyond_the_limit_is_neither_sent_nor_awaited() -> None:
    with pytest.raises(BadFrame, match="limit"):
        pack({}, {"big": np.zeros(100)}, limit=500)
    with pytest.raises(BadFrame, match="limit"):
        Frames(limit=500).feed(pack({}, {"big": np.zeros(100)})[:8])


def frame(header: bytes, rest: bytes = b"") -> bytes:
    return struct.pack("<II", 8 + len(header) + len(rest), len(header)) + header + rest


OBJECTS = json.dumps({"arrays": [["x", "|O", [1]]]}).encode()
TEXT = json.dumps({"arrays": [["x", "<U1", [1]]]}).encode()
SHORT = json.dumps({"arrays": [["x", "<f4", [9]]]}).encode()
NONE = {
    "noise": b"\xff" * 64,
    "a header longer than its frame": struct.pack("<II", 16, 64) + b" " * 8,
    "a frame shorter than its prefix": struct.pack("<II", 4, 0),
    "no JSON": frame(b"{nothing"),
    "no object": frame(b"[1, 2]"),
    "no arrays named": frame(b"{}"),
    "objects": frame(OBJECTS, pickle.dumps("run me")),
    "text": frame(TEXT, b"1234"),
    "less than announced": frame(SHORT, b"1234"),
    "a negative shape": frame(json.dumps({"arrays": [["x", "<f4", [-1]]]}).encode(), b"1234"),
}


@pytest.mark.parametrize("data", NONE.values(), ids=NONE)
def test_what_is_no_frame_is_refused(data) -> None:
    with pytest.raises(BadFrame):
        Frames().feed(data)

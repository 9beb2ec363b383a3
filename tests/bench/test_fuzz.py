"""Fuzzing: pictures follow from their numbers, what kills the decoder is found, and the API keeps its word."""

from __future__ import annotations

import argparse
import multiprocessing
import os
from pathlib import Path

import pytest

from bench.fuzz import api, pictures
from bundle.image import read


def test_a_picture_and_its_damage_follow_from_its_number() -> None:
    for number in range(40):
        assert read(pictures.picture(number), formats=pictures.KINDS).width >= 1
        assert pictures.damaged(number) == pictures.damaged(number)
    assert len({pictures.damaged(number) for number in range(40)}) == 40


def test_three_hundred_damaged_pictures_are_read_or_refused_within_their_memory() -> None:
    found = pictures.fuzz(0, 300, 600)
    assert found["read"] > 10 and found["unreadable"] > 10
    assert not found["crashed"] and not found["raised"] and not found["slow"]
    assert found["read"] + found["unreadable"] + found["too_large"] == 300


def test_a_decoder_that_dies_or_raises_is_a_finding_and_the_next_picture_has_its_turn(monkeypatch, capfd) -> None:
    context = multiprocessing.get_context("fork")  # so that the child sees what is patched here
    monkeypatch.setattr(multiprocessing, "get_context", lambda _: context)
    monkeypatch.setattr(pictures, "damaged", lambda number: bytes([number]))

    def decode(data: bytes, **_: object) -> None:
        if data == b"\x03":
            os._exit(9)
        if data == b"\x05":
            raise RuntimeError("swordfish")

    monkeypatch.setattr(pictures, "read", decode)
    found = pictures.fuzz(0, 8, 10_000)
    assert (found["crashed"], found["raised"], found["read"]) == (1, 1, 6)
    assert "picture 3: crashed, exit code 9" in capfd.readouterr().out


@pytest.mark.slow
def test_generated_requests_find_nothing_that_breaks_the_documents_word(toys: Path, capsys) -> None:
    how = {"bundles": [toys / "toy-echo"], "set": [], "examples": 5, "seconds": 12, "seed": 1, "workers": 1}
    status = api.run(argparse.Namespace(**how))
    said = capsys.readouterr().out
    assert status == 0, said
    assert int(said.rpartition('"generated": ')[2].split(",")[0]) > 100, said

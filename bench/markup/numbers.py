"""Numbers of a text that are in its translation, with what models cannot read copied and without; a server of its own.

Knows nothing of how they are copied. Counted are those that the reference has too, as they stand in the text.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench.machine import machine, told
from bench.markup.protect import TEXTS, post, served
from bench.texts import read

NUMBER = re.compile(r"\d[\d.,:/-]*\d|\d")


class Pair(NamedTuple):
    """A text, and its translation by a human."""

    text: str
    reference: str


def options(parser: argparse.ArgumentParser) -> None:
    """What the subcommand takes."""
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--texts", type=Path, required=True, help="a text a line; .xz files are unpacked")
    parser.add_argument("--references", type=Path, required=True, help="the same lines, translated")
    parser.add_argument("--source", required=True, help="a language")
    parser.add_argument("--target", required=True)
    parser.add_argument("--most", type=int, default=150, help="texts with numbers, the first of them")
    parser.add_argument("--characters", type=int, default=160, help="no longer texts")


def run(given: argparse.Namespace) -> int:
    """Translate twice, and count."""
    print(told())
    pairs = chosen(given)
    languages = {"source": given.source, "target": given.target}
    figures: dict[str, Any] = {"texts": len(pairs), **languages}
    with tempfile.TemporaryDirectory() as zoo, served(given.bundle, Path(zoo)) as server:
        for unknown in ("none", "auto"):
            there, asked = counted(pairs, translated(server.url, pairs, unknown, languages))
            print(f"unknown: {unknown:4}  {there} of {asked} numbers, {100 * there / max(asked, 1):.0f} %")
            figures |= {"numbers": asked, unknown: there}
    print(json.dumps({"numbers_of": given.bundle.name, **figures, **machine()}))
    return 0


def chosen(given: argparse.Namespace) -> list[Pair]:
    """The first lines that have a number and are not too long.

    Raises:
        ValueError: texts and references are not one for one.
    """
    pairs = [Pair(*both) for both in zip(read(given.texts), read(given.references), strict=True)]
    return [one for one in pairs if NUMBER.search(one.text) and len(one.text) <= given.characters][: given.most]


def translated(url: str, pairs: Sequence[Pair], unknown: str, languages: dict[str, str]) -> list[str]:
    """The answers, in order."""
    out = []
    for first in range(0, len(pairs), TEXTS):
        texts = [one.text for one in pairs[first : first + TEXTS]]
        body = {"text": texts, "unknown": unknown, "attention": "none", **languages}
        out += [result["text"] for result in post(url + "/v1/translate", body)["results"]]
    return out


def counted(pairs: Sequence[Pair], answers: Sequence[str]) -> tuple[int, int]:
    """Numbers that text and reference share: how many of them an answer has, and how many there are."""
    there = asked = 0
    for pair, answer in zip(pairs, answers, strict=True):
        shared = [number for number in NUMBER.findall(pair.text) if number in NUMBER.findall(pair.reference)]
        asked += len(shared)
        there += sum(number in NUMBER.findall(answer) for number in shared)
    return there, asked

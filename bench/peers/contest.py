"""Engines that take turns at the same inputs: each is tuned, then all run in rounds, and medians are compared.

Knows nothing of any one engine: a contestant is a command that speaks as `bench.peers.inside.turns` does. Rounds are
interleaved, so that a machine that gets slower meanwhile is unfair to nobody; one contestant works at a time.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from bench.peers.environments import ROOT

Setting = dict[str, Any]
PAUSE = 0.5  # seconds before a turn, in which the threads of the last contestant fall asleep


class Silent(RuntimeError):
    """A contestant ended without an answer."""


class Entry(NamedTuple):
    """Who competes: a name, a command, what is the same for its whole contest, and the settings to choose from."""

    name: str
    command: Sequence[str]
    fixed: Setting
    choices: Sequence[Setting]
    environment: Mapping[str, str] = {}


class Result(NamedTuple):
    """The median of an entry's runs under its best setting."""

    name: str
    setting: Setting
    rate: float  # inputs a second
    tokens: float  # of the answers, without EOS, a second
    slowest: float  # inputs a second, in the slowest run
    fastest: float
    rss: float  # MB
    answers: list[list[int]]
    about: Mapping[str, Any]


class Contestant:
    """A running entry."""

    def __init__(self, entry: Entry, log: Path) -> None:
        self.entry, self.log = entry, log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as errors:
            self.process = subprocess.Popen(  # noqa: S603  the command is the bench's own
                entry.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=ROOT,
                env={**os.environ, **entry.environment},
            )
        try:
            self.about = self._heard()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it."""
        self.process.kill()
        with contextlib.suppress(BrokenPipeError):  # a setting that it did not read
            self.process.communicate()

    def turn(self, setting: Setting) -> dict[str, Any]:
        """One run; what the contestant says of it.

        Raises:
            Silent: it ended.
        """
        time.sleep(PAUSE)
        line = json.dumps({**self.entry.fixed, **setting}) + "\n"
        with contextlib.suppress(BrokenPipeError):  # what it has to say of that is in its log
            if self.process.stdin:
                self.process.stdin.write(line)
                self.process.stdin.flush()
        return self._heard()

    def _heard(self) -> dict[str, Any]:
        line = self.process.stdout.readline() if self.process.stdout else ""
        if not line:
            raise Silent(f"{self.entry.name} ended; see {self.log}")
        heard: dict[str, Any] = json.loads(line)
        return heard


def tuned(entry: Entry, log: Path, few: int) -> Setting:
    """The fastest of an entry's choices: each is run twice on the first few inputs, the better run counts."""
    if len(entry.choices) == 1:
        return dict(entry.choices[0])
    with Contestant(entry, log) as one:
        one.turn({**entry.choices[0], "inputs": few})  # warm
        seconds = [min(one.turn({**choice, "inputs": few})["seconds"] for _ in range(2)) for choice in entry.choices]
    return dict(entry.choices[seconds.index(min(seconds))])


def contest(entries: Sequence[Entry], logs: Path, *, runs: int, few: int) -> list[Result]:
    """Tune every entry, then run all in turn, each in a fresh process, `runs` rounds after one that does not count."""
    settings = [tuned(entry, logs / f"{entry.name}.log", few) for entry in entries]
    running: list[Contestant] = []
    try:
        running += [Contestant(entry, logs / f"{entry.name}.log") for entry in entries]
        first = [one.turn({**how, "answers": True}) for one, how in zip(running, settings, strict=True)]
        rounds = [[one.turn(how) for one, how in zip(running, settings, strict=True)] for _ in range(runs)]
    finally:
        for one in running:
            one.close()
    return [
        _result(one, how, begun["answers"], [done[place] for done in rounds])
        for place, (one, how, begun) in enumerate(zip(running, settings, first, strict=True))
    ]


def _result(one: Contestant, how: Setting, answers: list[list[int]], turns: Sequence[Mapping[str, Any]]) -> Result:
    rates = [turn["inputs"] / turn["seconds"] for turn in turns]
    return Result(
        name=one.entry.name,
        setting=how,
        rate=statistics.median(rates),
        tokens=statistics.median(turn["tokens"] / turn["seconds"] for turn in turns),
        slowest=min(rates),
        fastest=max(rates),
        rss=max(turn["rss_mb"] for turn in turns),
        answers=answers,
        about=one.about,
    )


def agreement(one: Result, other: Result) -> float:
    """The share of inputs to which both gave the very same answer."""
    pairs = list(zip(one.answers, other.answers, strict=True))
    return sum(a == b for a, b in pairs) / max(1, len(pairs))

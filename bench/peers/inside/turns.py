"""A contestant's side of a contest: a setting a line comes in, the figures of one run go out.

Knows nothing of engines. Whatever a library prints goes to standard error.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

Setting = Mapping[str, Any]


class Turn(NamedTuple):
    """One run over all inputs: wall-clock seconds, and the ids of each answer without EOS, in the inputs' order."""

    seconds: float
    answers: Sequence[Sequence[int]]
    helpers_mb: float = 0.0  # the most memory that processes beside this one ever held


def take_turns(play: Callable[[Setting], Turn], about: Mapping[str, Any]) -> None:
    """Say hello with `about`, then play a turn for each line until there are no more."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    _say(out, about)
    for line in sys.stdin:
        setting = json.loads(line)
        turn = play(setting)
        answers = [[int(i) for i in one] for one in turn.answers]
        figures = {
            "seconds": turn.seconds,
            "inputs": len(answers),
            "tokens": sum(map(len, answers)),
            "rss_mb": _peak() + turn.helpers_mb,
        }
        _say(out, {**figures, "answers": answers} if setting.get("answers") else figures)


def _say(out: Any, message: Mapping[str, Any]) -> None:
    out.write(json.dumps(message) + "\n")
    out.flush()


def _peak() -> float:
    """The most memory this process ever held, in MB. (getrusage would count the parent's before exec.)"""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024 if found else 0.0

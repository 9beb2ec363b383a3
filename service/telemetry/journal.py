"""What befell one request: its phases with their times, and how much was said in answer.

Knows nothing of what was said, of clocks, or of who reads it. Times are time.monotonic() seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

ENGINE = {"queue": "queue", "encode": "encode", "decode": "steps"}  # an engine's timings, and the phases they are


class Phase(NamedTuple):
    """A span of time; `input` is which text of the request it was about, None for all of them."""

    name: str
    began: float
    ended: float
    input: int | None = None


@dataclass
class Journal:
    """`inputs` texts or pictures, and `tokens` that answered them."""

    phases: list[Phase] = field(default_factory=list)
    inputs: int = 0
    tokens: int = 0

    def note(self, name: str, began: float, ended: float) -> None:
        """A phase of the front's own."""
        self.phases.append(Phase(name, began, ended))

    def answered(self, input_: int, timings: Mapping[str, float], tokens: int, now: float) -> None:
        """An engine answered one input, just now: its phases, laid out backwards from there."""
        self.tokens += tokens
        ended = now
        for told, name in reversed(ENGINE.items()):
            began = ended - timings.get(told, 0.0)
            self.phases.append(Phase(name, began, ended, input_))
            ended = began

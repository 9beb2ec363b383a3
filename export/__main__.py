"""python -m export RUN BUNDLE --data DIR; or align, back, candidates, confidence, distil, lengths, rebuild, recover,
renew, score, toy, trust or tune.

Knows nothing of how any of it is done.
"""

from __future__ import annotations

import logging
import sys

from export import (
    align,
    back,
    candidates,
    confidence,
    distil,
    lengths,
    rebuild,
    recover,
    renew,
    score,
    ship,
    toy,
    trust,
    tune,
)
from export.machine import cores
from service.engine.session import share_threads

COMMANDS = {
    "align": align.main,
    "back": back.main,
    "candidates": candidates.main,
    "confidence": confidence.main,
    "distil": distil.main,
    "lengths": lengths.main,
    "rebuild": rebuild.main,
    "recover": recover.main,
    "renew": renew.main,
    "score": score.main,
    "toy": toy.main,
    "trust": trust.main,
    "tune": tune.main,
}


def main(arguments: list[str]) -> int:
    """Run one of them; 1 where parity refuses the bundle."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    share_threads(cores())
    if arguments and arguments[0] in COMMANDS:
        return COMMANDS[arguments[0]](arguments[1:])
    return ship.main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

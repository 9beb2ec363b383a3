"""Which engines a cluster runs: groups of models, each with a device and how many there are, at least and at most.

Pure: no Ray in it. Written `MODEL+MODEL@DEVICE=LEAST-MOST; …`, as HEED_RAY_ENGINES says it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from service.errors import Meaningless

ALL = "*"
GROUP = re.compile(
    r"(?P<models>[^@=;]+)(@(?P<device>cpu|gpu)(:(?P<share>\d+(\.\d+)?))?)?(=(?P<least>\d+)(-(?P<most>\d+))?)?"
)


class Group(NamedTuple):
    """Engines that are alike."""

    models: tuple[str, ...]
    gpu: float  # share of a GPU that each takes; 0 is the CPU
    least: int
    most: int

    @property
    def name(self) -> str:
        """Of its deployment: letters that every tool bears."""
        return "engine-" + re.sub(r"[^A-Za-z0-9]+", "-", "-".join(self.models))[:60] + ("-gpu" if self.gpu else "")


def groups(written: str, models: Sequence[str]) -> list[Group]:
    """The groups that are written; models: those there are, which `*` stands for.

    Raises:
        Meaningless: it is written wrongly, names a model that is not there, or leaves one out.
    """
    found = [_group(part.strip(), models) for part in written.split(";") if part.strip()]
    unserved = sorted(set(models) - {model for one in found for model in one.models})
    if unserved:
        raise Meaningless(f"HEED_RAY_ENGINES: no engine has {', '.join(unserved)}")
    if len({one.name for one in found}) < len(found):
        raise Meaningless("HEED_RAY_ENGINES: two groups are of the same models and device")
    return found


def _group(part: str, models: Sequence[str]) -> Group:
    match = GROUP.fullmatch(part)
    if match is None:
        raise Meaningless(f"HEED_RAY_ENGINES: {part!r} is not MODEL+MODEL@DEVICE=LEAST-MOST")
    named = tuple(models) if match["models"].strip() == ALL else tuple(match["models"].strip().split("+"))
    strange = [name for name in named if name not in models]
    if strange:
        raise Meaningless(f"HEED_RAY_ENGINES: there is no model named {strange[0][:80]!r}")
    least = int(match["least"] or 1)
    most = int(match["most"] or least)
    gpu = float(match["share"] or 1) if match["device"] == "gpu" else 0.0
    if (
        not 1 <= least <= most
        or (match["device"] == "gpu" and not gpu)
        or (match["device"] == "cpu" and match["share"])
    ):
        raise Meaningless(f"HEED_RAY_ENGINES: {part!r} cannot be: LEAST from 1 to MOST, a share of a GPU above 0")
    return Group(named, gpu, least, most)

"""Which engines a cluster runs: groups of models, each with a device and how many there are, at least and at most.

Pure: no Ray in it. Written `MODEL+MODEL@DEVICE=LEAST-MOST; …`, as HEED_RAY_ENGINES says it; a MODEL is a name, which is
every version of it that is served, or `name@version`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from bundle.manifest import AT
from service.errors import Meaningless

ALL = "*"
GROUP = re.compile(
    r"(?P<models>[^=;]+?)(@(?P<device>cpu|gpu)(:(?P<share>\d+(\.\d+)?))?)?(=(?P<least>\d+)(-(?P<most>\d+))?)?"
)


class Group(NamedTuple):
    """Engines that are alike."""

    wanted: tuple[str, ...]  # as written: who is alike before and after a change of versions has the same name
    models: tuple[str, ...]  # by id
    gpu: float  # share of a GPU that each takes; 0 is the CPU
    least: int
    most: int

    @property
    def name(self) -> str:
        """Of its deployment: letters that every tool bears."""
        return (
            "engine-"
            + re.sub(r"[^A-Za-z0-9]+", "-", "-".join("all" if one == ALL else one for one in self.wanted))[:60]
            + ("-gpu" if self.gpu else "")
        )


def groups(written: str, models: Sequence[str]) -> list[Group]:
    """The groups that are written; models: ids of those there are, which `*` stands for.

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
    wanted = tuple(match["models"].strip().split("+"))
    found = dict.fromkeys(model for one in wanted for model in _meant(one, models))
    least = int(match["least"] or 1)
    most = int(match["most"] or least)
    gpu = float(match["share"] or 1) if match["device"] == "gpu" else 0.0
    if (
        not 1 <= least <= most
        or (match["device"] == "gpu" and not gpu)
        or (match["device"] == "cpu" and match["share"])
    ):
        raise Meaningless(f"HEED_RAY_ENGINES: {part!r} cannot be: LEAST from 1 to MOST, a share of a GPU above 0")
    return Group(wanted, tuple(found), gpu, least, most)


def _meant(written: str, models: Sequence[str]) -> list[str]:
    """The ids that a model of a group stands for.

    Raises:
        Meaningless: none.
    """
    found = [model for model in models if written in (ALL, model, model.partition(AT)[0])]
    if not found:
        raise Meaningless(f"HEED_RAY_ENGINES: there is no model named {written[:80]!r}")
    return found

"""The Compose files as plain data: anchors merged, Compose's own tags read, variables at their defaults.

Knows nothing of what should be in them.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from tests.house.tree import ROOT

VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::-(?P<default>[^}]*))?\}")


class Loader(yaml.SafeLoader):
    """YAML, and `!reset`, which takes away what another file says."""


Loader.add_constructor("!reset", lambda _, node: [])


def services(name: str) -> dict[str, dict[str, Any]]:
    """The services of a Compose file, as somebody who has set nothing gets them."""
    written = VARIABLE.sub(lambda found: found["default"] or "", (ROOT / name).read_text("utf-8"))
    read: dict[str, dict[str, Any]] = yaml.load(written, Loader)["services"]  # noqa: S506  a SafeLoader
    return read


SERVICES = {**services("compose.yaml"), "balancer": services("docker/scale.yaml")["balancer"]}
DOCKERFILES = sorted(ROOT.glob("docker/**/*.Dockerfile"))
SCRIPTS = [ROOT / "docker/check", *sorted(ROOT.glob("docker/check.d/*.bash"))]


def seconds(written: str) -> float:
    """A duration as Compose has it, in one unit."""
    return float(written[:-1]) * {"s": 1, "m": 60}[written[-1]]

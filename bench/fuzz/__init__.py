"""What nobody would send on purpose: mutated pictures for the decoder, generated requests for every route.

Knows nothing of how either is made: each is a file, with what it takes (`options`) and does (`run`).
"""

from __future__ import annotations

import argparse
from types import ModuleType

from bench.fuzz import api, pictures

KINDS: dict[str, ModuleType] = {"api": api, "pictures": pictures}


def options(parser: argparse.ArgumentParser) -> None:
    """What the subcommand takes."""
    kinds = parser.add_subparsers(dest="kind", required=True)
    for name, module in KINDS.items():
        told = (module.__doc__ or "").partition("\n")[0]
        module.options(kinds.add_parser(name, help=told, description=told))


def run(given: argparse.Namespace) -> int:
    """Fuzz; 0 if nothing was found."""
    status: int = KINDS[given.kind].run(given)
    return status

"""python -m bench engine | http | document | peers | chaos | ray | siege | fuzz | page | …: tables, and lines of JSON.

Knows nothing of how anything is measured: each subcommand is a file, with what it takes (`options`) and does (`run`).
"""

from __future__ import annotations

import argparse
import sys
from types import ModuleType

from bench import chaos, cluster, document, engine, fuzz, http, page, siege, single
from bench.markup import numbers, pages, protect
from bench.peers import compare

COMMANDS: dict[str, ModuleType] = {"engine": engine, "http": http, "peers": compare, "chaos": chaos, "ray": cluster}
COMMANDS |= {"document": document, "siege": siege, "fuzz": fuzz, "page": page, "protect": protect, "markup": pages}
COMMANDS |= {"single": single, "numbers": numbers}


def main(arguments: list[str]) -> int:
    """Run a subcommand; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Heed, alone and beside others.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, module in COMMANDS.items():
        told = (module.__doc__ or "").partition("\n")[0]
        module.options(commands.add_parser(name, help=told, description=told))
    given = parser.parse_args(arguments)
    status: int = COMMANDS[given.command].run(given)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

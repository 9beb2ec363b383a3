"""What survives a translation: generated strings with placeholders and protected spans, through a server of its own.

Knows nothing of how they are kept.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from bench.machine import machine, told
from bench.markup.strings import String, lost, strings
from bench.server import Server

LOG = Path(".bench/logs/markup.log")
TEXTS = 50  # a request


def options(parser: argparse.ArgumentParser) -> None:
    """What the subcommand takes."""
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--strings", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    add_languages(parser)
    parser.add_argument("--show", type=int, default=5, help="so many strings with their answers are printed")


def run(given: argparse.Namespace) -> int:
    """Translate the strings, and count what did not survive."""
    print(told())
    asked = strings(given.strings, given.seed)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as zoo, served(given.bundle, Path(zoo)) as server:
        answers = translated(server.url, asked, languages(given))
        plain = translated(server.url, asked, languages(given), protected=False)
    wrong = [(one, answer) for one, answer in zip(asked, answers, strict=True) if lost(one, answer)]
    for one, answer in [*wrong, *list(zip(asked, answers, strict=True))[: given.show]]:
        print(f"{one.text!r} → {answer!r}" + "".join(f"  LOST {what}" for what in lost(one, answer)))
    figures = {
        "strings": len(asked),
        "kept": sum(sum(one.kept.values()) for one in asked),
        "broken": len(wrong),
        "broken_unprotected": sum(bool(lost(one, answer)) for one, answer in zip(asked, plain, strict=True)),
        "seconds": round(time.perf_counter() - began, 1),
    }
    print(json.dumps({"protect": given.bundle.name, **figures, **machine()}))
    return int(bool(wrong))


def add_languages(parser: argparse.ArgumentParser) -> None:
    """What a bundle of several pairs has to be told."""
    parser.add_argument("--source", help="a language, where the bundle has several pairs")
    parser.add_argument("--target")


def languages(given: argparse.Namespace) -> dict[str, str]:
    """The languages that were said, as fields of a request."""
    return {name: vars(given)[name] for name in ("source", "target") if vars(given)[name]}


def served(bundle: Path, zoo: Path) -> Server:
    """A server of this one bundle on a free port."""
    (zoo / bundle.name).symlink_to(bundle.resolve())
    command = [sys.executable, "-m", "service", "serve"]
    return Server(command, ready="/health/ready", log=LOG, environment={"HEED_PORT": "{port}", "HEED_ZOO": str(zoo)})


def translated(url: str, asked: Sequence[String], way: dict[str, str], *, protected: bool = True) -> list[str]:
    """The answers, in order; where nothing is protected, that of a text without words is empty."""
    out = []
    for first in range(0, len(asked), TEXTS):
        some = asked[first : first + TEXTS]
        body: dict[str, Any] = {
            "text": [one.text if protected else f"{one.text} ok" for one in some],
            "attention": "none",
            **way,
        }
        body |= {"protect": [one.protect for one in some]} if protected else {"placeholders": "none", "unknown": "none"}
        out += [result["text"] for result in post(url + "/v1/translate", body)["results"]]
    return out


def post(url: str, body: dict[str, Any]) -> Any:
    """The answer to a JSON body."""
    request = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})  # noqa: S310 - our server
    with urlopen(request, timeout=120) as answer:  # noqa: S310
        return json.load(answer)

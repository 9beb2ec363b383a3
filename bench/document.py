"""A long text in one request: how long it takes, how full the engines' tables are meanwhile, and what memory it costs.

Knows nothing of how a text is split. The server is one of its own; what it says of itself is asked twice a second.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

from bench.line import lines
from bench.server import Server, family
from bundle.manifest import Bundle

EVERY = 0.5  # seconds between two looks
PATIENCE = 3600.0
SEATED = re.compile(r"^heed_seated_sequences\{[^}]*\} (\S+)$", re.MULTILINE)
WAITING = re.compile(r"^heed_queue_depth\{[^}]*\} (\S+)$", re.MULTILINE)


class Look(NamedTuple):
    """What the server said of itself, so many seconds after the text was sent."""

    seconds: float
    seated: float  # sequences
    waiting: float  # beam rows
    memory: float  # MB resident, all its processes together


def options(parser: argparse.ArgumentParser) -> None:
    """What the subcommand takes."""
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--texts", type=Path, required=True, help="a file, a sentence a line")
    parser.add_argument("--words", type=int, default=20_000)
    parser.add_argument("--attention", default="soft")
    parser.add_argument("--plot", type=Path, help="an SVG of the sequences that are seated")
    parser.add_argument("--engines", type=int, default=2)
    parser.add_argument("--log", type=Path, default=Path("runs/document.log"))


def run(given: argparse.Namespace) -> int:
    """Send the text, print a table and a line of JSON; the exit status."""
    pair = Bundle(given.bundle).manifest.pairs[0]
    text, words = document(given.texts, given.words)
    environment = {
        "HEED_ZOO": str(given.bundle.parent),
        "HEED_MODELS": Bundle(given.bundle).manifest.name,
        "HEED_PORT": "{port}",
        "HEED_ENGINES": str(given.engines),
    }
    with Server(
        [sys.executable, "-m", "service", "serve"], ready="/health/ready", log=given.log, environment=environment
    ) as server:
        asked = {"source": pair.source, "target": pair.target, "attention": given.attention}
        _ask(server.url, {**asked, "text": "A small dog."})
        before = _memory(server)
        looks, answer, seconds, size = watched(server, {**asked, "text": text})
    (result,) = answer["results"]
    maps = result.get("attention") or []
    figures = {
        "words": words,
        "sentences": len(maps) if isinstance(maps, list) else 1,
        "lines_kept": result["text"].count("\n") == text.count("\n"),
        "seconds": round(seconds, 1),
        "words_a_second": round(words / seconds, 1),
        "answer_mb": round(size / 1e6, 1),
        "mb_before": round(before),
        "mb_at_most": round(max(look.memory for look in looks)),
        "seated_mean": round(steady(looks), 1),
        "seated_most": max(look.seated for look in looks),
        "load": round(os.getloadavg()[0], 1),
        "timings": answer["timings"],
    }
    for name, value in figures.items():
        print(f"{name:>16}  {value}")
    print(json.dumps({"bench": "document", "bundle": given.bundle.name, **figures}))
    if given.plot:
        given.plot.write_text(
            lines(
                {"sequences seated": [(look.seconds, look.seated) for look in looks]},
                title=f"{words} words in one request",
            )
        )
    return 0 if figures["lines_kept"] else 1


def document(path: Path, words: int) -> tuple[str, int]:
    """Whole lines of a file until there are so many words, ten to a paragraph; and how many words that is."""
    paragraphs: list[list[str]] = [[]]
    found = 0
    for line in path.read_text("utf-8").splitlines():
        if found >= words:
            break
        if len(paragraphs[-1]) == 10:
            paragraphs.append([])
        paragraphs[-1].append(line.strip())
        found += len(line.split())
    return "\n\n".join(" ".join(one) for one in paragraphs), found


def steady(looks: list[Look]) -> float:
    """The mean of what is seated between the first tenth and the last of the time."""
    end = looks[-1].seconds
    inner = [look.seated for look in looks if 0.1 * end <= look.seconds <= 0.9 * end] or [look.seated for look in looks]
    return sum(inner) / len(inner)


def watched(server: Server, asked: dict[str, Any]) -> tuple[list[Look], dict[str, Any], float, int]:
    """Ask, and look meanwhile: what was seen, the answer, its seconds and bytes."""
    looks: list[Look] = []
    over = threading.Event()
    began = time.monotonic()

    def look() -> None:
        while not over.wait(EVERY):
            with urllib.request.urlopen(f"{server.url}/metrics", timeout=60) as told:  # noqa: S310  our own address
                said = told.read().decode()
            seated, waiting = (sum(map(float, found.findall(said))) for found in (SEATED, WAITING))
            looks.append(Look(time.monotonic() - began, seated, waiting, _memory(server)))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        body = _ask(server.url, asked)
        seconds = time.monotonic() - began
    finally:
        over.set()
        watcher.join()
    return looks, json.loads(body), seconds, len(body)


def _ask(url: str, asked: dict[str, Any]) -> bytes:
    sent = urllib.request.Request(  # noqa: S310  our own address
        f"{url}/v1/translate", json.dumps(asked).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(sent, timeout=PATIENCE) as answer:  # noqa: S310
        body: bytes = answer.read()
    return body


def _memory(server: Server) -> float:
    """MB that its processes hold now; pages that they share count in each."""
    leader = server.process.pid if server.process else 0
    pages = 0
    for pid in family(leader):
        try:
            pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        except OSError:
            continue  # it has just ended
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

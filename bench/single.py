"""One request at a time, nothing else going on: what the service adds to the engine's own latency.

Knows nothing of load. Engine and service answer the same text in turns, so that a slow moment hits both; the service
has one engine, of as many threads as the engine alone, and one connection that is kept open.
"""

from __future__ import annotations

import argparse
import json
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median, quantiles

import numpy as np

from bench.http import TASKS, heed, inputs
from bench.load.wire import length, target
from bench.machine import machine, told
from bench.texts import read
from bundle.manifest import Bundle
from bundle.text import EOS
from service.engine.offline import answers
from service.engine.session import Session, share_threads
from service.messages import Job, Options


def options(parser: argparse.ArgumentParser) -> None:
    """What the subcommand takes."""
    parser.add_argument("served", metavar="BUNDLE")
    inputs(parser)
    parser.set_defaults(beam=1, threads=1)
    parser.add_argument("--number", type=int, default=300, help="texts")
    parser.add_argument("--words", type=int, default=8, help="at most so many in a text: short ones")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting HEED_NAME")


def run(given: argparse.Namespace) -> int:
    """Measure, and print a line a side and a line of JSON."""
    texts = [text for text in read(*given.texts) if len(text.split()) <= given.words][: given.number]
    bundle = Bundle(Path(given.served))
    alone = engine(bundle, given)
    threads, given.threads = given.threads, 1  # one engine, of so many threads
    print(told())
    with heed(bundle.path, given, {"threads": threads}) as server, service(server.url, given) as served:
        for text in texts[:20]:
            alone(text), served(text)
        took = [(timed(alone, text), timed(served, text)) for text in texts]
    figures = summary(took)
    for name in ("engine", "service"):
        print(f"{name:>8}  median {figures[name]:.2f} ms, 95th percentile {figures[name + '_p95']:.2f} ms")
    print(f"   ratio  {figures['ratio']:.2f}")
    about = {"bench": "single", "bundle": bundle.manifest.name, "beam": given.beam, "attention": given.attention}
    print(json.dumps({**about, "texts": len(took), **figures, **machine()}))
    return 0


def summary(took: Sequence[tuple[float, float]]) -> dict[str, float]:
    """Milliseconds of both, and the ratio of the medians; took: seconds of each text, the engine's first."""
    figures: dict[str, float] = {}
    for name, seconds in zip(("engine", "service"), zip(*took, strict=True), strict=True):
        figures[name] = round(1000 * median(seconds), 3)
        figures[f"{name}_p95"] = round(1000 * quantiles(seconds, n=20)[-1], 3)
    return figures | {"ratio": round(figures["service"] / figures["engine"], 3)}


def timed(ask: Callable[[str], object], text: str) -> float:
    """Seconds until there is an answer."""
    started = time.perf_counter()
    ask(text)
    return time.perf_counter() - started


def engine(bundle: Bundle, given: argparse.Namespace) -> Callable[[str], object]:
    """The engine in this process: pieces in, ids and rows out."""
    share_threads(given.threads)
    session, told = Session(bundle, precision=given.precision), bundle.manifest
    how = Options(
        given.beam,
        length_penalty=told.search.length_penalty,
        max_length=told.limits.target,
        attention=given.attention != "none",
    )

    def ask(text: str) -> object:
        source = np.array([*bundle.text.ids(text), EOS], np.int64)
        return answers(session, [Job("one", told.name, {"source": source}, how)], rows=given.beam)

    return ask


@contextmanager
def service(url: str, given: argparse.Namespace) -> Iterator[Callable[[str], object]]:
    """The service over a connection that stays open: a body out, the whole answer in.

    Over a bare socket, since a general client takes half a millisecond for itself.
    """
    where = target(url, TASKS["text"])

    def ask(text: str) -> object:
        body = json.dumps({"text": text, "beam_size": given.beam, "attention": given.attention}).encode()
        line.sendall(where.request(body))
        head, found, whole = b"", b"", b""
        while not found:
            head, found, whole = (head + whole + _more(line)).partition(b"\r\n\r\n")
        missing = length(head) - len(whole)
        while missing > 0:
            whole += (more := _more(line))
            missing -= len(more)
        if not head.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(f"{head[:60]!r}: {whole[:200]!r}")
        return whole

    with closing(socket.create_connection((where.host, where.port))) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield ask


def _more(line: socket.socket) -> bytes:
    data = line.recv(1 << 16)
    if not data:
        raise ConnectionError("the service closed the connection")
    return data

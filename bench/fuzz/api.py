"""Every route of the OpenAPI document with generated inputs, good and bad, by schemathesis: nothing may break its word.

Knows nothing of the service's insides. What counts as a finding: a status of 500 or more, a status, a media type or a
body that the document does not tell of, a good request that is refused as malformed, a method that nobody announced.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.machine import machine, told
from bench.server import Server

LOG = Path(".bench/logs/fuzz.log")
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "missing_required_header",
)
COUNTED = re.compile(r"(\d[\d,]*) generated")


def options(parser: argparse.ArgumentParser) -> None:
    """What the subcommand takes."""
    parser.add_argument("bundles", type=Path, nargs="+", help="to serve, toys best: they answer at once")
    parser.add_argument("--examples", type=int, default=1000, help="inputs generated for each operation and mode")
    parser.add_argument("--seconds", type=int, help="end after this time, however many there were")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting HEED_NAME")


def run(given: argparse.Namespace) -> int:
    """Start the service, generate, and tell what schemathesis tells."""
    print(told())
    with tempfile.TemporaryDirectory() as zoo, served(given, Path(zoo)) as server:
        said = subprocess.run(  # noqa: S603  the command is ours
            command(server.url, given.examples, given.seed, given.workers, given.seconds),
            capture_output=True,
            text=True,
            check=False,
        )
        alive = server.process is not None and server.process.poll() is None
    print(said.stdout[-6000:], said.stderr[-2000:])
    count = COUNTED.search(said.stdout)
    figures = {"generated": int(count[1].replace(",", "")) if count else 0, "status": said.returncode, "alive": alive}
    print(json.dumps({"fuzz": "api", **figures, **machine()}))
    return said.returncode or int(not alive)


def command(url: str, examples: int, seed: int, workers: int, seconds: int | None = None) -> list[str]:
    """schemathesis, over the whole document."""
    program = str(Path(sys.executable).with_name("schemathesis"))
    how = ["--max-examples", str(examples), "--seed", str(seed), "--workers", str(workers), "--continue-on-failure"]
    how += ["--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing", "--generation-database", "none"]
    how += ["--max-time", str(seconds)] if seconds else []
    return [program, "run", f"{url}/openapi.json", *how, "--no-color", "--request-timeout", "30"]


def served(given: argparse.Namespace, zoo: Path) -> Server:
    """Our own service, not yet started, with these bundles in an empty folder."""
    for bundle in given.bundles:
        (zoo / bundle.resolve().name).symlink_to(bundle.resolve())
    settings = {"zoo": str(zoo), **dict(one.split("=", 1) for one in given.set)}
    environment = {f"HEED_{name.upper()}": value for name, value in settings.items()} | {"HEED_PORT": "{port}"}
    return Server([sys.executable, "-m", "service", "serve"], ready="/health/ready", log=LOG, environment=environment)

"""python -m bench engine BUNDLE --texts FILE: figures of the engine alone, as a table and one line of JSON.

Knows nothing of how anything is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from bench.engine import measure, read
from bundle.manifest import Bundle
from service.engine.session import Session, share_threads


def main(arguments: list[str]) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the engine on real text.")
    parser.add_argument("what", choices=["engine"])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--texts", type=Path, required=True, help="a text a line; .xz files are unpacked")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--precision", default="int8")
    parser.add_argument("--beam", type=int, help="default: the manifest's")
    parser.add_argument("--rows", type=int, default=320, help="beam rows stepped at once")
    parser.add_argument("--runs", type=int, default=5, help="the median run is reported")
    given = parser.parse_args(arguments)
    share_threads(given.threads)
    bundle = Bundle(given.bundle)
    session = Session(bundle, precision=given.precision)
    texts = read(given.texts)
    beam = given.beam or bundle.manifest.search.beam_size
    print(f"{'attention':>10} {'sentences/s':>12} {'tokens/s':>9} {'ms a step':>10} {'host ms':>8} {'host %':>7}")
    for attention in (False, True):
        found = measure(session, bundle, texts, beam=beam, rows=given.rows, attention=attention, runs=given.runs)
        print(
            f"{attention!s:>10} {found.sentences:>12.1f} {found.tokens:>9.0f} {found.step_ms:>10.2f} "
            f"{found.host_ms:>8.2f} {100 * found.host_share:>7.1f}"
        )
        settings = {"bundle": bundle.manifest.name, "precision": given.precision, "threads": given.threads}
        print(json.dumps({**settings, "beam": beam, "rows": given.rows, "texts": len(texts), **found._asdict()}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

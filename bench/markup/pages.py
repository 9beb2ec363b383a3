"""Whether HTML stays well formed: fragments of pages that lie on this machine, through a server of its own.

Knows nothing of how tags are kept. Judged by another parser than the one that serves: every element must be there, with
its attributes, and within the same elements as before; nothing else may be.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from lxml import etree, html

from bench.machine import machine, told
from bench.markup.protect import add_languages, languages, post, served

BLOCK = re.compile(r"<(?:p|div|h[1-6]|ul|ol|dl|table|section|pre|blockquote)\b", re.IGNORECASE)
TEXTS = 10  # a request


def options(parser: argparse.ArgumentParser) -> None:
    """What the subcommand takes."""
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--folders", type=Path, nargs="+", default=[Path("/usr/share")], help="where *.html is")
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--characters", type=int, default=3000, help="of each page, from a block on")
    parser.add_argument("--seed", type=int, default=1)
    add_languages(parser)


def run(given: argparse.Namespace) -> int:
    """Translate a fragment of each page, and count what is not as it was."""
    print(told())
    fragments = found(given.folders, given.pages, given.characters, given.seed)
    began, broken, tags = time.perf_counter(), 0, 0
    with tempfile.TemporaryDirectory() as zoo, served(given.bundle, Path(zoo)) as server:
        for first in range(0, len(fragments), TEXTS):
            some = fragments[first : first + TEXTS]
            body = {"text": [text for _, text in some], "format": "html", "attention": "none", "beam_size": 1}
            body |= languages(given)
            for (path, text), result in zip(some, post(server.url + "/v1/translate", body)["results"], strict=True):
                before, after = paths(text), paths(result["text"])
                tags += before.total()
                if before != after:
                    broken += 1
                    print(f"{path}: gone {dict(before - after)}, come {dict(after - before)}")
    figures = {
        "pages": len(fragments),
        "elements": tags,
        "broken": broken,
        "characters": sum(len(t) for _, t in fragments),
    }
    print(
        json.dumps(
            {"pages": given.bundle.name, **figures, "seconds": round(time.perf_counter() - began, 1), **machine()}
        )
    )
    return int(bool(broken))


def found(folders: Sequence[Path], pages: int, characters: int, seed: int) -> list[tuple[Path, str]]:
    """A fragment of so many pages, chosen by the seed: from a block on, so long, up to the end of a tag."""
    all_ = sorted({path.resolve() for folder in folders for path in folder.rglob("*.html") if path.is_file()})
    random.Random(seed).shuffle(all_)  # noqa: S311 - no secret
    fragments: list[tuple[Path, str]] = []
    for path in all_:
        if len(fragments) == pages:
            break
        text = path.read_text("utf-8", "ignore")
        starts = [match.start() for match in BLOCK.finditer(text)]
        if not starts:
            continue
        start = starts[len(starts) // 3]
        cut = text[start : start + characters]
        cut = cut[: cut.rfind(">") + 1]
        if re.search(r"[a-z]{3}", re.sub(r"<[^>]*>", "", cut)):
            fragments.append((path, cut))
    return fragments


def paths(text: str) -> Counter[str]:
    """Each element with its attributes and the elements it is in, as libxml2 reads a fragment."""
    root = html.fragment_fromstring(text, create_parent="div")
    counted: Counter[str] = Counter()
    for element in root.iterdescendants(etree.Element):
        names = [str(one.tag) for one in element.iterancestors()]
        counted["/".join(reversed(names)) + f"/{element.tag} {sorted(element.attrib.items())}"] += 1
    return counted

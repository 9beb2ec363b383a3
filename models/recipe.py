"""A recipe from its file, over the one it is based on.

Knows nothing of what a recipe means. `"base": NAME` names a recipe beside it, of which only the differences are said:
objects are merged key by key, "train+" adds to the list "train", everything else is replaced. So variants of one net
share all that is not their point.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read(path: Path) -> dict[str, Any]:
    """The recipe in a file, whole: without its `base` key."""
    content: dict[str, Any] = json.loads(path.read_text())
    if "base" not in content:
        return content
    base = read(path.with_name(f"{content.pop('base')}.json"))
    return merged(base, content)


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Both, the second having the last word; what it calls "name+" goes to the end of the first one's list "name"."""
    more = {key.removesuffix("+"): value for key, value in over.items() if key.endswith("+")}
    over = {key: value for key, value in over.items() if not key.endswith("+")}
    both = {**base, **over, **{key: [*base.get(key, ()), *value] for key, value in more.items()}}
    for key in base.keys() & over.keys():
        if isinstance(base[key], dict) and isinstance(over[key], dict):
            both[key] = merged(base[key], over[key])
    return both

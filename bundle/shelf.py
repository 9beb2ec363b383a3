"""Bundles side by side, by name and version: one version of each name is its default, and goes by the name alone.

Knows nothing of folders, or of what serves them. A shelf does not change: who takes one off and puts another on gets a
new shelf, so that whoever reads the old one meanwhile sees no half of a change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from bundle.manifest import AT, Bundle


class Shelf(Mapping[str, Bundle]):
    """A mapping. Its keys are `name` for the default version of a name and `name@version` for the others, names in the
    order of preference; the default version is also found under its `name@version`."""

    def __init__(self, bundles: Iterable[Bundle] = ()) -> None:
        """The first bundle of a name is its default."""
        self.names: dict[str, list[Bundle]] = {}  # name to its versions, the default first
        for bundle in bundles:
            self.names.setdefault(bundle.manifest.name, []).append(bundle)

    def __getitem__(self, model: str) -> Bundle:
        name, at, _ = model.partition(AT)
        versions = self.names.get(name, [])
        found = [one for one in versions if one.id == model] if at else versions
        if not found:
            raise KeyError(model)
        return found[0]

    def __iter__(self) -> Iterator[str]:
        for name, (_, *others) in self.names.items():
            yield name
            yield from (one.id for one in others)

    def __len__(self) -> int:
        return sum(map(len, self.names.values()))

    def is_default(self, bundle: Bundle) -> bool:
        """Whether its name alone means this version."""
        return self.names.get(bundle.manifest.name, [None])[0] is bundle

    def with_one(self, bundle: Bundle, *, default: bool = False) -> Shelf:
        """With one more; the first of a name is its default in any case."""
        new = Shelf([*self.values(), bundle])
        return new.preferring(bundle.id) if default else new

    def without(self, model: str) -> Shelf:
        """Without one; where it was the default, the newest version that is left is."""
        gone = self[model]
        new = Shelf(one for one in self.values() if one is not gone)
        left = new.names.get(gone.manifest.name, [])
        return new.preferring(newest(left).id) if self.is_default(gone) and left else new

    def preferring(self, model: str, *, first: bool = False) -> Shelf:
        """With this version as its name's default; first: and its name before all others."""
        chosen = self[model]
        return Shelf(sorted(self.values(), key=lambda one: (one is not chosen) if first else self._place(one, chosen)))

    def _place(self, one: Bundle, chosen: Bundle) -> tuple[int, bool]:
        return list(self.names).index(one.manifest.name), one is not chosen


def newest(bundles: Iterable[Bundle]) -> Bundle:
    """The one with the highest version."""
    return max(bundles, key=lambda one: rank(one.manifest.version))


def rank(version: str) -> list[tuple[bool, int, str]]:
    """How versions are ordered: numbers in them by value, the rest by letters, so that 10 comes after 9."""
    parts = re.findall(r"\d+|[^\d.]+", version)
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]

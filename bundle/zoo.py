"""The zoo: the folder where bundles lie, and which of them are meant by a list of names.

Knows nothing of what is loaded. A name with one version is a folder; one with several is a folder of folders. What the
folders are called is not read: the manifest says name and version.

    zoo/caption-soft/manifest.json
    zoo/en-de-bahdanau/1/manifest.json
    zoo/en-de-bahdanau/2/manifest.json
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bundle.manifest import AT, BadBundle, Bundle, read_manifest
from bundle.shelf import Shelf, rank


def find(folder: Path) -> list[Bundle]:
    """Every bundle in a folder, by name and version.

    Raises:
        BadBundle: one of them is broken, or two are the same version of the same name.
    """
    found: dict[str, Bundle] = {}
    for path in _manifests(folder):
        bundle = Bundle(path.parent)
        if bundle.id in found:
            raise BadBundle(path, f"is {bundle.id}, and so is {found[bundle.id].path}")
        found[bundle.id] = bundle
    return sorted(found.values(), key=lambda one: (one.manifest.name, rank(one.manifest.version)))


def everything(folder: Path) -> Shelf:
    """All of them on a shelf, the newest version of each name its default.

    Raises:
        BadBundle: as in `find`.
    """
    return Shelf(reversed(find(folder)))


def named(folder: Path, names: Sequence[str] | None = None) -> Shelf:
    """The newest version of every name, by precedence, or those that were named, `name` or `name@version`, in order.

    Only what was named is read: another bundle may be on its way into the folder just now.

    Raises:
        BadBundle: one of them is broken, one that was named is not there, or there is none.
    """
    if names is None:
        every = everything(folder)
        if not every:
            raise BadBundle(folder, "holds no bundle")
        newest = (every[name] for name in every.names)
        return Shelf(sorted(newest, key=lambda one: (-one.manifest.precedence, one.manifest.name)))
    paths = scan(folder)
    chosen = dict.fromkeys(_meant(folder, paths, name) for name in names)
    return Shelf(Bundle(path) for path in chosen)


def pick(folder: Path, model: str) -> Bundle | None:
    """One bundle, by `name@version` or by a name alone, which means its newest version; None if it is not there.

    Raises:
        BadBundle: it is broken.
    """
    path = _among(scan(folder), model)
    return Bundle(path) if path else None


def scan(folder: Path) -> dict[str, Path]:
    """Where each version lies. Manifests alone are read, and those that cannot be are left out."""
    found: dict[str, Path] = {}
    for path in _manifests(folder):
        try:
            told = read_manifest(path)
        except BadBundle:
            continue  # whoever wants it is told why by Bundle
        found.setdefault(f"{told.name}{AT}{told.version}", path.parent)
    return found


def _manifests(folder: Path) -> list[Path]:
    return sorted([*folder.glob("*/manifest.json"), *folder.glob("*/*/manifest.json")])


def _meant(folder: Path, paths: dict[str, Path], model: str) -> Path:
    """The folder of a model that must be there.

    Raises:
        BadBundle: it is not.
    """
    path = _among(paths, model)
    if path is None and (folder / model / "manifest.json").is_file():
        return folder / model  # its manifest cannot be read: Bundle says why
    if path is None:
        raise BadBundle(folder / model, "is missing")
    return path


def _among(paths: dict[str, Path], model: str) -> Path | None:
    if AT in model:
        return paths.get(model)
    versions = [one for one in paths if one.partition(AT)[0] == model]
    return paths[max(versions, key=lambda one: rank(one.partition(AT)[2]))] if versions else None

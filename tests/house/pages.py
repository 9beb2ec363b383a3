"""The parts of the documentation that are made from the code: python -m tests.house.pages rewrites them.

Knows nothing of the text around them. The README's map (captions are the first sentences of docstrings), the table
of docs/settings.md (descriptions are those of `service.settings.Settings`), that of docs/api.md (those of the requests'
fields), and those of the bundles' scores.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.house.family import directions, family, trust
from tests.house.tree import ROOMS, ROOT, files

# What has no docstring to take a caption from, in the order of the map. A folder that is not there is left out.
CAPTIONS = {
    "zoo/": "the trained bundles this repository ships, one folder each, with their model cards",
    "tests/": "one folder a room, one twin a file; house/ checks this very map",
    "docs/": "design, the interface, errors, settings, the log of experiments, pictures",
    "docker/": "the images (serving has no torch), what watches and balances them, and docker/check, which runs it",
    "constraints/": "exact versions of everything, to serve and to develop",
    ".ci/audit": "known vulnerabilities among what serves, where their data can be reached",
    ".ci/run": "the checks as a machine runs them",
    "compose.yaml": "the whole service with one command",
    "Makefile": "the front door: make help",
    "pyproject.toml": "dependencies, import contracts, lint, types, tests",
    "README.md": "this page",
    "CONTRIBUTING.md": "how the house is kept, and how to add to it",
    "CHANGELOG.md": "what changed for those who use it",
    "LICENSE": "Apache-2.0, for the code",
    "NOTICE": "whose it is, and where the models' own licences stand",
    ".gitignore": "what never enters a commit",
    ".dockerignore": "what alone enters an image",
}
BEGIN, END = "<!-- {0}: made by `make pages` -->", "<!-- {0}: end -->"
NOT_CODE = {
    "models/recipes": "a JSON file a model: what it learns from, how large it is, how long",
    "service/maps/assets": "the font of the drawings with its licence; style and script of the page",
    "service/playground": "the web page",
}


class NoCaption(ValueError):
    """A file whose docstring, and so whose caption in the map, is missing."""


def caption(path: Path) -> str:
    """The first sentence of a module's docstring.

    Raises:
        NoCaption: the module has none, or is not there.
    """
    written = ast.get_docstring(ast.parse(path.read_text("utf-8"))) if path.exists() else None
    if not written:
        raise NoCaption(f"{path.relative_to(ROOT)}: its first line must be a docstring that says its one job")
    paragraph = " ".join(written.split("\n\n")[0].split())
    return re.split(r"(?<=[^.])\.(?=\s+[A-Z]|$)", paragraph)[0]


def uncoded(folder: Path) -> str:
    """The caption of a folder without Python.

    Raises:
        NoCaption: nobody has written it.
    """
    name = folder.relative_to(ROOT).as_posix()
    if name not in NOT_CODE:
        raise NoCaption(f"{name}/ has no Python to take a caption from: add it to NOT_CODE in tests/house/pages.py")
    return NOT_CODE[name]


def entries(folder: Path, depth: int = 0) -> list[tuple[int, str, str]]:
    """(depth, name, caption) of a folder of Python and of everything in it, files before folders."""
    made = [(depth, f"{folder.name}/", caption(folder / "__init__.py"))]
    modules = sorted(path for path in folder.glob("*.py") if path.name != "__init__.py")
    made += [(depth + 1, path.name, caption(path)) for path in modules]
    for inner in sorted(path for path in folder.iterdir() if path.is_dir() and any(files(path))):
        if any(inner.glob("*.py")):
            made += entries(inner, depth + 1)
        else:
            made.append((depth + 1, f"{inner.name}/", uncoded(inner)))
    return made


def drawn_map() -> str:
    """The map of the repository, one line a file."""
    made: list[tuple[int, str, str]] = []
    for room in ROOMS:
        if any((ROOT / room).rglob("*.py")):
            made += entries(ROOT / room)
    for name, text in CAPTIONS.items():
        if (ROOT / name).is_file() or ((ROOT / name).is_dir() and any(files(ROOT / name))):
            made.append((0, name, text))
    width = max(2 * depth + len(name) for depth, name, _ in made) + 2
    return "\n".join(["```", *(f"{'  ' * depth + name:<{width}}{text}" for depth, name, text in made), "```"])


def drawn_settings() -> str:
    """The table of every setting: variable, default and reason."""
    from service.settings import Settings  # late: the map can be drawn where the service's libraries are not installed

    prefix = Settings.model_config.get("env_prefix", "")
    rows = ["| variable | default | what it bounds, and why |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = written(field.get_default(call_default_factory=True, validated_data={}))
        rows.append(f"| `{prefix}{name}`".upper() + f" | {default} | {field.description or ''} |")
    return "\n".join(rows)


def written(default: object) -> str:
    """A setting's default as its variable would have it."""
    if default is None:
        return "(unset)"
    if isinstance(default, tuple):
        default = ",".join(default)
    return f"`{default}`" if default != "" else "(empty)"


def drawn_fields() -> str:
    """The table of every field of the requests for work: where it is, its type, its default and what it does."""
    from service.tasks import discover  # late, as above

    tasks = sorted(discover().items(), key=lambda one: (one[0] != "translate", one[0]))
    rows: dict[str, list[str]] = {}
    for name, task in tasks:
        for row in field_rows(task.request):
            rows.setdefault(row, []).append(name)
    told = [row % ("all" if len(names) == len(tasks) else ", ".join(names)) for row, names in rows.items()]
    return "\n".join(["| field | of | type | default | what it does |", "|---|---|---|---|---|", *told])


def field_rows(request: type[Any]) -> Iterator[str]:
    """A row for each field, with a %s for whose it is; the request's own fields first, what all share last."""
    schema = request.model_json_schema()
    own = [name for kind in request.mro() for name in inspect.get_annotations(kind)]
    for name in sorted(schema["properties"], key=own.index):
        field = schema["properties"][name]
        yield field_row(name, field, required=name in schema.get("required", ()))
        for part in field.get("anyOf", ()):
            inner = schema["$defs"][part["$ref"].rpartition("/")[2]]["properties"] if "$ref" in part else {}
            yield from (field_row(f"{name}.{key}", one) for key, one in inner.items())


def field_row(name: str, field: Mapping[str, Any], *, required: bool = False) -> str:
    """The row of one field of a JSON schema."""
    default = field.get("default")
    told = "(empty)" if default in ("", [], {}) else f"`{default if isinstance(default, str) else json.dumps(default)}`"
    told = "required" if required else "–" if default is None else told
    about = field.get("description", "").replace("%", "%%").replace("|", "\\|")
    return f"| `{name}` | %s | {json_type(field)} | {told} | {about} |"


def json_type(schema: Mapping[str, Any]) -> str:
    """What a value may be, in words; null, which is the same as nothing, is left out."""
    if "anyOf" in schema:
        return " or ".join(json_type(one) for one in schema["anyOf"] if one.get("type") != "null")
    if "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema["enum"])
    if "prefixItems" in schema:
        return f"[{', '.join(map(json_type, schema['prefixItems']))}]"
    if schema.get("type") == "array":
        return f"[{json_type(schema['items'])}, …]"
    if schema.get("type") == "string":
        return "base64" if schema.get("format") == "binary" else "text"
    least, most = schema.get("minimum"), schema.get("maximum")
    span = f" from {least}" if most is None else f" {least} to {most}"
    return str(schema.get("type", "object")) + ("" if least is None else span)


def replaced(page: str, name: str, text: str) -> str:
    """A page with the text between the marks of `name` replaced."""
    begin, end = BEGIN.format(name), END.format(name)
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"no marks {begin} … {end}")
    return f"{before}{begin}\n{text}\n{end}{after}"


PARTS: list[tuple[str, str, Callable[[], str]]] = [
    ("README.md", "map", drawn_map),
    ("docs/settings.md", "settings", drawn_settings),
    ("docs/api.md", "fields", drawn_fields),
    ("docs/attention.md", "family", family),
    ("docs/trust.md", "trust", trust),
    ("docs/translation.md", "directions", directions),
]


def pages() -> dict[Path, str]:
    """Every page with a made part, as it should read."""
    return {ROOT / page: replaced((ROOT / page).read_text("utf-8"), name, draw()) for page, name, draw in PARTS}


def main() -> None:
    for path, text in pages().items():
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()

"""The map, the settings page, the errors page and the commands in the README tell the truth."""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path

import pytest

from service.errors import Broken, HeedError, InternalError, Refused, Unavailable, tree
from service.settings import Settings
from service.tasks import discover
from service.tasks.contract import Constraints
from tests.house import pages
from tests.house.tree import ROOMS, ROOT, files, relative

WRITTEN = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def difference(found: str, wanted: str) -> str:
    """What `make pages` would change, said in full."""
    lines = difflib.unified_diff(found.splitlines(), wanted.splitlines(), "as it is", "as `make pages` writes it", n=0)
    return "\n".join(lines)


@pytest.mark.parametrize(("page", "name", "draw"), pages.PARTS)
def test_what_is_made_from_the_code_is_up_to_date(page, name, draw) -> None:
    found = (ROOT / page).read_text("utf-8")
    wanted = pages.replaced(found, name, draw())
    if found != wanted:
        pytest.fail(f"run `make pages`: {page}\n{difference(found, wanted)}", pytrace=False)


SETTING = re.compile(r"^\| `(HEED_\w+)` \| (?:`(.*?)`|\((empty|unset)\)) \|", re.MULTILINE)
DEFAULTS = SETTING.findall((ROOT / "docs/settings.md").read_text("utf-8"))


@pytest.mark.parametrize(("variable", "default", "word"), DEFAULTS, ids=lambda told: told)
def test_a_default_stands_as_its_variable_would_have_it(variable: str, default: str, word: str, monkeypatch) -> None:
    for name in [name for name in os.environ if name.startswith("HEED_")]:
        monkeypatch.delenv(name)
    usual = Settings()
    if word != "unset":
        monkeypatch.setenv(variable, default)
    assert Settings() == usual


def test_every_setting_has_its_row() -> None:
    assert {variable for variable, _, _ in DEFAULTS} == {f"HEED_{name}".upper() for name in Settings.model_fields}


def test_every_field_of_a_request_has_its_row() -> None:
    page = (ROOT / "docs/api.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `([\w.]+)` \| [\w, ]+ \| (.+ \|) \S.*\|$", page, re.MULTILINE))
    assert rows.keys() == {
        *(name for task in discover().values() for name in task.request.model_fields),
        *(f"constraints.{name}" for name in Constraints.model_fields),
    }
    assert rows["text"].startswith("text or [text, …] | required")
    assert rows["encoding"].startswith("`float`, `u8` | `float`")
    assert rows["length_penalty"].startswith("number 0 to 10 | –")
    assert rows["alternatives"].startswith("integer from 0 | `0`")
    assert rows["glossary"].startswith("object | (empty)")
    assert rows["constraints.pin"].startswith("[[integer, integer], …] | (empty)")


def test_every_file_at_the_top_has_its_caption() -> None:
    room = {f"{name}/" for name in ROOMS}
    top = {path.relative_to(ROOT).parts for path in files()}
    names = {parts[0] if len(parts) == 1 else f"{parts[0]}/" for parts in top} - room - {".ci/"}
    assert names <= set(pages.CAPTIONS), f"add to tests/house/pages.py: {sorted(names - set(pages.CAPTIONS))}"


def test_a_new_file_without_a_docstring_is_named(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(pages, "ROOT", tmp_path)
    (tmp_path / "stray.py").write_text("x = 1\n")
    with pytest.raises(pages.NoCaption, match=r"stray\.py"):
        pages.caption(tmp_path / "stray.py")


@pytest.mark.parametrize("page", WRITTEN, ids=relative)
def test_every_make_command_in_a_page_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    asked = set(re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text("utf-8"), re.MULTILINE))
    assert asked <= targets, f"not in the Makefile: {sorted(asked - targets)}"


@pytest.mark.parametrize("page", WRITTEN, ids=relative)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    broken = [link for link in links if not (page.parent / link).exists()]
    assert not broken, broken


def test_the_two_commands_of_the_readme_are_there() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert re.search(r"^make serve$", readme, re.MULTILINE)
    assert re.search(r"^make test$", readme, re.MULTILINE)


def whose(error: type[HeedError]) -> str:
    """Whose fault an error is, in the words of docs/errors.md."""
    return next(words for root, words in FAULTS.items() if issubclass(error, root))


FAULTS: dict[type[HeedError], str] = {
    Refused: "the request's fault",
    Unavailable: "nobody's fault",
    Broken: "our fault",
}
ANSWERED = [error for error in tree() if error not in FAULTS]


@pytest.mark.parametrize("error", ANSWERED, ids=lambda error: error.code)
def test_every_error_has_its_heading(error: type[HeedError]) -> None:
    again = "may pass later" if error.retryable else "fails again"
    wanted = f"## {error.code}\n\n{error.status} · {whose(error)} · the same request {again}\n"
    assert wanted in (ROOT / "docs/errors.md").read_text("utf-8"), f"docs/errors.md must say:\n{wanted}"


def test_every_heading_of_the_errors_page_is_an_error() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "docs/errors.md").read_text("utf-8"), re.MULTILINE)
    assert headings == [error.code for error in ANSWERED]
    assert InternalError in ANSWERED

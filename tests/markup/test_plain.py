"""Pages by the encoding that they say they are in."""

from __future__ import annotations

import pytest

from service.errors import FileBroken
from service.markup.files.opened import Limits
from service.markup.files.plain import page

NONE = ("undefined", "idna", "punycode", "unicode_escape", "raw-unicode-escape", "rot13", "x")


@pytest.mark.parametrize("name", NONE)
def test_a_page_in_no_encoding_of_pages_is_read_as_utf_8(name: str) -> None:
    file = page(f"<meta charset={name}><p>Dög \\u0041</p>".encode(), Limits())
    assert file.texts == ["Dög \\u0041"]
    assert file.close(["Hund"]) == b"<meta charset=utf-8><p>Hund</p>"
    with pytest.raises(FileBroken):
        page(f"<meta charset={name}>".encode() + b"<p>\xff</p>", Limits())


def test_no_page_is_read_in_a_way_that_takes_minutes() -> None:
    (text,) = page(b"<meta charset=punycode><p>" + b"a" * 150_000, Limits()).texts
    assert text == "a" * 150_000


def test_a_page_is_read_as_it_says() -> None:
    file = page("<meta charset='iso-8859-1'><p>Dög</p>".encode("latin-1"), Limits())
    assert (file.texts, file.close(["Hünd"])) == (["Dög"], "<meta charset='utf-8'><p>Hünd</p>".encode())

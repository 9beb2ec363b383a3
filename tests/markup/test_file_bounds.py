"""Files that are made to cost a lot: what opens them stops before it does. Nothing here looks at a clock."""

from __future__ import annotations

import io
import struct
import textwrap
import tracemalloc
import zipfile
import zlib
from contextlib import suppress
from typing import Any

import polib
import pytest
import srt

from service.errors import FileBroken
from service.markup.files import office, opened, package, subtitles, word
from service.markup.files.opened import Limits
from tests.markup.test_files import through

NAMED = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
TIMES = "00:00:01,000 --> 00:00:02,000"


def archive(way: int = zipfile.ZIP_DEFLATED, **parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", way) as made:
        for name, data in parts.items():
            made.writestr(name.replace("__", "/") + ".xml", data)
    return out.getvalue()


def body(paragraphs: str, **more: bytes) -> bytes:
    whole = f"<w:document {NAMED}><w:body>{paragraphs}</w:body></w:document>"
    return archive(zipfile.ZIP_DEFLATED, word__document=whole.encode(), **more)


def said(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def lying(data: bytes, name: bytes, crc: int) -> bytes:
    """An archive that says of a part that it has 1000 bytes with this sum."""
    local, listed = data.index(name) - 30, data.rindex(name) - 46
    made = bytearray(data)
    for place in (local + 14, listed + 16):
        struct.pack_into("<I", made, place, crc)
    for place in (local + 22, listed + 24):
        struct.pack_into("<I", made, place, 1000)
    return bytes(made)


@pytest.mark.parametrize("way", [zipfile.ZIP_BZIP2, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("name", ["word/document.xml", "word/media.xml"])
def test_what_an_archive_says_of_its_sizes_is_not_believed(way: int, name: str) -> None:
    """The sum is that of the first 1000 bytes, so that nothing else tells the lie: no more of it is ever unpacked."""
    parts = {
        "word__document": f"<w:document {NAMED}/>".encode(),
        "word__media": b"x",
        name[:-4].replace("/", "__"): b" " * (64 << 20),
    }
    data = lying(archive(way, **parts), name.encode(), zlib.crc32(b" " * 1000))
    del parts
    tracemalloc.start()
    try:
        with suppress(FileBroken):
            opened("a.docx", data, Limits(unpacked=1 << 20)).opened.close([])
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_a_part_that_is_not_wanted_counts_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    unpacked = 0
    read = zipfile.ZipExtFile.read

    def counted(self: zipfile.ZipExtFile, n: int | None = -1) -> bytes:
        nonlocal unpacked
        unpacked += len(piece := read(self, n))
        return piece

    monkeypatch.setattr(zipfile.ZipExtFile, "read", counted)
    data = body(said("a"), word__media=b" " * 10_000_000)
    with pytest.raises(FileBroken):
        opened("a.docx", data, Limits(unpacked=1_000_000))
    assert unpacked <= 1_000_000 + package.STEP


@pytest.mark.parametrize("way", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_archive_of_another_kind_than_office_programs_write_is_refused(way: int) -> None:
    data = archive(way, word__document=f"<w:document {NAMED}>{said('a')}</w:document>".encode())
    place = data.index(b"word/document.xml") + 17 + 6
    for broken in (data, data[:place] + bytes(9) + data[place + 9 :]):
        with pytest.raises(FileBroken):
            opened("a.docx", broken, Limits())


def test_an_archive_of_very_many_parts_is_not_even_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    data = archive(zipfile.ZIP_DEFLATED, **{f"part{i}": b"" for i in range(50)})
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(FileBroken):
        opened("a.docx", data, Limits(entries=49))


def test_what_is_not_translated_goes_through_as_it_was() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("mimetype", "kept", zipfile.ZIP_STORED)
        made.writestr("word/document.xml", f"<w:document {NAMED}>{said('a')}</w:document>")
        made.writestr("word/media/a.png", bytes(range(256)) * 1000)
    _, back = through("a.docx", out.getvalue(), "b")
    with zipfile.ZipFile(io.BytesIO(back)) as read:
        kept = [(one.filename, one.compress_type) for one in read.infolist()]
        assert kept == [("mimetype", 0), ("word/document.xml", 8), ("word/media/a.png", 8)]
        assert read.read("word/media/a.png") == bytes(range(256)) * 1000
        assert b">b</" in read.read("word/document.xml")


@pytest.mark.parametrize(
    "part",
    [
        b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE d+AD4-<d/>',
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE d [<!ENTITY a "b">]><d>&a;</d>'.encode("utf-16-le"),
    ],
)
def test_another_encoding_does_not_hide_what_a_part_declares(part: bytes) -> None:
    with pytest.raises(FileBroken):
        opened("a.docx", archive(word__document=part), Limits())


def test_elements_are_counted_before_there_are_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "parsed", None)
    for many in ("<w:p/>" * 2000, "<w:p " + " ".join(f'a{i}=""' for i in range(2000)) + "/>"):
        with pytest.raises(FileBroken) as refused:
            opened("a.docx", body(many), Limits(elements=1000))
        assert refused.value.limit == 1000


def reads(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The paragraphs that were read whole."""
    found: list[Any] = []
    read = word.paragraph

    def noted(one: Any) -> Any:
        found.append(one)
        return read(one)

    monkeypatch.setattr(word, "paragraph", noted)
    return found


def test_a_paragraph_without_a_letter_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    found = reads(monkeypatch)
    data = body("<w:p/>" * 5000 + said("...") * 50 + said("a") + "<w:p><w:pPr><w:t>a</w:t></w:pPr></w:p>" + said("b"))
    assert list(opened("a.docx", data, Limits()).opened.texts) == ["a", "b"]
    assert len(found) == 2


def test_paragraphs_are_read_only_until_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    found = reads(monkeypatch)
    for limits in (Limits(texts=10), Limits(characters=10)):
        with pytest.raises(FileBroken):
            opened("a.docx", body(said("a") * 1000), limits)
        assert len(found) == 11
        found.clear()


@pytest.mark.parametrize(
    "paragraphs",
    [
        "<w:p><w:r>" * 9 + "<w:t>a</w:t>" + "</w:r></w:p>" * 9,  # each reads what is in it
        "<w:p "
        + " ".join(f'xmlns:a{i}="a"' for i in range(600))
        + f">{said('a')}</w:p>",  # each run looks through them
        # the usual formatting, which each of the pieces between the others would get
        f"<w:p><w:r><w:rPr>{'<w:b/>' * 100}</w:rPr><w:t>{'long' * 10}</w:t></w:r>"
        + "<w:r><w:t>b</w:t></w:r><w:r><w:rPr><w:i/></w:rPr><w:t>c</w:t></w:r>" * 30
        + "</w:p>",
    ],
)
def test_what_would_grow_beyond_measure_is_refused(paragraphs: str) -> None:
    with pytest.raises(FileBroken):
        opened("a.docx", body(paragraphs), Limits(elements=10_000))


@pytest.mark.parametrize(
    ("paragraphs", "limits"),
    [
        ("<w:p><w:r>" * 3 + "<w:t>a</w:t>" + "</w:r></w:p>" * 3, {"nested": 2}),
        ("<w:p " + " ".join(f'xmlns:a{i}="a"' for i in range(60)) + f">{said('a')}</w:p>", {"namespaces": 59}),
    ],
)
def test_how_much_a_document_may_nest_is_what_was_said(paragraphs: str, limits: dict[str, int]) -> None:
    assert opened("a.docx", body(paragraphs), Limits()).opened.texts
    with pytest.raises(FileBroken) as refused:
        opened("a.docx", body(paragraphs), Limits(**limits))
    assert [refused.value.limit] == list(limits.values())


def test_large_elements_are_moved_in_one_go_each() -> None:
    """Taken out of the document and put back, these would take hours."""
    inner = "<w:b/>" * 200_000
    nested = "<w:p><w:pPr/><w:r><w:t>a</w:t></w:r><w:x>" * 8 + inner + "</w:x></w:p>" * 8
    texts, back = through("a.docx", body(nested), *['<img id="0">b'] * 8)
    assert texts == ['a<img id="0">'] * 8
    with zipfile.ZipFile(io.BytesIO(back)) as read:
        written = read.read("word/document.xml").decode()
    assert written.count("<w:b/>") == 200_000
    assert written.count("</w:p>") == written.count(">b</w:t>") == written.count("<w:pPr/><w:x>") == 8
    assert ">a<" not in written


def test_an_open_document_s_spans_and_links_change_places() -> None:
    named = 'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
    inner = (
        "a<text:span>b<text:a>c</text:a></text:span><text:s/>d<!-- kept -->e<text:note><text:p>f</text:p></text:note>"
    )
    data = archive(content=f"<d {named}><text:p>{inner}</text:p></d>".encode())
    texts, back = through("a.odt", data, 'A<u id="1">B<u id="0">C</u></u><img id="3"><img id="2">D', "F")
    assert texts == ['a<u id="0">b<u id="1">c</u></u> d<img id="2">e<img id="3">', "f"]
    with zipfile.ZipFile(io.BytesIO(back)) as read:
        written = read.read("content.xml").decode()
    moved = "A<text:a>B<text:span>C</text:span></text:a><text:note><text:p>F</text:p></text:note><!-- kept -->D"
    assert f"<text:p>{moved}</text:p>" in written


def test_of_an_opened_file_its_bytes_and_texts_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the trees, which may take fifty times as much: they are made again in the end."""
    made: list[bytes] = []
    unpacked = package.unpacked

    def noted(data: bytes, wanted: Any, limits: Limits) -> Any:
        made.append(data)
        return unpacked(data, wanted, limits)

    monkeypatch.setattr(office, "unpacked", noted)
    data = body(said("long " * 1000))
    file = opened("a.docx", data, Limits())
    assert len(data) + 5000 < file.held < 20_000
    file.opened.close(file.opened.texts)
    assert len(made) == 2


@pytest.mark.parametrize("data", [b"1" * 200_000, b" " * 200_000, b"0:0:0,0 " * 20_000])
def test_what_is_no_subtitles_is_refused_at_once(data: bytes) -> None:
    """What looks for a cue at each digit, and cuts the number there in every way, takes hours."""
    with pytest.raises(FileBroken):
        opened("a.srt", data, Limits())


@pytest.mark.parametrize(
    "cues",
    [
        f"\n\n1\r\n{TIMES} X1:3\r\nHi\r\n\r\nthere\r\n\r\n2\r\n0:0:3.5 -->  0:0:4\r\nyo",
        f"{TIMES}\nNo index\n\n{TIMES}\nstill\n\n4.5\n{TIMES}\n\n",
        f"1\n{TIMES}\nA\n2\n{TIMES}\nB\n \n3\n{TIMES}\nC\n12\n\n13\n",
    ],
)
def test_cues_are_what_others_read(cues: str) -> None:
    assert list(subtitles._cues(cues)) == list(srt.parse(cues))


def test_too_many_cues_are_refused() -> None:
    with pytest.raises(FileBroken):
        opened("a.srt", f"1\n{TIMES}\n...\n\n".encode() * 11, Limits(texts=10))


def test_the_width_of_subtitles_is_found_in_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[int] = []
    wrap = textwrap.wrap

    def counted(text: str, width: int, **how: Any) -> list[str]:
        steps.append(width)
        return wrap(text, width, **how)

    monkeypatch.setattr(subtitles, "wrap", counted)
    long = "w" * 10_000
    _, back = through("a.srt", f"1\n{TIMES}\na\nb\n\n".encode(), f"{long} {long} {long}")
    assert [len(line) for line in back.decode().splitlines()[2:4]] == [20_001, 10_000]
    assert len(steps) < 30


def test_an_entry_of_very_many_lines_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who reads it copies what there is for each line."""
    monkeypatch.setattr(polib, "pofile", None)
    for line in (b"# a\n", b"# a\n\n", b'"a"\n'):
        with pytest.raises(FileBroken):
            opened("a.po", b'msgid ""\n' + line * 6000 + b'msgstr ""\n', Limits())
        with pytest.raises(FileBroken):
            opened("a.po", b'msgid ""\n' + line * 60 + b'msgstr ""\n', Limits(lines=50))

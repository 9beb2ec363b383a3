"""Files as texts and back, made and read by other libraries than ours."""

from __future__ import annotations

import io

import docx
import odfdo
import pytest

from service.errors import FileBroken, FileUnknown
from service.markup.files import opened
from service.markup.files.opened import Limits


def through(name: str, data: bytes, *answers: str) -> tuple[list[str], bytes]:
    """The texts, and the file of these answers, or of the texts themselves."""
    file = opened(name, data, Limits()).opened
    return list(file.texts), file.close(answers or file.texts)


def word() -> bytes:
    made, out = docx.Document(), io.BytesIO()
    paragraph = made.add_paragraph("A dog on a ")
    paragraph.add_run("red").bold = True
    paragraph.add_run(" bench ")
    paragraph.add_run("& more").italic = True
    made.add_paragraph("")
    made.add_table(1, 1).cell(0, 0).text = "In a cell"
    made.sections[0].header.paragraphs[0].text = "At the head"
    made.save(out)
    return out.getvalue()


def test_word_keeps_formatting_with_its_words_and_reads_tables_and_headers() -> None:
    texts, back = through(
        "a.docx", word(), 'Auf <u id="0">roter</u> Bank, <u id="1">&amp; mehr</u>: Hund', "Zelle", "Kopf"
    )
    assert texts == ['A dog on a <u id="0">red</u> bench <u id="1">&amp; more</u>', "In a cell", "At the head"]
    made = docx.Document(io.BytesIO(back))
    assert [(run.text, bool(run.bold), bool(run.italic)) for run in made.paragraphs[0].runs] == [
        ("Auf ", False, False), ("roter", True, False), (" Bank, ", False, False), ("& mehr", False, True),
        (": Hund", False, False),
    ]  # fmt: skip
    assert made.tables[0].cell(0, 0).text == "Zelle"
    assert made.sections[0].header.paragraphs[0].text == "Kopf"


def test_an_open_document_keeps_spans_tabs_and_everything_else() -> None:
    made, out = odfdo.Document("text"), io.BytesIO()
    made.body.clear()
    made.body.append(
        odfdo.Element.from_tag("<text:p>A <text:span>red</text:span> dog<text:tab/>runs &amp; eats</text:p>")
    )
    made.body.append(odfdo.Header(1, "Title"))
    made.save(out)
    texts, back = through("a.odt", out.getvalue(), 'Ein <u id="0">roter</u><img id="1"> Hund', "Titel")
    assert texts[:2] == ['A <u id="0">red</u> dog<img id="1">runs &amp; eats', "Title"]
    written = odfdo.Document(io.BytesIO(back)).body.serialize()
    assert "Ein <text:span>roter</text:span><text:tab/> Hund" in written
    assert ">Titel<" in written


def test_subtitles_keep_times_and_lines() -> None:
    cue = "1\n00:00:01,000 --> 00:00:02,000\n<i>Hello there</i>\nmy friend\n\n2\n00:00:03,000 --> 00:00:04,000\n...\n\n"
    texts, back = through("a.srt", cue.encode(), "<i>Hallo du</i> mein Freund")
    assert texts == ["<i>Hello there</i> my friend"]
    assert back.decode() == cue.replace("<i>Hello there</i>\nmy friend", "<i>Hallo du</i>\nmein Freund")


def test_a_catalogue_gets_what_it_lacks_marked_fuzzy() -> None:
    head = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    texts, back = through("a.po", (head + 'msgid "Hi %s"\nmsgstr ""\n\nmsgid "x"\nmsgstr "y"\n').encode(), "Hallo %s")
    assert texts == ["Hi %s"]
    assert '#, fuzzy\nmsgid "Hi %s"\nmsgstr "Hallo %s"' in back.decode()
    assert 'msgid "x"\nmsgstr "y"' in back.decode()


def test_paragraphs_of_text_and_runs_of_a_page_go_back_where_they_were() -> None:
    assert through("a.txt", b"\xef\xbb\xbfa b\nc\r\n\r\n  d \n", "1", "2") == (
        ["a b\nc", "d"],
        b"1\r\n\r\n  2 \n",
    )
    page = b"<meta charset=latin-1><p>caf\xe9</p><script>x</script>"
    assert through("a.HTM", page) == (["café"], "<meta charset=utf-8><p>café</p><script>x</script>".encode())


@pytest.mark.parametrize("name", ["a", "a.doc", "../../b.pdf"])
def test_other_kinds_are_refused(name: str) -> None:
    with pytest.raises(FileUnknown):
        opened(name, b"x", Limits())


def test_a_file_of_too_many_texts_is_refused() -> None:
    with pytest.raises(FileBroken):
        opened("a.txt", b"a\n\nb\n\nc", Limits(texts=2))

"""What a request may want kept in its texts: terms, ranges, placeholders, tags; and what that is in each of them.

Knows nothing of HTTP, engines or any one task.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from service.errors import Meaningless, Where
from service.markup.kept import in_code_points
from service.markup.marked import Marked, marked
from service.tasks.contract import Bounds, Searched, at_most

Term = Annotated[str, Field(min_length=1, max_length=200)]
Ranges = list[tuple[int, int]]


class Keeping(Searched):
    """The fields of a request about texts."""

    format: Literal["text", "html"] = Field(
        "text",
        description="html: what is between tags is translated, and tags go where their words went; script, style, pre, "
        'code and `translate="no"` stay as they are.',
    )
    glossary: dict[Term, Term] = Field(
        {}, description="What terms of the source are to be called, letter by letter: whole words, in any sentence."
    )
    protect: Ranges | list[Ranges] = Field(
        [],
        max_length=4096,
        description="Ranges of the text, counted in `offsets`, that the answer has as they stand, each exactly once; "
        "for several texts a list for each.",
    )
    placeholders: Literal["auto", "none"] = Field(
        "auto",
        description="auto: {name}, %s, {{ x }}, tags, entities, URLs and e-mail addresses stay as they are, each once.",
    )
    capitals: Literal["auto", "none"] = Field(
        "auto",
        description="auto: a sentence all in capitals is read in small letters, which models know better, and answered "
        "in capitals; the tokens of a stream are as the model said them.",
    )
    unknown: Literal["auto", "none"] = Field(
        "auto",
        description="auto: words with letters that the model has never seen, symbols, emoji and numbers are "
        "copied to where the map says; none: they are left to the model, which has to do without most of them.",
    )


def kept_in(asked: Keeping, texts: Sequence[str], bounds: Bounds) -> list[Marked]:
    """What each text keeps.

    Raises:
        Meaningless: a range that a text does not have, or too many terms.
    """
    at_most(bounds.glossary, "glossary", len(asked.glossary))
    single = isinstance(getattr(asked, "text", None), str)
    nested = any(isinstance(one, list) for one in asked.protect)
    lists: Sequence[Any] = [asked.protect] if single else asked.protect or [[]] * len(texts)
    if len(lists) != len(texts) or (asked.protect and nested == single):
        where = (Where("/protect", "is a list of ranges" if single else "is a list of ranges for each text"),)
        raise Meaningless("The protected ranges do not fit the texts.", errors=where)
    return [
        _kept(asked, text, ranges, "/protect" if single else f"/protect/{i}")
        for i, (text, ranges) in enumerate(zip(texts, lists, strict=True))
    ]


def _kept(asked: Keeping, text: str, ranges: Ranges, place: str) -> Marked:
    try:
        protect = in_code_points(text, ranges, asked.offsets) if ranges else []
    except ValueError as wrong:
        where = (Where(f"{place}/{wrong}", "is no range of it"),)
        raise Meaningless("The text has no such range.", errors=where) from None
    return marked(text, protect, asked.glossary, find=asked.placeholders == "auto", html=asked.format == "html")

"""Every route but /v1/files as a function: its arguments in, a `Question` out: what is sent, how the answer is read.

Knows nothing of connections. These functions are the methods of both clients: see `client.clients`.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, Literal, TypedDict, TypeVar, Unpack
from urllib.parse import quote

from .reading import read
from .results import Answer, Card, Comparison, Detected, Health

T = TypeVar("T")
Picture = bytes | str | os.PathLike[str]  # its bytes, or where its file is
Texts = str | Sequence[str]


@dataclass(frozen=True)
class Question(Generic[T]):
    """What is sent, and what reads the JSON of its answer."""

    method: Literal["GET", "POST"]
    path: str
    reads: Callable[[Any], T]
    body: Mapping[str, Any] | None = None
    retried: bool = True


class Options(TypedDict, total=False):
    """What may be asked of every answer; docs at /docs of a server."""

    model: str
    beam_size: int
    n_best: int
    length_penalty: float
    max_length: int
    prefix: str | Sequence[int]
    constraints: Mapping[str, Any]
    compare: bool
    alternatives: int
    trust: Literal["none", "cheap", "measured"]
    attention: Literal["none", "hard", "soft", "full"]
    unit: Literal["word", "piece"]
    offsets: Literal["codepoint", "utf16", "utf8"]
    encoding: Literal["float", "u8"]
    priority: Literal["high", "normal", "low"]
    alignment: bool  # of texts, as all that follows
    format: Literal["text", "html"]
    glossary: Mapping[str, str]
    protect: Sequence[Any]
    placeholders: Literal["auto", "none"]
    capitals: Literal["auto", "none"]
    unknown: Literal["auto", "none"]
    extra: Mapping[str, Any]  # further fields, which a newer server knows


def translate(
    text: Texts, *, source: str | None = None, target: str | None = None, **options: Unpack[Options]
) -> Question[Answer]:
    """Translate a text, or several: a result each, with its map."""
    return Question("POST", "/v1/translate", _answer, _body(options, text=_texts(text), source=source, target=target))


def caption(
    picture: Picture | None = None,
    *,
    image_url: str | None = None,
    translate_to: str | None = None,
    **options: Unpack[Options],
) -> Question[Answer]:
    """Describe a picture (JPEG, PNG, WebP, GIF), given as its bytes or the path of its file."""
    data = None if picture is None else _bytes(picture)
    body = _body(options, image=_encoded(data), image_url=image_url, translate_to=translate_to)
    return Question("POST", "/v1/caption", lambda told: _pictured(_answer(told), data), body)


def score(
    text: Texts,
    target_text: Texts,
    *,
    source: str | None = None,
    target: str | None = None,
    **options: Unpack[Options],
) -> Question[Answer]:
    """How probable a given translation is, as a whole (`logprob`), by `words` and by `tokens`, and the map along it."""
    fields = {"text": _texts(text), "target_text": _texts(target_text), "source": source, "target": target}
    return Question("POST", "/v1/score", _answer, _body(options, **fields))


def compare(
    models: Sequence[str], *, text: Texts | None = None, picture: Picture | None = None, **options: Unpack[Options]
) -> Question[Comparison]:
    """Ask several models of one task the same."""
    data = None if picture is None else _bytes(picture)
    body = _body(options, models=list(models), text=None if text is None else _texts(text), image=_encoded(data))

    def reads(told: Any) -> Comparison:
        return Comparison(str(told["id"]), [_pictured(_answer(one), data) for one in told["answers"]])

    return Question("POST", "/v1/compare", reads, body)


def detect(text: Texts, *, among: Sequence[str] | None = None) -> Question[list[Detected]]:
    """Which language each text is in, of those that are translated from there or of those named."""
    body = _body({}, text=_texts(text), among=None if among is None else list(among))
    return Question("POST", "/v1/detect", lambda told: [read(Detected, one) for one in told["results"]], body)


def models() -> Question[list[Card]]:
    """The cards of the models that are loaded."""
    return Question("GET", "/v1/models", lambda told: [_card(one) for one in told["models"]])


def model(name: str) -> Question[Card]:
    """The card of one model, by its name or `name@version`."""
    return Question("GET", f"/v1/models/{quote(name, safe='@')}", _card)


def health() -> Question[Health]:
    """Whether a request would be worked on now: it answers, or raises `Unavailable` at once."""
    return Question("GET", "/health", lambda told: read(Health, told), retried=False)


def _texts(text: Texts) -> str | list[str]:
    return text if isinstance(text, str) else list(text)


def _bytes(picture: Picture) -> bytes:
    return bytes(picture) if isinstance(picture, bytes | bytearray) else Path(picture).read_bytes()


def _encoded(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


def _body(options: Options, **fields: Any) -> dict[str, Any]:
    """Everything that was said; what was left out is left to the server."""
    extra = options.get("extra") or {}
    told = {name: value for name, value in options.items() if name != "extra"}
    return {name: value for name, value in {**fields, **told, **extra}.items() if value is not None}


def _answer(told: Any) -> Answer:
    return replace(read(Answer, told), raw=told)


def _pictured(answer: Answer, picture: bytes | None) -> Answer:
    return replace(answer, results=[replace(one, picture=picture) for one in answer.results])


def _card(told: Any) -> Card:
    return replace(read(Card, told), raw=told)

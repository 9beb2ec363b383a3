"""What was sent, as fields by name, wherever a client of another service puts them: JSON, a form, the query.

Knows nothing of what the fields mean. A name that a form or a query repeats has a list.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from pydantic_core import from_json
from starlette.requests import Request

from service.api.bodies import FORM, JSON, media_of
from service.api.form import parts
from service.errors import Malformed

URLENCODED = "application/x-www-form-urlencoded"
MOST_FIELDS = 256
Fields = dict[str, Any]


async def fields_of(request: Request) -> Fields:
    """The fields of a body, and beside a form, or without a body, those of the query, which go before.

    Raises:
        Malformed: it is not what its media type says.
        WrongMediaType: it is compressed.
    """
    body, media = await request.body(), media_of(request)
    query = _pairs(request.url.query)
    if not body.strip():
        return query
    if media == JSON:
        return _json(body)
    if media == FORM:
        _, texts = parts(request.headers["content-type"], body, "", most_bytes=len(body))
        return _unix(texts.items()) | query
    if media == URLENCODED:
        return _unix(_pairs(body).items()) | query
    return query


def _json(body: bytes) -> Fields:
    try:
        found = from_json(body)
    except ValueError:
        raise Malformed("The body is not valid JSON.") from None
    if not isinstance(found, dict):
        raise Malformed("The body is not a JSON object.")
    return found


def _pairs(written: str | bytes) -> Fields:
    """What stands in a query, or in a form that is written like one."""
    fields: dict[str, list[str]] = {}
    try:
        text = written if isinstance(written, str) else written.decode()
        for name, value in parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS):
            fields.setdefault(name, []).append(value)
    except ValueError:
        raise Malformed(f"The form is not UTF-8, or has more than {MOST_FIELDS} fields.") from None
    return {name: values[0] if len(values) == 1 else values for name, values in fields.items()}


def _unix(fields: Iterable[tuple[str, Any]]) -> Fields:
    """With the ends of lines that people wrote, not those that forms are sent with."""
    return {name: _line_ends(value) for name, value in fields}


def _line_ends(value: Any) -> Any:
    if isinstance(value, list):
        return [_line_ends(one) for one in value]
    return value.replace("\r\n", "\n") if isinstance(value, str) else value

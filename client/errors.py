"""Every error of the client, drawn as a tree: what the server answered (RFC 9457), or that it did not.

Knows nothing of HTTP libraries.

    HeedError
    ├── Refused        4xx: the request's fault; the same request fails again
    ├── Unavailable    429, 503, 504: the same request may pass later; tried again where nobody had begun with it
    ├── Broken         5xx, or an answer that is none of Heed's
    └── Unreachable    no answer, or only the beginning of one
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

LATER = (429, 503, 504)  # statuses that are nobody's fault


class Where(NamedTuple):
    """One wrong place in a request: a JSON Pointer and what is wrong there."""

    pointer: str
    detail: str


class HeedError(Exception):
    """What went wrong; `code` is stable (docs/errors.md of Heed), the message is for people."""

    def __init__(
        self,
        detail: str,
        *,
        code: str = "",
        status: int | None = None,
        request_id: str | None = None,
        errors: tuple[Where, ...] = (),
        limit: float | None = None,
        actual: float | None = None,
        retry_after: float | None = None,
    ) -> None:
        """status: of HTTP, None where there was no answer; retry_after: seconds, as the server said."""
        super().__init__(f"{code}: {detail}" if code else detail)
        self.detail, self.code, self.status, self.request_id, self.errors = detail, code, status, request_id, errors
        self.limit, self.actual, self.retry_after = limit, actual, retry_after


class Refused(HeedError):
    """The request is at fault."""


class Unavailable(HeedError):
    """Not now."""


class Broken(HeedError):
    """The server is at fault, or something before it."""


class Unreachable(HeedError):
    """Nobody answered, or not to the end."""


def of_problem(
    problem: Mapping[str, Any],
    status: int | None = None,
    *,
    request_id: str | None = None,
    retry_after: float | None = None,
) -> HeedError:
    """The error that a problem object tells; what it leaves out is taken from the answer around it."""
    status = status if status is not None else _number(problem.get("status"))
    faults = Refused if status is not None and 400 <= status < 500 else Broken
    kind: type[HeedError] = Unavailable if status in LATER else faults
    found = problem.get("errors")
    places = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    said = _number(problem.get("retry_after"))
    return kind(
        str(problem.get("detail") or problem.get("title") or f"status {status}"),
        code=str(problem.get("code") or f"http_{status}"),
        status=status,
        request_id=problem.get("request_id") or request_id,
        errors=tuple(Where(str(one.get("pointer", "")), str(one.get("detail", ""))) for one in places),
        limit=problem.get("limit"),
        actual=problem.get("actual"),
        retry_after=retry_after if retry_after is not None else said,
    )


def _number(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) else None

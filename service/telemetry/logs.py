"""A record a line, as text or as JSON, from whichever library it comes; and no record quotes what a user wrote.

Knows nothing of requests. What of a record can quote somebody is left out: the message of an exception (its type and
places are told), and of other people's records all but the first line.
"""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal

OURS = "heed."
MOST_FRAMES = 8
TOLD = "told"  # the attribute of a record that holds its fields: log.info(…, extra={TOLD: {…}})
Failure = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Text(logging.Formatter):
    """Time, logger, level, message."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        when = datetime.fromtimestamp(record.created, UTC)
        line = (
            f"{when:%Y-%m-%d %H:%M:%S},{when.microsecond // 1000:03d} {record.name} {record.levelname} {said(record)}"
        )
        return f"{line}: {failed(record.exc_info)}" if record.exc_info and record.exc_info[0] else line


class Json(logging.Formatter):
    """The same, and the fields that a record was given, as one object."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        told: dict[str, Any] = {
            "time": when.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": said(record),
            "process": record.process,
            **getattr(record, TOLD, {}),
        }
        if record.exc_info and record.exc_info[0]:
            told["error"] = failed(record.exc_info)
        return json.dumps(told, ensure_ascii=False, default=str)


def said(record: logging.LogRecord) -> str:
    """A record's message on one line."""
    lines = record.getMessage().splitlines() or [""]
    return " ".join(lines) if record.name.startswith(OURS) else lines[0]


def failed(failure: Failure) -> str:
    """An exception without its message, which may quote a request: its type, and where it came from, inmost first."""
    kind, _, trace = failure
    if kind is None:
        return ""
    frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)]
    return f"{kind.__name__} at {' < '.join(reversed(frames[-MOST_FRAMES:]))}"


def install(form: Literal["text", "json"], level: str) -> None:
    """Let every logger of this process write that way to standard error, those of libraries too."""
    writes = logging.StreamHandler()
    writes.setFormatter(Json() if form == "json" else Text())
    root = logging.getLogger()
    for before in list(root.handlers):
        if isinstance(before.formatter, Text | Json):  # of an earlier call; a test's stay
            root.removeHandler(before)
    root.addHandler(writes)
    root.setLevel(level.upper())
    logging.captureWarnings(capture=True)

"""A record is a line, as text or JSON, and quotes nobody."""

from __future__ import annotations

import json
import logging
import subprocess
import sys

import pytest

from service.telemetry.logs import TOLD, Json, Text
from tests.house.tree import ROOT

WRITTEN = "what somebody wrote"


def record(name: str = "heed.test", message: str = "well", *, fails: bool = False, **told: object) -> logging.LogRecord:
    made = logging.LogRecord(name, logging.INFO, "file.py", 1, message, (), None)
    if fails:
        try:
            raise ValueError(WRITTEN)
        except ValueError:
            made.exc_info = sys.exc_info()
    setattr(made, TOLD, told)
    return made


def test_json_has_the_fields_of_every_record_and_its_own() -> None:
    told = json.loads(Json().format(record(request_id="abc", status=200)))
    assert {"time", "level", "logger", "message", "process"} <= set(told)
    assert (told["level"], told["logger"], told["request_id"], told["status"]) == ("info", "heed.test", "abc", 200)
    assert told["time"].endswith("Z")


@pytest.mark.parametrize("form", [Json(), Text()], ids=["json", "text"])
def test_an_exception_is_told_by_type_and_place_and_never_by_its_message(form) -> None:
    line = form.format(record(fails=True))
    assert "ValueError at " in line and "test_logs.py" in line
    assert WRITTEN not in line
    assert "\n" not in line


@pytest.mark.parametrize("form", [Json(), Text()], ids=["json", "text"])
def test_of_other_peoples_records_the_first_line_is_told(form) -> None:
    line = form.format(record("asyncio", f"Task exception was never retrieved\nfuture: {WRITTEN}"))
    assert "never retrieved" in line and WRITTEN not in line


@pytest.mark.parametrize("form", [Json(), Text()], ids=["json", "text"])
def test_ours_is_one_line_whatever_its_message(form) -> None:
    assert "\n" not in form.format(record(message="one\ntwo"))


def test_everything_a_process_says_has_the_shape_once_installed() -> None:
    code = (
        "import logging, warnings; from service.telemetry.logs import install\n"
        "install('json', 'info'); install('json', 'info')\n"
        "logging.getLogger('uvicorn.error').info('here'); logging.getLogger('heed.x').debug('not this')\n"
        "warnings.warn('careful')"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [line["logger"] for line in lines] == ["uvicorn.error", "py.warnings"], "each once"

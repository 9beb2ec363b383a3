"""The code of docs/client.md does what the page says."""

from __future__ import annotations

import re
import sys

import client
from tests.house.tree import ROOT

PAGE = (ROOT / "docs/client.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```\n\n```\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_page_tells_what_its_code_prints(url, monkeypatch, capsys) -> None:
    monkeypatch.setitem(sys.modules, "heed_client", client)
    monkeypatch.setenv("HEED_KEY", "")
    assert len(BLOCKS) == PAGE.count("```python")
    names: dict[str, object] = {}
    try:
        for code, told in BLOCKS:
            exec(compile(code.replace("http://127.0.0.1:8000", url), "client.md", "exec"), names)  # noqa: S102
            assert capsys.readouterr().out == told
    finally:
        if isinstance(heed := names.get("heed"), client.Heed):
            heed.close()

"""A peer that cannot be had is named loudly, and the others go on."""

from __future__ import annotations

import argparse
from typing import Any

import pytest

from bench.__main__ import main
from bench.peers import compare
from bench.peers.environments import Missing


def row(engine: str, ratio: float | None) -> dict[str, Any]:
    return {"engine": engine, "beam": 5, "attention": True, "ratio": ratio}


def test_who_is_missing_is_said_and_who_is_there_is_compared(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def absent(name: str, given: argparse.Namespace) -> list[dict[str, Any]]:
        raise Missing(f"{name} cannot be installed here")

    def there(name: str, given: argparse.Namespace) -> list[dict[str, Any]]:
        return [row("Heed int8", 1.0), row(name, 2.5)]

    monkeypatch.setattr(compare, "PEERS", {**compare.PEERS, "mosec": absent, "litserve": there})
    assert main(["peers", "mosec", "litserve", "--bundle", "nowhere"]) == 1
    said = capsys.readouterr()
    assert "mosec WAS NOT MEASURED: mosec cannot be installed here" in said.err
    assert "litserve" in said.out and "2.50" in said.out


def test_ratios_are_of_peers_and_one_that_carried_nothing_is_infinitely_slower() -> None:
    table = compare.ratios([row("Heed int8", 1.0), row("mosec", None), row("eager", 4.0)])
    assert "Heed int8" not in table and "inf" in table and "4.00" in table

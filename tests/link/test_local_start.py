"""A local link's loops are started by the thread that made them: how it counts small numbers is inherited."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

from service.link.local import LocalLink


def test_who_makes_the_engine_starts_it(tmp_path: Path) -> None:
    seen = []

    class Engine:
        def __init__(self) -> None:
            seen.append(threading.current_thread())
            self.bundles: dict[str, Any] = {}
            self.costs: dict[str, int] = {}

        def start(self) -> None:
            seen.append(threading.current_thread())

    made: Any = Engine
    asyncio.run(LocalLink(made, tmp_path).start())
    assert len(seen) == 2 and seen[0] is seen[1]
    assert seen[0] is not threading.current_thread(), "the event loop goes on meanwhile"

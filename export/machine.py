"""Which machine this is, for cards: its processor and how many cores may be used.

Knows nothing of bundles.
"""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path


def machine(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Such as "x86_64, AMD EPYC, 2 cores"; without the processor where the system does not tell its name."""
    told = cpuinfo.read_text("utf-8", "replace") if cpuinfo.exists() else ""
    name = re.search(r"^model name\s*:\s*(.+)$", told, re.MULTILINE)
    return ", ".join([platform.machine(), *([name[1].strip()] if name else []), f"{cores()} cores"])


def cores() -> int:
    """How many cores this process may use, where the system tells that; else how many there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

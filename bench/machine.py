"""What was measured on: the processor, its cores and what is installed, so that a figure can be read elsewhere.

Knows nothing of figures.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

ISA = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8")  # what decides the speed of int8


def machine() -> dict[str, Any]:
    """Processor, cores, the instructions that matter, versions, and how busy the machine was beforehand."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    told = dict(reversed([(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]))
    flags = told.get("flags", "").split()
    return {
        "processor": told.get("model name", platform.processor()),
        "cores": os.cpu_count(),
        "instructions": [one for one in ISA if one in flags],
        "python": platform.python_version(),
        "onnxruntime": importlib.metadata.version("onnxruntime"),
        "load": round(os.getloadavg()[0], 2),
    }


def told() -> str:
    """The machine in a line; a busy one is named as such."""
    one = machine()
    busy = f"; BUSY: load {one['load']} before the start, these figures count for little" if one["load"] > 0.5 else ""
    return (
        f"{one['processor']}, {one['cores']} cores, {' '.join(one['instructions'])}; "
        f"Python {one['python']}, onnxruntime {one['onnxruntime']}{busy}"
    )

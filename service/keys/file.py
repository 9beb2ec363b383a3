"""The file of keys: read whole, written whole, by one process at a time, readable by its owner alone.

Knows nothing of what keys open. No secret is in it, so who reads it can still not ask for anything.
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from service.keys.key import Key

KEYS = TypeAdapter(tuple[Key, ...])
LARGEST = 16 * 2**20  # bytes: some 60,000 keys


class BadKeys(ValueError):
    """The file cannot be read as keys; the message says where, and quotes nothing of it."""


def read(path: Path) -> tuple[Key, ...]:
    """Every key.

    Raises:
        BadKeys: there is no such file, or something else is in it.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise BadKeys(f"{path}: more than {LARGEST} bytes")
        found = KEYS.validate_json(path.read_bytes(), strict=False)
    except OSError as missing:
        raise BadKeys(f"{path}: {missing.strerror}") from None
    except ValidationError as wrong:
        first = wrong.errors(include_input=False, include_url=False)[0]
        raise BadKeys(f"{path}: {'/'.join(map(str, first['loc']))}: {first['msg']}") from None
    if len({one.id for one in found}) < len(found):
        raise BadKeys(f"{path}: an id stands there twice")
    return found


def change(path: Path, how: Callable[[tuple[Key, ...]], Sequence[Key]]) -> None:
    """Replace the keys by what `how` makes of them; whoever reads meanwhile sees the old or the new, never a half.

    Raises:
        BadKeys: what is there is broken: it is left as it is.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(path.with_name(path.name + ".lock"), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        after = how(read(path) if path.exists() else ())
        written = json.dumps([one.model_dump(mode="json", exclude_none=True) for one in after], indent=1)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # 0600
        with os.fdopen(descriptor, "w") as file:
            file.write(written + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    finally:
        os.close(lock)

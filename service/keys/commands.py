"""python -m service keys add | list | revoke: the keys in the file that the settings name.

Knows nothing of servers: one that runs reads the file again by itself. A key is printed once, when it is made.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from service.keys.file import BadKeys, change, read
from service.keys.key import Key, make


def options(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    verbs = parser.add_subparsers(dest="verb", required=True)
    add = verbs.add_parser("add", help="make a key and print it: nobody can print it again")
    add.add_argument("name", help="whose it is, or what for")
    add.add_argument("--scope", action="append", choices=["work", "admin"], help="what it opens; work if none is given")
    add.add_argument("--requests", metavar="LIMIT", help="such as 600/minute;20/second; otherwise as the settings say")
    add.add_argument("--rows", metavar="LIMIT", help="beam rows (texts times beam size), as 10000/minute")
    add.add_argument("--days", type=float, help="after which it opens nothing any more")
    verbs.add_parser("list", help="every key but its secret")
    revoke = verbs.add_parser("revoke", help="remove a key; servers refuse it within a second")
    revoke.add_argument("id")


def run(path: Path, asked: argparse.Namespace) -> int:
    """Do what is asked.

    Raises:
        BadKeys: the file is broken, or there is no such key, or the new one makes no sense.
    """
    verbs = {"add": _add, "list": _list, "revoke": _revoke}
    verbs[asked.verb](path, asked)
    return 0


def _add(path: Path, asked: argparse.Namespace) -> None:
    whole, id_, digest = make()
    now = datetime.now(UTC).replace(microsecond=0)
    about: dict[str, Any] = {"id": id_, "name": asked.name, "sha256": digest, "created": now}
    about |= {"scopes": tuple(dict.fromkeys(asked.scope or ["work"])), "requests": asked.requests, "rows": asked.rows}
    about |= {} if asked.days is None else {"expires": now + timedelta(days=asked.days)}
    try:
        key = Key(**about)
    except ValidationError as wrong:
        first = wrong.errors(include_input=False)[0]
        raise BadKeys(f"{'/'.join(map(str, first['loc']))}: {first['msg']}") from None
    change(path, lambda before: (*before, key))
    print(whole)


def _list(path: Path, _: argparse.Namespace) -> None:
    for key in read(path):
        ends = f"until {key.expires:%Y-%m-%d %H:%M}" if key.expires else "for ever"
        limits = ", ".join(f"{name} {value}" for name in ("requests", "rows") if (value := getattr(key, name)))
        print(f"{key.id}  {key.name}  {'+'.join(key.scopes)}  {ends}  {limits or 'limits of the settings'}")


def _revoke(path: Path, asked: argparse.Namespace) -> None:
    def without(before: tuple[Key, ...]) -> list[Key]:
        after = [one for one in before if one.id != asked.id]
        if len(after) == len(before):
            raise BadKeys(f"{path}: no key has this id")
        return after

    read(path)  # a file that is not there has no key to revoke
    change(path, without)
    print(f"revoked {asked.id}")

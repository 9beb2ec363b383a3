"""Keys: what is kept of them, what opens with them, and a file that is read again when it changes."""

from __future__ import annotations

import argparse
import json
import stat
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from service.keys import commands, file, key
from service.keys.ring import EVERY, KeyRing

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def kept(**about: Any) -> tuple[str, key.Key]:
    """A new key as it is shown, and what is kept of it."""
    whole, id_, digest = key.make()
    return whole, key.Key(id=id_, name="a test", sha256=digest, created=NOW, **about)


def asked(*words: str) -> argparse.Namespace:
    """The words of a command line."""
    parser = argparse.ArgumentParser()
    commands.options(parser)
    return parser.parse_args(words)


class Clock:
    """Time, set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def ring(path: Path) -> tuple[KeyRing, Clock]:
    clock = Clock()
    return KeyRing(path, clock), clock


def test_a_key_is_recognised_by_its_secret_which_is_kept_nowhere(tmp_path, capsys) -> None:
    path = tmp_path / "keys.json"
    commands.run(path, asked("add", "alice"))
    shown = capsys.readouterr().out.strip()
    _, secret = key.split(shown) or ("", "")
    assert secret not in path.read_text()
    found = KeyRing(path, Clock()).find(shown)
    assert found is not None and found.name == "alice"
    assert secret not in repr(found) and found.sha256 not in repr(found)


def test_two_keys_are_never_alike_and_hold_256_random_bits() -> None:
    secrets = {(key.split(key.make()[0]) or ("", ""))[1] for _ in range(100)}
    assert len(secrets) == 100
    assert all(len(secret) == 43 for secret in secrets)


@pytest.mark.parametrize("change", ["secret", "id", "case", "longer", "shorter", "other", "empty", "huge", "not ASCII"])
def test_what_is_not_the_key_is_not_found(tmp_path, change) -> None:
    whole, one = kept()
    file.change(tmp_path / "keys", lambda _: [one])
    wrong = {
        "secret": whole[:-1] + ("A" if whole[-1] != "A" else "B"),
        "id": whole.replace(one.id, "0" * 12),
        "case": whole.swapcase(),
        "longer": whole + "A",
        "shorter": whole[:-1],
        "other": key.make()[0],
        "empty": "",
        "huge": whole * 10_000,
        "not ASCII": whole[:-1] + "é",
    }[change]
    assert KeyRing(tmp_path / "keys", Clock()).find(wrong) is None


def test_an_unknown_id_is_compared_all_the_same(monkeypatch) -> None:
    compared = []
    monkeypatch.setattr("service.keys.key.hmac.compare_digest", lambda *two: compared.append(two))
    key.same(None, "secret")
    assert len(compared) == 1


def test_a_key_opens_its_scopes_alone_and_until_it_expires() -> None:
    _, one = kept(scopes=("admin",), expires=NOW)
    before, after = NOW.timestamp() - 1, NOW.timestamp()
    assert one.opens("admin", before)
    assert not one.opens("work", before)
    assert not one.opens("admin", after)


def test_a_revoked_key_is_refused_as_soon_as_the_file_is_looked_at_again(tmp_path, capsys) -> None:
    path = tmp_path / "keys"
    commands.run(path, asked("add", "alice"))
    shown = capsys.readouterr().out.strip()
    keys, clock = ring(path)
    found = keys.find(shown)
    assert found is not None
    commands.run(path, asked("revoke", found.id))
    clock.now += EVERY
    assert keys.find(shown) is None


def test_a_key_that_is_added_is_known_without_a_restart(tmp_path) -> None:
    (_, one), (whole, other) = kept(), kept()
    file.change(tmp_path / "keys", lambda _: [one])
    keys, clock = ring(tmp_path / "keys")
    file.change(tmp_path / "keys", lambda before: [*before, other])
    clock.now += EVERY
    assert keys.find(whole) == other


@pytest.mark.parametrize("slip", ["[", '[{"id": "swordfish"}]', None])
def test_a_slip_in_the_file_locks_nobody_out_and_is_logged_without_its_content(tmp_path, caplog, slip) -> None:
    whole, one = kept()
    path = tmp_path / "keys"
    file.change(path, lambda _: [one])
    keys, clock = ring(path)
    path.unlink() if slip is None else path.write_text(slip)
    clock.now += EVERY
    assert keys.find(whole) == one
    assert "keys as before" in caplog.text
    assert "swordfish" not in caplog.text


def test_a_server_does_not_start_with_a_broken_file(tmp_path) -> None:
    (tmp_path / "keys").write_text("{}")
    with pytest.raises(file.BadKeys, match="keys: "):
        KeyRing(tmp_path / "keys", Clock())


def test_an_id_that_stands_there_twice_is_an_error(tmp_path) -> None:
    _, one = kept()
    (tmp_path / "keys").write_text(json.dumps([one.model_dump(mode="json", exclude_none=True)] * 2))
    with pytest.raises(file.BadKeys, match="twice"):
        file.read(tmp_path / "keys")


def test_the_file_is_its_owners_alone(tmp_path) -> None:
    commands.run(tmp_path / "keys", asked("add", "alice"))
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o600


def test_two_who_add_at_once_lose_nothing(tmp_path) -> None:
    adding = [
        threading.Thread(target=file.change, args=(tmp_path / "keys", lambda before: [*before, kept()[1]]))
        for _ in range(20)
    ]
    for one in adding:
        one.start()
    for one in adding:
        one.join()
    assert len(file.read(tmp_path / "keys")) == 20


def test_the_list_tells_everything_but_the_secret(tmp_path, capsys) -> None:
    path = tmp_path / "keys"
    commands.run(path, asked("add", "alice", "--scope", "admin", "--requests", "5/minute", "--days", "2"))
    shown = capsys.readouterr().out.strip()
    commands.run(path, asked("list"))
    listed = capsys.readouterr().out
    assert "alice  admin  until " in listed and "requests 5/minute" in listed
    assert (key.split(shown) or ("", "?"))[1] not in listed


@pytest.mark.parametrize(
    "words", [["add", ""], ["add", "x", "--rows", "many"], ["revoke", "0" * 12], ["list"]], ids=lambda words: words[0]
)
def test_what_cannot_be_done_is_said_and_leaves_no_file(tmp_path, words) -> None:
    with pytest.raises(file.BadKeys):
        commands.run(tmp_path / "keys", asked(*words))
    assert not (tmp_path / "keys").exists()

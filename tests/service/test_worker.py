"""A worker process, spoken to by hand: what it says, and how it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import pytest

from bundle.manifest import Bundle
from service.engine.warm import tiny
from service.link.frames import Frames
from service.link.words import Ask, Beat, Broken, Cancel, Leaving, Ready, Report, Say, Word, heard, packed
from service.messages import Done, Event, Failed, Tokens
from service.telemetry.figures import counter
from service.worker import BROKEN
from tests.fakes import captioner, tiny_bundle
from tests.house.tree import ROOT
from tests.link import accidents
from tests.link.asking import PATIENCE, REAL, RISKY, echoed, environment, guest


class Front:
    """This end of the socket."""

    def __init__(self, command: tuple[str, ...], variables: dict[str, str]) -> None:
        self.sock, theirs = socket.socketpair()
        self.sock.settimeout(PATIENCE)
        self.frames, self.words = Frames(), list[Word]()
        self.process = subprocess.Popen(
            [*command, "--fd", str(theirs.fileno())],
            env=variables,
            cwd=ROOT,
            pass_fds=[theirs.fileno()],
            stderr=subprocess.PIPE,
            text=True,
        )
        theirs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.sock.close()
        self.process.kill()
        self.process.communicate()

    def tell(self, word: Word) -> None:
        self.sock.sendall(packed(word))

    def hear(self) -> Word | None:
        """The next word that is neither a beat nor a report; None when the worker has closed its end."""
        until = time.monotonic() + PATIENCE
        while not self.words:
            assert time.monotonic() < until, "it only says that it lives"
            data = self.sock.recv(1 << 16)
            if not data:
                return None
            self.words += [word for word in heard(self.frames, data) if not isinstance(word, Beat | Report)]
        return self.words.pop(0)

    def end(self) -> tuple[int, str]:
        """Exit status and what was logged, once it is gone."""
        _, logged = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, logged


@contextmanager
def front(zoo: Path, command: tuple[str, ...] = REAL, **variables: str) -> Iterator[Front]:
    """A worker that is not ready yet."""
    with Front(command, environment(zoo, **variables)) as one:
        yield one


@contextmanager
def working(zoo: Path, command: tuple[str, ...] = REAL, **variables: str) -> Iterator[Front]:
    """A worker that is ready."""
    with front(zoo, command, **variables) as one:
        assert isinstance(one.hear(), Ready)
        yield one


def done(word: Word | None) -> Any:
    assert isinstance(word, Say), word
    assert isinstance(word.event, Done), word
    return word.event


def test_it_answers_and_leaves_when_the_front_closes_its_end(toys: Path) -> None:
    with working(toys) as one:
        for number in (1, 2):
            one.tell(Ask(number, guest(number)))
            echoed(guest(number), done(one.hear()))
        one.sock.close()
        status, logged = one.end()
        assert status == 0
        assert "Traceback" not in logged


def test_it_leaves_in_the_middle_of_work_when_the_front_dies(toys: Path) -> None:
    with working(toys, RISKY, **{accidents.STEP: "0.1"}) as one:
        for number in range(5):
            one.tell(Ask(number, guest(number, 45)))
        one.sock.shutdown(socket.SHUT_RDWR)
        assert one.end()[0] == 0


def test_it_leaves_while_it_warms_up_when_the_front_dies(toys: Path) -> None:
    with front(toys, RISKY, HEED_HEARTBEAT_SECONDS="0.4", **{accidents.STEP: "1000"}) as one:
        assert one.sock.recv(1 << 16), "a beat: it has begun"
        one.sock.close()
        assert one.end()[0] == 0


def test_a_loop_that_is_gone_without_a_word_is_noticed_while_warming_up(toys: Path) -> None:
    with front(toys, RISKY, **{accidents.SILENT: "1"}) as one:
        told = one.hear()
        assert isinstance(told, Broken) and "does not answer" in told.why
        assert one.end()[0] == BROKEN


def test_it_leaves_when_the_front_is_silent_for_long(toys: Path) -> None:
    with front(toys, HEED_HEARTBEAT_SECONDS="0.1") as one:
        status, logged = one.end()
        assert status == 0
        assert "the front has been silent" in logged


def test_beats_come_from_the_start_and_keep_coming(toys: Path) -> None:
    with front(toys, HEED_HEARTBEAT_SECONDS="2") as one:
        found: list[Word] = []
        while found.count(Beat()) < 3 or not any(isinstance(word, Ready) for word in found):
            found += heard(one.frames, one.sock.recv(1 << 16))
            one.tell(Beat())
        assert one.process.poll() is None


def test_it_reports_what_it_counted_and_its_warming_up_is_not_among_it(toys: Path) -> None:
    with front(toys) as one:
        found: list[Word] = []
        one.tell(Ask(1, guest(1)))
        while not any(isinstance(word, Report) and counted(word) for word in found):
            found += heard(one.frames, one.sock.recv(1 << 16))
        told = [counted(word) for word in found if isinstance(word, Report)]
        assert told[-1] == len(guest(1).inputs["source"]), "the echo's tokens, and not one of the tiny request"


def counted(word: Report) -> float:
    return counter(word.figures["toy-echo@0", "cpu"].counts, "tokens_out")


def test_the_last_report_comes_before_it_leaves(toys: Path) -> None:
    with working(toys) as one:
        one.tell(Ask(1, guest(1)))
        done(one.hear())
        one.process.send_signal(signal.SIGTERM)
        found: list[Word] = []
        while data := one.sock.recv(1 << 16):
            found += heard(one.frames, data)
        assert isinstance(found[-1], Report)
        assert counted(found[-1]) == len(guest(1).inputs["source"])


def test_ctrl_c_is_ignored_and_sigterm_finishes_what_was_taken(toys: Path) -> None:
    with working(toys, RISKY, **{accidents.STEP: "0.02"}) as one:
        for number in range(6):
            one.tell(Ask(number, guest(number)))
        done(one.hear())
        one.process.send_signal(signal.SIGINT)
        one.process.send_signal(signal.SIGTERM)
        rest = [one.hear() for _ in range(6)]
        assert Leaving() in rest
        assert {done(word).job for word in rest if word != Leaving()} < {f"guest {number}" for number in range(6)}
        assert one.hear() is None
        assert one.end()[0] == 0


def test_what_comes_after_it_said_that_it_leaves_is_handed_back(toys: Path) -> None:
    with working(toys, RISKY, **{accidents.STEP: "0.1"}) as one:
        one.tell(Ask(1, guest(1, 30, stream=True)))
        one.hear()  # its first token
        one.process.send_signal(signal.SIGTERM)
        while one.hear() != Leaving():
            pass
        time.sleep(0.2)  # until the loops refuse, too: a job that comes before that is simply answered
        one.tell(Ask(2, guest(2, 10)))
        ends: dict[int, Event] = {}
        while len(ends) < 2:
            word = one.hear()
            assert isinstance(word, Say)
            ends |= {} if isinstance(word.event, Tokens) else {word.number: word.event}
        assert isinstance(ends[1], Done)
        assert isinstance(ends[2], Failed) and ends[2].error.code == "draining"


def test_a_job_that_was_cancelled_makes_room(toys: Path) -> None:
    with working(toys, RISKY, **{accidents.STEP: "0.05"}) as one:
        one.tell(Ask(1, guest(1, 45, beam_size=16, max_length=46)))
        one.tell(Ask(2, guest(2, 3)))
        one.tell(Cancel(1))
        one.tell(Cancel(77))
        ends = [one.hear() for _ in range(2)]
        assert [word.number for word in ends if isinstance(word, Say)] == [1, 2]
        assert isinstance(ends[0], Say) and isinstance(ends[0].event, Failed)
        echoed(guest(2, 3), done(ends[1]))


def test_bytes_that_are_no_words_end_it(toys: Path) -> None:
    with working(toys) as one:
        one.sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        status, logged = one.end()
        assert status == 0
        assert "BadFrame" in logged and "Traceback" not in logged


def test_a_bundle_that_cannot_be_served_is_told_in_a_word(tmp_path: Path) -> None:
    bundle = tiny_bundle(tmp_path, "toy-echo")
    with front(tmp_path) as one:
        told = one.hear()
        assert isinstance(told, Broken)
        assert told.path.startswith(str(bundle)) and "onnxruntime" in told.why
        assert one.hear() is None
        assert one.end()[0] == BROKEN


@pytest.mark.parametrize("make", [captioner, lambda folder: tiny_bundle(folder, "tiny")], ids=["picture", "text"])
def test_the_tiny_job_has_what_the_bundle_reads(tmp_path: Path, make) -> None:
    bundle = Bundle(make(tmp_path))
    job = tiny(bundle)
    assert job.model == bundle.id
    assert {name: array.shape for name, array in job.inputs.items()} in ({"pixels": (3, 8, 8)}, {"source": (2,)})
    assert ("pixels" in job.inputs) == (bundle.manifest.input == "image")


def test_a_worker_has_no_web_server_and_no_drawing_in_it() -> None:
    code = (
        "import service.__main__, service.worker, sys\n"
        "found = {'fastapi', 'starlette', 'uvicorn', 'PIL', 'service.maps'} & set(sys.modules)\n"
        "sys.exit(f'{found}' if found else 0)"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=dict(os.environ), capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr

"""Mutated pictures through the decoder that serves: it may refuse them, and nothing else may happen.

Knows nothing of HTTP. A picture is drawn, written as JPEG, PNG, WebP or GIF, and then damaged; all of it follows from
one number, so that what was found can be found again (--first N --examples 1). The decoder runs in a child of limited
memory; a child that dies is a finding, and another goes on behind the picture that killed it.
"""

from __future__ import annotations

import argparse
import io
import json
import multiprocessing
import random
import resource
import struct
import time
from collections import Counter
from multiprocessing.connection import Connection

from PIL import Image, ImageDraw

from bench.machine import machine, told
from bundle.image import ImageTooLarge, ImageUnreadable, read

KINDS = ("JPEG", "PNG", "WEBP", "GIF")
MODES = {"JPEG": ("RGB", "L", "CMYK"), "GIF": ("P", "L")}
SLOW = 10.0  # seconds for one picture are a finding
PATIENCE = 120.0  # seconds without news from a child


def options(parser: argparse.ArgumentParser) -> None:
    """What the subcommand takes."""
    parser.add_argument("--examples", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first picture")
    parser.add_argument("--memory", type=int, default=1500, help="MB of address space beyond what a child begins with")


def run(given: argparse.Namespace) -> int:
    """Decode so many; a table; 1 if anything but a refusal happened."""
    print(told())
    began = time.monotonic()
    found = fuzz(given.first, given.examples, given.memory)
    found["seconds"] = round(time.monotonic() - began)
    for name, count in found.items():
        print(f"{name:<12} {count}")
    print(json.dumps({"fuzz": "pictures", **found, **machine()}))
    return int(any(found[name] for name in ("crashed", "raised", "slow")))


def fuzz(first: int, examples: int, memory: int) -> Counter[str]:
    """What became of the pictures with these numbers."""
    found, last, context = Counter[str](), first + examples, multiprocessing.get_context("spawn")
    while first < last:
        ours, theirs = context.Pipe()
        child = context.Process(target=_decode, args=(first, last, memory, theirs))
        child.start()
        theirs.close()
        try:
            while first < last and ours.poll(PATIENCE):
                number, what, peak = ours.recv()
                found[what] += 1
                found["peak_mb"] = max(found["peak_mb"], peak)
                if what in ("raised", "slow"):
                    print(f"picture {number}: {what}")
                first = number + 1
        except EOFError:
            pass
        child.kill() if first < last else None
        child.join()
        if first < last:
            print(f"picture {first}: crashed, exit code {child.exitcode}")
            found["crashed"] += 1
            first += 1
    return found


def _decode(first: int, last: int, memory: int, pipe: Connection) -> None:
    """A child's life: number by number, told one by one."""
    picture(0)
    read(picture(0))  # everything is imported now
    most = _status("VmSize") + memory * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    for number in range(first, last):
        data, began = damaged(number), time.monotonic()
        try:
            read(data, formats=KINDS)
            what = "read"
        except ImageTooLarge:
            what = "too_large"
        except ImageUnreadable:
            what = "unreadable"
        except Exception as error:  # noqa: BLE001  this is what is looked for
            what = "raised"
            print(f"picture {number}: {error!r}")
        what = "slow" if time.monotonic() - began > SLOW else what
        pipe.send((number, what, _status("VmHWM") >> 20))


def _status(field: str) -> int:
    """Bytes, as the kernel says."""
    with open("/proc/self/status") as status:  # noqa: PTH123  a process's own page
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(field))


def picture(number: int) -> bytes:
    """A picture that is fine."""
    draw = random.Random(number)  # noqa: S311  nothing secret
    size, kind = (draw.randint(1, 200), draw.randint(1, 200)), KINDS[number % len(KINDS)]
    mode = draw.choice(
        {"JPEG": ("RGB", "L", "CMYK"), "GIF": ("P", "L")}.get(kind, ("RGB", "RGBA", "L", "P", "LA", "1"))
    )
    canvas = Image.new("RGB", size, tuple(draw.randbytes(3)))
    pen = ImageDraw.Draw(canvas)
    for _ in range(8):
        pen.line([(draw.randint(0, 200), draw.randint(0, 200)) for _ in range(3)], tuple(draw.randbytes(3)), 5)
    canvas = canvas.convert("RGB" if kind == "WEBP" and mode not in ("RGB", "RGBA") else mode)
    how: dict[str, object] = {"progressive": draw.random() < 0.5} if kind == "JPEG" else {}
    how |= {"lossless": draw.random() < 0.5} if kind == "WEBP" else {}
    if kind in ("GIF", "WEBP", "PNG") and draw.random() < 0.3:
        how |= {"save_all": True, "append_images": [canvas.rotate(90), canvas.rotate(180)]}
    file = io.BytesIO()
    canvas.save(file, kind, exif=_exif(draw), **how) if kind != "GIF" else canvas.save(file, kind, **how)
    return file.getvalue()


def _exif(draw: random.Random) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = draw.randint(0, 9)
    exif[0x010E] = draw.choice(("a", "b" * 1000))
    return exif.tobytes()


def damaged(number: int) -> bytes:
    """The same, hurt in one to four ways."""
    draw = random.Random(number ^ 0x5EED)  # noqa: S311  nothing secret
    data = bytearray(picture(number))
    for _ in range(draw.randint(1, 4)):
        data = draw.choice((_flip, _cut, _head, _number, _repeat, _splice))(data, draw)
    return bytes(data)


def _flip(data: bytearray, draw: random.Random) -> bytearray:
    for _ in range(draw.choice((1, 3, 20))):
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    return data


def _cut(data: bytearray, draw: random.Random) -> bytearray:
    return data[: draw.randrange(1, len(data) + 1)]


def _head(data: bytearray, draw: random.Random) -> bytearray:
    """Any byte among the first, where sizes and modes stand."""
    data[draw.randrange(min(len(data), 64))] = draw.choice((0, 1, 0x7F, 0x80, 0xFF, draw.randrange(256)))
    return data


def _number(data: bytearray, draw: random.Random) -> bytearray:
    """A number of four bytes that is very large, very small or negative."""
    at = draw.randrange(len(data))
    value = draw.choice((0, 1, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF))
    data[at : at + 4] = struct.pack(draw.choice((">I", "<I")), value)
    return data


def _repeat(data: bytearray, draw: random.Random) -> bytearray:
    begin = draw.randrange(len(data))
    end = min(len(data), begin + draw.randint(1, 500))
    return data[:end] + data[begin:end] * draw.choice((1, 10, 100)) + data[end:]


def _splice(data: bytearray, draw: random.Random) -> bytearray:
    """Its first part, then the rest of another one."""
    other = bytearray(picture(draw.randrange(1000)))
    return data[: draw.randrange(1, len(data) + 1)] + other[draw.randrange(len(other)) :]

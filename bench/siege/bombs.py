"""Requests that are small and become large: pictures by their header or by their pixels, JSON, forms.

Knows nothing of HTTP beyond the media type of each.
"""

from __future__ import annotations

import base64
import io
import struct
import zlib

from PIL import Image

Bomb = tuple[str, bytes]  # media type and body
ALL: list[Bomb] = []
SIDE = 4000  # 16 million pixels: a bomb that is legal


def prepare() -> None:
    """Make them all, once."""
    if not ALL:
        ALL.extend([*_pictures(), *_texts()])


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *between: bytes, pixels: bytes = b"") -> bytes:
    """A PNG with any chunks between its header and its pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    rest = chunk(b"IDAT", zlib.compress(pixels, 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(between) + rest


def _pictures() -> list[Bomb]:
    zeros = zlib.compress(bytes(64 * 2**20), 9)  # 64 MB in 64 kB
    text = chunk(b"zTXt", b"a\0\0" + zeros)
    profile = chunk(b"iCCP", b"a\0\0" + zeros)
    jpeg, webp, gif = io.BytesIO(), io.BytesIO(), io.BytesIO()
    Image.new("RGB", (SIDE, SIDE)).save(jpeg, "JPEG", progressive=True)
    Image.new("RGBA", (SIDE, SIDE)).save(webp, "WEBP", lossless=True, quality=0, method=0)
    Image.new("P", (SIDE, SIDE)).save(gif, "GIF")
    return [
        ("image/png", png(50_000, 50_000, pixels=bytes(2**20))),
        ("image/png", png(SIDE, SIDE, pixels=bytes(SIDE * (3 * SIDE + 1)))),
        ("image/png", png(8, 8, *[text] * 20, pixels=bytes(200))),
        ("image/png", png(8, 8, profile, pixels=bytes(200))),
        ("image/jpeg", scans(jpeg.getvalue(), 2000)),
        ("image/webp", webp.getvalue()),
        ("image/gif", gif.getvalue()),
    ]


def scans(jpeg: bytes, times: int) -> bytes:
    """A progressive JPEG whose last scan is told again and again: each pass goes over every pixel."""
    at = jpeg.rindex(b"\xff\xda")
    return jpeg[:-2] + jpeg[at:-2] * times + b"\xff\xd9"


def _texts() -> list[Bomb]:
    boundary = b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n"
    image = base64.b64encode(bytes(11 * 2**20))
    return [
        ("application/json", b"[" * 2**20 + b"]" * 2**20),
        ("application/json", b'{"text": [' + b'"a",' * 200_000 + b'"a"]}'),
        ("application/json", b'{"text": "' + b"a " * 2**21 + b'"}'),
        ("application/json", b'{"beam_size": ' + b"9" * 2**20 + b"}"),
        ("multipart/form-data; boundary=x", boundary * 100_000 + b"--x--\r\n"),
        ("application/json", b'{"image": "' + image + b'"}'),
    ]

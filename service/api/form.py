"""A multipart form, strictly: one file under its name, texts beside it, each name once, and nothing after the end.

Knows nothing of what the fields mean. The whole body is at hand, and so nothing is written to disk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from service.errors import Malformed, Where

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MOST_PARTS, MOST_FIELD_BYTES = 32, 64 * 1024
PLAIN = (b"", b"binary", b"8bit", b"7bit")  # transfer encodings that change nothing


def parts(
    content_type: str, body: bytes, file: str, most_bytes: int = MOST_FIELD_BYTES
) -> tuple[bytes | None, dict[str, str]]:
    """The bytes of the file, if there is one, and the texts by name; most_bytes: of a text.

    Raises:
        Malformed: it is not a form, or not one as we read them.
    """
    reading = _read(content_type, body, file, most_bytes)
    return reading.file, reading.texts


def upload(content_type: str, body: bytes, file: str) -> tuple[str, bytes | None, dict[str, str]]:
    """The same, and before it what the file is called.

    Raises:
        Malformed: as above.
    """
    reading = _read(content_type, body, file, MOST_FIELD_BYTES)
    return reading.upload_name, reading.file, reading.texts


def _read(content_type: str, body: bytes, file: str, most_bytes: int) -> _Reading:
    _, options = parse_options_header(content_type)
    reading = _Reading(file, most_bytes)
    try:
        parser = MultipartParser(options[b"boundary"], reading.callbacks())
        parser.write(body)
        parser.finalize()
    except KeyError:
        raise Malformed("The form's Content-Type names no boundary.") from None
    except FormParserError:
        raise Malformed("The form is not valid multipart.") from None
    if not reading.ended:
        raise Malformed("The form is cut off.")
    if reading.file is not None and reading.strays:
        raise Malformed("A form may have one file.", errors=(Where(f"/{reading.strays[0]}", "is one file too many"),))
    return reading


class _Reading:
    """What the parser has told so far."""

    def __init__(self, file_name: str, most_bytes: int) -> None:
        self.file_name, self.name, self.is_file, self.most_bytes = file_name, "", False, most_bytes
        self.strays: list[str] = []
        self.upload_name = ""
        self.file: bytes | None = None
        self.texts: dict[str, str] = {}
        self.headers: dict[bytes, bytes] = {}
        self.field = self.value = b""
        self.body, self.count, self.ended = bytearray(), 0, False

    def callbacks(self) -> MultipartCallbacks:
        """By the parser's names."""
        names = ("part_begin", "part_data", "part_end", "header_field", "header_value", "header_end", "end")
        found = {f"on_{name}": getattr(self, name) for name in (*names, "headers_finished")}
        return cast("MultipartCallbacks", found)

    def part_begin(self) -> None:
        self.count += 1
        if self.count > MOST_PARTS:
            raise Malformed(f"A form may have {MOST_PARTS} parts.", limit=MOST_PARTS, actual=self.count)
        self.headers, self.body = {}, bytearray()

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self.field += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self.value += data[start:end]

    def header_end(self) -> None:
        self.headers[self.field.lower()] = self.value
        self.field = self.value = b""

    def headers_finished(self) -> None:
        kind, options = parse_options_header(self.headers.get(b"content-disposition", b""))
        if kind != b"form-data" or b"name" not in options:
            raise Malformed("A part of the form has no name.")
        if self.headers.get(b"content-transfer-encoding", b"").strip().lower() not in PLAIN:
            raise Malformed("A part of the form has an encoding of its own.")
        self.name = options[b"name"].decode("utf-8", "replace")
        self.is_file = b"filename" in options or b"filename*" in options
        if self.is_file and self.name == self.file_name:
            self.upload_name = options.get(b"filename*", options.get(b"filename", b"")).decode("utf-8", "replace")
        if self.is_file and self.name != self.file_name:
            self.strays.append(_pointed(self.name))
        if self.name in self.texts or (self.name == self.file_name and self.file is not None):
            raise self._wrong("is there twice")

    def part_data(self, data: bytes, start: int, end: int) -> None:
        if not self.strays:
            self.body += data[start:end]
        if not self.is_file and len(self.body) > self.most_bytes:
            raise self._wrong(f"has more than {self.most_bytes} bytes")

    def part_end(self) -> None:
        if self.is_file:
            self.file = self.file if self.strays else bytes(self.body)
            return
        try:
            self.texts[self.name] = self.body.decode()
        except UnicodeDecodeError:
            raise self._wrong("is not UTF-8") from None

    def end(self) -> None:
        self.ended = True

    def _wrong(self, why: str) -> Malformed:
        return Malformed(f"A part of the form {why}.", errors=(Where(f"/{_pointed(self.name)}", why),))


def _pointed(name: str) -> str:
    """A name in a JSON Pointer."""
    return name[:80].replace("~", "~0").replace("/", "~1")

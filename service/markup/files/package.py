"""Files that are archives of XML: opened within bounds, some of their parts changed, everything else as it was.

Knows nothing of what the parts say.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from copy import copy

from lxml import etree

from service.errors import FileBroken
from service.markup.files.opened import Limits

DECLARES = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)  # no office program writes one
ENTRY = b"PK\x01\x02"  # begins each line of an archive's contents
WAYS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others unpack at one go, however much that is
STEP = 64 * 1024  # bytes that are unpacked at a time


def unpacked(data: bytes, wanted: re.Pattern[str], limits: Limits) -> dict[str, etree._Element]:
    """The parts with such names, parsed. All others are unpacked too, and forgotten: `packed` may rely on them.

    Raises:
        FileBroken: it is no archive, unpacks to too much, or a part is not XML, or declares entities.
    """
    if (count := data.count(ENTRY)) > limits.entries:  # before anything is made of them
        raise FileBroken("The file has too many parts.", limit=limits.entries, actual=count)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            names = {entry.filename for entry in entries}
            if len(names) < len(entries) or any(entry.flag_bits & 1 for entry in entries):
                raise FileBroken("The file is encrypted, or has a part twice.")
            if any(entry.compress_type not in WAYS for entry in entries):
                raise FileBroken("The file is packed in a way that no office program uses.")
            parts = _read(archive, wanted, limits.unpacked)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError):
        raise FileBroken("The file is not an archive that can be read.") from None
    marks = sum(part.count(b"<") + part.count(b"=") for part in parts.values())
    if marks > limits.elements:  # before there are trees, which take many times as much
        raise FileBroken("The file has too many elements.", limit=limits.elements, actual=marks)
    return {name: parsed(parts.pop(name)) for name in list(parts)}


def _read(archive: zipfile.ZipFile, wanted: re.Pattern[str], most: int) -> dict[str, bytes]:
    """The wanted parts as they are, after all were unpacked: what an archive says of their sizes may be a lie.

    Raises:
        FileBroken: all together they are too much.
    """
    size, found = 0, dict[str, bytes]()
    for entry in archive.infolist():
        kept = []
        for piece in _pieces(archive, entry):
            size += len(piece)
            if size > most:
                raise FileBroken("The file unpacks to too much.", limit=most, actual=size)
            if wanted.fullmatch(entry.filename):
                kept.append(piece)
        if wanted.fullmatch(entry.filename):
            found[entry.filename] = b"".join(kept)
    return found


def _pieces(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """What an entry holds, of which no more than a step is unpacked ahead."""
    with archive.open(entry) as packed_:
        while piece := packed_.read(STEP):
            yield piece


def parsed(data: bytes) -> etree._Element:
    """XML that declares nothing.

    Raises:
        FileBroken: it is something else.
    """
    if DECLARES.search(data):
        raise FileBroken("A part of the file declares a document type.")
    # read as UTF-8 whatever it says itself: in another encoding it could say what was not looked for
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, encoding="UTF-8")
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError:
        raise FileBroken("A part of the file is not XML in UTF-8.") from None


def packed(data: bytes, parts: Mapping[str, etree._Element]) -> bytes:
    """An archive that was `unpacked` with these parts, in its order; the rest as it was."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as written:
        for entry in archive.infolist():
            part = parts.get(entry.filename)
            with written.open(copy(entry), "w") as into:
                for piece in _pieces(archive, entry) if part is None else (_written(part),):
                    into.write(piece)
    return out.getvalue()


def _written(part: etree._Element) -> bytes:
    written: bytes = etree.tostring(part, xml_declaration=True, encoding="UTF-8", standalone=True)
    return written

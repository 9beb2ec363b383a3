"""Files that are archives of XML: opened within bounds, some of their parts changed, everything else as it was.

Knows nothing of what the parts say.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Mapping

from lxml import etree

from service.errors import FileBroken
from service.markup.files.opened import Limits

DECLARES = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)  # no office program writes one


def unpacked(data: bytes, wanted: re.Pattern[str], limits: Limits) -> dict[str, etree._Element]:
    """The parts with such names, parsed.

    Raises:
        FileBroken: it is no archive, unpacks to too much, or a part is not XML, or declares entities.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            size = sum(entry.file_size for entry in entries)  # no more than that is ever read of them
            if len(entries) > limits.entries or size > limits.unpacked:
                raise FileBroken("The file unpacks to too much.", limit=limits.unpacked, actual=size)
            names = [entry.filename for entry in entries]
            if len(set(names)) < len(names) or any(entry.flag_bits & 1 for entry in entries):
                raise FileBroken("The file is encrypted, or has a part twice.")
            return {name: parsed(archive.read(name)) for name in names if wanted.fullmatch(name)}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError):
        raise FileBroken("The file is not an archive that can be read.") from None


def parsed(data: bytes) -> etree._Element:
    """XML that declares nothing.

    Raises:
        FileBroken: it is something else.
    """
    if DECLARES.search(data) or data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise FileBroken("A part of the file declares a document type, or is not UTF-8.")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError:
        raise FileBroken("A part of the file is not XML.") from None


def packed(data: bytes, parts: Mapping[str, etree._Element]) -> bytes:
    """The archive with these parts, in its order; the rest as it was."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as written:
        for entry in archive.infolist():
            part = parts.get(entry.filename)
            said = archive.read(entry) if part is None else _written(part)
            written.writestr(entry, said, entry.compress_type)
    return out.getvalue()


def _written(part: etree._Element) -> bytes:
    written: bytes = etree.tostring(part, xml_declaration=True, encoding="UTF-8", standalone=True)
    return written

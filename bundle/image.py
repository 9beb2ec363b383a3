"""Picture bytes to a normalised array, and which pixels of the picture each attention cell looks at.

Knows nothing of models: training, export and serving all run these lines.

The whole frame is squeezed into a square, as in the training data: nothing is cropped away, so an attention map lies
over the whole upright picture. Every check that can be made on the header is made before a pixel is decoded.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
MAX_PIXELS = 40_000_000  # a 40-megapixel photograph; decoded, 120 MB
MAX_WHOLE = 16_000_000  # of what can only be decoded whole: two 4K screens; a JPEG is decoded small
MAX_SCANS = 40  # of a progressive JPEG, each a pass over all its pixels; encoders write 10 to 14
MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # in a scan: anything but a stuffed byte or a restart
WHITE = (255, 255, 255, 255)


class ImageUnreadable(ValueError):
    """The bytes are not a whole picture in a format we read."""


class ImageTooLarge(ValueError):
    """The header announces more pixels than may be decoded."""

    def __init__(self, limit: int, actual: int) -> None:
        super().__init__(f"the picture has {actual:,} pixels; at most {limit:,} are read")
        self.limit, self.actual = limit, actual


@dataclass(frozen=True)
class Pixels:
    """One picture, ready for an encoder."""

    pixels: NDArray[np.float32]  # (3, size, size), RGB, normalised
    width: int  # of the upright picture (EXIF rotation applied)
    height: int
    crop: tuple[int, int, int, int]  # left, top, right, bottom of what the encoder sees, in upright pixels


def read(
    data: bytes,
    *,
    max_pixels: int = MAX_PIXELS,
    size: int = 224,
    mean: float = 127.0,
    scale: float = 128.0,
    formats: Sequence[str] = FORMATS,
    max_whole: int = MAX_WHOLE,
) -> Pixels:
    """Decode a picture and squeeze its whole frame into a square of `(x - mean) / scale`.

    Raises:
        ImageTooLarge: the header announces more than `max_pixels` pixels; none was decoded.
        ImageUnreadable: anything else that keeps these bytes from being a picture.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's bomb warning (our bound is below) and remarks on odd metadata
            upright, width, height = _upright(data, (max_pixels, max_whole), size, formats)
    except (ImageTooLarge, ImageUnreadable):
        raise
    except Exception as broken:  # Pillow's decoders raise what they like: OSError, SyntaxError, struct.error, ...
        raise ImageUnreadable(f"not a readable picture: {broken or type(broken).__name__}") from broken
    square = upright.resize((size, size), Image.Resampling.BICUBIC, reducing_gap=3.0)
    array = (np.asarray(square, np.float32) - np.float32(mean)) / np.float32(scale)
    return Pixels(np.ascontiguousarray(array.transpose(2, 0, 1)), width, height, (0, 0, width, height))


def cell(index: int, grid: tuple[int, int], crop: tuple[int, int, int, int]) -> tuple[float, float, float, float]:
    """Left, top, right, bottom, in upright pixels, of attention cell `index` of a (rows, columns) grid, row by row."""
    rows, columns = grid
    row, column = divmod(index, columns)
    left, top, right, bottom = crop
    width, height = (right - left) / columns, (bottom - top) / rows
    return left + column * width, top + row * height, left + (column + 1) * width, top + (row + 1) * height


def _upright(data: bytes, most: tuple[int, int], size: int, formats: Sequence[str]) -> tuple[Image.Image, int, int]:
    """The first frame as upright RGB, perhaps decoded small, and the upright width and height of the whole."""
    with _opened(data, most[0], formats) as picture:
        width, height = picture.size
        photograph = picture.format in ("JPEG", "MPO")
        limit = most[0] if photograph else min(most)
        if width * height > limit:
            raise ImageTooLarge(limit, width * height)
        if photograph:
            _check_scans(data)
            picture.draft(None, (3 * size, 3 * size))  # decode at 1/2, 1/4 or 1/8, never below three times the need
        picture.load()  # a TIFF turns itself upright here, so the orientation is asked for after it
        turned = picture.getexif().get(ExifTags.Base.Orientation, 1) in (5, 6, 7, 8)
        ImageOps.exif_transpose(picture, in_place=True)
        upright = _flat(_smaller(picture, size))
    return upright, *((height, width) if turned else (width, height))


def _smaller(picture: Image.Image, size: int) -> Image.Image:
    """A transparent picture at three times the need or more, because to lay it over white takes several copies."""
    times = min(picture.size) // (3 * size)
    return picture.convert("RGBA").reduce(times) if times > 1 and picture.has_transparency_data else picture


def _check_scans(data: bytes) -> None:
    """A few hundred bytes more are one more pass over every pixel, so a small file could take minutes.

    Raises:
        ImageUnreadable: the first picture of a JPEG file has more scans than any encoder writes.
    """
    scans, at = 0, data.find(b"\xff", 2)
    while 0 <= at < len(data) - 3 and data[at + 1] != 0xD9:
        scans += data[at + 1] == 0xDA
        if scans > MAX_SCANS:
            raise ImageUnreadable(f"a JPEG of more than {MAX_SCANS} scans")
        after = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        found = MARKER.search(data, after)
        at = found.start() if found else -1


def _opened(data: bytes, max_pixels: int, formats: Sequence[str]) -> Image.Image:
    """The header alone, in one of our formats; Pillow's own bound on pixels is reported as ours."""
    try:
        return Image.open(io.BytesIO(data), formats=tuple(formats))
    except Image.DecompressionBombError as bomb:
        announced = re.search(r"\((\d+) pixels\)", str(bomb))
        raise ImageTooLarge(max_pixels, int(announced[1]) if announced else max_pixels + 1) from bomb
    except UnidentifiedImageError as unknown:
        raise ImageUnreadable(f"not a picture in one of the formats {', '.join(formats)}") from unknown


def _flat(picture: Image.Image) -> Image.Image:
    """RGB of 8 bits from any mode: 16-bit greys scaled down, transparent pixels laid over white."""
    if picture.mode.startswith(("I", "F")):
        return Image.fromarray(_eight_bits(np.asarray(picture, np.float64), picture.mode)).convert("RGB")
    if picture.has_transparency_data:
        clear = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", clear.size, WHITE), clear).convert("RGB")
    return picture.convert("RGB")


def _eight_bits(values: NDArray[np.float64], mode: str) -> NDArray[np.uint8]:
    """Grey values as 0..255: 16-bit ones by their 65,535, others by their own maximum where it is past 255."""
    values = np.nan_to_num(values)
    top = float(values.max(initial=0.0))
    white = 65535.0 if mode.startswith("I;16") or 255 < top <= 65535 else max(255.0, top)
    return (np.clip(values, 0, white) * (255.0 / white)).round().astype(np.uint8)

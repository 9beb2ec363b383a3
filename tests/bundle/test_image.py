"""Pictures drawn on the spot: what is read from them, and what is refused before it costs anything."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bundle.image import ImageTooLarge, ImageUnreadable, cell, read


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def left_red_right_blue(width: int = 60, height: int = 40, mode: str = "RGB") -> Image.Image:
    picture = Image.new("RGB", (width, height), (255, 0, 0))
    picture.paste((0, 0, 255), (width // 2, 0, width, height))
    return picture.convert(mode)


def colour(pixels: np.ndarray, x: int, y: int) -> tuple[int, ...]:
    """The colour that went in at a place of the square."""
    return tuple(round(float(value) * 128 + 127) for value in pixels[:, y, x])


def test_pixels_are_normalised_rgb_planes() -> None:
    image = read(saved(Image.new("RGB", (10, 20), (255, 127, 0)), "PNG"))
    assert (image.pixels.shape, image.pixels.dtype) == ((3, 224, 224), np.float32)
    assert np.allclose(image.pixels[:, 100, 100], [1.0, 0.0, -127 / 128])
    assert (image.width, image.height, image.crop) == (10, 20, (0, 0, 10, 20))


def test_a_picture_of_the_right_size_is_not_resampled() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (224, 224, 3), np.uint8)
    image = read(saved(Image.fromarray(noise), "PNG"))
    assert np.array_equal(image.pixels, (noise.transpose(2, 0, 1).astype(np.float32) - 127) / 128)


def test_the_whole_frame_is_squeezed_not_cropped() -> None:
    pixels = read(saved(left_red_right_blue(600, 40), "PNG")).pixels
    assert colour(pixels, 3, 100) == (255, 0, 0)
    assert colour(pixels, 220, 100) == (0, 0, 255)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_exif_rotation_is_applied(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned by 90 degrees clockwise: the left side comes to the top
    image = read(saved(left_red_right_blue(), kind, exif=exif))
    assert (image.width, image.height, image.crop) == (40, 60, (0, 0, 40, 60))
    top, bottom = colour(image.pixels, 112, 20), colour(image.pixels, 112, 200)
    assert top[0] > 230 > 30 > top[2]
    assert bottom[2] > 230 > 30 > bottom[0]


def test_cmyk_becomes_rgb() -> None:
    red = colour(read(saved(left_red_right_blue(mode="CMYK"), "JPEG", quality=95)).pixels, 40, 100)
    assert red[0] > 230
    assert max(red[1:]) < 30


def test_sixteen_bit_grey_keeps_its_range() -> None:
    half = Image.fromarray(np.full((8, 8), 32768, np.uint16))
    assert colour(read(saved(half, "PNG")).pixels, 5, 5) == (128, 128, 128)
    assert colour(read(saved(half, "TIFF")).pixels, 5, 5) == (128, 128, 128)


def test_palette_with_a_transparent_colour_lies_on_white() -> None:
    picture = left_red_right_blue().quantize(2)
    red = picture.getpixel((0, 0))
    pixels = read(saved(picture, "PNG", transparency=red)).pixels
    assert colour(pixels, 40, 100) == (255, 255, 255)
    assert colour(pixels, 180, 100) == (0, 0, 255)


def test_half_transparent_black_on_white_is_grey() -> None:
    pixels = read(saved(Image.new("RGBA", (4, 4), (0, 0, 0, 128)), "PNG")).pixels
    assert colour(pixels, 2, 2) == (127, 127, 127)


def test_of_an_animation_the_first_frame_is_read() -> None:
    frames = [Image.new("RGB", (9, 9), one) for one in ("red", "lime", "blue")]
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert colour(read(data).pixels, 100, 100) == (255, 0, 0)


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_one_pixel_fills_the_square(mode: str) -> None:
    image = read(saved(Image.new(mode, (1, 1), "white"), "PNG"))
    assert (image.width, image.height) == (1, 1)
    assert (image.pixels == 1.0).all()


def test_a_big_jpeg_decoded_small_is_nearly_the_same_picture() -> None:
    ramp = np.linspace(0, 255, 3000).astype(np.uint8)
    big = Image.fromarray(np.stack([np.tile(ramp, (2000, 1))] * 3, -1))
    one, other = (read(saved(big, kind)).pixels for kind in ("JPEG", "PNG"))
    assert np.abs(one - other).max() < 0.03


def _bomb(width: int, height: int) -> bytes:
    """A PNG whose header announces a size and whose pixels are a few bytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [7_000, 20_000, 100_000])
def test_a_bomb_is_refused_from_its_header(side: int) -> None:
    with pytest.raises(ImageTooLarge) as refused:
        read(_bomb(side, side))
    assert (refused.value.limit, refused.value.actual) == (16_000_000 if side == 7_000 else 40_000_000, side * side)


def test_the_bound_is_the_callers() -> None:
    data = saved(Image.new("L", (30, 20)), "PNG")
    assert read(data, max_pixels=600).width == 30
    with pytest.raises(ImageTooLarge):
        read(data, max_pixels=599)


NOISE = Image.effect_noise((300, 300), 90).convert("RGB")
WHOLE = {kind: saved(NOISE, kind) for kind in ("JPEG", "PNG", "TIFF", "BMP")}
BROKEN = {
    "nothing": b"",
    "text": b"I am a text file named .jpg\n" * 40,
    "markup": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "a format we do not read": saved(Image.new("RGB", (4, 4)), "PPM"),
    "a corrupt png": WHOLE["PNG"][:60] + bytes(200) + WHOLE["PNG"][260:],
    "a header alone": WHOLE["PNG"][:33],
    **{f"a truncated {kind}": data[: len(data) // 2] for kind, data in WHOLE.items()},
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_not_a_whole_picture_is_refused(name: str) -> None:
    with pytest.raises(ImageUnreadable):
        read(BROKEN[name])


def test_both_refusals_are_value_errors_and_distinct() -> None:
    assert issubclass(ImageUnreadable, ValueError)
    assert issubclass(ImageTooLarge, ValueError)
    assert not issubclass(ImageTooLarge, ImageUnreadable)


def test_cells_tile_the_crop_row_by_row() -> None:
    boxes = [cell(i, (2, 3), (0, 0, 60, 20)) for i in range(6)]
    assert boxes[0] == (0, 0, 20, 10)
    assert boxes[2] == (40, 0, 60, 10)
    assert boxes[3] == (0, 10, 20, 20)


def _told_again(jpeg: bytes, times: int) -> bytes:
    """A progressive JPEG whose last scan comes so many times more."""
    return jpeg[:-2] + jpeg[jpeg.rindex(b"\xff\xda") : -2] * times + b"\xff\xd9"


def test_a_jpeg_of_very_many_scans_is_refused_before_a_pixel_is_decoded() -> None:
    fine = saved(left_red_right_blue(), "JPEG", progressive=True)
    assert read(_told_again(fine, 20)).width == 60
    with pytest.raises(ImageUnreadable, match="scans"):
        read(_told_again(fine, 100))


def test_what_looks_like_a_scan_inside_of_metadata_is_none() -> None:
    data = saved(left_red_right_blue(), "JPEG", comment=b"\xff\xda" * 1000)
    assert read(data).width == 60


def test_only_the_formats_that_are_named_are_opened() -> None:
    tiff = saved(left_red_right_blue(), "TIFF")
    assert read(tiff).width == 60
    with pytest.raises(ImageUnreadable, match="PNG, GIF"):
        read(tiff, formats=("PNG", "GIF"))


@pytest.mark.parametrize("kind", [b"zTXt", b"iCCP"])
def test_a_chunk_that_would_inflate_beyond_measure_is_refused(kind: bytes) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    png = saved(Image.new("RGB", (8, 8)), "PNG")
    bomb = chunk(kind, b"a\0\0" + zlib.compress(bytes(80 * 2**20)))
    with pytest.raises(ImageUnreadable):
        read(png[:33] + bomb + png[33:])


def test_what_is_decoded_whole_may_have_fewer_pixels_than_a_photograph() -> None:
    wide = Image.new("RGB", (200, 100))
    assert read(saved(wide, "JPEG"), max_pixels=20_000, max_whole=10_000).width == 200
    with pytest.raises(ImageTooLarge) as refused:
        read(saved(wide, "PNG"), max_pixels=20_000, max_whole=10_000)
    assert (refused.value.limit, refused.value.actual) == (10_000, 20_000)


def test_a_large_transparent_picture_is_the_same_as_if_it_were_laid_over_white_first() -> None:
    picture = left_red_right_blue(2000, 1500).convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    white = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    one, other = read(saved(picture, "PNG")).pixels, read(saved(white, "PNG")).pixels
    assert np.abs(one - other).max() < 0.03

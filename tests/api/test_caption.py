"""POST /v1/caption: a form, bare bytes or base64; odd pictures that are read, and bad ones that are not."""

from __future__ import annotations

import base64
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from tests.api.asking import describe, picture, problem, still_answers
from tests.api.sse import events, only
from tests.fakes import GRID

pytestmark = pytest.mark.anyio
WHITE = picture(colour=(255, 255, 255))
DARK = picture(colour=(3, 3, 3))


async def test_three_ways_of_sending_a_picture_give_one_answer(client) -> None:
    form = await client.post("/v1/caption", files={"file": ("a.png", WHITE, "image/png")})
    bare = await describe(client, WHITE)
    json_ = await client.post("/v1/caption", json={"image": base64.b64encode(WHITE).decode()})
    results = [answer.json()["results"] for answer in (form, bare, json_)]
    assert results[0] == results[1] == results[2]
    assert results[0][0]["text"] == "white"


async def test_a_map_tells_its_grid_its_picture_and_the_gate(client) -> None:
    map_ = (await describe(client, picture(size=(40, 30)))).json()["results"][0]["attention"]
    rows, cols = GRID
    assert map_["keys"] == {
        "type": "grid", "rows": rows, "cols": cols, "image": {"width": 40, "height": 30}, "crop": [0, 0, 40, 30]
    }  # fmt: skip
    assert map_["kind"] == "spatial"
    assert np.shape(map_["weights"]) == (1, rows * cols)
    assert map_["gate"] == [0.5]


async def test_the_cell_that_was_looked_at_is_where_the_light_is(client) -> None:
    lit = Image.new("RGB", (40, 20))
    lit.paste((255, 255, 255), (20, 10, 30, 20))  # second row, third column of 2 × 4
    file = io.BytesIO()
    lit.save(file, "PNG")
    map_ = (await describe(client, file.getvalue())).json()["results"][0]["attention"]
    assert int(np.argmax(map_["weights"][0])) == 1 * 4 + 2


async def test_options_go_in_the_query_beside_bare_bytes(client, link) -> None:
    answer = await describe(client, WHITE, beam_size=2, n_best=2, attention="none")
    (result,) = answer.json()["results"]
    assert len(result["hypotheses"]) == 2
    assert "attention" not in result
    assert link.jobs[0].options.beam_size == 2


async def test_options_go_in_the_fields_of_a_form(client, link) -> None:
    data = {"beam_size": "3", "unit": "piece"}
    answer = await client.post("/v1/caption", files={"file": ("a.png", WHITE)}, data=data)
    assert answer.json()["results"][0]["attention"]["unit"] == "piece"
    assert link.jobs[0].options.beam_size == 3


async def test_the_engine_gets_pixels_of_the_size_that_the_manifest_names(client, link) -> None:
    await describe(client, picture(size=(31, 17)))
    pixels = link.jobs[0].inputs["pixels"]
    assert (pixels.shape, pixels.dtype) == ((3, 8, 8), np.float32)


def exif(orientation: int, size: tuple[int, int] = (40, 20)) -> bytes:
    """A JPEG whose left half is white, and that says how it is to be turned."""
    made = Image.new("RGB", size)
    made.paste((255, 255, 255), (0, 0, size[0] // 2, size[1]))
    tags = Image.Exif()
    tags[0x0112] = orientation
    file = io.BytesIO()
    made.save(file, "JPEG", exif=tags)
    return file.getvalue()


def animated() -> bytes:
    file = io.BytesIO()
    first, second = Image.new("RGB", (32, 16), (255, 255, 255)), Image.new("RGB", (32, 16), (0, 0, 0))
    first.save(file, "GIF", save_all=True, append_images=[second, first], duration=100)
    return file.getvalue()


ODD = {
    "animated": (animated(), "white"),  # its first frame
    "CMYK": (picture("CMYK", colour=(0, 0, 0, 0), kind="JPEG"), "white"),
    "16-bit": (picture("I;16", colour=65535), "white"),
    "palette": (picture("P", colour=0), "dark"),
    "grey": (picture("L", colour=128), "bright"),
    "transparent": (picture("RGBA", colour=(0, 0, 0, 0)), "white"),
    "one pixel": (picture(size=(1, 1)), "dark"),
    "a thin line": (picture(size=(5000, 1)), "dark"),
}


@pytest.mark.parametrize(("data", "said"), ODD.values(), ids=ODD)
async def test_an_odd_picture_is_described_and_drawn(client, data, said) -> None:
    answer = await describe(client, data)
    assert answer.json()["results"][0]["text"] == said
    drawn = await client.post("/v1/caption", content=data, headers={"content-type": "image/png", "accept": "image/png"})
    assert Image.open(io.BytesIO(drawn.content)).width > 100


async def test_a_rotated_photograph_is_seen_upright(client) -> None:
    map_ = (await describe(client, exif(6))).json()["results"][0]["attention"]
    assert map_["keys"]["image"] == {"width": 20, "height": 40}
    assert int(np.argmax(map_["weights"][0])) < GRID[1], "its left half is the upper one now"


def header_only(width: int, height: int) -> bytes:
    """A PNG that announces a size and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


NOISE = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
WHOLE = io.BytesIO()
Image.fromarray(NOISE).save(WHOLE, "JPEG")
BAD = {
    "corrupt": (WHITE[:40] + b"\xff" * 30 + WHITE[70:], 422, "image_unreadable"),
    "truncated": (WHOLE.getvalue()[:1500], 422, "image_unreadable"),
    "zero bytes": (b"", 422, "image_unreadable"),
    "a text file named .jpg": (b"these are words, not pixels", 422, "image_unreadable"),
    "an SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', 422, "image_unreadable"),
    "20,000 × 20,000": (header_only(20_000, 20_000), 413, "image_too_large"),
    "a bomb": (header_only(2**31 - 1, 2**31 - 1), 413, "image_too_large"),
    "one row too many": (picture("1", (1000, 101)), 413, "image_too_large"),
}


@pytest.mark.parametrize(("data", "status", "code"), BAD.values(), ids=BAD)
async def test_a_bad_picture_has_its_code_and_hurts_nobody(client, link, data, status, code) -> None:
    form = await client.post("/v1/caption", files={"file": ("holiday.jpg", data, "image/jpeg")})
    problem(form, status, code)
    problem(await describe(client, data), status, code)
    assert not link.jobs
    await still_answers(client)


async def test_too_many_pixels_are_told_with_the_limit(client) -> None:
    told = (await describe(client, header_only(20_000, 20_000))).json()
    assert (told["limit"], told["actual"]) == (100_000, 400_000_000)


async def test_the_largest_legal_picture_is_described(client) -> None:
    assert (await describe(client, picture("1", (1000, 100)))).status_code == 200


async def test_a_picture_of_no_bytes_is_told_as_that(client) -> None:
    assert "no bytes" in (await describe(client, b"")).json()["detail"]


async def test_a_form_without_the_file_says_so(client) -> None:
    for given in (
        {"data": {"beam_size": "2"}, "files": {"other": ("a.png", WHITE)}},
        {"files": {"file": (None, "text")}},
    ):
        told = problem(await client.post("/v1/caption", **given), 422, "image_missing")
        assert told["errors"][0]["pointer"] == "/file"
    await still_answers(client)


async def test_json_without_the_picture_says_so(client) -> None:
    problem(await client.post("/v1/caption", json={"beam_size": 2}), 422, "image_missing")


async def test_json_that_is_no_base64_says_where(client) -> None:
    told = problem(await client.post("/v1/caption", json={"image": "?!"}), 422, "invalid_request")
    assert told["errors"][0]["pointer"] == "/image"


@pytest.mark.parametrize("query", [{"beam_size": "x"}, {"beam_size": "10000"}, {"beams": "2"}, {"image": "x"}])
async def test_a_bad_option_beside_a_good_picture_is_named(client, query) -> None:
    told = problem(await describe(client, WHITE, **query), 422, "invalid_request")
    assert told["errors"][0]["pointer"] == f"/{next(iter(query))}"


async def test_a_form_without_its_boundary_is_malformed(client) -> None:
    answer = await client.post("/v1/caption", content=WHITE, headers={"content-type": "multipart/form-data"})
    problem(answer, 400, "malformed_request")
    await still_answers(client)


async def test_a_form_with_several_files_is_malformed(client) -> None:
    files = [("file", ("a.png", WHITE)), ("file", ("b.png", DARK))]
    problem(await client.post("/v1/caption", files=files), 400, "malformed_request")


async def test_a_picture_as_another_medium_is_not_taken(client) -> None:
    told = problem(await describe(client, WHITE, media="video/mp4"), 415, "unsupported_media_type")
    assert "multipart/form-data" in told["detail"]


async def test_a_translated_caption_looks_where_the_caption_looked(client) -> None:
    answer = await describe(client, WHITE, translate_to="de")
    (result,) = answer.json()["results"]
    said = result["translation"]
    assert (said["text"], said["language"], said["model"]) == (result["text"], "de", "tiny-en-de@0")
    assert said["attention"]["keys"] == result["attention"]["keys"]
    assert np.allclose(said["attention"]["weights"], result["attention"]["weights"], atol=1e-3)  # the fakes echo


async def test_nobody_translates_a_caption_to_a_language_that_no_model_speaks(client, link) -> None:
    answer = await describe(client, WHITE, translate_to="sv")
    told = problem(answer, 422, "unsupported_pair")
    assert told["errors"][0]["pointer"] == "/translate_to"
    assert "de" in told["detail"]
    assert not link.jobs


async def test_a_stream_of_a_translated_caption_tells_the_caption_and_ends_with_both(client) -> None:
    answer = await describe(client, WHITE, translate_to="de", stream="true", beam_size="1")
    said = events(answer.text)
    (end,) = only(said, "done")
    assert "".join(one["text"] for one in only(said, "token")) == end["text"] == end["translation"]["text"]


async def test_a_translated_caption_is_drawn_with_the_caption_under_it(client) -> None:
    answer = await client.post(
        "/v1/caption?translate_to=de", content=WHITE, headers={"content-type": "image/png", "accept": "text/plain"}
    )
    lines = answer.text.splitlines()
    assert lines[1] == f"← {lines[0]}"
    assert "tiny-caption · tiny-en-de" in lines[2]


async def test_constraints_of_a_picture_are_about_cells_and_come_as_json_text_in_a_query(client, link) -> None:
    answer = await describe(client, WHITE, constraints='{"mask": [7], "pin": [[0, 2]]}')
    (result,) = answer.json()["results"]
    assert result["unconstrained"]["text"] == result["text"]
    plain, bound = (job.options for job in link.jobs)
    assert (plain.mask, bound.mask) == ((), (7,))
    assert {positions for _, positions in bound.pin} == {(2,)}
    refused = await describe(client, WHITE, constraints='{"mask": [8]}')
    assert problem(refused, 422, "invalid_request")["errors"][0]["pointer"] == "/constraints/mask/0"

"""Content negotiation: which format an Accept header gets, and that every format arrives."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from service.api.accept import choose
from service.errors import NotAcceptable
from tests.api.asking import GOOD, problem, still_answers

THERE = ["application/json", "text/html", "image/svg+xml", "image/png", "text/plain"]
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/plain", "text/plain"),
        ("TEXT/PLAIN; charset=utf-8", "text/plain"),
        ("image/*", "image/svg+xml"),
        ("image/*, image/svg+xml;q=0", "image/png"),
        ("text/plain;q=0.5, image/png;q=0.9", "image/png"),
        ("*/*;q=0.1, text/plain", "text/plain"),
        ("text/plain;q=high, */*;q=0.1", "application/json"),
        ("image/png;q=7, text/plain", "image/png"),
        (BROWSER, "text/html"),
        ("video/mp4, */*;q=0.001", "application/json"),
    ],
)
def test_the_best_liked_format_is_chosen(header, chosen) -> None:
    assert choose(header, THERE) == chosen


@pytest.mark.parametrize(
    "header",
    ["video/mp4", "text/event-stream", "*/*;q=0", "nonsense", ";;;", "application/json;q=nan", "image/png;q=-1"],
)
def test_what_is_not_there_is_not_chosen(header) -> None:
    with pytest.raises(NotAcceptable, match="text/plain"):
        choose(header, THERE)


@pytest.mark.anyio
async def test_an_unknown_format_is_a_406_that_lists_those_there_are_and_costs_nothing(client, link) -> None:
    answer = await client.post("/v1/translate", json=GOOD, headers={"accept": "video/mp4"})
    told = problem(answer, 406, "not_acceptable")
    for media in ("application/json", "text/plain", "text/html", "image/svg+xml", "image/png", "application/x-npz"):
        assert media in told["detail"]
    assert not link.jobs
    await still_answers(client)


async def drawn(client, media: str, **asked: object) -> bytes:
    answer = await client.post("/v1/translate", json={**GOOD, **asked}, headers={"accept": media})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].split(";")[0] == media
    assert answer.headers["vary"] == "Accept"
    content: bytes = answer.content
    return content


@pytest.mark.anyio
async def test_text_begins_with_the_answer(client) -> None:
    assert (await drawn(client, "text/plain")).decode().startswith("the old house\n")


@pytest.mark.anyio
async def test_svg_is_well_formed(client) -> None:
    assert ET.fromstring(await drawn(client, "image/svg+xml")).tag.endswith("svg")  # noqa: S314 - our own


@pytest.mark.anyio
async def test_png_opens(client) -> None:
    assert Image.open(io.BytesIO(await drawn(client, "image/png"))).format == "PNG"


@pytest.mark.anyio
async def test_html_is_a_page(client) -> None:
    assert (await drawn(client, "text/html")).startswith(b"<!doctype html>")


@pytest.mark.anyio
async def test_npz_holds_the_weights_of_every_text(client) -> None:
    loaded = np.load(io.BytesIO(await drawn(client, "application/x-npz", text=["the old house", "a red ball"])))
    assert np.allclose(loaded["weights_1"], np.eye(3, 4))


@pytest.mark.anyio
@pytest.mark.parametrize("attention", ["none", "hard", "soft", "full"])
@pytest.mark.parametrize("media", ["text/plain", "text/html", "image/svg+xml", "image/png", "application/x-npz"])
async def test_every_format_draws_every_kind_of_attention(client, link, media, attention) -> None:
    link.heads = (2, 2)
    offsets = "utf16"  # a drawing counts in code points whatever was asked for
    assert await drawn(client, media, attention=attention, offsets=offsets)

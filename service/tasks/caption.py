"""Captions: a picture in, a sentence out, with the map from each word to the cells of the picture it looked at.

Knows nothing of HTTP, of the engine, or of how a map is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image
from pydantic import Field

from bundle import image
from bundle.manifest import BadBundle, Bundle, ImageInput
from service.errors import ImageBroken, ImageMissing, ImageTooBig, Where
from service.maps.envelope import AttentionMap, GridKeys, Head, Picture
from service.maps.offsets import counted
from service.maps.view import View
from service.maps.words import Answer as Said
from service.maps.words import grid_map
from service.messages import Done, Hypothesis
from service.tasks.contract import (
    Asked,
    Bounds,
    Candidate,
    Encoded,
    Result,
    Task,
    drawn,
    finish,
    job,
    loaded,
    options,
    sent,
)

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"  # an example
SHOWN = 512  # longest side of the picture that a drawn map shows


class CaptionRequest(Asked):
    """A picture to describe: JPEG, PNG, WebP or GIF (its first frame), and what else the server was told to read."""

    image: bytes | None = Field(None, repr=False, description="The picture's bytes in base64.")
    image_url: str | None = Field(
        None, max_length=2048, repr=False, description="Where the picture is instead, if this server fetches any."
    )


@dataclass(frozen=True)
class Source:
    """A picture as it was sent, and where its grid lies."""

    data: bytes
    grid: GridKeys


def choose(asked: CaptionRequest, bundles: Mapping[str, Bundle]) -> Bundle:
    """The model named, or the first that captions.

    Raises:
        UnknownModel, WrongTask: see `contract.loaded`.
    """
    return loaded(bundles, TASK.name, asked.model)[0]


def encode(asked: CaptionRequest, bundle: Bundle, bounds: Bounds) -> list[Encoded[Source]]:
    """One job; its input is the normalised pixels (3, H, W).

    Raises:
        ImageMissing, ImageBroken, ImageTooBig: there is no picture to look at.
        Meaningless, TextTooLong: beyond a bound.
    """
    if asked.image is None:
        raise ImageMissing(errors=(Where("/image", "is missing"),))
    how = options(asked, bundle, bounds, rows=asked.attention != "none")
    looks = _input(bundle)
    seen = _read(asked.image, bounds, looks)
    size = Picture(width=seen.width, height=seen.height)
    grid = GridKeys(rows=looks.rows, cols=looks.cols, image=size, crop=seen.crop)
    return [Encoded(job(bundle, {"pixels": seen.pixels}, how), Source(asked.image, grid))]


def _input(bundle: Bundle) -> ImageInput:
    if bundle.manifest.image is None:
        raise BadBundle(bundle.path / "manifest.json", "captions pictures, but does not say how it reads them (image)")
    return bundle.manifest.image


def _read(data: bytes, bounds: Bounds, looks: ImageInput) -> image.Pixels:
    """The pixels, the errors of the neck as ours; what Pillow says is not passed on."""
    if not data:
        raise ImageBroken("The picture has no bytes.", errors=(Where("/image", "has no bytes"),))
    most = {"max_pixels": bounds.pixels, "max_whole": bounds.whole_pixels}
    try:
        return image.read(data, size=looks.size, mean=looks.mean, scale=looks.scale, formats=bounds.formats, **most)
    except image.ImageTooLarge as large:
        detail = f"The picture has {large.actual} pixels; at most {large.limit} are read."
        raise ImageTooBig(detail, limit=large.limit, actual=large.actual) from None
    except image.ImageUnreadable:
        why = f"is broken, cut off, or not one of {', '.join(bounds.formats)}"
        raise ImageBroken(f"The picture {why}.", errors=(Where("/image", why),)) from None


def decode(asked: CaptionRequest, bundle: Bundle, source: Source, done: Done) -> Result:
    """The caption, or several."""
    best, *_ = candidates = [_Spoken(asked, bundle, source, one).candidate() for one in done.hypotheses]
    return Result(**dict(best), language=bundle.manifest.target, hypotheses=candidates if asked.n_best > 1 else None)


def view(asked: CaptionRequest, bundle: Bundle, source: Source, done: Done) -> View:
    """How the caption is drawn; the picture is decoded once more, at the size it is shown."""
    best = _Spoken(asked, bundle, source, done.hypotheses[0])
    map_ = drawn(asked, bundle, best.hypothesis, best.label)
    picture = None if map_ is None else _shown(source)
    return View(bundle.manifest.name, best.text, best.hypothesis.score, None, map_, picture)


def _shown(source: Source) -> Image.Image:
    """The upright picture, its longest side SHOWN."""
    size = source.grid.image
    pixels = size.width * size.height
    square = image.read(source.data, max_pixels=pixels, max_whole=pixels, size=SHOWN, mean=0.0, scale=1.0).pixels
    shrink = SHOWN / max(size.width, size.height)
    shape = (max(1, round(size.width * shrink)), max(1, round(size.height * shrink)))
    return Image.fromarray(square.clip(0, 255).round().astype(np.uint8).transpose(1, 2, 0)).resize(shape)


def keys(_: CaptionRequest, source: Source) -> GridKeys:
    """The grid over the picture."""
    return source.grid


class _Spoken:
    """A hypothesis about a picture."""

    def __init__(self, asked: CaptionRequest, bundle: Bundle, source: Source, hypothesis: Hypothesis) -> None:
        self.asked, self.bundle, self.source, self.hypothesis = asked, bundle, source, hypothesis
        self.text, pieces = bundle.text.spelled(hypothesis.ids)
        self.said = Said(self.text, pieces, hypothesis.logprobs)

    def label(self, rows: np.ndarray, layer: int, head: Head) -> AttentionMap:
        gate = self.hypothesis.extras.get("gate")
        return grid_map(self.said, rows, self.source.grid, unit=self.asked.unit, gate=gate, layer=layer, head=head)

    def counted(self, map_: AttentionMap) -> AttentionMap:
        return counted(map_, self.asked.offsets, answer=self.text)

    def candidate(self) -> Candidate:
        return Candidate(
            text=self.text,
            score=self.hypothesis.score,
            finish_reason=finish(self.hypothesis),
            attention=sent(self.asked, self.bundle, self.hypothesis, self.label, self.counted),
        )


TASK = Task(
    name="caption",
    summary="Describe a picture, with what each word looked at",
    request=CaptionRequest,
    choose=choose,
    encode=encode,
    decode=decode,
    view=view,
    keys=keys,
    upload="image",
    request_example={
        "image": "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
    },
    answer_example={
        "id": "9b1d3c5e7f9a4c2b8d6e4f2a1b3c5d7e",
        "model": "caption-soft@1",
        "timings": {"prepare": 0.004, "queue": 0.0001, "encode": 0.021, "decode": 0.015},
        "results": [
            {
                "text": "dogs",
                "score": -0.8,
                "finish_reason": "stop",
                "language": "en",
                "attention": {
                    "kind": "spatial",
                    "layer": 0,
                    "head": 0,
                    "unit": "word",
                    "offsets": "codepoint",
                    "queries": [{"i": 0, "text": "dogs", "start": 0, "end": 4, "logprob": -0.8}],
                    "keys": {
                        "type": "grid",
                        "rows": 1,
                        "cols": 2,
                        "image": {"width": 640, "height": 480},
                        "crop": [0, 0, 640, 480],
                    },
                    "encoding": "float",
                    "weights": [[0.7, 0.3]],
                    "gate": [0.61],
                },
            }
        ],
    },
)

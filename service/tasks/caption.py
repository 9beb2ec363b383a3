"""Captions: a picture in, a sentence out, with the map from each word to the cells of the picture it looked at.

Knows nothing of HTTP, of the engine, or of how a map is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from PIL import Image
from pydantic import Field

from bundle import image
from bundle.graphs import ImageInput
from bundle.manifest import AT, BadBundle, Bundle
from service.errors import ImageBroken, ImageMissing, ImageTooBig, Where
from service.maps.envelope import AttentionMap, GridKeys, Head, Picture
from service.maps.offsets import counted
from service.maps.view import View
from service.maps.words import Answer as Said
from service.maps.words import grid_map
from service.messages import Done, Event, Hypothesis, Job
from service.tasks.answer import Candidate, Result, Translation
from service.tasks.chain import asked_of, laid_over, spoken, translator
from service.tasks.contract import Bounds, Encoded, Searched, Task, job, loaded, options
from service.tasks.mapped import drawn, finish, sent, shown, trusted
from service.tasks.ways import Leg
from service.tasks.whatif import course, main, result
from service.telemetry.confidence import confidence

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"  # an example
SHOWN = 512  # longest side of the picture that a drawn map shows


class CaptionRequest(Searched):
    """A picture to describe: JPEG, PNG, WebP or GIF (its first frame), and what else the server was told to read."""

    image: bytes | None = Field(None, repr=False, description="The picture's bytes in base64.")
    image_url: str | None = Field(
        None, max_length=2048, repr=False, description="Where the picture is instead, if this server fetches any."
    )
    translate_to: str | None = Field(
        None, max_length=35, description="Language code: the caption is also translated, each word with its own map."
    )


NOTHING: Mapping[str, Bundle] = {}


@dataclass(frozen=True)
class Source:
    """A picture as it was sent, where its grid lies, and who translates what is said of it."""

    data: bytes
    grid: GridKeys
    translator: Leg | None = None


def choose(asked: CaptionRequest, bundles: Mapping[str, Bundle]) -> Bundle:
    """The model named, or the first that captions.

    Raises:
        UnknownModel, WrongTask: see `contract.loaded`.
    """
    return loaded(bundles, TASK.name, asked.model)[0]


def encode(
    asked: CaptionRequest, bundle: Bundle, bounds: Bounds, bundles: Mapping[str, Bundle] = NOTHING
) -> list[Encoded[Source]]:
    """One job, and its translation's after it; its input is the normalised pixels (3, H, W).

    Raises:
        ImageMissing, ImageBroken, ImageTooBig: there is no picture to look at.
        Meaningless, TextTooLong: beyond a bound.
        UnknownPair: nobody translates to that language.
    """
    if asked.image is None:
        raise ImageMissing(errors=(Where("/image", "is missing"),))
    how = options(asked, bundle, bounds, rows=asked.attention != "none")
    goes_to = translator(bundles, str(bundle.manifest.target), asked.translate_to)
    looks = _input(bundle)
    seen = _read(asked.image, bounds, looks)
    size = Picture(width=seen.width, height=seen.height)
    grid = GridKeys(rows=looks.rows, cols=looks.cols, image=size, crop=seen.crop)
    source = Source(asked.image, grid, goes_to)
    cells = [[cell] for cell in range(looks.rows * looks.cols)]
    first = course(asked, bundle, job(bundle, {"pixels": seen.pixels}, how), source, lambda: cells)
    return [
        first
        if goes_to is None
        else replace(
            first,
            then=partial(_then, asked, bundle, goes_to, first),
            others=(goes_to.bundle,),
            hear=partial(_heard, asked, goes_to),
        )
    ]


def _heard(asked: CaptionRequest, goes_to: Leg, done: Sequence[Done], event: Event) -> Event:
    """What is said of the picture as it is, and of the caption as its translator's pair has it."""
    return event if len(done) <= asked.compares else goes_to.heard(event)


def _then(
    asked: CaptionRequest, bundle: Bundle, goes_to: Leg, first: Encoded[Source], done: Sequence[Done]
) -> Job | None:
    """What is to be done after so much was done: the translation last."""
    caption_job = first.then(done)
    if caption_job is not None or len(done) > 1 + asked.compares:
        return caption_job
    text = spoken(bundle, main(asked, done).hypotheses[0]).text
    return asked_of(goes_to, text, rows=asked.attention != "none")


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


def decode(asked: CaptionRequest, bundle: Bundle, source: Source, done: Sequence[Done]) -> Result:
    """The caption, or several, and its translation."""
    told = result(asked, bundle, done, partial(_Spoken, asked, bundle, source))
    said = _translated(asked, bundle, source, done)
    return told if said is None else told.model_copy(update={"translation": said})


def _translated(asked: CaptionRequest, bundle: Bundle, source: Source, done: Sequence[Done]) -> Translation | None:
    """The translation of the caption, its map in code points laid over the picture."""
    if source.translator is None or len(done) <= 1 + asked.compares:
        return None
    caption, best = main(asked, done).hypotheses[0], done[-1].hypotheses[0]
    to = source.translator
    said, map_ = spoken(to.bundle, best), None
    if asked.attention != "none" and best.rows is not None and caption.rows is not None:
        through = shown(caption.rows, bundle)[0]
        rows = laid_over(shown(best.rows, to.bundle)[0], to.bundle, spoken(bundle, caption), through)
        map_ = trusted(grid_map(said, rows, source.grid, unit=asked.unit), asked, best, said.pieces)
        map_ = counted(map_, asked.offsets, answer=said.text)
    return Translation(
        text=said.text,
        score=best.score,
        finish_reason=finish(best),
        language=to.pair.target,
        model=to.bundle.id,
        attention=map_,
    )


def view(asked: CaptionRequest, bundle: Bundle, source: Source, done: Sequence[Done]) -> View:
    """How the caption is drawn, or its translation; the picture is decoded once more, at the size it is shown."""
    best = _Spoken(asked, bundle, source, main(asked, done).hypotheses[0])
    map_ = drawn(asked, bundle, best.hypothesis, best.label)
    picture = None if map_ is None else _shown(source)
    said = _translated(asked.model_copy(update={"offsets": "codepoint"}), bundle, source, done)
    if said is not None:
        return View(
            f"{bundle.manifest.name} · {said.model.partition(AT)[0]}",
            said.text,
            said.score,
            best.text,
            said.attention,
            picture,
        )
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
        gate, sampled = (self.hypothesis.extras.get(name) for name in ("gate", "sampled"))
        grid, unit = self.source.grid, self.asked.unit
        made = grid_map(self.said, rows, grid, unit=unit, gate=gate, sampled=sampled, layer=layer, head=head)
        return trusted(made, self.asked, self.hypothesis, self.said.pieces)

    def counted(self, map_: AttentionMap) -> AttentionMap:
        return counted(map_, self.asked.offsets, answer=self.text)

    def candidate(self) -> Candidate:
        return Candidate(
            text=self.text,
            score=self.hypothesis.score,
            confidence=confidence(self.hypothesis.logprobs.tolist()),
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
                    "trust": {"entropy": [0.881], "peak": [0.7]},
                },
            }
        ],
    },
)

"""Translation: texts in, texts out, with the map from each word of the answer to the words it came from.

Knows nothing of HTTP, of the engine, or of how a map is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from pydantic import Field

from bundle.manifest import Bundle
from bundle.text import EOS, Piece, has_words
from service.errors import EmptyText, HeedError, Meaningless, NoWords, TextTooLong, UnknownPair, Where
from service.maps.alignment import Alignment, align
from service.maps.envelope import AttentionMap, Head, TextKeys, Unit
from service.maps.offsets import counted, counted_keys
from service.maps.view import View
from service.maps.words import Answer as Said
from service.maps.words import items_of, text_keys, text_map
from service.messages import Done, Hypothesis, Options
from service.tasks.answer import Candidate, Result
from service.tasks.contract import Bounds, Encoded, Searched, Task, at_most, job, loaded, options
from service.tasks.mapped import best_map, drawn, finish, sent, trusted
from service.tasks.whatif import course, main, result
from service.telemetry.confidence import confidence

WINDOW = ("window_start", "window_end")  # what a model of local attention tells of each token besides its row


class TranslateRequest(Searched):
    """Texts to translate, each a sentence or so; longer ones are refused, not cut."""

    text: str | list[str] = Field(description="One text, or several: one result each, in order.")
    source: str | None = Field(
        None, max_length=35, description="Language code; may be left out where only one leads to the target."
    )
    target: str | None = Field(
        None, max_length=35, description="Language code; may be left out where only one is there."
    )
    alignment: bool = Field(
        False, description="Also return the map as word links: proj (character ranges) and pharaoh (i-j)."
    )


NOTHING: Mapping[str, Bundle] = {}


@dataclass(frozen=True)
class Source:
    """A text and the pieces that went into the engine; EOS follows them there."""

    text: str
    pieces: Sequence[Piece]


def choose(asked: TranslateRequest, bundles: Mapping[str, Bundle]) -> Bundle:
    """The bundle for what was asked: the model named, or the first that serves the pair.

    Raises:
        UnknownModel, WrongTask: see `contract.loaded`.
        UnknownPair: no bundle serves it.
        Meaningless: a language was left out, and several would do.
    """
    able = loaded(bundles, TASK.name, asked.model)
    fitting = [bundle for bundle in able if _serves(bundle, asked)]
    if not fitting:
        pairs = ", ".join(sorted({f"{b.manifest.source}-{b.manifest.target}" for b in able}))
        raise UnknownPair(f"No model here translates this pair; there is: {pairs}.", errors=_pair_places(asked))
    for field in ("target", "source"):
        there = sorted({str(getattr(bundle.manifest, field)) for bundle in fitting})
        if getattr(asked, field) is None and len(there) > 1:
            where = (Where(f"/{field}", f"one of: {', '.join(there)}"),)
            raise Meaningless(f"Say which {field} language is meant: {', '.join(there)}.", errors=where)
    return fitting[0]


def _serves(bundle: Bundle, asked: TranslateRequest) -> bool:
    wanted = ((asked.source, bundle.manifest.source), (asked.target, bundle.manifest.target))
    return all(code is None or code.lower() == (there or "").lower() for code, there in wanted)


def _pair_places(asked: TranslateRequest) -> tuple[Where, ...]:
    named = [field for field in ("source", "target") if getattr(asked, field) is not None]
    return tuple(Where(f"/{field}", "not with this pair") for field in named)


def encode(
    asked: TranslateRequest, bundle: Bundle, bounds: Bounds, _: Mapping[str, Bundle] = NOTHING
) -> list[Encoded[Source]]:
    """A job for each text; its inputs are the source's ids (S,) with EOS at their end.

    Raises:
        EmptyText, NoWords, TextTooLong: a text cannot be translated, with its place.
        Meaningless: beyond a bound, or constraints that no map can have.
    """
    texts = [asked.text] if isinstance(asked.text, str) else asked.text
    if not texts:
        raise EmptyText("There is no text in the list.", errors=(Where("/text", "is an empty list"),))
    at_most(bounds.texts, "text", len(texts))
    if asked.constraints is not None:
        at_most(1, "text", len(texts))  # keys are those of one text
    wants_rows = asked.alignment or asked.attention != "none"
    how = options(asked, bundle, bounds, rows=wants_rows)
    places = ["/text"] if isinstance(asked.text, str) else [f"/text/{i}" for i in range(len(texts))]
    return [_encoded(asked, text, place, bundle, bounds, how) for text, place in zip(texts, places, strict=True)]


def _encoded(
    asked: TranslateRequest, text: str, place: str, bundle: Bundle, bounds: Bounds, how: Options
) -> Encoded[Source]:
    if not text.strip():
        raise _refused(EmptyText, place, "is empty")
    if len(text) > bounds.text_characters:
        raise _refused(TextTooLong, place, "is too long, in characters", bounds.text_characters, len(text))
    pieces = bundle.text.pieces(text) if has_words(text) else []
    if not pieces:
        raise _refused(NoWords, place, "has no letter and no digit")
    ids = np.array([*(piece.id for piece in pieces), EOS], np.int64)
    if len(ids) > bundle.manifest.limits.source:
        raise _refused(
            TextTooLong, place, "is too long for the model, in pieces", bundle.manifest.limits.source, len(ids)
        )
    return course(
        asked,
        bundle,
        job(bundle, {"source": ids}, how),
        Source(text, pieces),
        lambda: [*items_of(pieces, asked.unit), [len(pieces)]],
    )


def _refused(
    error: type[HeedError], place: str, why: str, limit: int | None = None, actual: int | None = None
) -> HeedError:
    figures = "" if limit is None else f": {actual}, at most {limit}"
    return error(f"The text {why}{figures}.", limit=limit, actual=actual, errors=(Where(place, why),))


def decode(asked: TranslateRequest, bundle: Bundle, source: Source, done: Sequence[Done]) -> Result:
    """The answer for one text."""
    return result(asked, bundle, done, partial(_Spoken, asked, bundle, source))


def view(asked: TranslateRequest, bundle: Bundle, source: Source, done: Sequence[Done]) -> View:
    """How the answer for one text is drawn."""
    best = _Spoken(asked, bundle, source, main(asked, done).hypotheses[0])
    map_ = drawn(asked, bundle, best.hypothesis, best.label)
    return View(bundle.manifest.name, best.text, best.hypothesis.score, source.text, map_)


def keys(asked: TranslateRequest, source: Source) -> TextKeys:
    """The source's pieces, and its end."""
    return counted_keys(text_keys(source.text, source.pieces, "piece"), asked.offsets, source.text)


class _Spoken:
    """A hypothesis beside the text that it answers."""

    def __init__(self, asked: TranslateRequest, bundle: Bundle, source: Source, hypothesis: Hypothesis) -> None:
        self.asked, self.bundle, self.source, self.hypothesis = asked, bundle, source, hypothesis
        self.text, pieces = bundle.text.spelled(hypothesis.ids)
        self.said = Said(self.text, pieces, hypothesis.logprobs)

    def label(self, rows: np.ndarray, layer: int, head: Head, unit: Unit | None = None) -> AttentionMap:
        edges = [self.hypothesis.extras[name] for name in WINDOW if name in self.hypothesis.extras]
        made = text_map(
            self.source.text,
            self.source.pieces,
            self.said,
            rows,
            unit=unit or self.asked.unit,
            kind=self.bundle.manifest.attention[0].kind,
            layer=layer,
            head=head,
            window=np.stack(edges, -1) if edges else None,
        )
        return trusted(made, self.asked, self.hypothesis, self.said.pieces)

    def counted(self, map_: AttentionMap) -> AttentionMap:
        return counted(map_, self.asked.offsets, answer=self.text, source=self.source.text)

    def links(self) -> Alignment | None:
        """The alignment of words, whatever unit the map is in: asked for, or what a hard map is."""
        if self.hypothesis.rows is None or not (self.asked.alignment or self.asked.attention == "hard"):
            return None
        return align(self.counted(best_map(self.hypothesis.rows, self.bundle, partial(self.label, unit="word"))))

    def candidate(self) -> Candidate:
        return Candidate(
            text=self.text,
            score=self.hypothesis.score,
            confidence=confidence(self.hypothesis.logprobs),
            finish_reason=finish(self.hypothesis),
            attention=sent(self.asked, self.bundle, self.hypothesis, self.label, self.counted),
            alignment=self.links(),
        )


TASK = Task(
    name="translate",
    summary="Translate text, with the attention that made the translation",
    request=TranslateRequest,
    choose=choose,
    encode=encode,
    decode=decode,
    view=view,
    keys=keys,
    request_example={"text": "Dogs", "source": "en", "target": "de"},
    answer_example={
        "id": "4f1c0d2ab7e94c4b8d1f6a3e5c7b9d01",
        "model": "en-de-bahdanau@2",
        "timings": {"prepare": 0.0003, "queue": 0.0001, "encode": 0.003, "decode": 0.012},
        "results": [
            {
                "text": "Hunde",
                "score": -0.21,
                "finish_reason": "stop",
                "language": "de",
                "attention": {
                    "kind": "cross",
                    "layer": 0,
                    "head": 0,
                    "unit": "word",
                    "offsets": "codepoint",
                    "queries": [{"i": 0, "text": "Hunde", "start": 0, "end": 5, "logprob": -0.21}],
                    "keys": {
                        "type": "text",
                        "items": [
                            {"i": 0, "text": "Dogs", "start": 0, "end": 4},
                            {"i": 1, "text": "</s>", "start": 4, "end": 4},
                        ],
                    },
                    "encoding": "float",
                    "weights": [[0.93, 0.07]],
                    "trust": {"entropy": [0.366], "peak": [0.93], "special": [0.07], "coverage": [0.93, 0.07]},
                },
            }
        ],
    },
)

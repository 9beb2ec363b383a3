"""Translation: texts in, texts out, with the map from each word of the answer to the words it came from.

Knows nothing of HTTP, of the engine, or of how a map is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np
from pydantic import Field

from bundle.manifest import Bundle
from bundle.text import Piece, has_words
from service.errors import EmptyText, HeedError, Meaningless, NoWords, OtherScript, TextTooLong, UnknownPair, Where
from service.maps.alignment import Alignment, align
from service.maps.envelope import AttentionMap, Head, TextKeys, Unit
from service.maps.offsets import counted, counted_keys
from service.maps.view import View
from service.maps.words import Answer as Said
from service.maps.words import items_of, text_keys, text_map
from service.messages import Done, Hypothesis, Options
from service.tasks.answer import Candidate, Detected, Result, Via
from service.tasks.contract import Bounds, Encoded, Searched, Task, at_most, loaded, options
from service.tasks.detection import Guess, written_in
from service.tasks.documents import Part, parts, split
from service.tasks.mapped import best_map, drawn, finish, sent, trusted
from service.tasks.ways import WINDOW, Way, between, fitting, heard, legs, onward
from service.tasks.whatif import course, main, result
from service.telemetry.confidence import confidence


class TranslateRequest(Searched):
    """Texts to translate, a word or a chapter each: sentences are translated one by one and put together again."""

    text: str | list[str] = Field(description="One text, or several: one result each, in order.")
    source: str | None = Field(
        None,
        max_length=35,
        description="Language code, or `auto`: it is found out, for all texts together, among those that lead to the "
        "target. May be left out where only one does.",
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
    """A sentence, its pieces as they went into the engine, and which way it goes; EOS follows them there."""

    text: str
    pieces: Sequence[Piece]
    way: Way
    guess: Guess | None = None


def choose(asked: TranslateRequest, bundles: Mapping[str, Bundle]) -> Bundle:
    """The bundle that answers: the model named, or the first that serves the pair; of two, the second.

    Raises:
        UnknownModel, WrongTask: see `contract.loaded`.
        UnknownPair: no bundle serves it.
        Meaningless: a language was left out, and several would do.
    """
    able = loaded(bundles, TASK.name, asked.model)
    there, _ = _fitting(asked, able)
    if not there:
        pairs = ", ".join(sorted({str(leg.pair) for leg in legs(able)}))
        raise UnknownPair(f"No model here translates this pair; there is: {pairs}.", errors=_pair_places(asked))
    for field, end in (("target", -1), ("source", 0)):
        codes = sorted({str(getattr(way[end].pair, field)) for way in there})
        if getattr(asked, field) is None and len(codes) > 1:
            where = (Where(f"/{field}", f"one of: {', '.join(codes)}"),)
            raise Meaningless(f"Say which {field} language is meant: {', '.join(codes)}.", errors=where)
    return there[0][-1].bundle


def _fitting(asked: TranslateRequest, able: Sequence[Bundle]) -> tuple[list[Way], Guess | None]:
    """The ways that serve what was asked, and the source that was found out, if it was."""
    texts = [asked.text] if isinstance(asked.text, str) else asked.text
    return fitting(able, asked.source, asked.target, texts, alone=asked.model is not None)


def _pair_places(asked: TranslateRequest) -> tuple[Where, ...]:
    named = [field for field in ("source", "target") if getattr(asked, field) is not None]
    return tuple(Where(f"/{field}", "not with this pair") for field in named)


def encode(
    asked: TranslateRequest, bundle: Bundle, bounds: Bounds, bundles: Mapping[str, Bundle] = NOTHING
) -> list[Encoded[Source]]:
    """A job for each sentence of each text; its inputs are the source's ids (S,) with EOS at their end.

    Raises:
        EmptyText, NoWords, TextTooLong, OtherScript: a text cannot be translated, with its place.
        Meaningless: beyond a bound, or constraints that no map can have.
    """
    texts = [asked.text] if isinstance(asked.text, str) else asked.text
    if not texts:
        raise EmptyText("There is no text in the list.", errors=(Where("/text", "is an empty list"),))
    at_most(bounds.texts, "text", len(texts))
    if asked.constraints is not None:
        at_most(1, "text", len(texts))  # keys are those of one text
    there, guess = _fitting(asked, loaded(bundles, TASK.name, asked.model) if bundles else [bundle])
    way = next(way for way in there if way[-1].bundle is bundle)
    if len(way) > 1 and asked.compares:
        raise Meaningless("One model does not translate this pair: nothing can be compared.", errors=_compared(asked))
    how = options(asked, bundle, bounds, rows=asked.alignment or asked.attention != "none")
    places = ["/text"] if isinstance(asked.text, str) else [f"/text/{i}" for i in range(len(texts))]
    plan, made = _Plan(asked, way, how, guess), list[Encoded[Source]]()
    for i, (text, place) in enumerate(zip(texts, places, strict=True)):
        made += _encoded(plan, text, place, bounds, i)
        if len(made) > bounds.sentences:
            raise _refused(TextTooLong, place, "has too many sentences", bounds.sentences, len(made))
    return made


class _Plan(NamedTuple):
    """What is alike for all texts of a request."""

    asked: TranslateRequest
    way: Way
    how: Options
    guess: Guess | None


def _encoded(plan: _Plan, text: str, place: str, bounds: Bounds, number: int) -> list[Encoded[Source]]:
    """The jobs of one text: of its sentences, unless what was asked is about all of it as one."""
    if not text.strip():
        raise _refused(EmptyText, place, "is empty")
    if len(text) > bounds.text_characters:
        raise _refused(TextTooLong, place, "is too long, in characters", bounds.text_characters, len(text))
    if not has_words(text):
        raise _refused(NoWords, place, "has no letter and no digit")
    first, source = plan.way[0], plan.way[0].pair.source
    if not written_in(text, source):
        raise _refused(OtherScript, place, "has no letter of its language's script")
    if plan.asked.stream or plan.asked.compares:
        return [_sentence(plan, text, place, first.pieces(text), None)]
    spans = split(text, source, first.pieces, first.room)
    made = []
    for part, span in zip(parts(text, spans, number), spans, strict=True):
        made.append(_sentence(plan, part.text, place, span.pieces or first.pieces(part.text), part))
        if plan.how.prefix:
            plan = plan._replace(how=replace(plan.how, prefix=()))  # what the answer must start with is said once
    return made


def _sentence(plan: _Plan, text: str, place: str, pieces: Sequence[Piece], part: Part | None) -> Encoded[Source]:
    asked, way, how, _ = plan
    if not pieces:
        raise _refused(NoWords, place, "has no letter and no digit")
    if len(pieces) > way[0].room:
        most = way[0].bundle.manifest.limits.source
        actual = most + len(pieces) - way[0].room
        raise _refused(TextTooLong, place, "is too long for the model to read as one, in pieces", most, actual)
    first = way[0].job(pieces, how if len(way) == 1 else way[0].usual(rows=how.attention))
    spans = partial(way[0].keys, items_of(pieces, asked.unit), len(pieces)) if asked.compares else list
    made = course(asked, way[0].bundle, first, Source(text, pieces, way, plan.guess), spans)
    if len(way) > 1:
        made = replace(made, then=partial(onward, way, how), others=(way[0].bundle,), answers=how)
    return replace(made, hear=partial(heard, way), part=part)


def _compared(asked: TranslateRequest) -> tuple[Where, ...]:
    return (Where("/constraints" if asked.constraints else "/compare", "only where one model translates"),)


def _refused(
    error: type[HeedError], place: str, why: str, limit: int | None = None, actual: int | None = None
) -> HeedError:
    figures = "" if limit is None else f": {actual}, at most {limit}"
    return error(f"The text {why}{figures}.", limit=limit, actual=actual, errors=(Where(place, why),))


def decode(asked: TranslateRequest, bundle: Bundle, source: Source, done: Sequence[Done]) -> Result:
    """The answer for one text."""
    way = source.way
    made = result(asked, bundle, _last(way, done), partial(_Spoken, asked, bundle, source))
    made.language = way[-1].pair.target
    made.detected = source.guess and Detected(**source.guess._asdict())
    if len(way) > 1:
        made.via = Via(text=between(way, done), language=way[0].pair.target, model=way[0].bundle.id)
    return made


def _last(way: Way, done: Sequence[Done]) -> Sequence[Done]:
    """What the model that answers did."""
    return done[len(way) - 1 :]


def view(asked: TranslateRequest, bundle: Bundle, source: Source, done: Sequence[Done]) -> View:
    """How the answer for one text is drawn."""
    best = _Spoken(asked, bundle, source, main(asked, _last(source.way, done)).hypotheses[0])
    map_ = drawn(asked, bundle, best.hypothesis, best.label)
    title = " · ".join(leg.bundle.manifest.name for leg in source.way)
    return View(title, best.text, best.hypothesis.score, source.text, map_)


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

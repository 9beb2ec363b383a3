"""Translation: texts in, texts out, with the map from each word of the answer to the words it came from.

Knows nothing of HTTP, of the engine, or of how a map is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from pydantic import Field

from bundle.manifest import Bundle
from bundle.text import Piece, has_words
from service.errors import EmptyText, HeedError, Meaningless, NoWords, OtherScript, TextTooLong, UnknownPair, Where
from service.maps.envelope import TextKeys
from service.maps.offsets import counted_keys
from service.maps.view import View
from service.maps.words import items_of, text_keys
from service.markup.kept import Kept, kept
from service.markup.marked import Marked
from service.messages import Done, Hypothesis, Options
from service.tasks.answer import Detected, Result, Via
from service.tasks.contract import Bounds, Encoded, Task, at_most, loaded, options
from service.tasks.detection import Guess, written_in
from service.tasks.documents import Part, Span, parts, split
from service.tasks.examples import TRANSLATED
from service.tasks.keeping import Keeping, kept_in
from service.tasks.mapped import drawn
from service.tasks.spoken import Source, Spoken
from service.tasks.ways import Way, between, fitting, heard, legs, onward
from service.tasks.whatif import course, main, result


class TranslateRequest(Keeping):
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
    asked: TranslateRequest,
    bundle: Bundle,
    bounds: Bounds,
    bundles: Mapping[str, Bundle] = NOTHING,
    *,
    whole: bool = False,
) -> list[Encoded[Source]]:
    """A job for each sentence of each text; its inputs are the source's ids (S,) with EOS at their end.

    whole: texts are not cut into sentences.

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
    places = ["/text"] if isinstance(asked.text, str) else [f"/text/{i}" for i in range(len(texts))]
    each = kept_in(asked, texts, bounds)
    for marked, place in zip(each, places, strict=True):
        _check(marked, place, bounds, way[0].pair.source)
    if asked.unknown == "auto":
        each = [one.copying(way[0].bundle.text.unread(one.text)) for one in each]
    placing = any(one.spans for one in each)  # on the map
    how = options(asked, bundle, bounds, rows=asked.alignment or asked.attention != "none" or placing)
    plan, made = _Plan(asked, way, how, guess, whole or asked.compares), list[Encoded[Source]]()
    for i, (marked, place) in enumerate(zip(each, places, strict=True)):
        made += _encoded(plan, marked, place, i)
        if len(made) > bounds.sentences:
            raise _refused(TextTooLong, place, "has too many sentences", bounds.sentences, len(made))
    return made


class _Plan(NamedTuple):
    """What is alike for all texts of a request."""

    asked: TranslateRequest
    way: Way
    how: Options
    guess: Guess | None
    whole: bool


def _check(marked: Marked, place: str, bounds: Bounds, source: str) -> None:
    text = marked.text
    if not text.strip():
        raise _refused(EmptyText, place, "is empty")
    if len(text) > bounds.text_characters:
        raise _refused(TextTooLong, place, "is too long, in characters", bounds.text_characters, len(text))
    if not has_words(text) and not marked.spans:
        raise _refused(NoWords, place, "has no letter and no digit")
    if has_words(read := marked.read()) and not written_in(read, source):
        raise _refused(OtherScript, place, "has no letter of its language's script")


def _encoded(plan: _Plan, marked: Marked, place: str, number: int) -> list[Encoded[Source]]:
    """The jobs of one text: of its sentences, unless what was asked is about all of it as one."""
    text = marked.text
    first, source = plan.way[0], plan.way[0].pair.source
    capitals = plan.asked.capitals == "auto"
    if marked.html and (plan.asked.stream or plan.whole):
        raise Meaningless("HTML is not streamed and not compared.", errors=(Where("/format", "only as text"),))
    if plan.whole:
        return [_sentence(plan, kept(text, marked.spans, first.pieces, capitals=capitals), place, None)]

    def cut(read: str) -> list[Span]:
        return split(read, source, first.pieces, first.room)

    if marked.spans or marked.html:
        spans = [Span(*one) for one in marked.sentences(lambda read: [(one.start, one.end) for one in cut(read)])]
    else:
        spans = cut(text)
    made = []
    for part, (start, end, known) in zip(parts(text, spans, number), spans, strict=True):
        whole = kept(part.text, marked.within(start, end), first.pieces, known, html=marked.html, capitals=capitals)
        made.append(_sentence(plan, whole, place, part))
        if plan.how.prefix:
            plan = plan._replace(how=replace(plan.how, prefix=()))  # what the answer must start with is said once
    return made


def _sentence(plan: _Plan, whole: Kept, place: str, part: Part | None) -> Encoded[Source]:
    asked, way, how = plan.asked, plan.way, plan.how
    pieces = whole.read
    if not pieces:
        raise _refused(NoWords, place, "has no letter and no digit")
    if len(pieces) > way[0].room:
        most = way[0].bundle.manifest.limits.source
        actual = most + len(pieces) - way[0].room
        raise _refused(TextTooLong, place, "is too long for the model to read as one, in pieces", most, actual)
    first = way[0].job(pieces, how if len(way) == 1 else way[0].usual(rows=how.attention))
    spans = partial(way[0].keys, items_of(whole.pieces, asked.unit), len(pieces)) if asked.compares else list
    source = Source(whole.masked.original, whole.pieces, way, whole, plan.guess)
    made = course(asked, way[0].bundle, first, source, spans, lambda one: _pieces(asked, source, one))
    if len(way) > 1:
        made = replace(made, then=partial(onward, way, how), others=(way[0].bundle,), answers=how)
    return replace(made, hear=partial(heard, way), part=part)


def _pieces(asked: TranslateRequest, source: Source, said: Hypothesis) -> Sequence[Piece]:
    """Those of an answer with everything that is kept in it."""
    return Spoken(asked, source.way[-1].bundle, source, said).said.pieces


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
    made = result(asked, bundle, _last(way, done), partial(Spoken, asked, bundle, source, aligned=asked.alignment))
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
    best = Spoken(asked, bundle, source, main(asked, _last(source.way, done)).hypotheses[0])
    map_ = drawn(asked, bundle, best.hypothesis, best.label)
    title = " · ".join(leg.bundle.manifest.name for leg in source.way)
    return View(title, best.text, best.hypothesis.score, source.text, map_)


def keys(asked: TranslateRequest, source: Source) -> TextKeys:
    """The source's pieces, and its end."""
    return counted_keys(text_keys(source.text, source.pieces, "piece"), asked.offsets, source.text)


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
    answer_example=TRANSLATED,
)

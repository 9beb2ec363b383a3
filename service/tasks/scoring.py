"""Scoring: a text and its translation in, how probable the model finds that translation out, with the map of its words.

Knows nothing of HTTP, of the engine, or of how a map is drawn. What translation's models are asked here is a forced
decode: a beam of one whose every piece is given. It sits in the batch beside everybody else's, a row a text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from pydantic import Field

from bundle.manifest import Bundle
from bundle.text import EOS, UNK
from service.errors import EmptyText, Meaningless, TextTooLong, UnknownPair, Unsayable, Where
from service.maps.envelope import OffsetUnit, Query, TextKeys
from service.maps.offsets import places
from service.maps.view import View
from service.maps.words import Answer as Said
from service.maps.words import said_items
from service.messages import Done, Hypothesis
from service.tasks import translate
from service.tasks.answer import Result, ScoredPiece
from service.tasks.contract import Asked, Bounds, Encoded, Task
from service.tasks.examples import SCORED
from service.tasks.spoken import Source

NEVER = -1e6  # below it is the log-probability of pieces that the graph was told never to say


class ScoreRequest(Asked):
    """Texts and a translation of each, whose probability under the model is asked: each a sentence or so."""

    text: str | list[str] = Field(description="One text, or several: one result each, in order.")
    target_text: str | list[str] = Field(
        description="The translation of each text, as many as there are texts. It is cut into pieces as training cuts "
        "text; an answer of the model's own may have been said in others."
    )
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
class Pair:
    """A text, and where in the request its translation stands."""

    source: Source
    place: str


def _plain(asked: ScoreRequest) -> translate.TranslateRequest:
    """The request to translate the same texts, greedily."""
    shared = {name: getattr(asked, name) for name in ScoreRequest.model_fields if name != "target_text"}
    # what is scored is read as it is
    return translate.TranslateRequest(beam_size=1, placeholders="none", capitals="none", unknown="none", **shared)


def choose(asked: ScoreRequest, bundles: Mapping[str, Bundle]) -> Bundle:
    """The bundle that would translate these texts.

    Raises:
        UnknownModel, WrongTask, UnknownPair, Meaningless: see `translate.choose`.
    """
    return translate.choose(_plain(asked), bundles)


def encode(
    asked: ScoreRequest, bundle: Bundle, bounds: Bounds, bundles: Mapping[str, Bundle] = NOTHING
) -> list[Encoded[Pair]]:
    """A job for each text, whose answer is forced to be its translation.

    Raises:
        EmptyText, NoWords, TextTooLong: a text or a translation cannot be scored, with its place.
        Unsayable: a translation has what this model never says.
        UnknownPair: no one model translates this pair.
        Meaningless: beyond a bound, or not one translation a text.
    """
    targets = _targets(asked)
    encoded = translate.encode(_plain(asked), bundle, bounds, bundles, whole=True)
    out = []
    for one, (place, target) in zip(encoded, targets.items(), strict=True):
        if len(one.kept.way) > 1:
            raise UnknownPair("Only two models together translate this pair.", errors=(Where("/target", "is too far"),))
        ids = _forced(target, place, bundle, bounds)
        options = replace(one.job.options, prefix=ids, max_length=len(ids), stream=asked.stream)
        out.append(Encoded(replace(one.job, options=options), Pair(one.kept, place), hear=one.hear))
    return out


def _targets(asked: ScoreRequest) -> dict[str, str]:
    """Each translation by its place in the request.

    Raises:
        Meaningless: not one a text.
    """
    texts, targets = asked.text, asked.target_text
    if isinstance(texts, str) and isinstance(targets, str):
        return {"/target_text": targets}
    if isinstance(texts, list) and isinstance(targets, list) and len(texts) == len(targets):
        return {f"/target_text/{i}": target for i, target in enumerate(targets)}
    why = "is a text where text is one, and a list as long as text where that is a list"
    raise Meaningless("There is not one translation for each text.", errors=(Where("/target_text", why),))


def _forced(target: str, place: str, bundle: Bundle, bounds: Bounds) -> tuple[int, ...]:
    """The ids of a translation, and its end."""
    if not target.strip():
        raise EmptyText("The translation is empty.", errors=(Where(place, "is empty"),))
    most = min(bounds.length, bundle.manifest.limits.target)
    if len(target) > bounds.text_characters:
        raise _too_long(place, "characters", bounds.text_characters, len(target))
    ids = (*bundle.text.ids(target), EOS)
    if len(ids) > most:
        raise _too_long(place, "pieces", most, len(ids))
    if UNK in ids:
        raise _unsayable(place)
    return ids


def _too_long(place: str, counted: str, limit: int, actual: int) -> TextTooLong:
    why = f"is too long, in {counted}"
    detail = f"The translation {why}: {actual}, at most {limit}."
    return TextTooLong(detail, limit=limit, actual=actual, errors=(Where(place, why),))


def _unsayable(place: str) -> Unsayable:
    why = "has what this model never says"
    return Unsayable(f"The translation {why}.", errors=(Where(place, why),))


def decode(asked: ScoreRequest, bundle: Bundle, pair: Pair, done: Sequence[Done]) -> Result:
    """The translation with what the model gives it: as a whole, word by word, and piece by piece.

    Raises:
        Unsayable: it has a piece that this model's graph leaves out.
    """
    said = done[-1].hypotheses[0]
    if float(said.logprobs.min()) < NEVER:
        raise _unsayable(pair.place)
    result = translate.decode(_plain(asked), bundle, pair.source, done)
    words, tokens = _told(bundle, said, asked.offsets)
    total = round(float(said.logprobs.sum(dtype=np.float64)), 6)
    return result.model_copy(update={"logprob": total, "words": words, "tokens": tokens})


def _told(bundle: Bundle, said: Hypothesis, unit: OffsetUnit) -> tuple[list[Query], list[ScoredPiece]]:
    """The words and the pieces of a translation, their places counted in a unit."""
    text, pieces = bundle.text.spelled(said.ids)
    at = places(text, unit)
    words = [
        word.model_copy(update={"start": at[word.start], "end": at[word.end]})
        for word in said_items(Said(text, pieces, said.logprobs), "word")
    ]
    tokens = [
        ScoredPiece(
            i=i,
            id=piece.id,
            text="</s>" if piece.id == EOS else bundle.text.shown(piece.id),
            start=at[piece.start],
            end=at[piece.end],
            logprob=round(float(logprob), 6),
        )
        for i, (piece, logprob) in enumerate(zip(pieces, said.logprobs, strict=True))
    ]
    return words, tokens


def view(asked: ScoreRequest, bundle: Bundle, pair: Pair, done: Sequence[Done]) -> View:
    """How the map of one translation is drawn."""
    return translate.view(_plain(asked), bundle, pair.source, done)


def keys(asked: ScoreRequest, pair: Pair) -> TextKeys:
    """The source's pieces, and its end."""
    return translate.keys(_plain(asked), pair.source)


TASK = Task(
    name="score",
    summary="How probable a given translation is to the model, word by word, with the attention along it",
    request=ScoreRequest,
    choose=choose,
    encode=encode,
    decode=decode,
    view=view,
    keys=keys,
    request_example={"text": "Dogs", "target_text": "Hunde", "source": "en", "target": "de"},
    answer_example=SCORED,
)

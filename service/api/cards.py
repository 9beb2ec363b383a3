"""What the service says of itself: model cards, and whether it is alive and ready.

Knows nothing of tasks: a card is what of a manifest concerns those who ask, not those who load.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, Field

from bundle.graphs import AttentionOutput
from bundle.manifest import AT, Bundle, Limits, Manifest, Pair, Score, SearchDefaults
from service.api.metrics import Statistics
from service.errors import NotReady, UnknownModel
from service.messages import Link
from service.tasks.ways import BETWEEN, legs, through


class Card(BaseModel):
    """A loaded model: what it is, how well it does by which command, and whose it is."""

    id: str = Field(description="name@version, as answers name it")
    name: str
    version: str
    default: bool = Field(description="whether the name alone means this version")
    task: str
    architecture: str
    description: str
    source: str | None = Field(None, description="language of the text that goes in; none for pictures, or of several")
    target: str | None = Field(None, description="language of what comes out; none where there are several")
    pairs: tuple[Pair, ...] = Field((), description="what a translator translates")
    input: Literal["text", "image"]
    vocabulary_size: int
    limits: Limits
    search: SearchDefaults
    attention: tuple[AttentionOutput, ...]
    scores: tuple[Score, ...]
    trained_on: tuple[str, ...]
    licence: str
    made_with: dict[str, str]


class Fared(Card):
    """A card, and what the model did lately."""

    statistics: Statistics


class Between(BaseModel):
    """A pair that no one model translates, but two, one after the other."""

    source: str
    target: str
    via: str = Field(description="the language between")
    models: tuple[str, str]


class Cards(BaseModel):
    """Every model that is loaded, and what two of them can do together."""

    models: list[Card]
    through: list[Between] = []


class Health(BaseModel):
    """Alive is an answer at all; ready is that a request sent now would be worked on."""

    status: Literal["ok"] = "ok"
    models: list[str] = []


def card(key: str, bundle: Bundle) -> Card:
    """The card of a bundle; key: what it goes by among those loaded, which is its name alone for a default version."""
    told = {name: getattr(bundle.manifest, name) for name in Card.model_fields if name in Manifest.model_fields}
    return Card(id=bundle.id, default=AT not in key, **told)


def cards(bundles: Mapping[str, Bundle]) -> Cards:
    """The cards of all."""
    able = [one for key, one in bundles.items() if AT not in key and one.manifest.task == "translate"]
    two = [
        Between(
            source=first.pair.source,
            target=second.pair.target,
            via=BETWEEN,
            models=(first.bundle.id, second.bundle.id),
        )
        for first, second in through(legs(able))
    ]
    return Cards(models=[card(key, bundle) for key, bundle in bundles.items()], through=two)


def card_named(bundles: Mapping[str, Bundle], name: str) -> Card:
    """The card of a loaded model.

    Raises:
        UnknownModel: it is not loaded.
    """
    if name not in bundles:
        raise UnknownModel(f"There is no such model here; loaded: {', '.join(bundles)}.")
    found = bundles[name]
    return card(next(key for key, one in bundles.items() if one is found), found)


def ready(link: Link) -> Health:
    """The models that can be asked.

    Raises:
        NotReady: none can.
    """
    if not link.ready():
        raise NotReady("The engine does not take requests now.", retry_after=5)
    return Health(models=list(link.bundles))

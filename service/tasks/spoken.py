"""What a model said to a sentence: its text, its map, its links of words, with what was kept back in their places.

Knows nothing of HTTP, of engines, or of how requests are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from bundle.manifest import Bundle
from bundle.text import Piece
from service.maps.alignment import Alignment, align
from service.maps.envelope import AttentionMap, Head, Unit
from service.maps.offsets import counted
from service.maps.words import Answer as Said
from service.maps.words import text_map
from service.markup.kept import Kept
from service.messages import Hypothesis
from service.tasks.answer import Candidate, Maps
from service.tasks.contract import Searched
from service.tasks.detection import Guess
from service.tasks.mapped import best_map, finish, sent, shown, trusted
from service.tasks.selves import own_maps
from service.tasks.ways import WINDOW, Way
from service.telemetry.confidence import confidence


@dataclass(frozen=True)
class Source:
    """A sentence, its pieces as they went into the engine, and which way it goes; EOS follows them there."""

    text: str
    pieces: Sequence[Piece]
    way: Way
    kept: Kept
    guess: Guess | None = None


class Spoken:
    """A hypothesis beside the text that it answers."""

    def __init__(
        self, asked: Searched, bundle: Bundle, source: Source, hypothesis: Hypothesis, *, aligned: bool = False
    ) -> None:
        """aligned: links of words are wanted, whatever the map."""
        self.asked, self.bundle, self.source, self.aligned = asked, bundle, source, aligned
        looks = None if hypothesis.rows is None else shown(hypothesis.rows, bundle)[0]
        spelled = bundle.text.spelled(hypothesis.ids)
        self.hypothesis, self.text, pieces = source.kept.said(hypothesis, *spelled, looks)
        self.said = Said(self.text, pieces, self.hypothesis.logprobs)

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
        if self.hypothesis.rows is None or not (self.aligned or self.asked.attention == "hard"):
            return None
        return align(self.counted(best_map(self.hypothesis.rows, self.bundle, partial(self.label, unit="word"))))

    def maps(self) -> Maps:
        """What is sent of the attention: in full, that of a text over itself comes after that over the source.

        That is left out where the model read another text: one without what was kept, or one on the way to it.
        """
        maps = sent(self.asked, self.bundle, self.hypothesis, self.label, self.counted)
        read = self.source.kept.masked
        if not isinstance(maps, list) or len(self.source.way) > 1 or read.slots or read.marks:
            return maps
        own = own_maps(self.asked, self.source.text, self.source.pieces, self.said, self.hypothesis)
        return [*maps, *own]

    def candidate(self) -> Candidate:
        return Candidate(
            text=self.text,
            score=self.hypothesis.score,
            confidence=confidence(self.hypothesis.logprobs.tolist()),
            finish_reason=finish(self.hypothesis),
            attention=self.maps(),
            alignment=self.links(),
        )

"""How far to believe a map: what its rows say of themselves, and what came of saying the answer under other attention.

Knows nothing of engines or drawing. A map shows where a word's context came from; whether that decided the word is
another question (Jain and Wallace 2019; Moradi et al. 2019), and has to be asked of the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from service.maps.envelope import AttentionMap, TextKeys, Trust

PLAIN, MASKED, UNIFORM, OTHER = range(4)  # the variants of a trial, as the engine tells them


def cheap(map_: AttentionMap) -> Trust:
    """What can be read off a map: entropy, peaks, what fell on `</s>`, and how much each word or place was used."""
    weights = map_.weights.astype(np.float64)
    keys = weights.shape[1]
    logs = np.log(weights, where=weights > 0, out=np.zeros_like(weights))
    entropy = np.abs((weights * logs).sum(1)) / np.log(max(keys, 2))
    found = Trust(entropy=_listed(entropy), peak=_listed(weights.max(1, initial=0)), coverage=_listed(weights.sum(0)))
    if isinstance(map_.keys, TextKeys):
        ends = [item.start == item.end for item in map_.keys.items]
        found.special = _listed(weights[:, ends].sum(1))
    return found


def agreement(rows: np.ndarray, shown: np.ndarray) -> float:
    """Of rows (T, layers, heads, S), the share whose strongest key is that of the row shown (T, S)."""
    return round(float((rows.argmax(-1) == shown.argmax(-1)[:, None, None]).mean()), 4)


class Trials(NamedTuple):
    """What each step would have said: its first piece (T, 4) and the log-probability of the piece said (T, 4)."""

    first: np.ndarray
    logprobs: np.ndarray

    @classmethod
    def of(cls, extras: Mapping[str, np.ndarray]) -> Trials | None:
        """The trials that came with an answer, if any."""
        return cls(extras["tried_first"], extras["tried_logprobs"]) if "tried_first" in extras else None

    def added(self, trust: Trust, items: Sequence[Sequence[int]]) -> Trust:
        """Trust in a map of these items (positions of the T pieces): a word changed if one of its pieces did."""
        (mask, uniform), (drop_mask, drop_uniform) = self._flips(items), self._drops(items)
        told = {"flip_mask": mask, "flip_uniform": uniform, "drop_mask": drop_mask, "drop_uniform": drop_uniform}
        return trust.model_copy(update=told)

    def rates(self, items: Sequence[Sequence[int]]) -> tuple[float, float, float]:
        """Of these items: the share that a mask changed, the share that uniform attention changed, and Kendall's τ.

        τ is that of weight and effect within a row, estimated from one pair a step: the position most attended to and
        another, each left out once. The first has more weight, so the pair is concordant if it matters more.
        """
        mask, uniform = self._flips(items)
        effects = np.abs(self.logprobs[:, [MASKED, OTHER]] - self.logprobs[:, [PLAIN]])[np.concatenate(items)]
        tau = float(np.sign(effects[:, 0] - effects[:, 1]).mean())
        return round(float(np.mean(mask)), 4), round(float(np.mean(uniform)), 4), round(tau, 4)

    def _flips(self, items: Sequence[Sequence[int]]) -> list[list[bool]]:
        changed = self.first[:, [MASKED, UNIFORM]] != self.first[:, [PLAIN]]
        return [[bool(changed[list(item), i].any()) for item in items] for i in (0, 1)]

    def _drops(self, items: Sequence[Sequence[int]]) -> list[list[float]]:
        lost = (self.logprobs[:, [PLAIN]] - self.logprobs[:, [MASKED, UNIFORM]]).astype(np.float64)
        return [[round(float(lost[list(item), i].sum()), 4) for item in items] for i in (0, 1)]


def _listed(values: np.ndarray) -> list[float]:
    listed: list[float] = values.round(4).tolist()
    return listed

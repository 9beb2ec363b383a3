"""Batched beam search in plain PyTorch, as one would write it well: the search that our nets get without Heed.

Runs where torch is. Knows nothing of texts, pictures or engines. The rule by which a search ends is the engine's own.
Axes: N requests of the batch, B of them still searching, K beams, C candidates, S memory positions, T steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from bundle.text import BOS, EOS
from models.nets.captioner import Captioner
from models.nets.transformer import Cache, Memory, TransformerTranslator
from models.nets.translator import RecurrentTranslator

DEAD = -1e30
SHRINK = 0.75  # once fewer of a batch's requests than this are searching, the others are taken out
GROWTH = 0.2  # how much longer than now an unfinished hypothesis is thought to get, as in service/engine/slots.py


class Found(NamedTuple):
    """The best answer: ids, EOS included where the search reached it, and a row of attention for each, if asked for."""

    ids: list[int]
    rows: Tensor | None  # (T, S) or (T, layers, heads, S)


class Steps(Protocol):
    """A net in search of answers, a step at a time."""

    def begin(self, inputs: Tensor, beam: int) -> None: ...

    def follow(self, token: Tensor) -> tuple[Tensor, Tensor]:
        """Last pieces (B, K) -> logits (B, K, V) and attention (B, K, …, S)."""

    def keep(self, parents: Tensor, requests: Tensor | None) -> None:
        """Beams go on from these (B, K); with requests (some of B), only those stay."""


@torch.inference_mode()
def decode(
    net: Steps, inputs: Tensor, *, beam: int, longest: int, penalty: float, attention: bool = False
) -> list[Found]:
    """Search every input's best answer, all in one batch that shrinks as they end."""
    size = len(inputs)
    net.begin(inputs, beam)
    alive, scores = torch.arange(size), torch.full((size, beam), DEAD)
    scores[:, 0] = 0
    tokens = torch.full((size, beam), BOS)
    said, came = (torch.zeros(longest, size, beam, dtype=torch.long) for _ in range(2))
    best, end, last = (
        torch.full((size,), DEAD),
        torch.zeros(size, dtype=torch.long),
        torch.zeros(size, dtype=torch.long),
    )
    rows: list[tuple[Tensor, Tensor]] = []
    for step in range(longest):
        logits, looked = net.follow(tokens)
        if attention:
            rows.append((alive, looked))
        total, parents, tokens = candidates(logits, scores, beam)
        over = tokens == EOS
        reached = torch.where(over[:, :beam], total[:, :beam] / (step + 1) ** penalty, DEAD).max(1)
        better = (reached.values > best[alive]).nonzero()[:, 0]
        best[alive[better]], end[alive[better]] = reached.values[better], step
        last[alive[better]] = parents[better, reached.indices[better]]
        scores, tokens, parents = going(total, tokens, parents, over, beam)
        said[step, alive], came[step, alive] = tokens, parents
        if step + 1 == longest:
            _cut(best, end, last, alive, scores)
            break
        left = (scores.max(1).values / ((step + 1) * (1 + GROWTH)) ** penalty > best[alive]).nonzero()[:, 0]
        if not len(left):
            break
        stay = left if len(left) < SHRINK * len(alive) else None
        net.keep(parents, stay)
        if stay is not None:
            alive, scores, tokens = alive[stay], scores[stay], tokens[stay]
    return trace(said, came, end, last, rows, size)


def candidates(logits: Tensor, scores: Tensor, beam: int) -> tuple[Tensor, Tensor, Tensor]:
    """The best C continuations of each request, best first: totals, the beams they extend, pieces; each (B, C)."""
    count = 1 if beam == 1 else 2 * beam
    top = logits.topk(count, dim=-1)  # first in each row: cheaper than over all rows at once
    total = top.values + scores[..., None]
    if beam > 1:  # a greedy search compares nothing across rows, so it needs no normaliser
        total = total - logits.logsumexp(-1, keepdim=True)
    chosen = total.flatten(1).topk(count, dim=-1)
    return chosen.values, chosen.indices // count, top.indices.flatten(1).gather(1, chosen.indices)


def going(total: Tensor, tokens: Tensor, parents: Tensor, over: Tensor, beam: int) -> tuple[Tensor, Tensor, Tensor]:
    """The best K candidates that did not end: scores, pieces, parents; each (B, K)."""
    if beam == 1:
        return torch.where(over, DEAD, total), tokens, parents
    order = over.to(torch.uint8).sort(dim=1, stable=True).indices[:, :beam]
    return total.gather(1, order), tokens.gather(1, order), parents.gather(1, order)


def _cut(best: Tensor, end: Tensor, last: Tensor, alive: Tensor, scores: Tensor) -> None:
    """At the length limit, who has found nothing gets the best unfinished beam: `end` counts from -1 down for those."""
    for place in (best[alive] <= DEAD / 2).nonzero()[:, 0].tolist():
        end[alive[place]] = -1
        last[alive[place]] = scores[place].argmax()


def trace(
    said: Tensor,
    came: Tensor,
    end: Tensor,
    last: Tensor,
    rows: Sequence[tuple[Tensor, Tensor]],
    size: int,
) -> list[Found]:
    """Walk back from each answer's last beam to its first piece; its rows are those of its ancestors."""
    found = []
    places = [{int(request): place for place, request in enumerate(alive)} for alive, _ in rows]
    said_, came_ = said.permute(1, 0, 2).tolist(), came.permute(1, 0, 2).tolist()
    for request in range(size):
        step, beam = int(end[request]), int(last[request])
        ids, beams = ([EOS], [beam]) if step >= 0 else ([], [])
        step = step - 1 if ids else said.shape[0] - 1
        for back in range(step, -1, -1):
            ids.append(said_[request][back][beam])
            beam = came_[request][back][beam]
            beams.append(beam)
        path = list(enumerate(reversed(beams)))
        looked = torch.stack([rows[t][1][places[t][request], b] for t, b in path]) if rows else None
        found.append(Found(ids[::-1], looked))
    return found


def picked(values: Tensor, parents: Tensor) -> Tensor:
    """State (B, K, …) of the chosen parents (B, K)."""
    return values[torch.arange(len(values))[:, None], parents]


class Recurrent:
    """See `Steps`; inputs are sources (N, S), padded with zeros."""

    def __init__(self, net: RecurrentTranslator) -> None:
        self.net = net

    def begin(self, inputs: Tensor, beam: int) -> None:
        self.mask = inputs != self.net.pad
        self.memory, self.keys, first = self.net.encode(inputs, self.mask)
        self.state = first[:, None].expand(-1, beam, -1)

    def follow(self, token: Tensor) -> tuple[Tensor, Tensor]:
        logits, self.state, seen = self.net.step(token, self.state, self.memory, self.keys, self.mask)
        return logits, seen.weights

    def keep(self, parents: Tensor, requests: Tensor | None) -> None:
        if self.state.shape[1] > 1:
            self.state = picked(self.state, parents)
        if requests is not None:
            self.state, self.mask = self.state[requests], self.mask[requests]
            self.memory, self.keys = self.memory[requests], self.keys[requests]


class Captions:
    """See `Steps`; inputs are pixels (N, 3, H, W)."""

    def __init__(self, net: Captioner) -> None:
        self.net = net

    def begin(self, inputs: Tensor, beam: int) -> None:
        self.memory, self.keys, hidden, cell = self.net.encode(inputs)
        self.mask = torch.ones(self.memory.shape[:2], dtype=torch.bool)
        self.hidden, self.cell = (one[:, None].expand(-1, beam, -1) for one in (hidden, cell))

    def follow(self, token: Tensor) -> tuple[Tensor, Tensor]:
        logits, self.hidden, self.cell, weights, _ = self.net.step(
            token, self.hidden, self.cell, self.memory, self.keys, self.mask
        )
        return logits, weights

    def keep(self, parents: Tensor, requests: Tensor | None) -> None:
        if self.hidden.shape[1] > 1:
            self.hidden, self.cell = picked(self.hidden, parents), picked(self.cell, parents)
        if requests is not None:
            self.hidden, self.cell, self.mask = self.hidden[requests], self.cell[requests], self.mask[requests]
            self.memory, self.keys = self.memory[requests], self.keys[requests]


class Transformer:
    """See `Steps`; inputs are sources (N, S), padded with zeros. Caches are never reordered: see the net."""

    def __init__(self, net: TransformerTranslator) -> None:
        self.net = net

    def begin(self, inputs: Tensor, beam: int) -> None:
        self.mask = inputs != self.net.pad
        self.memory = self.net.encode(inputs, self.mask)
        self.caches, self.said = self.net.nothing(self.memory), 0
        self.ancestors = torch.ones(len(inputs), beam, 0, dtype=torch.bool)

    def follow(self, token: Tensor) -> tuple[Tensor, Tensor]:
        position = torch.full_like(token, self.said)
        logits, entries, _, cross = self.net.step(token, position, self.memory, self.mask, self.caches, self.ancestors)
        both = zip(self.caches, entries, strict=True)
        self.caches = [Cache(torch.cat([a.keys, b.keys], 2), torch.cat([a.values, b.values], 2)) for a, b in both]
        self.said += 1
        return logits, torch.stack(cross, 1).transpose(2, 3).transpose(1, 2)  # (B, K, layers, heads, S)

    def keep(self, parents: Tensor, requests: Tensor | None) -> None:
        beams = parents.shape[1]
        own = torch.eye(beams, dtype=torch.bool).expand(len(parents), -1, -1)
        self.ancestors = picked(torch.cat([self.ancestors, own], 2), parents)
        if requests is not None:
            self.ancestors, self.mask = self.ancestors[requests], self.mask[requests]
            self.memory = [Memory(one.keys[requests], one.values[requests]) for one in self.memory]
            self.caches = [Cache(one.keys[requests], one.values[requests]) for one in self.caches]

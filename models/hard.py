"""Learning hard attention: a place is drawn at each word, and learns from what came of it (Xu et al. 2015, §4.1).

Knows nothing of files, or of what the words mean. The loss is the paper's variational lower bound with its three helps:
a moving average as baseline, the entropy of where to look, and the expected context instead of a drawn one for half of
the captions. One more: a place is rewarded for the words from its own on, since it has no part in those before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from models.loss import smoothed_cross_entropy
from models.nets.captioner import Captioner


def pick(probabilities: Tensor) -> Tensor:
    """One draw from each row (…, N) -> (…), by its cumulative sum: cheaper than Gumbel noise."""
    cumulative = probabilities.cumsum(-1)
    dice = torch.rand(probabilities.shape[:-1])[..., None] * cumulative[..., -1:]
    return torch.searchsorted(cumulative, dice, right=True)[..., 0].clamp(max=probabilities.shape[-1] - 1)


@dataclass
class Places:
    """Draws a place for each row at each step, and remembers what the loss needs; `Captioner.advance` calls it.

    Axes: B pictures, K rows, S places.
    """

    expected: Tensor | None = None  # (B, K) true for rows that see the expected context instead
    given: Sequence[Tensor] = ()  # places (B, K) of each step, if they are not to be drawn
    surprises: list[Tensor] = field(default_factory=list)  # -log α of the place drawn (B, K), zero where none was
    entropies: list[Tensor] = field(default_factory=list)  # H[α] (B, K)

    def __call__(self, weights: Tensor) -> Tensor:
        """What the context is made of: one place of each row, or all of them by weight; (B, K, S) -> (B, K, S)."""
        step, logs = len(self.surprises), weights.clamp(min=1e-9).log()
        place = self.given[step] if self.given else pick(weights.detach())
        surprise = -logs.gather(-1, place[..., None])[..., 0]
        taken = (torch.arange(weights.shape[-1]) == place[..., None]).to(weights.dtype)
        if self.expected is not None:
            surprise = surprise.masked_fill(self.expected, 0.0)
            taken = torch.where(self.expected[..., None], weights, taken)
        self.surprises.append(surprise)
        self.entropies.append(-(weights * logs).sum(-1))
        return taken


@dataclass
class Bound:
    """The loss and its moving baseline; one a run."""

    reinforce: float = 0.1  # λ_r
    entropy: float = 0.002  # λ_e
    expected: float = 0.5  # share of captions that see the expected context
    decay: float = 0.9  # of the baseline
    usual: Tensor | None = None  # (T,) the log-likelihood from each word on, as it usually is

    def loss(
        self, net: Captioner, annotations: Tensor, given: Tensor, target: Tensor, known: Tensor, smoothing: float
    ) -> Tensor:
        """Mean loss a known word: annotations (B, S, F), given, target and known (B, K, T)."""
        places = Places(expected=torch.rand(target.shape[:2]) < self.expected)
        losses = word_losses(net, annotations, given, target, known, smoothing, places)
        baseline = self._baseline(to_go(losses.detach()), known)
        return estimate(losses, places, known, baseline, self.reinforce, self.entropy)

    def _baseline(self, rewards: Tensor, known: Tensor) -> Tensor:
        """The usual reward of each step (T,), then moved towards this batch's; rewards and known (B, K, T)."""
        steps = rewards.shape[-1]
        mean = (rewards * known).sum((0, 1)) / known.sum((0, 1)).clamp(min=1)
        usual = mean if self.usual is None else self.usual
        if len(usual) < steps:
            usual = torch.cat([usual, mean[len(usual) :]])
        moved = usual.clone()
        moved[:steps] = self.decay * usual[:steps] + (1 - self.decay) * mean
        self.usual = moved
        return usual[:steps]


def word_losses(
    net: Captioner, annotations: Tensor, given: Tensor, target: Tensor, known: Tensor, smoothing: float, places: Places
) -> Tensor:
    """-log p of each known word under the places drawn (B, K, T), zero elsewhere."""
    hiddens, embedded, contexts, _ = net.unroll(annotations, given, places)
    logits = net.output(hiddens[known], embedded[known], contexts[known])
    losses = torch.zeros(target.shape, dtype=logits.dtype)
    return losses.masked_scatter(known, smoothed_cross_entropy(logits, target[known], smoothing))


def to_go(losses: Tensor) -> Tensor:
    """The log-likelihood of the words from each one on (B, K, T)."""
    return -losses.flip(-1).cumsum(-1).flip(-1)


def estimate(
    losses: Tensor, places: Places, known: Tensor, baseline: Tensor, reinforce: float, entropy: float
) -> Tensor:
    """Its gradient is, over draws, that of the bound (eq. 11): losses and known (B, K, T), baseline (T,)."""
    surprises, entropies = torch.stack(places.surprises, -1), torch.stack(places.entropies, -1)
    advantage = (to_go(losses.detach()) - baseline) * known
    total = losses.sum() + reinforce * (advantage * surprises).sum() - entropy * (entropies * known).sum()
    return total / known.sum()

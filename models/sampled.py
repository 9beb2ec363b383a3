"""A sampled vocabulary for training: the batch's own pieces and some drawn at random stand for all of them.

Jean et al. 2015, "On Using Very Large Target Vocabulary for Neural Machine Translation", §3.2. Knows nothing of nets
or losses. On a CPU the product with the vocabulary is half of a small net's training; this leaves a quarter of it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn


class Sample(NamedTuple):
    """ids (C,), rising; shift (C,), added to their scores: each piece that was drawn stands for those that were not."""

    ids: Tensor
    shift: Tensor


def draw(target: Tensor, vocabulary: int, negatives: int) -> tuple[Sample, Tensor]:
    """A sample for a batch: target (N,) ids -> all that occur and `negatives` others, and target as places in it (N,).

    With the shift log(others / drawn), the sum of exponentials has the whole vocabulary's as its expectation.
    """
    own = target.unique()
    others = torch.ones(vocabulary, dtype=torch.bool)
    others[own] = False
    rest = others.nonzero()[:, 0]
    drawn = rest[torch.randperm(len(rest))[:negatives]]
    ids, order = torch.cat([own, drawn]).sort()
    shift = torch.zeros(len(own) + len(drawn))
    shift[len(own) :] = math.log(max(len(rest), 1) / max(len(drawn), 1))
    return Sample(ids, shift[order]), torch.searchsorted(ids, target)


def scores(x: Tensor, weight: Tensor, bias: Tensor, sample: Sample | None) -> Tensor:
    """Logits of x (…, E) against an embedding (V, E) and bias (V,): (…, V), or (…, C) of a sample."""
    if sample is None:
        return nn.functional.linear(x, weight, bias)
    return nn.functional.linear(x, weight[sample.ids], bias[sample.ids] + sample.shift)

"""A wider translator that begins by saying just what a narrower one said.

Chen et al. 2016, "Net2Net: Accelerating Learning via Knowledge Transfer", with another way to keep the function: new
units are born as in any new net, but nothing listens to them yet, for their outgoing weights are zero. As they
do act, these weights learn from the first step on. Knows nothing of training.
"""

from __future__ import annotations

import re
from itertools import accumulate

import torch
from torch import Tensor

# What the rows and columns of each weight are made of, in order: W, a direction of the encoder, H, the decoder,
# E, the embedding, A, the width of attention. What is not here is equally large in both nets.
RECURRENT: dict[str, tuple[str, str]] = {
    "encoder.weight_ih_l0": ("WWW", "E"),
    "encoder.weight_hh_l0": ("WWW", "W"),
    "encoder.bias_ih_l0": ("WWW", ""),
    "encoder.bias_hh_l0": ("WWW", ""),
    "start.weight": ("H", "W"),
    "start.bias": ("H", ""),
    "attention.key.weight": ("A", "WW"),
    "attention.query.weight": ("A", "H"),
    "input_word.weight": ("HHH", "E"),
    "input_word.bias": ("HHH", ""),
    "recurrent.weight": ("HHH", "H"),
    "recurrent.bias": ("HHH", ""),
    "input_context.weight": ("HHH", "WW"),
    "deep.weight": ("EE", "HEWW"),
}

# Of every layer of a Transformer, only the feed-forward network may be wider: D, the model's width, F, the inner one.
TRANSFORMER: dict[str, tuple[str, str]] = {
    "inner.0.weight": ("F", "D"),
    "inner.0.bias": ("F", ""),
    "inner.3.weight": ("D", "F"),
}


def fits(weights: dict[str, Tensor], own: dict[str, Tensor]) -> bool:
    """Whether the net that has the weights `own` differs from another only in having wider layers."""
    parts = _parts(own)
    if weights.keys() != own.keys() or not parts:
        return False
    small, large = sizes(weights), sizes(own)
    others = (name for name in own if _kind(name) not in parts)
    alike = all(weights[name].shape == own[name].shape for name in others)
    kept = all(small[part] == large[part] for part in "AD" if part in small)
    return alike and kept and small != large and all(small[part] <= large[part] for part in small)


def widened(weights: dict[str, Tensor], own: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a narrower net in those of a wider one, `own`, where it `fits`; as in a `state_dict`."""
    parts, small, large = _parts(own), sizes(weights), sizes(own)
    return {name: _put(weights[name], own[name], parts.get(_kind(name)), small, large) for name in own}


def sizes(weights: dict[str, Tensor]) -> dict[str, int]:
    """How large the parts are in a net with these weights, a recurrent one or a Transformer."""
    if "attention.query.weight" not in weights:
        inner, width = weights["encoder.0.inner.0.weight"].shape
        return {"F": inner, "D": width}
    attention, decoder = weights["attention.query.weight"].shape
    return {
        "W": weights["encoder.weight_hh_l0"].shape[1],
        "H": decoder,
        "E": weights["embedding.weight"].shape[1],
        "A": attention,
    }


def _parts(weights: dict[str, Tensor]) -> dict[str, tuple[str, str]]:
    """The table that tells what these weights are made of; empty where none does."""
    kinds = {_kind(name) for name in weights}
    tables = (RECURRENT, TRANSFORMER)
    return next((table for table in tables if {name for name in table if "bias" not in name} <= kinds), {})


def _kind(name: str) -> str:
    """A weight's name without its direction or layer."""
    return re.sub(r"^(en|de)coder\.\d+\.inner", "inner", name.removesuffix("_reverse"))


def _put(
    weight: Tensor, own: Tensor, made_of: tuple[str, str] | None, small: dict[str, int], large: dict[str, int]
) -> Tensor:
    """A weight in a larger one: known units hear nothing of new ones."""
    if made_of is None:
        return weight.clone()
    rows, columns = made_of
    known = _places(rows, small, large)
    result = own.clone()
    if not columns:
        result[known] = weight
        return result
    result[known] = 0.0
    result[known[:, None], _places(columns, small, large)] = weight
    return result


def _places(parts: str, small: dict[str, int], large: dict[str, int]) -> Tensor:
    """Where the units of a small net's axis are in a large one's: the first of each part."""
    starts = accumulate((large[part] for part in parts), initial=0)
    return torch.cat([start + torch.arange(small[part]) for start, part in zip(starts, parts, strict=False)])

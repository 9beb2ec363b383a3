"""A training run's folder to a plan: the recipe, the weights, the vocabulary, real inputs.

Knows nothing of ONNX. One entry a task in `PLANS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bundle.text import Vocabulary
from export import captioner, samples, transformer, translator
from export.heads import best
from export.plan import Plan
from export.samples import Inputs
from export.shortlist import shortlisted
from export.transformer import Whose
from export.translator import silence
from models.grammar import spoken
from models.nets.captioner import Captioner
from models.nets.transformer import TransformerTranslator
from models.tasks.translation import translator as net_of


@dataclass(frozen=True)
class Checkpoint:
    """A trained net with what it was trained with."""

    recipe: dict[str, Any]
    weights: dict[str, torch.Tensor]
    figures: dict[str, float]
    vocabulary: Path


def read(run: Path) -> Checkpoint:
    """The best checkpoint of a run's folder.

    Raises:
        FileNotFoundError: the folder has no best.pt or no vocabulary.model.
    """
    kept = torch.load(run / "best.pt", weights_only=True)
    return Checkpoint(kept["recipe"], kept["net"], kept["figures"], run / "vocabulary.model")


def _translation(checkpoint: Checkpoint, said: np.ndarray | None, of: Whose) -> Plan:
    net = net_of(len(Vocabulary(checkpoint.vocabulary)), checkpoint.recipe["net"])
    net.load_state_dict(checkpoint.weights)
    if said is not None:
        silence(net.bias, said)
    plan = _transformer(net, checkpoint, of) if isinstance(net, TransformerTranslator) else translator.plan(net)
    return plan if said is None else shortlisted(plan, said)


def _transformer(net: TransformerTranslator, checkpoint: Checkpoint, of: Whose) -> Plan:
    """The plan whose map is that of the head that aligns best, where the languages are those it can be measured in."""
    part = checkpoint.recipe["data"]
    if not spoken(part["source"], part["target"]):
        return transformer.plan(net, of=of)
    shown = best(net, Vocabulary(checkpoint.vocabulary), part["source"], part["target"])
    print(f"shown: layer {shown.layer}, head {shown.head}, alignment error rate {shown.error}")
    return transformer.plan(net, shown.layer, shown.head, of=of)


def _captioning(checkpoint: Checkpoint, _: np.ndarray | None, __: Whose) -> Plan:
    net = Captioner(len(Vocabulary(checkpoint.vocabulary)), **checkpoint.recipe["net"])
    net.load_state_dict(checkpoint.weights)
    return captioner.plan(net)


PLANS: dict[str, Callable[[Checkpoint, np.ndarray | None, Whose], Plan]] = {
    "translation": _translation,
    "captioning": _captioning,
}
SAID: dict[str, Callable[[dict[str, Any], Vocabulary, Path], np.ndarray]] = {"translation": samples.said}
SAMPLES: dict[str, Callable[[dict[str, Any], Vocabulary, Path, int], list[Inputs]]] = {
    "translation": samples.translation,
    "captioning": samples.captioning,
}

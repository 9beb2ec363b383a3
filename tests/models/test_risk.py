"""Costs by hand, batches that keep a source's candidates together, and a gradient towards the better answers."""

from __future__ import annotations

import lzma
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from bundle.text import EOS, PAD, Vocabulary, train_vocabulary
from models.data import Pair
from models.nets.transformer import TransformerTranslator
from models.nets.translator import RecurrentTranslator
from models.risk import Candidates, Risk, Rivals, costs, expected_cost, read
from models.tasks.translation import corpus

WORDS = "der rote ball rollt langsam über die grüne wiese"
KNOWN = [
    Candidates("the red ball rolls", "der rote ball rollt", ["der rote ball rollt", "die wiese", "der ball rollt"]),
    Candidates("the meadow is green", "die wiese grüne", ["die grüne wiese rollt", "die wiese grüne", "ball"]),
    Candidates("slowly", "langsam", ["langsam"]),
]


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    path: Path = tmp_path_factory.mktemp("vocabulary") / "vocabulary"
    train_vocabulary([WORDS, "the red ball rolls slowly over the green meadow is"] * 20, path, 60)
    return Vocabulary(path.with_suffix(".model"))


def test_the_reference_costs_least_and_costs_of_a_source_sum_to_nothing() -> None:
    found = costs(KNOWN[:2], 3)
    assert found.shape == (2, 3) and np.abs(found.sum(1)).max() < 1e-5
    assert found[0].argmin() == 0 and found[1].argmin() == 1
    assert found[0, 2] < found[0, 1]  # three words of four, in order, before one that is not there at all


def test_a_word_more_is_worth_more_where_the_corpus_is_too_short() -> None:
    short = [Candidates("x", "a b c d e f", ["a b c", "a b c x"])] * 2
    full = [Candidates("x", "a b c", ["a b c", "a b c x"])] * 2
    assert (costs(short, 2)[0, 1] - costs(short, 2)[0, 0]) < (costs(full, 2)[0, 1] - costs(full, 2)[0, 0])


def test_sources_with_fewer_candidates_are_left_out_and_the_others_keep_theirs(vocabulary: Vocabulary) -> None:
    risk = Risk(KNOWN, vocabulary, 3)
    assert len(risk.sources) == 2
    wanted = {tuple(row) for one in KNOWN[:2] for row in [[*vocabulary.ids(text), EOS] for text in one.texts]}
    rows = 0
    for rivals in islice(risk.batches(1000, np.random.default_rng(1)), 3):
        assert rivals.target.shape[0] == 3 * len(rivals.source) == rivals.costs.numel()
        said = [tuple(x for x in row if x != PAD) for row in rivals.target.tolist()]
        assert set(said) <= wanted
        for at, source in enumerate(rivals.source.tolist()):
            one = next(one for one in KNOWN if [*vocabulary.ids(one.source), EOS] == [x for x in source if x != PAD])
            assert said[3 * at : 3 * at + 3] == [(*vocabulary.ids(text), EOS) for text in one.texts]
        rows += len(rivals.source)
    assert rows >= 3


def test_the_best_candidate_of_each_source_is_a_pair_to_learn_from(tmp_path: Path) -> None:
    path = tmp_path / "candidates.tsv.xz"
    text = "".join("\t".join([one.source, one.reference, *one.texts]) + "\n" for one in KNOWN)
    path.write_bytes(lzma.compress(text.encode()))
    assert read(path) == KNOWN
    entry = {"candidates": "candidates.tsv.xz", "of_each": 3}
    assert corpus(entry, tmp_path, tmp_path, ("en", "de")) == [Pair(one.source, one.reference) for one in KNOWN[:2]]


def test_batches_are_no_larger_than_asked(vocabulary: Vocabulary) -> None:
    many = Risk([KNOWN[0]] * 20, vocabulary, 3)
    longest = max(len(row) for row in many.targets[0])
    for rivals in islice(many.batches(6 * longest, np.random.default_rng(1)), 5):
        assert rivals.target.numel() <= 6 * longest


def nets() -> list[TransformerTranslator | RecurrentTranslator]:
    torch.manual_seed(1)
    return [
        TransformerTranslator(60, width=16, heads=2, inner=16, encoder_layers=1, decoder_layers=1, dropout=0.5),
        RecurrentTranslator(60, embedding=12, encoder=8, decoder=14),
    ]


@pytest.mark.parametrize("kind", [0, 1])
def test_several_answers_to_a_source_score_as_each_by_itself(kind: int, vocabulary: Vocabulary) -> None:
    net = nets()[kind].eval()
    rivals = next(Risk(KNOWN, vocabulary, 3).batches(1000, np.random.default_rng(1)))
    real = rivals.target != PAD
    given = rivals.target.roll(1, 1)
    each = net.logits_at(rivals.source.repeat_interleave(3, 0), given, real)
    torch.testing.assert_close(net.logits_at(rivals.source, given, real), each)


@pytest.mark.parametrize("kind", [0, 1])
def test_a_step_down_makes_the_better_answers_likelier(kind: int, vocabulary: Vocabulary) -> None:
    net = nets()[kind].train()
    rivals = next(Risk(KNOWN, vocabulary, 3).batches(1000, np.random.default_rng(1)))
    before = expected_cost(net, rivals, 5.0)
    assert net.training
    before.backward()
    torch.optim.SGD(net.parameters(), 0.05).step()
    assert expected_cost(net, rivals, 5.0) < before


def test_the_expected_cost_is_the_mean_weighted_by_probability() -> None:
    class Known(torch.nn.Module):
        def logits_at(self, source: torch.Tensor, given: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
            rows = torch.tensor([[0.0, 3.0, 0.0], [0.0, 1.0, 0.0]])
            return rows[:, None].expand(*real.shape, 3)[real]

    rivals = Rivals(torch.tensor([[1]]), torch.tensor([[1, 1], [1, PAD]]), torch.tensor([[-1.0, 1.0]]))
    surprise = -torch.log_softmax(torch.tensor([[0.0, 3.0, 0.0], [0.0, 1.0, 0.0]]), 1)[:, 1]
    shares = torch.softmax(-2.0 * surprise, 0)  # a mean a piece: the first answer's two pieces count as one
    found = expected_cost(Known(), rivals, 2.0)  # type: ignore[arg-type]
    torch.testing.assert_close(found, shares[1] - shares[0])

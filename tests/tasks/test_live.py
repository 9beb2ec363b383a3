"""What is told of an answer while it is made: token by token it adds up, whatever the tokens and whenever they come."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as some

from bundle.graphs import AttentionOutput
from bundle.manifest import Bundle
from bundle.text import BOS, EOS, PAD, UNK, Vocabulary
from service.maps.envelope import TextKeys
from service.messages import Done, Hypothesis, Tokens
from service.tasks.contract import Asked
from service.tasks.live import MOST, UNFINISHED, HypothesisEvent, Live, TokenEvent, start
from tests.fakes import SENTENCES, tiny_bundle


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return Bundle(tiny_bundle(tmp_path_factory.mktemp("zoo"), "tiny"))


@pytest.fixture(scope="module")
def bytewise(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle whose vocabulary spells what it does not know byte by byte."""
    written = Bundle(tiny_bundle(tmp_path_factory.mktemp("bytes"), "tiny"))
    model, path = io.BytesIO(), tmp_path_factory.mktemp("vocabulary") / "v.model"
    sentencepiece.SentencePieceTrainer.Train(
        sentence_iterator=iter(SENTENCES), model_writer=model, vocab_size=420, model_type="bpe", byte_fallback=True,
        pad_id=PAD, unk_id=UNK, bos_id=BOS, eos_id=EOS, hard_vocab_limit=False, minloglevel=2,
    )  # fmt: skip
    Path(path).write_bytes(model.getvalue())
    written.text = Vocabulary(path)
    return written


def told(ids: Sequence[int], kept: int = 0) -> Tokens:
    return Tokens("job", kept, ids, np.full(len(ids), -0.5, np.float32))


def done(ids: Sequence[int]) -> Done:
    return Done("job", (Hypothesis(ids, np.full(len(ids), -0.5, np.float32), -0.5, "stop"),), {})


def greedy(bundle: Bundle, **asked) -> Live:
    return Live(0, Asked(**asked), bundle, greedy=True)


def heard(live: Live) -> list[TokenEvent]:
    """All the news there is now."""
    found = []
    while news := live.news():
        found += [event for _, event in news if isinstance(event, TokenEvent)]
    return found


@given(ids=some.lists(some.integers(4, 150), min_size=1, max_size=40), cuts=some.sets(some.integers(0, 40)))
def test_the_texts_of_all_tokens_are_the_text_however_they_arrive(bundle, ids, cuts) -> None:
    live, tokens = greedy(bundle), []
    for first, last in zip(
        bounds := sorted({0, len(ids), *(c for c in cuts if c < len(ids))}), bounds[1:], strict=False
    ):
        live.hear(told(ids[first:last], first))
        tokens += heard(live)
    live.finish(done([*ids, EOS]))
    tokens += heard(live)
    text, pieces = bundle.text.spelled(ids)
    assert "".join(one.text for one in tokens) == text
    assert [one.id for one in tokens] == ids
    assert [(one.start, one.end) for one in tokens] == [(one.start, one.end) for one in pieces]


@pytest.mark.parametrize("text", ["the \U0001f98a hoÿse", "ÿ\U0001f98a", "the house"])
def test_half_a_character_is_kept_back_until_it_is_whole(bytewise, text) -> None:
    ids, live, said = bytewise.text.ids(text), greedy(bytewise), ""
    for i, id_ in enumerate(ids):
        live.hear(told([id_], i))
        (token,) = heard(live)
        said += token.text
        assert text.startswith(said)
    assert said == text


def test_bytes_that_never_become_a_character_are_told_in_the_end(bytewise) -> None:
    half = bytewise.text.ids("house \U0001f98a")[:-1]
    live = greedy(bytewise)
    live.hear(told(half))
    early = heard(live)
    live.finish(done([*half, half[-3], EOS]))  # a character's first byte again
    assert "".join(one.text for one in early) == "house "
    whole = bytewise.text.spelled([*half, half[-3]])[0]
    assert whole.endswith(UNFINISHED)
    assert "".join(one.text for one in [*early, *heard(live)]) == whole


def test_who_is_behind_is_told_a_bounded_number_at_once_and_all_in_the_end(bundle) -> None:
    live, ids = greedy(bundle), list(range(10, 10 + 2 * MOST + 3))
    live.hear(told(ids))
    counts = []
    while news := live.news():
        counts.append(len(news))
    assert counts == [MOST, MOST, 3]


def test_the_end_of_a_sentence_is_no_token(bundle) -> None:
    live = greedy(bundle)
    live.hear(told([10, 11, EOS]))
    live.finish(done([10, 11, EOS]))
    assert [one.id for one in heard(live)] == [10, 11]


def test_rows_and_gates_that_only_the_end_tells_of_are_those_of_their_tokens(bundle) -> None:
    live, rows = greedy(bundle), np.eye(3, 5, dtype=np.float32)
    live.hear(Tokens("job", 0, [10], np.zeros(1), rows[:1], {"gate": np.array([0.25])}))
    best = Hypothesis([10, 11, EOS], np.zeros(3), 0.0, "stop", rows, {"gate": np.array([0.25, 0.5, 0.75])})
    live.finish(Done("job", (best,), {}))
    first, second = heard(live)
    assert (first.attention, second.attention) == ([1, 0, 0, 0, 0], [0, 1, 0, 0, 0])
    assert (first.gate, second.gate) == (0.25, 0.5)


@given(
    steps=some.lists(some.tuples(some.integers(0, 8), some.lists(some.integers(4, 150), max_size=4), some.booleans()))
)
def test_what_a_listener_puts_together_is_the_hypothesis_whenever_it_listens(bundle, steps) -> None:
    live = Live(0, Asked(), bundle, greedy=False)
    leads: list[int] = []
    listener: list[tuple[int, str]] = []
    for kept, ids, listens in steps:
        leads[kept:] = ids
        live.hear(told(ids, kept := min(kept, len(leads) - len(ids))))
        if not listens:
            continue
        for _, event in live.news():
            assert isinstance(event, HypothesisEvent)
            listener[event.kept :] = [(one.id, one.text) for one in event.tokens]
            assert event.text == "".join(text for _, text in listener)
        assert [id_ for id_, _ in listener] == leads
        assert not live.news()


def test_after_the_end_of_a_beam_there_is_no_news(bundle) -> None:
    live = Live(0, Asked(), bundle, greedy=False)
    live.hear(told([10, 11]))
    live.finish(done([12, EOS]))
    assert not live.news()


@pytest.mark.parametrize(("kind", "row"), [("soft", [0, 0.25, 0.75]), ("hard", 2), ("full", [[[0, 0.25, 0.75]]])])
def test_a_model_of_one_head_has_rows_of_every_kind(bundle, kind, row) -> None:
    live = greedy(bundle, attention=kind)
    live.hear(Tokens("job", 0, [10], np.zeros(1), np.array([[0, 0.25, 0.75]], np.float32)))
    assert heard(live)[0].attention == row


def test_the_row_of_the_layer_and_head_that_the_start_names_is_told(bundle, monkeypatch) -> None:
    output = AttentionOutput(name="a", kind="cross", layers=2, heads=3, default_layer=1, default_head="mean")
    monkeypatch.setattr(bundle, "manifest", bundle.manifest.model_copy(update={"attention": (output,)}))
    first = start(greedy(bundle), TextKeys(items=[]), "id")
    assert (first.layer, first.head) == (1, "mean")
    rows = np.random.default_rng(7).dirichlet(np.ones(5), size=(1, 2, 3)).astype(np.float32)
    live = greedy(bundle)
    live.hear(Tokens("job", 0, [10], np.zeros(1), rows))
    assert np.allclose(np.array(heard(live)[0].attention), rows[0, 1].mean(axis=0), atol=1e-4)


def test_a_token_tells_the_cell_it_was_taken_from_and_the_window_it_looked_at(bundle) -> None:
    live = greedy(bundle)
    extras = {"sampled": np.array([3.0]), "window_start": np.array([-0.5]), "window_end": np.array([9.5])}
    live.hear(Tokens("job", 0, [10], np.zeros(1), np.full((1, 5), 0.2), extras))
    (token,) = heard(live)
    assert (token.sampled, token.window, token.gate) == (3, (0, 4), None)

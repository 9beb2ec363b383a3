"""What goes into the engine for a translation that is to be scored, and which ones are refused."""

from __future__ import annotations

import numpy as np
import pytest

from bundle.manifest import Bundle
from bundle.text import EOS
from service.errors import EmptyText, HeedError, Meaningless, NoWords, TextTooLong, UnknownPair, Unsayable
from service.messages import Done, Hypothesis
from service.tasks.contract import Bounds
from service.tasks.scoring import ScoreRequest, choose, decode, encode
from tests.fakes import tiny_bundle

BOUNDS = Bounds(text_characters=60, texts=2, length=15, alternatives=3)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return Bundle(tiny_bundle(tmp_path_factory.mktemp("zoo"), "tiny"))


def asked(**fields) -> ScoreRequest:
    return ScoreRequest(**{"text": "the house", "target_text": "ein Haus", **fields})


def test_the_answer_is_forced_to_its_end_in_a_row_of_its_own(bundle) -> None:
    texts, targets = ["the old house", "a red ball"], ["ein kleines Haus", "schöne Grüße"]
    pairs = encode(asked(text=texts, target_text=targets), bundle, BOUNDS)
    for one, text, target in zip(pairs, texts, targets, strict=True):
        options = one.job.options
        assert one.job.inputs["source"].tolist() == [*bundle.text.ids(text), EOS]
        assert options.prefix == (*bundle.text.ids(target), EOS)
        assert (options.beam_size, options.n_best, options.max_length) == (1, 1, len(options.prefix))
        assert options.length_penalty == bundle.manifest.search.length_penalty


@pytest.mark.parametrize(
    ("fields", "error", "pointer"),
    [
        ({"target_text": " \n"}, EmptyText, "/target_text"),
        ({"text": " "}, EmptyText, "/text"),
        ({"text": "!"}, NoWords, "/text"),
        ({"target_text": "qxv " * 15}, TextTooLong, "/target_text"),  # in pieces
        ({"target_text": "e" * 61}, TextTooLong, "/target_text"),  # in characters
        ({"target_text": "ein \U0001f98a"}, Unsayable, "/target_text"),
        ({"target_text": ["ein Haus"]}, Meaningless, "/target_text"),
        ({"text": ["a house", "a ball"], "target_text": ["ein Haus"]}, Meaningless, "/target_text"),
        ({"text": ["a house", "a ball"], "target_text": ["ein Haus", ""]}, EmptyText, "/target_text/1"),
        ({"text": ["a"] * 3, "target_text": ["b"] * 3}, Meaningless, "/text"),
        ({"alternatives": 4}, Meaningless, "/alternatives"),
    ],
)
def test_what_cannot_be_scored_is_refused_with_its_place(bundle, fields, error: type[HeedError], pointer) -> None:
    with pytest.raises(error) as refused:
        encode(asked(**fields), bundle, BOUNDS)
    assert [where.pointer for where in refused.value.errors] == [pointer]
    assert type(refused.value) is error


@pytest.mark.parametrize("field", ["beam_size", "n_best", "prefix", "constraints", "max_length", "compare"])
def test_nothing_can_be_asked_of_a_search_that_there_is_not(field) -> None:
    with pytest.raises(ValueError, match=field):
        asked(**{field: 1})


def said(bundle: Bundle, logprob: float) -> list[Done]:
    """The end of a job that said `schöne Grüße`, with this for one of its pieces."""
    ids = [*bundle.text.ids("schöne Grüße"), EOS]
    logprobs = np.full(len(ids), -0.5, np.float32)
    logprobs[1] = logprob
    return [Done("job", (Hypothesis(ids, logprobs, -0.75, "stop"),), {})]


def test_words_add_up_their_pieces_and_their_places_count_as_asked(bundle) -> None:
    request = asked(target_text="schöne Grüße", attention="none", offsets="utf8")
    (one,) = encode(request, bundle, BOUNDS)
    found = decode(request, bundle, one.kept, said(bundle, -1.5))
    words, tokens = found.words, found.tokens
    assert words is not None and tokens is not None
    assert [(word.text, word.start, word.end) for word in words] == [("schöne", 0, 7), ("Grüße", 8, 15)]
    assert (tokens[-1].text, tokens[-1].start, tokens[-1].end) == ("</s>", 15, 15)
    assert found.logprob == sum(token.logprob for token in tokens)
    own = [token.logprob for token in tokens if token.end <= 7]
    assert words[0].logprob == sum(own) and words[0].confidence == round(float(np.exp(np.mean(own))), 4)
    assert found.confidence == round(float(np.exp(found.logprob / len(tokens))), 4)


def test_a_piece_that_the_graph_never_says_is_refused_with_its_place(bundle) -> None:
    request = asked(text=["a house", "a ball"], target_text=["ein Haus", "schöne Grüße"])
    with pytest.raises(Unsayable) as refused:
        decode(request, bundle, encode(request, bundle, BOUNDS)[1].kept, said(bundle, -1e9))
    assert refused.value.errors[0].pointer == "/target_text/1"


def test_a_pair_that_only_two_models_translate_together_has_no_score(tmp_path) -> None:
    pairs = {"de-en": ("de", "en"), "en-fr": ("en", "fr")}
    zoo = {name: Bundle(tiny_bundle(tmp_path, name, source=a, target=b)) for name, (a, b) in pairs.items()}
    request = asked(text="das kleine Haus", target_text="a house", source="de", target="fr")
    with pytest.raises(UnknownPair):
        encode(request, choose(request, zoo), BOUNDS, zoo)


def test_a_long_text_is_scored_as_the_one_sentence_that_it_is_sent_as(bundle) -> None:
    (one,) = encode(asked(text="the house. the red ball."), bundle, BOUNDS)
    assert one.job.inputs["source"].tolist() == [*bundle.text.ids("the house. the red ball."), EOS]
    assert not one.job.options.stream

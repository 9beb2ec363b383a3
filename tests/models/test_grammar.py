"""The grammar: what it says agrees, and what it links means the same."""

from __future__ import annotations

from models.grammar import ADJECTIVES, CLOTHES, NOUNS, PLACES, PREPOSITIONS, THINGS, VERBS, Grammar

MEANT = {**{word: german for table in (NOUNS, THINGS, PLACES, CLOTHES) for word, (german, _) in table.items()}}
MEANT |= VERBS | PREPOSITIONS | {"while": "während", "in": "in", ".": "."}


def test_one_seed_says_one_thing_and_no_sentence_comes_twice() -> None:
    one, again, other = (list(Grammar(seed).sentences(300)) for seed in (1, 1, 2))
    assert one == again != other
    assert len({" ".join(pair.source) for pair in one}) == 300


def test_every_word_has_its_one_counterpart_but_commas() -> None:
    for pair in Grammar(3).sentences(500):
        assert sorted(i for i, _ in pair.links) == list(range(len(pair.source)))
        assert sorted(j for _, j in pair.links) == [j for j, word in enumerate(pair.target) if word != ","]
        for i, j in pair.links:
            english, german = pair.source[i], pair.target[j]
            assert MEANT.get(english, german) == german
            assert english not in ADJECTIVES or german.startswith(ADJECTIVES[english])


def test_words_cross_where_german_puts_the_verb_elsewhere() -> None:
    crossed = [
        pair for pair in Grammar(4).sentences(300) if any(a < b and c > d for a, c in pair.links for b, d in pair.links)
    ]
    assert 0.3 < len(crossed) / 300 < 0.9


def test_articles_agree_with_their_nouns() -> None:
    text = " ".join(pair.texts()[1] for pair in Grammar(5).sentences(2000))
    for wrong in ("ein Frau", "eine Mann", "einen Frau", "dem Straße", "der Haus", "einer Hemd"):
        assert f" {wrong}" not in text
    assert "in einer roten Jacke" in text and "in einem roten Hemd" in text

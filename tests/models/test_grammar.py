"""The grammar: what it says agrees, and what it links means the same."""

from __future__ import annotations

import pytest

from models.grammar import french, grammar, sentences, spoken
from models.grammar.german import ADJECTIVES, CLOTHES, NOUNS, PLACES, PREPOSITIONS, THINGS, VERBS

MEANT = {**{word: german for table in (NOUNS, THINGS, PLACES, CLOTHES) for word, (german, _) in table.items()}}
MEANT |= VERBS | PREPOSITIONS | {"while": "während", "in": "in", ".": "."}


def test_one_seed_says_one_thing_and_no_sentence_comes_twice() -> None:
    one, again, other = (sentences("en", "de", seed, 300) for seed in (1, 1, 2))
    assert one == again != other
    assert len({" ".join(pair.source) for pair in one}) == 300


def test_every_word_has_its_one_counterpart_but_commas() -> None:
    for pair in sentences("en", "de", 3, 500):
        assert sorted(i for i, _ in pair.links) == list(range(len(pair.source)))
        assert sorted(j for _, j in pair.links) == [j for j, word in enumerate(pair.target) if word != ","]
        for i, j in pair.links:
            english, german = pair.source[i], pair.target[j]
            assert MEANT.get(english, german) == german
            assert english not in ADJECTIVES or german.startswith(ADJECTIVES[english])


def test_words_cross_where_german_puts_the_verb_elsewhere() -> None:
    pairs = sentences("en", "de", 4, 300)
    crossed = [pair for pair in pairs if any(a < b and c > d for a, c in pair.links for b, d in pair.links)]
    assert 0.3 < len(crossed) / 300 < 0.9


def test_articles_agree_with_their_nouns() -> None:
    text = " ".join(pair.texts()[1] for pair in sentences("en", "de", 5, 2000))
    for wrong in ("ein Frau", "eine Mann", "einen Frau", "dem Straße", "der Haus", "einer Hemd"):
        assert f" {wrong}" not in text
    assert "in einer roten Jacke" in text and "in einem roten Hemd" in text


def test_every_french_word_has_its_counterpart_but_commas() -> None:
    tables = (french.NOUNS, french.THINGS, french.PLACES, french.CLOTHES)
    meant: dict[str, tuple[str, ...]] = {word: (said,) for table in tables for word, (said, _) in table.items()}
    meant |= {word: (said,) for word, said in (french.VERBS | french.PREPOSITIONS).items()}
    meant |= {"while": ("pendant", "que", "qu'"), "in": ("avec",), ".": (".",), "that": ("qui",)}
    meant |= {word: (*forms.split(), "vieil") for word, forms in (french.BEFORE | french.BEHIND).items()}
    for pair in sentences("en", "fr", 3, 500):
        assert {i for i, _ in pair.links} == set(range(len(pair.source)))
        assert sorted(j for _, j in pair.links) == [j for j, word in enumerate(pair.target) if word != ","]
        for i, j in pair.links:
            assert pair.target[j] in meant.get(pair.source[i], ("un", "une", "le", "la", "l'"))


def test_french_agrees_and_leaves_out_its_vowels() -> None:
    text = " ".join(pair.texts()[1] for pair in sentences("en", "fr", 5, 2000))
    for right in (
        "l'homme",
        "un vieil homme",
        "une veste rouge",
        "pendant qu'un",
        "pendant que le",
        "un grand chapeau",
    ):
        assert right in text
    for wrong in (
        "le homme",
        "la homme",
        "l' ",
        "qu' ",
        "un femme",
        "vieux homme",
        "rouge veste",
        "que un",
        "la chien",
    ):
        assert wrong not in text


def test_french_puts_a_comma_behind_a_place_and_keeps_its_order() -> None:
    place_first = [pair for pair in sentences("en", "fr", 6, 200) if pair.source[0].lower() in french.PREPOSITIONS]
    assert len(place_first) > 30
    assert all("," in pair.target for pair in place_first)


def test_turned_around_both_sides_and_all_links_are() -> None:
    there, back = sentences("en", "fr", 7, 20), sentences("fr", "en", 7, 20)
    for one, other in zip(there, back, strict=True):
        assert (one.source, one.target) == (other.target, other.source)
        assert {(j, i) for i, j in one.links} == other.links


def test_other_languages_are_not_spoken() -> None:
    assert spoken("en", "fr") and spoken("de", "en")
    assert not spoken("en", "es") and not spoken("de", "fr") and not spoken("en", "en")
    with pytest.raises(ValueError, match="no grammar between en and 'es'"):
        grammar("es", 1)

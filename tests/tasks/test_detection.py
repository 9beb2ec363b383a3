"""Which language a text is in: short sentences come out right, and what cannot be known is not claimed."""

from __future__ import annotations

import pytest

from service.tasks.detection import READ, detect, detect_all, written_in

FOUR = ("en", "de", "fr", "es")
SHORT = {
    "en": ("Thank you.", "I am tired.", "Where is the dog?", "WE MUST GO HOME", "a man in a red shirt"),
    "de": ("Danke schön.", "Ich bin müde.", "Wo ist der Hund?", "WIR GEHEN NACH HAUSE", "ein Mann im roten Hemd"),
    "fr": ("Merci beaucoup.", "Je suis fatigué.", "Où est le chien ?", "NOUS RENTRONS CHEZ NOUS", "l'homme en rouge"),
    "es": ("Muchas gracias.", "Estoy cansado.", "¿Dónde está el perro?", "NOS VAMOS A CASA", "un hombre con camisa"),
}


@pytest.mark.parametrize("language", FOUR)
def test_short_sentences_are_told_apart(language: str) -> None:
    found = {text: detect(text, FOUR)[0].language for text in SHORT[language]}
    assert found == dict.fromkeys(SHORT[language], language)


def test_confidence_is_shared_among_those_wanted_and_the_best_comes_first() -> None:
    guesses = detect("Wo ist der Hund?", FOUR)
    assert [guess.confidence for guess in guesses] == sorted((g.confidence for g in guesses), reverse=True)
    assert sum(guess.confidence for guess in guesses) == pytest.approx(1, abs=0.001)
    assert guesses[0].confidence > 0.9
    assert {guess.language for guess in guesses} == set(FOUR)


def test_only_wanted_languages_are_found() -> None:
    assert detect("Wo ist der Hund?", ("fr", "en"))[0].language in ("fr", "en")
    assert [guess.language for guess in detect("anything", ("es",))] == ["es"]
    assert detect("anything", ()) == []


def test_where_nothing_can_be_told_the_order_given_stays_and_nobody_is_sure() -> None:
    for text in ("", "12 34", "!?", "\U0001f600"):
        guesses = detect(text, ("fr", "de", "en"))
        assert [guess.language for guess in guesses] == ["fr", "de", "en"]
        assert all(guess.confidence < 0.5 for guess in guesses)


def test_a_subtag_is_kept_and_a_code_that_nobody_knows_is_never_likely() -> None:
    best, other = detect("o cachorro está cansado", ("tlh", "pt-BR"))
    assert (best.language, best.confidence) == ("pt-BR", 1)
    assert (other.language, other.confidence) == ("tlh", 0)


def test_several_texts_count_together_and_a_long_one_does_not_drown_the_rest() -> None:
    assert detect_all(["Ja.", "Nein.", "Der Hund schläft auf dem Sofa."], FOUR)[0].language == "de"
    long = "the dog and the cat " * READ
    german = ["Der Hund schläft auf dem Sofa und träumt von der Katze." * 5] * 4
    assert detect_all([long, *german], FOUR)[0].language == "de"


@pytest.mark.parametrize(
    ("text", "language", "right"),
    [
        ("これは日本語です", "en", False),
        ("これは日本語です", "ja", True),
        ("Привет", "de", False),
        ("Привет, Hans", "de", True),
        ("Привет", "ru", True),
        ("Grüße", "de", True),
        ("12 + 3", "ja", True),
        ("hello", "ja", False),
        ("hello", "sr", True),
        ("ｈｅｌｌｏ", "en", True),
        ("α", "en", False),
        ("plain", "xx", True),
    ],
)
def test_a_text_is_in_a_script_if_one_letter_is_or_there_is_none(text: str, language: str, right: bool) -> None:
    assert written_in(text, language) is right

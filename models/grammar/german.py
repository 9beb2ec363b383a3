"""English and German: articles and adjectives agree in gender and case, a place in front turns subject and verb around,
a clause after `während` or a relative pronoun ends in its verb."""

from __future__ import annotations

from models.grammar import COMMA, Grammar, Phrase, Unit

NOUNS = {  # English: German, gender
    "man": ("Mann", "m"), "woman": ("Frau", "f"), "child": ("Kind", "n"), "dog": ("Hund", "m"),
    "girl": ("Mädchen", "n"), "cat": ("Katze", "f"), "horse": ("Pferd", "n"), "player": ("Spieler", "m"),
    "worker": ("Arbeiter", "m"),
}  # fmt: skip
THINGS = {
    "ball": ("Ball", "m"), "book": ("Buch", "n"), "bag": ("Tasche", "f"), "bottle": ("Flasche", "f"),
    "guitar": ("Gitarre", "f"), "picture": ("Bild", "n"), "camera": ("Kamera", "f"), "stick": ("Stock", "m"),
}  # fmt: skip
PLACES = {
    "house": ("Haus", "n"), "street": ("Straße", "f"), "bench": ("Bank", "f"), "tree": ("Baum", "m"),
    "car": ("Auto", "n"), "beach": ("Strand", "m"), "field": ("Feld", "n"), "table": ("Tisch", "m"),
    "wall": ("Wand", "f"),
}  # fmt: skip
CLOTHES = {"shirt": ("Hemd", "n"), "hat": ("Hut", "m"), "jacket": ("Jacke", "f"), "dress": ("Kleid", "n")}
ADJECTIVES = {
    "small": "klein", "large": "groß", "red": "rot", "black": "schwarz", "white": "weiß", "brown": "braun",
    "young": "jung", "old": "alt", "blue": "blau", "green": "grün",
}  # fmt: skip
VERBS = {
    "holds": "hält",
    "sees": "sieht",
    "carries": "trägt",
    "pulls": "zieht",
    "touches": "berührt",
    "pushes": "schiebt",
}
PREPOSITIONS = {"on": "auf", "behind": "hinter", "beside": "neben", "under": "unter", "above": "über"}
ENDINGS = {  # case and gender: a's, the, the adjective's after a and after the
    "nom m": ("ein", "der", "er", "e"), "nom f": ("eine", "die", "e", "e"), "nom n": ("ein", "das", "es", "e"),
    "acc m": ("einen", "den", "en", "en"), "acc f": ("eine", "die", "e", "e"), "acc n": ("ein", "das", "es", "e"),
    "dat m": ("einem", "dem", "en", "en"), "dat f": ("einer", "der", "en", "en"), "dat n": ("einem", "dem", "en", "en"),
}  # fmt: skip


class German(Grammar):
    """See `Grammar`."""

    verbs, prepositions = VERBS, PREPOSITIONS

    def clause(
        self, subject: list[Unit], verb: list[Unit], thing: list[Unit], place: list[Unit], *, in_front: bool
    ) -> list[Unit]:
        return [*place, *verb, *subject, *thing] if in_front else [*subject, *verb, *thing, *place]

    def phrase(self, nouns: dict[str, tuple[str, str]], case: str) -> Phrase:
        """An article, maybe an adjective, and a noun."""
        english = self.pick(nouns)
        german, gender = nouns[english]
        a, the, after_a, after_the = ENDINGS[f"{case} {gender}"]
        definite = self.random.random() < 0.4
        units = [Unit(["the" if definite else "a"], [the if definite else a])]
        if self.random.random() < 0.5:
            adjective = self.pick(ADJECTIVES)
            units.append(Unit([adjective], [ADJECTIVES[adjective] + (after_the if definite else after_a)]))
            if adjective == "old" and not definite:
                units[0] = Unit(["an"], units[0].target)
        units.append(Unit([english], [german]))
        return units, list(units)

    def subject(self) -> Phrase:
        source, target = self.phrase(NOUNS, "nom")
        kind = self.random.random()
        if kind < 0.3:
            clothes, clothes_ = self.phrase(CLOTHES, "dat")
            within = Unit(["in"], ["in"])
            return [*source, within, *clothes], [*target, within, *clothes_]
        if kind < 0.5:
            gender = next(gender for german, gender in NOUNS.values() if german == target[-1].target[0])
            who = Unit(["that"], [ENDINGS[f"nom {gender}"][1]])
            (verb, verb_), (thing, thing_) = self.verb(), self.thing()
            return [*source, who, *verb, *thing], [*target, COMMA, who, *thing_, *verb_, COMMA]
        return source, target

    def thing(self) -> Phrase:
        return self.phrase(THINGS, "acc")

    def location(self) -> Phrase:
        return self.phrase(PLACES, "dat")

    def meanwhile(self) -> Phrase:
        unit, (subject, subject_) = Unit(["while"], ["während"]), self.phrase(NOUNS, "nom")
        (verb, verb_), (thing, thing_) = self.verb(), self.thing()
        return [unit, *subject, *verb, *thing], [COMMA, unit, *subject_, *thing_, *verb_]

"""English and French: articles and adjectives agree in gender, colours follow their noun, `le`, `la` and `que` lose
their vowel before another, and a place in front is followed by a comma."""

from __future__ import annotations

from models.grammar import COMMA, Grammar, Phrase, Unit

NOUNS = {  # English: French, gender
    "man": ("homme", "m"), "woman": ("femme", "f"), "child": ("enfant", "m"), "dog": ("chien", "m"),
    "girl": ("fille", "f"), "cat": ("chat", "m"), "horse": ("cheval", "m"), "player": ("joueur", "m"),
    "worker": ("ouvrier", "m"),
}  # fmt: skip
THINGS = {
    "ball": ("balle", "f"), "book": ("livre", "m"), "bag": ("sac", "m"), "bottle": ("bouteille", "f"),
    "guitar": ("guitare", "f"), "picture": ("photo", "f"), "stick": ("bâton", "m"),
}  # fmt: skip
PLACES = {
    "house": ("maison", "f"), "street": ("rue", "f"), "bench": ("banc", "m"), "tree": ("arbre", "m"),
    "car": ("voiture", "f"), "beach": ("plage", "f"), "field": ("champ", "m"), "table": ("table", "f"),
    "wall": ("mur", "m"),
}  # fmt: skip
CLOTHES = {"shirt": ("chemise", "f"), "hat": ("chapeau", "m"), "jacket": ("veste", "f"), "dress": ("robe", "f")}
BEFORE = {"small": "petit petite", "large": "grand grande", "young": "jeune jeune", "old": "vieux vieille"}
BEHIND = {
    "red": "rouge rouge", "black": "noir noire", "white": "blanc blanche", "brown": "marron marron",
    "blue": "bleu bleue", "green": "vert verte",
}  # fmt: skip
VERBS = {"holds": "tient", "sees": "voit", "carries": "porte", "pulls": "tire", "touches": "touche", "pushes": "pousse"}
PREPOSITIONS = {"on": "sur", "behind": "derrière", "under": "sous"}
OPEN = tuple("aeiouéh")  # the h of `homme` is silent; no other noun here has one in front


class French(Grammar):
    """See `Grammar`."""

    verbs, prepositions = VERBS, PREPOSITIONS

    def clause(
        self, subject: list[Unit], verb: list[Unit], thing: list[Unit], place: list[Unit], *, in_front: bool
    ) -> list[Unit]:
        return [*place, COMMA, *subject, *verb, *thing] if in_front else [*subject, *verb, *thing, *place]

    def phrase(self, nouns: dict[str, tuple[str, str]]) -> Phrase:
        """An article, maybe an adjective, and a noun."""
        english = self.pick(nouns)
        french, gender = nouns[english]
        definite = bool(self.random.random() < 0.4)
        noun = Unit([english], [french])
        source, target = [noun], [noun]
        if self.random.random() < 0.5:
            colour = self.pick(BEFORE | BEHIND)
            adjective = Unit([colour], [agreeing(colour, french, gender)])
            source = [adjective, noun]
            target = [adjective, noun] if colour in BEFORE else [noun, adjective]
        unit = Unit([english_article(source[0].source[0], definite)], [article(target[0].target[0], gender, definite)])
        return [unit, *source], [unit, *target]

    def subject(self) -> Phrase:
        source, target = self.phrase(NOUNS)
        kind = self.random.random()
        if kind < 0.3:
            (clothes, clothes_), worn = self.phrase(CLOTHES), Unit(["in"], ["avec"])
            return [*source, worn, *clothes], [*target, worn, *clothes_]
        if kind < 0.5:
            (verb, verb_), (thing, thing_), who = self.verb(), self.thing(), Unit(["that"], ["qui"])
            return [*source, who, *verb, *thing], [*target, who, *verb_, *thing_]
        return source, target

    def thing(self) -> Phrase:
        return self.phrase(THINGS)

    def location(self) -> Phrase:
        return self.phrase(PLACES)

    def meanwhile(self) -> Phrase:
        (subject, subject_), (verb, verb_), (thing, thing_) = self.phrase(NOUNS), self.verb(), self.thing()
        unit = Unit(["while"], ["pendant", "qu'" if subject_[0].target[0].startswith(OPEN) else "que"])
        return [unit, *subject, *verb, *thing], [unit, *subject_, *verb_, *thing_]


def agreeing(english: str, noun: str, gender: str) -> str:
    """An adjective in the form that a noun asks for."""
    if english == "old" and gender == "m" and noun.startswith(OPEN):
        return "vieil"
    return (BEFORE | BEHIND)[english].split()[gender == "f"]


def article(following: str, gender: str, definite: bool) -> str:
    """un, une, le, la or l', as gender and the word behind it ask for."""
    if not definite:
        return "une" if gender == "f" else "un"
    if following.startswith(OPEN):
        return "l'"
    return "la" if gender == "f" else "le"


def english_article(following: str, definite: bool) -> str:
    """the, a or an."""
    if definite:
        return "the"
    return "an" if following == "old" else "a"

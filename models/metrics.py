"""Figures that are reported: sacreBLEU, tokenised BLEU, chrF of translations; BLEU, CIDEr, ROUGE-L, METEOR of captions.

Knows nothing of models or bundles: sentences in, figures out, all times 100. Needs the training extra; what it imports
is imported when it is asked for.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Any


def bleu(hypotheses: Sequence[str], references: Sequence[Sequence[str]], *, words: bool) -> float:
    """Corpus BLEU alone, quickly; references are one list a reference. words: lines are words already (captions)."""
    import sacrebleu

    meant = [list(lines) for lines in references]
    tokenize = "none" if words else "13a"
    return float(sacrebleu.corpus_bleu(list(hypotheses), meant, tokenize=tokenize, force=True).score)


def translation_scores(hypotheses: Sequence[str], references: Sequence[str], language: str) -> dict[str, float]:
    """Corpus figures of translations into `language`; a name holds sacreBLEU's own signature of how it was counted.

    The tokenised, lower-cased BLEU is that of most papers on Multi30k, after its own task1-tokenize.sh: lower-cased,
    punctuation normalised, Moses tokens, on both sides; no escapes.
    """
    import sacrebleu
    from sacremoses import MosesPunctNormalizer, MosesTokenizer

    moses, punctuation = MosesTokenizer(lang=language), MosesPunctNormalizer(lang=language)

    def tokenised(lines: Sequence[str]) -> list[str]:
        plain = [punctuation.normalize(line.lower()) for line in lines]
        return [moses.tokenize(line, return_str=True, escape=False) for line in plain]

    cased, plain, chrf = sacrebleu.BLEU(), sacrebleu.BLEU(tokenize="none", force=True), sacrebleu.CHRF()
    said, meant = list(hypotheses), [list(references)]
    values = {
        "sacreBLEU": (cased, cased.corpus_score(said, meant)),
        "BLEU, tokenised (Moses), lower-cased": (plain, plain.corpus_score(tokenised(said), [tokenised(meant[0])])),
        "chrF": (chrf, chrf.corpus_score(said, meant)),
    }
    return {f"{name} [{metric.get_signature()}]": round(value.score, 2) for name, (metric, value) in values.items()}


def caption_scores(
    hypotheses: Sequence[str], references: Sequence[Sequence[str]], *, meteor: bool = True
) -> dict[str, float]:
    """Corpus figures of captions, as the COCO evaluation counts them; METEOR if it is wanted and Java is present.

    Both sides as words with spaces between, already lower-cased and without punctuation; `references` holds all
    captions of each picture. BLEU has the brevity penalty against the closest reference (Xu et al. 2015 left it out).

    Raises:
        ValueError: not one hypothesis a picture.
    """
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    if len(hypotheses) != len(references):
        raise ValueError(f"{len(hypotheses)} captions for {len(references)} pictures")
    said = {i: [line] for i, line in enumerate(hypotheses)}
    meant = {i: list(lines) for i, lines in enumerate(references)}
    bleu, _ = Bleu(4).compute_score(meant, said, verbose=0)
    scores = {f"BLEU-{order}": value for order, value in enumerate(bleu, 1)}
    scores["CIDEr"], _ = Cider().compute_score(meant, said)
    scores["ROUGE-L"], _ = Rouge().compute_score(meant, said)
    if meteor and shutil.which("java"):
        scores["METEOR"] = _meteor(meant, said)
    return {name: round(100 * float(value), 2) for name, value in scores.items()}


def _meteor(meant: dict[int, list[str]], said: dict[int, list[str]]) -> float:
    """METEOR 1.5 by its authors' Java program, which is stopped before this returns."""
    from pycocoevalcap.meteor.meteor import Meteor

    meteor: Any = Meteor()
    try:
        return float(meteor.compute_score(meant, said)[0])
    finally:
        meteor.meteor_p.stdin.close()
        meteor.meteor_p.kill()
        meteor.meteor_p.wait()
        meteor.meteor_p.stdout.close()
        meteor.meteor_p.stderr.close()

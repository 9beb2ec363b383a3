"""The model card: a bundle's README, from its manifest.

Knows nothing of how the figures were measured; it prints what the manifest says.
"""

from __future__ import annotations

from bundle.manifest import Manifest, Score

MAPS = "A map shows where the context vector of a word came from. It does not explain why the word was chosen."


def card(manifest: Manifest, size: int) -> str:
    """Markdown; size is in bytes."""
    pair = ", ".join(f"{one.source} → {one.target}" for one in manifest.pairs) or f"pictures → {manifest.target}"
    outputs = ", ".join(f"`{one.name}` ({one.kind}, {one.layers} × {one.heads})" for one in manifest.attention)
    parts = [
        f"# {manifest.name} {manifest.version}",
        manifest.description,
        _table(
            [
                ("Task", f"{manifest.task}, {pair}"),
                ("Architecture", manifest.architecture),
                ("Attention outputs", outputs or "none: this model has no attention"),
                ("Vocabulary", f"{manifest.vocabulary_size} pieces"),
                ("Limits", f"{manifest.limits.source} positions in, {manifest.limits.target} pieces out"),
                ("Precisions in this folder", ", ".join(manifest.graphs["step"].files)),
                ("Size", f"{size / 1e6:.1f} MB"),
                ("Trained on", "; ".join(manifest.trained_on)),
                ("Licence", manifest.licence),
            ]
        ),
        "## Scores",
        _scores(manifest.scores),
        "## How it was made",
        _table([(name.replace("_", " "), value) for name, value in manifest.made_with.items()]),
        *([MAPS] if manifest.attention else []),
    ]
    return "\n\n".join(parts) + "\n"


def _table(rows: list[tuple[str, str]]) -> str:
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def _scores(scores: tuple[Score, ...]) -> str:
    """One row a figure, each with the command that printed it."""
    if not scores:
        return "Not measured."
    signed = [(one, f"`{one.signature}`".replace("|", "\\|") if one.signature else "") for one in scores]
    rows = [f"| {one.data} | {one.metric} | {one.value:.4g} | {signature} |" for one, signature in signed]
    commands = sorted({one.command for one in scores})
    return "\n".join(
        ["| data | metric | value | signature |", "|---|---|---|---|", *rows, "", "Printed by:", ""]
        + [f"    {command}" for command in commands]
    )

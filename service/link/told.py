"""What a streaming client has been told; the tokens of a second run become changes to that.

Knows nothing of workers or sockets. A worker that dies takes its search with it; the same job, asked again, tells the
same tokens from the beginning. The client hears of them only where they go on, or differ.
"""

from __future__ import annotations

from dataclasses import replace

from service.messages import Job, Tokens


class Told:
    """Of one job."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.ids: list[int] = []
        self.again: list[int] | None = None  # what the present run has told, until it is level with `ids`

    def restart(self) -> Job:
        """The job to ask again. In greedy search what was told is final, so the second run is made to begin with it."""
        self.again = [] if self.ids else None
        options = self.job.options
        forced = tuple(self.ids)
        if options.beam_size > 1 or forced[: len(options.prefix)] != options.prefix:
            return self.job
        return replace(self.job, options=replace(options, prefix=forced))

    def hear(self, tokens: Tokens) -> Tokens | None:
        """What the client is to be told, if anything."""
        if self.again is None:
            self.ids[tokens.kept :] = tokens.ids
            return tokens
        self.again[tokens.kept :] = tokens.ids
        same = _alike(self.ids, self.again)
        if same == len(self.again):
            self.again = None if same == len(self.ids) else self.again
            return None
        self.ids, self.again = self.again, None
        new = slice(same - tokens.kept, None)  # what came before was told in both runs, so it is at least `kept`
        return replace(
            tokens,
            kept=same,
            ids=tokens.ids[new],
            logprobs=tokens.logprobs[new],
            rows=None if tokens.rows is None else tokens.rows[new],
            extras={name: values[new] for name, values in tokens.extras.items()},
        )


def _alike(one: list[int], other: list[int]) -> int:
    """How many tokens both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))

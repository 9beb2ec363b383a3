"""The one training loop: python -m models.train RECIPE.json --data DIR --out DIR [--resume] [--minutes M].

Knows nothing of what is being learned; that is `models/tasks/`. A recipe is JSON with three parts:
`task` (a file of models/tasks), `net` (keyword arguments of the net), `data` (read by the task) and
`train` (read here, see Schedule); `first` may name a recipe that is trained before it, into
OUT/start, and whose best weights this one begins with; `mean` lists several ways to train the same net from there, of
whose best weights the mean is taken (`models/soup.py`). (`python -m export rebuild` has a recipe with a `distil`
or `back` part get its text before: see `export/distil.py` and `export/back.py`.)
The loop keeps a moving average of the weights, judges that average, keeps the best one in `best.pt`,
and everything needed to go on in `last.pt`.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from models import soup
from models.recipe import read
from models.tasks import Task, task
from models.widen import fits, widened

Before = Callable[[Path, Path, Path], None]
VOCABULARY = "vocabulary.model"  # of a run, in its folder; tasks train it once


@dataclass(frozen=True)
class Schedule:
    """The `train` part of a recipe."""

    steps: int  # updates in all
    rate: float = 1e-3  # peak learning rate of Adam
    warmup: int = 300  # updates of linear rise; after it, a half cosine down to zero
    clip: float = 1.0  # gradient norm (Pascanu et al. 2013)
    average: float = 0.998  # decay of the moving average of the weights
    judge_every: int = 1000  # updates between scores on the development set
    patience: int = 6  # scores without a better one before the run stops early
    weight_decay: float = 0.0
    seed: int = 1
    threads: int = 1
    precision: str = "fp32"  # or "bf16": products in it (autocast), weights and gradients stay fp32

    @classmethod
    def read(cls, part: dict[str, Any]) -> Schedule:
        """Raises ValueError for a key that means nothing here: a typo must not train for two hours."""
        unknown = set(part) - {field.name for field in fields(cls)}
        if unknown:
            raise ValueError(f"unknown keys in the recipe's train part: {sorted(unknown)}")
        schedule = cls(**part)
        if schedule.precision not in ("fp32", "bf16"):
            raise ValueError(f"no precision {schedule.precision!r} to train in: there are fp32 and bf16")
        return schedule

    def factor(self, step: int, progress: float) -> float:
        """Share of the peak rate at this step; progress in [0, 1] is that of the whole run."""
        return min(1.0, (step + 1) / self.warmup) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


class Run:
    """One training run: the task, its optimiser, its averaged weights, and where it stands."""

    def __init__(self, recipe: dict[str, Any], data: Path, out: Path, minutes: float = math.inf) -> None:
        out.mkdir(parents=True, exist_ok=True)
        self.recipe, self.out, self.minutes = recipe, out, minutes
        self.schedule = Schedule.read(recipe["train"])
        torch.set_num_threads(self.schedule.threads)
        torch.manual_seed(self.schedule.seed)
        start = out / "start"
        if "first" in recipe and not (out / VOCABULARY).exists():
            shutil.copyfile(start / VOCABULARY, out / VOCABULARY)
        self.task: Task = task(recipe["task"], recipe, data, out)
        self.net = self.task.net
        if "first" in recipe:
            inherit(self.net, torch.load(start / "best.pt", weights_only=True)["net"])
        self.optimiser = torch.optim.AdamW(
            self.net.parameters(), self.schedule.rate, weight_decay=self.schedule.weight_decay, fused=True
        )
        self.averaged = {name: value.detach().clone() for name, value in self.net.state_dict().items()}
        self.step, self.epoch, self.spent = 0, 0, 0.0
        self.best, self.since_best = -math.inf, 0
        self.history: list[dict[str, float]] = []

    def progress(self) -> float:
        """How far the run is, by updates or by minutes, whichever is further."""
        return max(self.step / self.schedule.steps, self.spent / 60 / self.minutes)

    def update(self, batch: Any) -> float:
        """One optimiser step; returns the loss."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.schedule.rate * self.schedule.factor(self.step, self.progress())
        with torch.autocast("cpu", torch.bfloat16, enabled=self.schedule.precision == "bf16"):
            loss, _ = self.task.loss(batch)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), self.schedule.clip)
        self.optimiser.step()
        self.step += 1
        if self.step % 4 == 0:
            self.average(min(self.schedule.average**4, self.step / (self.step + 40)))
        return float(loss.detach())

    @torch.no_grad()
    def average(self, decay: float) -> None:
        """Fold the present weights into the moving average."""
        for name, value in self.net.state_dict().items():
            if value.is_floating_point():
                self.averaged[name].lerp_(value, 1 - decay)

    def judge(self) -> dict[str, float]:
        """Score the averaged weights; keep them in best.pt if they are the best so far."""
        present = {name: value.clone() for name, value in self.net.state_dict().items()}
        self.net.load_state_dict(self.averaged)
        self.net.eval()
        figures = {"step": self.step, "minutes": round(self.spent / 60, 1), **self.task.score()}
        self.net.train()
        self.net.load_state_dict(present)
        self.history.append(figures)
        self.since_best += 1
        if figures["score"] > self.best:
            self.best, self.since_best = figures["score"], 0
            kept = {"recipe": self.recipe, "net": self.averaged, "figures": figures, "history": self.history}
            _write(kept, self.out / "best.pt")
        return figures

    def save(self) -> None:
        """Write last.pt: everything `resume` needs."""
        state = {
            "net": self.net.state_dict(),
            "averaged": self.averaged,
            "optimiser": self.optimiser.state_dict(),
            "torch_random": torch.get_rng_state(),
            "place": [self.step, self.epoch, self.spent, self.best, self.since_best],
            "history": self.history,
        }
        _write(state, self.out / "last.pt")

    def resume(self) -> None:
        """Go on from last.pt, at the start of the epoch it was in."""
        state = torch.load(self.out / "last.pt", weights_only=True)
        self.net.load_state_dict(state["net"])
        self.averaged = state["averaged"]
        self.optimiser.load_state_dict(state["optimiser"])
        torch.set_rng_state(state["torch_random"])
        self.step, self.epoch, self.spent, self.best, self.since_best = state["place"]
        self.history = state["history"]

    def finished(self) -> bool:
        """Whether the updates, the minutes or the patience have run out."""
        return self.progress() >= 1 or self.since_best >= self.schedule.patience

    def fit(self) -> None:
        """Train to the end, judging and saving on the way."""
        (self.out / "recipe.json").write_text(json.dumps(self.recipe, indent=1))
        self.net.train()
        with tqdm(total=self.schedule.steps, initial=self.step, mininterval=20, unit="step") as bar:
            while not self.finished():
                self.one_epoch(bar)
                self.epoch += 1
        if not self.history or self.history[-1]["step"] != self.step:
            tqdm.write(json.dumps(self.judge()))
        self.save()

    def one_epoch(self, bar: tqdm[Any]) -> None:
        """One pass over the task's batches, left early when the run is finished."""
        random = np.random.default_rng([self.schedule.seed, self.epoch])
        smooth, last = math.nan, time.monotonic()
        for batch in self.task.batches(self.epoch, random):
            loss = self.update(batch)
            smooth = loss if math.isnan(smooth) else 0.99 * smooth + 0.01 * loss
            self.spent, last = self.spent + time.monotonic() - last, time.monotonic()
            bar.update()
            bar.set_postfix(epoch=self.epoch, loss=f"{smooth:.3f}", refresh=False)
            if self.step % self.schedule.judge_every == 0:
                tqdm.write(json.dumps({**self.judge(), "loss": round(smooth, 3)}))
                self.save()
            if self.finished():
                return


def _write(state: dict[str, Any], path: Path) -> None:
    """Save so that a kill in the middle leaves the old file whole."""
    torch.save(state, path.with_suffix(".tmp"))
    path.with_suffix(".tmp").replace(path)


def inherit(net: torch.nn.Module, weights: dict[str, torch.Tensor]) -> None:
    """Take over a first run's weights; attention of another kind begins anew, and so does a shape that differs in it.

    A net may be wider than the first one, and then begins by saying the same (`models/widen.py`).
    Raises ValueError if anything but these does not fit.
    """
    own = net.state_dict()
    if fits(weights, own):
        net.load_state_dict(widened(weights, own))
        return
    fit = {name for name, value in own.items() if name in weights and weights[name].shape == value.shape}
    if odd := {name for name in own.keys() ^ weights.keys() | own.keys() - fit if not name.startswith("attention.")}:
        raise ValueError(f"the first run's net differs in more than its attention: {sorted(odd)}")
    net.load_state_dict({**own, **{name: weights[name] for name in fit}})


def _nothing(recipe: Path, data: Path, out: Path) -> None:
    """What comes before a run where nobody writes text for it."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m models.train", description="Train a model from a JSON recipe.")
    parser.add_argument("recipe", type=Path, help="a file of models/recipes")
    parser.add_argument("--data", type=Path, required=True, help="the folder with the data sets")
    parser.add_argument("--out", type=Path, required=True, help="where checkpoints go")
    parser.add_argument("--resume", action="store_true", help="go on from OUT/last.pt")
    parser.add_argument("--minutes", type=float, default=math.inf, help="finish the schedule within this time")
    given = parser.parse_args()
    recipe = read(given.recipe)
    if "mean" in recipe:
        parser.error("this recipe is the mean of several runs, which python -m export rebuild makes")
    if "first" in recipe:
        begin(given.recipe.with_name(f"{recipe['first']}.json"), given.data, given.out / "start")
    run = Run(recipe, given.data, given.out, given.minutes)
    if given.resume:
        run.resume()
    run.fit()


def begin(recipe: Path, data: Path, out: Path, before: Before = _nothing) -> None:
    """Train what another recipe starts from, to its end; does nothing where that was done before."""
    if not (out / "done").exists():
        train(recipe, data, out, before)
        (out / "done").touch()


def train(recipe: Path, data: Path, out: Path, before: Before = _nothing) -> None:
    """Train a recipe and all that it begins with, each from where an earlier call stopped.

    before: called with each recipe's file, the data and the run's folder, when what it begins with is there.
    """
    content = read(recipe)
    if "first" in content:
        begin(recipe.with_name(f"{content['first']}.json"), data, out / "start", before)
    before(recipe, data, out)
    if "mean" not in content:
        fit(content, data, out)
        return
    for one, folder in soup.runs(content, out):
        fit(one, data, folder)
    soup.stir(content, out)


def fit(recipe: dict[str, Any], data: Path, out: Path) -> None:
    """One run, from where an earlier call stopped to its end."""
    run = Run(recipe, data, out)
    if (out / "last.pt").exists():
        run.resume()
    run.fit()


if __name__ == "__main__":
    main()

"""Settings come from the environment; every one has its reason, and together they make sense."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from service.engine.repeats import USUAL
from service.engine.search import USUAL_MARGIN, Rules
from service.serve import file_bounds
from service.settings import Settings
from service.settings_files import FileSettings
from service.worker import engine


@pytest.fixture(autouse=True)
def _bare(monkeypatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"HEED_{name.upper()}", raising=False)


def test_the_defaults_make_sense_together() -> None:
    assert Settings().max_repeats == USUAL, "models are scored as they are served"
    assert Settings().prune_nats == USUAL_MARGIN, "and as hypotheses are given up"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_has_its_reason(name) -> None:
    assert (Settings.model_fields[name].description or "").endswith(".")


@pytest.mark.parametrize(
    ("repeats", "nats", "rules"), [("7", "1.5", Rules(7, 1.5)), ("0", "0", Rules(0, np.inf))], ids=["bounds", "none"]
)
def test_the_engine_is_told_what_bounds_every_search(monkeypatch, toys, repeats, nats, rules) -> None:
    monkeypatch.setenv("HEED_MAX_REPEATS", repeats)
    monkeypatch.setenv("HEED_PRUNE_NATS", nats)
    settings = Settings(zoo=toys, threads=2, precision="fp32")
    assert [loop.rules for loop in engine(settings, ["toy-echo"], 10).loops.values()] == [rules]


def test_a_variable_sets_its_setting(monkeypatch) -> None:
    monkeypatch.setenv("HEED_PORT", "9000")
    assert Settings().port == 9000


@pytest.mark.parametrize(("given", "names"), [("a, b", ("a", "b")), ("a", ("a",)), ("", None), (" , ", None)])
def test_models_are_names_between_commas(monkeypatch, given, names) -> None:
    monkeypatch.setenv("HEED_MODELS", given)
    assert Settings().models == names


@pytest.mark.parametrize(
    ("name", "value"),
    [("MAX_TEXTS", "1000"), ("MAX_N_BEST", "17"), ("ROWS", "8"), ("PORT", "70000"), ("THREADS", "0"), ("QUEUE", "0")],
)
def test_a_value_with_which_the_biggest_legal_request_does_not_fit_is_refused(monkeypatch, name, value) -> None:
    monkeypatch.setenv(f"HEED_{name}", value)
    with pytest.raises(ValidationError):
        Settings()


def test_metrics_for_an_admin_listener_that_is_not_there_are_refused(monkeypatch) -> None:
    monkeypatch.setenv("HEED_METRICS", "admin")
    with pytest.raises(ValidationError, match="admin_port"):
        Settings()
    monkeypatch.setenv("HEED_ADMIN_PORT", "0")
    assert Settings().metrics == "admin"


def test_every_bound_of_files_is_that_of_its_setting(monkeypatch) -> None:
    whole = {name: field.default for name, field in FileSettings.model_fields.items()}
    told = file_bounds(Settings())
    for name, value in whole.items():
        monkeypatch.setenv(f"HEED_{name.upper()}", str(value + 1 if value >= 1 else 0.5))
        changed = file_bounds(Settings())
        assert changed != told, f"{name} changes nothing"
        told = changed

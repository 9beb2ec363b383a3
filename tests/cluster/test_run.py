"""What is deployed is what the settings say; what cannot be deployed is refused in one line, before anything starts."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import warnings
from pathlib import Path
from types import ModuleType

import pytest

from service.cluster.plan import groups
from service.settings import Settings
from tests.fakes import tiny_bundle
from tests.house.tree import ROOT
from tests.link.asking import PATIENCE, environment


@pytest.fixture(scope="module")
def run() -> ModuleType:
    """The command's module: whoever imports ray hears its deprecations."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("service.cluster.run")


@pytest.mark.filterwarnings("ignore:The `metrics_interval_s`:DeprecationWarning")
def test_an_engine_takes_its_cores_and_its_share_of_a_gpu(run: ModuleType) -> None:
    settings = Settings(threads=4)
    fixed, scaled = groups("a=3;b@gpu:0.5=1-4", ["a@1", "b@1"])
    assert run.placed(fixed, settings) == {"num_replicas": 3, "ray_actor_options": {"num_cpus": 4, "num_gpus": 0}}
    found = run.placed(scaled, settings)
    assert found["ray_actor_options"] == {"num_cpus": 4, "num_gpus": 0.5}
    assert "num_replicas" not in found
    assert (found["autoscaling_config"].min_replicas, found["autoscaling_config"].max_replicas) == (1, 4)
    assert found["autoscaling_config"].policy.policy_kwargs == {"rows": settings.ray_target_rows}


def test_fronts_stand_where_people_keep_a_machine_for_them(run: ModuleType) -> None:
    assert run.kept(0.5, Settings()) == {"num_cpus": 0.5, "resources": {}}
    assert run.kept(0, Settings(ray_front_resource="front"))["resources"] == {"front": run.SLIVER}


def test_a_cluster_of_one_machine_has_room_for_all_that_is_asked_for(run: ModuleType) -> None:
    settings = Settings(threads=30, ray_fronts=4, ray_front_cpus=0.5)
    assert run.room(settings, groups("*=2-5", ["a@1"])) == 152


def test_serve_has_time_for_the_drain(run: ModuleType) -> None:
    assert run.common(Settings(drain_seconds=40))["graceful_shutdown_timeout_s"] > 40


def test_settings_are_the_same_on_every_machine(run: ModuleType, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    variables = {
        "TRUSTED_PROXIES": "10.0.0.0/8, ::1",
        "KEYS_FILE": "keys.json",
        "MODELS": "a",
        "RATE_ROWS_KEY": "9/hour",
    }
    for name, value in variables.items():
        monkeypatch.setenv(f"HEED_{name}", value)
    settings = Settings()
    travelled = json.loads(json.dumps(run.travelling(settings, ["a@2", "a@1"])))
    monkeypatch.setenv("HEED_TRUSTED_PROXIES", "*")
    expected = settings.model_copy(
        update={"zoo": tmp_path / "zoo", "keys_file": tmp_path / "keys.json", "models": ("a@2", "a@1")}
    )
    assert Settings.model_validate(travelled) == expected


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        ({"HEED_RAY_ENGINES": "toy-echo=0"}, "invalid_request: HEED_RAY_ENGINES: 'toy-echo=0' cannot be"),
        ({"HEED_MODELS": "nobody"}, "bad bundle: "),
        ({"HEED_KEYS_FILE": "nowhere.json"}, "bad keys: nowhere.json: "),
    ],
)
def test_what_makes_no_sense_is_one_line_and_starts_nothing(tmp_path: Path, variables, why: str) -> None:
    tiny_bundle(tmp_path, "toy-echo")
    ended = subprocess.run(
        [sys.executable, "-m", "service", "ray"],
        cwd=ROOT,
        env=environment(tmp_path, **variables),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1].startswith(f"heed: {why}")
    assert "Traceback" not in ended.stderr

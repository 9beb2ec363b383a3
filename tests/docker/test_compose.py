"""What compose.yaml promises of every container, checked without an engine; `docker/check` sees it hold."""

from __future__ import annotations

import re
import tomllib

import pytest

from service.settings import Settings
from tests.docker.stack import SERVICES, seconds, services
from tests.house.tree import ROOT

OURS = [name for name, service in SERVICES.items() if "build" in service]
SERVING = ["heed", "heed-gpu", "head", "worker"]
EVERY = pytest.mark.parametrize("name", SERVICES)


@EVERY
def test_a_container_is_nobody_in_particular_and_can_change_nothing(name: str) -> None:
    service = SERVICES[name]
    user = service["user"].partition(":")[0]
    assert user.isdecimal() and int(user) > 0, "a number: the engine can tell that it is not root"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"] and "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged") and "network_mode" not in service and "pid" not in service


@EVERY
def test_a_container_has_somewhere_to_write_a_little_and_an_init(name: str) -> None:
    service = SERVICES[name]
    assert all("size=" in place for place in service["tmpfs"])
    assert service["init"] is True


@EVERY
def test_a_container_is_bounded(name: str) -> None:
    service = SERVICES[name]
    assert service["mem_limit"] and service["pids_limit"]
    assert service.get("cpus") or name == "train"
    assert service["logging"]["options"]["max-size"]


@EVERY
def test_what_keeps_running_is_asked_how_it_is_and_without_a_shell(name: str) -> None:
    service = SERVICES[name]
    check = service["healthcheck"]
    if service["restart"] == "no":
        assert check == {"disable": True}
    else:
        assert check["test"][0] == "CMD", "CMD-SHELL needs a shell"
        assert service["restart"] == "unless-stopped"


@EVERY
def test_a_command_is_a_list_so_that_signals_reach_the_program(name: str) -> None:
    assert isinstance(SERVICES[name].get("command", []), list)


@EVERY
def test_an_image_has_an_exact_tag(name: str) -> None:
    image, _, tag = SERVICES[name]["image"].partition(":")
    assert image and re.search(r"\d+\.\d+", tag), SERVICES[name]["image"]


@pytest.mark.parametrize("name", OURS)
def test_our_images_carry_our_version(name: str) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert SERVICES[name]["image"].endswith(f":{version}")


@EVERY
def test_ports_are_this_machines_own_until_somebody_decides_otherwise(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


def test_no_two_services_want_the_same_port() -> None:
    taken = [
        port.rpartition(":")[0] for service in services("compose.yaml").values() for port in service.get("ports", [])
    ]
    assert len(set(taken)) == len(taken)


@pytest.mark.parametrize("name", SERVING)
def test_what_was_accepted_has_time_to_be_answered(name: str) -> None:
    service = SERVICES[name]
    drain = float(service["environment"]["HEED_DRAIN_SECONDS"])
    assert drain == Settings.model_fields["drain_seconds"].default
    assert seconds(service["stop_grace_period"]) >= drain + 5


def test_engines_and_their_threads_fit_the_cores_of_the_container() -> None:
    service = SERVICES["heed"]
    told = service["environment"]
    assert int(told["HEED_ENGINES"]) * int(told["HEED_THREADS"]) <= float(service["cpus"])


def test_settings_that_are_named_exist() -> None:
    known = {f"HEED_{name}".upper() for name in Settings.model_fields}
    told = {
        name for service in SERVICES.values() for name in service.get("environment", {}) if name.startswith("HEED_")
    }
    assert told <= known, "a variable that nobody reads"


def test_only_the_cpu_service_starts_without_a_profile() -> None:
    assert [name for name, service in services("compose.yaml").items() if "profiles" not in service] == ["heed"]


def test_the_gpu_service_asks_for_a_gpu_and_would_rather_not_start_without_one() -> None:
    service = SERVICES["heed-gpu"]
    [device] = service["deploy"]["resources"]["reservations"]["devices"]
    assert device["capabilities"] == ["gpu"]
    assert service["environment"]["HEED_DEVICE"] == "cuda:0"


def test_behind_the_balancer_the_service_has_no_port_of_its_own() -> None:
    assert services("docker/scale.yaml")["heed"] == {"ports": []}

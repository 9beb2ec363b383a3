"""The Dockerfiles and the scripts that check them, looked at without an engine: hadolint, shellcheck, our own rules."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docker.stack import DOCKERFILES, SCRIPTS, SERVICES
from tests.house.tree import ROOT, relative

PRODUCTS = [path for path in DOCKERFILES if path.parent.name == "docker"]
BIN = Path(sys.executable).parent
FILES = pytest.mark.parametrize("path", DOCKERFILES, ids=relative)
IMAGES = pytest.mark.parametrize("path", PRODUCTS, ids=relative)


@FILES
def test_hadolint_finds_nothing(path: Path) -> None:
    found = subprocess.run([BIN / "hadolint", "--no-color", path], capture_output=True, text=True)
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize("path", [*SCRIPTS, ROOT / ".ci/run"], ids=relative)
def test_shellcheck_finds_nothing(path: Path) -> None:
    shared = "SC1090,SC2034,SC2154"  # variables that one sourced file sets and another reads
    command = [str(BIN / "shellcheck"), "--shell=bash", f"--exclude={shared}", str(path)]
    found = subprocess.run(command, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout


@FILES
def test_a_build_fetches_no_frontend_and_no_tag_that_moves(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"^#\s*syntax\s*=", text, re.MULTILINE)
    bases = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    stages = set(re.findall(r"^FROM \S+ AS (\S+)", text, re.MULTILINE)) | {"scratch"}
    assert all(":" in base and not base.endswith(":latest") for base in bases if base not in stages)


@IMAGES
def test_an_image_is_not_roots_and_starts_its_program_without_a_shell(path: Path) -> None:
    text = path.read_text("utf-8")
    assert re.findall(r"^USER (\S+)", text, re.MULTILINE) == ["10001:10001"]
    assert all(command.startswith("[") for command in re.findall(r"^\s*(?:CMD|ENTRYPOINT) (.+)", text, re.MULTILINE))


@IMAGES
def test_packages_are_those_of_the_constraints(path: Path) -> None:
    installs = re.findall(r"pip .*install .*", path.read_text("utf-8"))
    assert installs and all(re.search(r"-c constraints/(serve|dev)\.txt", one) for one in installs)


@IMAGES
def test_an_image_reports_nothing_to_the_makers_of_its_libraries(path: Path) -> None:
    assert "ORT_DISABLE_TELEMETRY=1" in path.read_text("utf-8")


def test_the_service_holds_no_room_that_trains() -> None:
    text = (ROOT / "docker/service.Dockerfile").read_text("utf-8")
    copied = set(re.findall(r"^COPY (\w+) ", text, re.MULTILINE))
    assert copied == {"constraints", "bundle", "service", "zoo"}


def test_a_build_sees_what_it_copies_and_little_else() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split("\n")
    allowed = {line[1:] for line in ignored if line.startswith("!")}
    copied = {
        name for path in PRODUCTS for name in re.findall(r"^COPY ([\w.]+) ", path.read_text("utf-8"), re.MULTILINE)
    }
    assert "*" in ignored and allowed == copied


def test_every_target_that_compose_builds_is_there() -> None:
    for service in SERVICES.values():
        if "build" in service:
            text = (ROOT / service["build"]["dockerfile"]).read_text("utf-8")
            assert re.search(rf"^FROM \S+ AS {service['build']['target']}$", text, re.MULTILINE)


def test_the_python_of_the_stand_in_is_the_python_of_the_images() -> None:
    [told] = re.findall(r"^python=(\S+)", (ROOT / "docker/check.d/stand_in.bash").read_text("utf-8"), re.MULTILINE)
    assert all(f"ARG PYTHON={told}\n" in path.read_text("utf-8") for path in PRODUCTS)


@pytest.mark.parametrize("path", SCRIPTS, ids=relative)
def test_a_part_of_the_check_fits_on_a_few_screens(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 120


def test_the_check_says_that_it_was_skipped(tmp_path) -> None:
    """Where no Docker answers and nobody may start one, there is a status of its own, and words nobody overlooks."""
    nobody = {"PATH": "/usr/bin:/bin", "DOCKER_HOST": f"unix://{tmp_path}/none.sock", "HEED_CHECK_INSIDE": "1"}
    script = "id() { echo 1000; }; export -f id; exec bash docker/check"
    told = subprocess.run(["bash", "-c", script], cwd=ROOT, env=nobody, capture_output=True, text=True)
    assert told.returncode == 77, told.stderr
    assert "SKIPPED: no Docker answers" in told.stderr and "passed" not in told.stdout

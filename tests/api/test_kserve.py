"""Health and metadata as KServe's protocol has them."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from bundle.manifest import Bundle
from bundle.zoo import find
from tests.api.conftest import client_of
from tests.fakes import FakeLink, tiny_bundle

pytestmark = pytest.mark.anyio
TENSOR = {"name": "source", "dtype": "int64", "axes": ["B", "S"]}
ROWS = {"name": "attention", "dtype": "float32", "axes": ["B", "K", 14]}


async def test_alive_is_an_answer_and_ready_is_that_work_would_be_done(client, link) -> None:
    for drained, status in ((False, 200), (True, 503)):
        link.drained = drained
        live, ready = await client.get("/v2/health/live"), await client.get("/v2/health/ready")
        assert (live.status_code, live.json()) == (200, {"live": True})
        assert (ready.status_code, ready.json()) == (status, {"ready": not drained})
        model = await client.get("/v2/models/tiny-en-de/ready")
        assert (model.status_code, model.json()) == (status, {"name": "tiny-en-de", "ready": not drained})


async def test_the_server_says_what_it_is(client) -> None:
    told = (await client.get("/v2")).json()
    assert told["name"] == "heed" and told["version"] and told["extensions"] == []


@pytest.fixture
def versions(tmp_path: Path) -> FakeLink:
    step = {"files": {"fp32": "step.onnx"}, "inputs": [], "outputs": [ROWS]}
    graphs = {"encode": {"files": {"fp32": "encode.onnx"}, "inputs": [TENSOR], "outputs": []}, "step": step}
    for version in ("1", "2"):
        tiny_bundle(tmp_path / version, "a", version=version, graphs=graphs)
    tiny_bundle(tmp_path, "b")
    bundles: dict[str, Bundle] = {one.id: one for one in find(tmp_path)}
    return FakeLink(bundles)


async def test_a_model_is_told_with_its_versions_and_tensors(versions) -> None:
    async with client_of(versions) as client:
        told = (await client.get("/v2/models/a")).json()
        assert told == (await client.get("/v2/models/a/versions/2")).json()
        assert (told["name"], told["versions"], told["platform"]) == ("a", ["1", "2"], "onnx_onnxv1")
        assert told["inputs"] == [{"name": "source", "datatype": "INT64", "shape": [-1, -1]}]
        assert told["outputs"] == [{"name": "attention", "datatype": "FP32", "shape": [-1, -1, 14]}]
        assert (await client.get("/v2/models/a/versions/2/ready")).json() == {"name": "a", "ready": True}


@pytest.mark.parametrize("path", ["c", "a/versions/3", "c/versions/1", "a/versions/3/ready", "c/ready"])
async def test_a_model_or_version_that_is_not_loaded_is_an_error_as_the_protocol_has_them(versions, path) -> None:
    async with client_of(versions) as client:
        answer: httpx.Response = await client.get(f"/v2/models/{path}")
        assert answer.status_code == 404 and set(answer.json()) == {"error"}


async def test_cards_tell_versions_apart_and_which_is_meant_by_the_name(versions) -> None:
    async with client_of(versions) as client:
        cards = (await client.get("/v1/models")).json()["models"]
        assert [(one["id"], one["default"]) for one in cards] == [("a@1", True), ("a@2", False), ("b@0", True)]
        for asked, id_, default in (("a", "a@1", True), ("a@1", "a@1", True), ("a@2", "a@2", False)):
            told = (await client.get(f"/v1/models/{asked}")).json()
            assert (told["id"], told["default"], told["version"]) == (id_, default, id_[-1])

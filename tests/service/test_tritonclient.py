"""NVIDIA's own client is content with our health and metadata.

Skipped where it is not installed: it wants older libraries than we pin (docs/models.md says how to run this).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.service.test_serve import serving

triton = pytest.importorskip("tritonclient.http", reason="tritonclient[http] is not installed")


def test_tritonclient_finds_server_and_model_alive_ready_and_described(toys: Path, tmp_path) -> None:
    with serving(toys, tmp_path / "log", HEED_LINK="local") as server:
        client = triton.InferenceServerClient(str(server.client.base_url).removeprefix("http://"))
        assert client.is_server_live() and client.is_server_ready()
        assert client.is_model_ready("toy-echo") and client.is_model_ready("toy-echo", "0")
        assert not client.is_model_ready("toy-echo", "9") and not client.is_model_ready("none")
        assert client.get_server_metadata()["name"] == "heed"
        told = client.get_model_metadata("toy-echo", "0")
        assert told["versions"] == ["0"] and {one["name"] for one in told["inputs"]} == {"source", "lengths"}
        with pytest.raises(triton.InferenceServerException, match="no such model"):
            client.get_model_metadata("none")
        client.close()

"""The admin application: what it is asked it does, and every change is in the audit with who made it."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from service.api.admin import Guard, create_admin
from service.api.problems import problem as refusal
from service.errors import HeedError, NotFound, OverBudget
from service.messages import Shown
from service.telemetry.meter import Meter
from tests.api.asking import problem
from tests.fakes import FakeLink

pytestmark = pytest.mark.anyio
WHERE = "/v1/admin/models"


class Noting:
    """A repository that notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.error: Exception | None = None

    async def shown(self) -> Sequence[Shown]:
        return [Shown("a@2", "loaded", True, 2**20), Shown("a@1", "leaving", bytes=5), Shown("b@1", "available")]

    async def load(self, model: str, *, default: bool = False, replace: bool = False) -> str:
        return self.noted("load", model, default, replace)

    async def unload(self, model: str) -> str:
        return self.noted("unload", model)

    async def prefer(self, model: str, *, first: bool = False) -> str:
        return self.noted("prefer", model, first)

    def noted(self, *asked: Any) -> str:
        self.asked.append(asked)
        if self.error is not None:
            raise self.error
        return "a@2"


@pytest.fixture
def repository(link: FakeLink) -> Noting:
    link.repository = noting = Noting()
    return noting


def client_of(link: FakeLink, guard: Guard | None = None) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(create_admin(link, guard)), base_url="http://admin")


@pytest.fixture
async def admin(link: FakeLink, repository: Noting) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(link) as one:
        yield one


def audited(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """The lines of the audit, as they were written."""
    lines = [one for one in caplog.records if one.name == "heed.audit"]
    told = [json.loads(one.getMessage().removeprefix("models ")) for one in lines]
    assert told == [vars(one)["audit"] for one in lines], "a log in JSON has the same"
    return told


async def test_models_are_shown_with_state_default_and_memory(admin) -> None:
    told = (await admin.get(WHERE)).json()
    assert told["models"] == [
        {"id": "a@2", "state": "loaded", "default": True, "bytes": 2**20},
        {"id": "a@1", "state": "leaving", "default": False, "bytes": 5},
        {"id": "b@1", "state": "available", "default": False, "bytes": None},
    ]


@pytest.mark.parametrize(
    ("path", "body", "asked"),
    [
        ("load", {"model": "a"}, ("load", "a", False, False)),
        ("load", {"model": "a@2", "default": True}, ("load", "a@2", True, False)),
        ("load", {"model": "a", "replace": True}, ("load", "a", False, True)),
        ("unload", {"model": "a@1"}, ("unload", "a@1")),
        ("default", {"model": "a@1"}, ("prefer", "a@1", False)),
        ("default", {"model": "a@1", "first": True}, ("prefer", "a@1", True)),
    ],
)
async def test_each_change_is_made_answered_with_what_is_there_then_and_audited(
    admin, repository, caplog, path, body, asked
) -> None:
    caplog.set_level(logging.INFO, "heed.audit")
    answer = await admin.post(f"{WHERE}/{path}", json=body, headers={"x-request-id": "mine"})
    assert answer.status_code == 200, answer.text
    assert repository.asked == [asked]
    assert answer.json()["changed"] == "a@2" and len(answer.json()["models"]) == 3
    (line,) = audited(caplog)
    assert line.pop("seconds") >= 0
    switches = {"load": {"default": False, "replace": False}, "unload": {}, "default": {"first": False}}[path]
    wanted = {"action": path, **switches, **body, "changed": "a@2", "by": "local", "result": "ok", "request": "mine"}
    assert line == wanted


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(OverBudget(limit=7, actual=9), 409, "memory_budget_exceeded"), (OSError(), 500, None)],
)
async def test_a_change_that_failed_is_a_problem_and_audited_as_what_it_was(
    admin, repository, caplog, error, status, code
) -> None:
    caplog.set_level(logging.INFO, "heed.audit")
    repository.error = error
    answer = await admin.post(f"{WHERE}/load", json={"model": "a"})
    problem(answer, status, code or "internal_error")
    (line,) = audited(caplog)
    assert (line["result"], line["changed"]) == (code or "failed", None)


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 422), ({"model": ""}, 422), ({"model": "a" * 201}, 422), ({"model": "a", "force": True}, 422), (["a"], 422)],
)
async def test_what_makes_no_sense_is_refused_before_anything_is_done(admin, repository, body, status) -> None:
    problem(await admin.post(f"{WHERE}/load", json=body), status, "invalid_request")
    assert repository.asked == []


async def test_a_body_that_is_too_large_is_refused(admin) -> None:
    problem(await admin.post(f"{WHERE}/load", content=b" " * 5000), 413, "body_too_large")


async def test_a_link_whose_models_stay_says_so(link) -> None:
    async with client_of(link) as admin:
        problem(await admin.get(WHERE), 409, "model_conflict")
        problem(await admin.post(f"{WHERE}/unload", json={"model": "a"}), 409, "model_conflict")


async def test_a_guard_may_refuse_and_says_who_it_lets_in(link, repository, caplog) -> None:
    caplog.set_level(logging.INFO, "heed.audit")

    class Guarding:
        def __init__(self, app: ASGIApp) -> None:
            self.app = app

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await self.app(scope, receive, send)
            elif (b"authorization", b"Bearer sesame") in scope["headers"]:
                scope["state"]["key_id"] = "ops-1"
                await self.app(scope, receive, send)
            else:
                error: HeedError = NotFound()
                await refusal(error, scope["state"]["request_id"])(scope, receive, send)

    async with client_of(link, Guarding) as admin:
        problem(await admin.post(f"{WHERE}/unload", json={"model": "a"}), 404, "not_found")
        assert repository.asked == []
        await admin.post(f"{WHERE}/unload", json={"model": "a"}, headers={"authorization": "Bearer sesame"})
    (line,) = audited(caplog)
    assert line["by"] == "ops-1" and "sesame" not in caplog.text


async def test_nothing_of_the_admin_is_on_the_listener_for_work(client, repository) -> None:
    problem(await client.get(WHERE), 404, "not_found")
    problem(await client.post(f"{WHERE}/unload", json={"model": "a"}), 404, "not_found")


async def test_its_document_names_every_route(admin) -> None:
    told = (await admin.get("/openapi.json")).json()
    assert "Problem" in told["components"]["schemas"]
    assert set(told["paths"]) == {WHERE, *(f"{WHERE}/{action}" for action in ("load", "unload", "default"))}


async def test_metrics_are_on_the_admin_listener_where_they_are_meant_to_be(link: FakeLink) -> None:
    meter = Meter(link.vitals, lambda: link.bundles)
    for given, status in ((meter, 200), (None, 404)):
        transport = httpx.ASGITransport(create_admin(link, meter=given))
        async with httpx.AsyncClient(transport=transport, base_url="http://heed") as client:
            answer = await client.get("/metrics")
        assert answer.status_code == status
        assert ("heed_requests" in answer.text) == (status == 200)

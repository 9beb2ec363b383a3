"""Health and metadata as KServe's Open Inference Protocol (v2) has them, for balancers, probes and clients.

Knows nothing of tasks; inference is not asked for here. What the protocol calls a model's inputs are those of its first
graph, and its outputs those of its last. (No postponed annotations here: FastAPI reads those of the functions below.)
"""

from fastapi import APIRouter, Response
from pydantic import BaseModel

from bundle.graphs import Tensor
from bundle.manifest import AT, Bundle
from service.api.openapi import PROBLEM, Responses
from service.messages import Link

DATATYPES = {"bool": "BOOL", "float16": "FP16", "float32": "FP32", "int32": "INT32", "int64": "INT64", "uint8": "UINT8"}
PLATFORM = "onnx_onnxv1"  # as Triton calls graphs that onnxruntime runs


class Live(BaseModel):
    live: bool


class Ready(BaseModel):
    ready: bool


class Server(BaseModel):
    name: str
    version: str
    extensions: list[str]


class Metadata(BaseModel):
    """A tensor; -1 is an axis that may have any length."""

    name: str
    datatype: str
    shape: list[int]


class Model(BaseModel):
    name: str
    versions: list[str]
    platform: str
    inputs: list[Metadata]
    outputs: list[Metadata]


class ModelReady(BaseModel):
    name: str
    ready: bool


class Error(BaseModel):
    """How this protocol tells of an error."""

    error: str


def kserve(link: Link, version: str) -> APIRouter:
    """The routes; version: of this service."""
    router = APIRouter(prefix="/v2", tags=["KServe v2"])
    unready: Responses = {503: {"model": Ready, "description": "Not ready"}}
    unknown: Responses = {404: {"model": Error, "description": "No such model is loaded"}, "default": PROBLEM}

    maybe: Responses = {**unknown, 503: {"model": ModelReady, "description": "Not ready"}}

    @router.get("/health/live", summary="Whether the process answers")
    async def live() -> Live:
        return Live(live=True)

    @router.get("/health/ready", summary="Whether a request would be worked on now", responses=unready)
    async def ready(response: Response) -> Ready:
        response.status_code = 200 if link.ready() else 503
        return Ready(ready=link.ready())

    @router.get("", summary="What serves")
    async def server() -> Server:
        return Server(name="heed", version=version, extensions=[])

    @router.get("/models/{model}", summary="A model's tensors", response_model=Model, responses=unknown)
    @router.get("/models/{model}/versions/{version}", response_model=Model, responses=unknown)
    async def metadata(model: str, version: str | None = None) -> Model | Response:
        bundle = _named(link, model, version)
        return _unknown() if bundle is None else _described(link, bundle)

    @router.get("/models/{model}/ready", response_model=ModelReady, responses=maybe)
    @router.get("/models/{model}/versions/{version}/ready", response_model=ModelReady, responses=maybe)
    async def model_ready(model: str, response: Response, version: str | None = None) -> ModelReady | Response:
        if _named(link, model, version) is None:
            return _unknown()
        response.status_code = 200 if link.ready() else 503
        return ModelReady(name=model, ready=link.ready())

    return router


def _named(link: Link, model: str, version: str | None) -> Bundle | None:
    return link.bundles.get(f"{model}{AT}{version}" if version else model)


def _unknown() -> Response:
    told = Error(error="no such model, or version of it, is loaded")
    return Response(told.model_dump_json(), 404, media_type="application/json")


def _described(link: Link, bundle: Bundle) -> Model:
    told = bundle.manifest
    first, last = told.graphs["encode"], told.graphs.get("step", told.graphs["encode"])
    return Model(
        name=told.name,
        versions=[one.manifest.version for one in link.bundles.values() if one.manifest.name == told.name],
        platform=PLATFORM,
        inputs=[_tensor(one) for one in first.inputs],
        outputs=[_tensor(one) for one in last.outputs],
    )


def _tensor(one: Tensor) -> Metadata:
    shape = [axis if isinstance(axis, int) else -1 for axis in one.axes]
    return Metadata(name=one.name, datatype=DATATYPES[one.dtype], shape=shape)

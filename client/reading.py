"""JSON to dataclasses: each field by its type, unknown fields left out, so that a newer server can still be read.

Knows nothing of what the dataclasses mean.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


class Unreadable(ValueError):
    """It is not what the type says."""


def read(kind: type[T], data: object) -> T:
    """The object of a dataclass that a JSON object describes.

    Raises:
        Unreadable: a field is missing, or is of another shape.
    """
    return cast(T, _read(kind, data))


def _read(kind: Any, data: Any) -> Any:
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _read(_fitting(inner, data), data)
    if origin is list:
        return [_read(inner[0], one) for one in _be(list, data)]
    if origin is tuple:
        kinds = inner[:1] * len(_be(list, data)) if inner[-1] is Ellipsis else inner
        return tuple(_read(one, value) for one, value in zip(kinds, data, strict=True))
    if origin is dict:
        return {name: _read(inner[1], value) for name, value in _be(dict, data).items()}
    if is_dataclass(kind):
        return _made(kind, _be(dict, data))
    if kind in (str, int, float, bool):
        return _be((int, float) if kind is float else kind, data)
    return data


def _made(kind: Any, data: dict[str, Any]) -> Any:
    hints, made = _hints(kind), {}
    for field in fields(kind):
        if field.name in data:
            made[field.name] = _read(hints[field.name], data[field.name])
        elif _needed(field):
            raise Unreadable(f"{kind.__name__} without {field.name}")
    return kind(**made)


def _needed(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _fitting(kinds: tuple[Any, ...], data: Any) -> Any:
    """Of a union the member that has the shape of the data; among objects, the one that its `type` names."""
    for kind in kinds:
        origin = get_origin(kind) or kind
        if data is None and kind is type(None):
            return kind
        if isinstance(data, dict) and is_dataclass(kind):
            own = getattr(kind, "type", None)
            if own is None or data.get("type") == own:
                return kind
        elif origin in (list, tuple):
            if isinstance(data, list):
                return kind
        elif isinstance(origin, type) and data is not None and isinstance(data, origin):
            return kind
    return next((kind for kind in kinds if kind is float and isinstance(data, int)), Any)


def _be(kind: Any, data: Any) -> Any:
    if not isinstance(data, kind):
        raise Unreadable(f"{type(data).__name__} where {kind} should be")
    return data

"""Which engines a cluster runs is what is written, and what is written wrongly is refused."""

from __future__ import annotations

import pytest

from service.cluster.plan import Group, groups
from service.errors import Meaningless
from service.settings import Settings

MODELS = ("en-de@2", "en-de@1", "de-en@1", "caption@7")
ALL = ("*",)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("*", [Group(ALL, MODELS, 0, 1, 1)]),
        ("*=3", [Group(ALL, MODELS, 0, 3, 3)]),
        ("*@cpu=1-4", [Group(ALL, MODELS, 0, 1, 4)]),
        (
            " en-de+de-en = 2 ; caption@gpu".replace(" = ", "="),
            [Group(("en-de", "de-en"), MODELS[:3], 0, 2, 2), Group(("caption",), MODELS[3:], 1, 1, 1)],
        ),
        ("*=2;caption@gpu:0.25=1-2", [Group(ALL, MODELS, 0, 2, 2), Group(("caption",), MODELS[3:], 0.25, 1, 2)]),
        (
            "en-de@1+de-en@cpu=2;en-de@2+caption@7@gpu",
            [
                Group(("en-de@1", "de-en"), ("en-de@1", "de-en@1"), 0, 2, 2),
                Group(("en-de@2", "caption@7"), ("en-de@2", "caption@7"), 1, 1, 1),
            ],
        ),
    ],
)
def test_groups_are_as_written(written: str, expected: list[Group]) -> None:
    assert groups(written, MODELS) == expected


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("en-de", "no engine has caption@7, de-en@1"),
        ("", "no engine has"),
        ("*;fr-en", "no model named 'fr-en'"),
        ("*=0", "cannot be"),
        ("*=3-2", "cannot be"),
        ("*@gpu:0", "cannot be"),
        ("*@cpu:2", "cannot be"),
        ("*@tpu", "no model named"),
        ("*;en-de@3", "no model named 'en-de@3'"),
        ("*:2", "no model named"),
        ("*=many", "is not"),
        ("*;*=2", "two groups"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(written: str, why: str) -> None:
    with pytest.raises(Meaningless, match=why) as refused:
        groups(written, MODELS)
    assert refused.value.detail.startswith("HEED_RAY_ENGINES: ")


def test_the_default_serves_every_model_twice() -> None:
    assert groups(Settings.model_fields["ray_engines"].default, MODELS) == [Group(ALL, MODELS, 0, 2, 2)]


def test_names_of_deployments_bear_any_model() -> None:
    assert Group(("en de/ü", "x"), (), 0.5, 1, 1).name == "engine-en-de-x-gpu"
    assert len(Group(("x" * 200,), (), 0, 1, 1).name) < 80
    assert Group(ALL, (), 0, 1, 1).name == "engine-all"

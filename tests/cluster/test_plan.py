"""Which engines a cluster runs is what is written, and what is written wrongly is refused."""

from __future__ import annotations

import pytest

from service.cluster.plan import Group, groups
from service.errors import Meaningless
from service.settings import Settings

MODELS = ("en-de", "de-en", "caption")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("*", [Group(MODELS, 0, 1, 1)]),
        ("*=3", [Group(MODELS, 0, 3, 3)]),
        ("*@cpu=1-4", [Group(MODELS, 0, 1, 4)]),
        (
            " en-de+de-en = 2 ; caption@gpu".replace(" = ", "="),
            [Group(MODELS[:2], 0, 2, 2), Group(("caption",), 1, 1, 1)],
        ),
        ("*=2;caption@gpu:0.25=1-2", [Group(MODELS, 0, 2, 2), Group(("caption",), 0.25, 1, 2)]),
    ],
)
def test_groups_are_as_written(written: str, expected: list[Group]) -> None:
    assert groups(written, MODELS) == expected


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("en-de", "no engine has caption, de-en"),
        ("", "no engine has"),
        ("*;fr-en", "no model named 'fr-en'"),
        ("*=0", "cannot be"),
        ("*=3-2", "cannot be"),
        ("*@gpu:0", "cannot be"),
        ("*@cpu:2", "cannot be"),
        ("*@tpu", "is not"),
        ("*=many", "is not"),
        ("*;*=2", "two groups"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(written: str, why: str) -> None:
    with pytest.raises(Meaningless, match=why) as refused:
        groups(written, MODELS)
    assert refused.value.detail.startswith("HEED_RAY_ENGINES: ")


def test_the_default_serves_every_model_twice() -> None:
    assert groups(Settings.model_fields["ray_engines"].default, MODELS) == [Group(MODELS, 0, 2, 2)]


def test_names_of_deployments_bear_any_model() -> None:
    assert Group(("en de/ü", "x"), 0.5, 1, 1).name == "engine-en-de-x-gpu"
    assert len(Group(("x" * 200,), 0, 1, 1).name) < 80

"""What is made of a tool's result: a JSON object of bounded size."""

import math
from datetime import date

import pytest

from voicegate.tools.tool import as_result


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ({"a_b": [1, None]}, {"a_b": [1, None]}),
        ("fine", {"result": "fine"}),
        (None, {"result": None}),
        ([1, 2], {"result": [1, 2]}),
        (date(2026, 11, 25), {"result": "2026-11-25"}),
        ({"x": math.nan}, {"x": None}),
    ],
)
def test_a_result_is_a_json_object(value: object, result: object) -> None:
    assert as_result(value, 100) == result


def test_a_long_result_is_cut() -> None:
    result = as_result({"text": "x" * 1000}, 100)
    assert result["cut"] is True
    assert len(str(result["result"])) == 100


def loop() -> list[object]:
    endless: list[object] = []
    endless.append(endless)
    return endless


@pytest.mark.parametrize("value", [object(), loop(), "\ud800", {1, object()}])
def test_what_is_no_json_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"serialize|Circular|surrogates"):
        as_result(value, 100)

"""[[route]]"""

import pytest
from pydantic import ValidationError

from voicegate.settings import RouteSettings
from voicegate.settings.routes import is_regex


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"called": "+359*1"}, "stands at the end only"),
        ({"caller": "/(/"}, "is no regular expression"),
        ({"header": {"X-A": ""}}, "header"),
        ({"refuse": 200}, "refuse"),
        ({"greeting": "Hi", "greeting_wav": "a.wav"}, "give one of them"),
        ({"dialled": "100"}, "Extra inputs"),
    ],
)
def test_a_route_that_cannot_work_is_refused(row: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        RouteSettings.model_validate(row)


@pytest.mark.parametrize(("text", "is_one"), [("/1.*/", True), ("//", False), ("1/", False)])
def test_a_regular_expression_stands_between_slashes(text: str, is_one: bool) -> None:
    assert is_regex(text) is is_one

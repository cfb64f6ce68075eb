"""Which route a call takes."""

import pytest

from voicegate.plan import CallFacts, facts_of
from voicegate.routes import NO_CHANGES, changes_for, fits, matches
from voicegate.settings import RouteSettings


def call(called: str = "100", caller: str = "+3591", **headers: str) -> CallFacts:
    return facts_of("id", caller, called, "127.0.0.1", list(headers.items()))


@pytest.mark.parametrize(
    ("pattern", "text", "does"),
    [
        ("100", "100", True),
        ("100", "1000", False),
        ("+359*", "+35988", True),
        ("+359*", "00359", False),
        ("*31#100", "*31#100", True),
        ("*31#100", "31#100", False),
        ("*", "", True),
        (r"/(\+|00)359\d+/", "003591", True),
        (r"/(\+|00)359\d+/", "x003591", False),
        (r"/\d{3}/", "1000", False),
        ("100.", "1000", False),
    ],
)
def test_patterns(pattern: str, text: str, does: bool) -> None:
    assert fits(pattern, text) is does


@pytest.mark.parametrize(
    ("row", "does"),
    [
        ({}, True),
        ({"called": "100"}, True),
        ({"called": "200"}, False),
        ({"called": "100", "caller": "+359*"}, True),
        ({"called": "100", "caller": "+49*"}, False),
        ({"header": {"X-Customer": "42"}}, True),
        ({"header": {"X-CUSTOMER": "4*", "X-Other": "*"}}, False),
    ],
)
def test_all_patterns_of_a_route_must_fit(row: dict[str, object], does: bool) -> None:
    assert matches(RouteSettings.model_validate(row), call(**{"x-customer": "42"})) is does


def test_the_first_route_that_matches_wins() -> None:
    rows = [{"called": "200", "voice": "A"}, {"called": "1*", "voice": "B"}, {"voice": "C"}]
    routes = [RouteSettings.model_validate(row) for row in rows]
    assert changes_for(routes, call("100")).voice == "B"
    assert changes_for(routes, call("300")).voice == "C"
    assert changes_for(routes[:2], call("300")) is NO_CHANGES

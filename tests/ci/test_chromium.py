"""What counts as a complaint of a page; the browser itself is used in CI."""

from typing import Any

import pytest

from ci.chromium import complaint


@pytest.mark.parametrize(
    "told",
    [
        {
            "method": "Runtime.exceptionThrown",
            "params": {"exceptionDetails": {"exception": {"description": "x is not defined"}}},
        },
        {
            "method": "Runtime.consoleAPICalled",
            "params": {"type": "error", "args": [{"value": "x is not defined"}]},
        },
        {
            "method": "Log.entryAdded",
            "params": {"entry": {"level": "error", "text": "x is not defined"}},
        },
    ],
)
def test_each_way_to_complain_is_heard(told: dict[str, Any]) -> None:
    assert "x is not defined" in str(complaint(told))


@pytest.mark.parametrize(
    "told",
    [
        {"method": "Page.loadEventFired", "params": {}},
        {"method": "Runtime.consoleAPICalled", "params": {"type": "log", "args": []}},
        {"method": "Log.entryAdded", "params": {"entry": {"level": "info", "text": "fine"}}},
    ],
)
def test_what_is_no_complaint_is_none(told: dict[str, Any]) -> None:
    assert complaint(told) is None

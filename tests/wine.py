"""What Wine does otherwise than Windows: such tests run on Windows itself.

A plugin of pytest, too: `-p tests.wine` (ci/windows/wine.py).
"""

import ctypes
import sys

import pytest

from simulator import clock

SCENARIOS = {
    "test_another_is_answered_403": "sends from 127.0.0.1 whatever a socket is bound to",
}
"""Those that Wine cannot pass, and what it does."""


def is_wine() -> bool:
    """Whether this Windows is Wine: its ntdll tells its version."""
    return sys.platform == "win32" and hasattr(ctypes.windll.ntdll, "wine_get_version")


def not_under_wine(reason: str) -> pytest.MarkDecorator:
    """Skip the test there; the reason says what Wine does."""
    return pytest.mark.skipif(is_wine(), reason=f"Wine {reason}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark scenarios, which users run and which therefore know nothing of this module."""
    for item in items:
        if reason := SCENARIOS.get(item.name):
            item.add_marker(not_under_wine(reason))


def pytest_configure() -> None:
    """Below Wine is Linux, which delivers on loopback at once: no jump of virtual time waits."""
    if is_wine():
        clock.DELIVERY_S = 0.0

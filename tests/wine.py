"""What Wine does otherwise than Windows: such tests run on Windows itself.

A plugin of pytest, too: `-p tests.wine` (ci/windows/wine.py).
"""

import ctypes
import sys

import pytest

from simulator import clock


def is_wine() -> bool:
    """Whether this Windows is Wine: its ntdll tells its version."""
    return sys.platform == "win32" and hasattr(ctypes.windll.ntdll, "wine_get_version")


def not_under_wine(reason: str) -> pytest.MarkDecorator:
    """Skip the test there; the reason says what Wine does."""
    return pytest.mark.skipif(is_wine(), reason=f"Wine {reason}")


def pytest_configure() -> None:
    """Below Wine is Linux, which delivers on loopback at once: no jump of virtual time waits."""
    if is_wine():
        clock.DELIVERY_S = 0.0

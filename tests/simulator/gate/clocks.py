"""Runs a test's coroutine in virtual time or on the real clock."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from simulator.clock import run_virtual

Run = Callable[[Coroutine[Any, Any, None]], None]


def _real(main: Coroutine[Any, Any, None]) -> None:
    asyncio.run(main)


both_clocks = pytest.mark.parametrize(
    "run", [pytest.param(run_virtual, id="virtual"), pytest.param(_real, id="real")]
)

"""The scenarios know one gateway that can run inside their own process: voicegate."""

import pytest

from scenarios.inprocess import VOICEGATE
from simulator.target.target import InProcess


@pytest.fixture
def gateway_in_process() -> InProcess:
    """Start voicegate here where the clock is virtual."""
    return VOICEGATE

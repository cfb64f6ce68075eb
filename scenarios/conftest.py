"""The scenarios know one gateway that can run inside their own process: voicegate."""

from importlib.util import find_spec

import pytest

from simulator.target.target import InProcess

# its courses are drawn by hypothesis, which an installation without the developers' tools lacks
collect_ignore = [] if find_spec("hypothesis") else ["test_chaos.py"]


@pytest.fixture
def gateway_in_process() -> InProcess:
    """Start voicegate here where the clock is virtual."""
    # not at the top: who only hands the tests out, as xdist's first process does, needs no gateway
    from scenarios.inprocess import VOICEGATE

    return VOICEGATE

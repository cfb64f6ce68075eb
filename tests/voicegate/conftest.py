"""The scenarios' world around a gateway that is looked into."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial

import pytest

from scenarios.inprocess import VOICEGATE, serving
from simulator.clock import LIMIT_S, VirtualLoop
from simulator.gate.gate import SimulatedGate
from simulator.gemini.server import FakeGemini
from simulator.target.target import InProcess, Settings
from simulator.witness.witness import Witness
from voicegate.gateway import Gateway


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Give tests marked `virtual` a loop with virtual time."""
    if item.get_closest_marker("virtual"):
        marker = item.get_closest_marker("virtual_limit")
        return {"virtual": partial(VirtualLoop, limit_s=marker.args[0] if marker else LIMIT_S)}
    return {"real": asyncio.SelectorEventLoop}


@pytest.fixture
def gateway_in_process() -> InProcess:
    """Watch voicegate's own classes."""
    return VOICEGATE


@pytest.fixture
async def gateway(
    errors: Witness, gemini: FakeGemini, settings: Settings
) -> AsyncIterator[Gateway]:
    """The gateway itself, serving."""
    async with serving(settings) as running:
        yield running


@pytest.fixture
async def gate(gateway: Gateway) -> AsyncIterator[SimulatedGate]:
    """A gate whose callers call it."""
    async with SimulatedGate(gateway=gateway.agent.local) as simulated:
        yield simulated
        simulated.check()


@pytest.fixture
async def witness(errors: Witness, gate: SimulatedGate) -> Witness:
    """The leak gate, with its baseline taken before the first call."""
    await errors.settle()
    errors.baseline()
    return errors

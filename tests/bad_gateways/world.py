"""A scenario played against one of the gateways in this folder, as pytest plays it against ours."""

import gc
import inspect
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from simulator.clock import Deadlock, run_virtual
from simulator.gate.gate import SimulatedGate
from simulator.gemini.server import FakeGemini
from simulator.witness.witness import Witness
from tests.bad_gateways.base import BaseGateway

OWNED_TYPES = ("tests.bad_gateways.calls.Call", "tests.bad_gateways.streams.Stream")
PORTS_PER_WORKER = 400


@dataclass(frozen=True)
class Row:
    """One scenario of the fixed list."""

    story: Callable[..., Any]
    """The test function, as users run it."""
    given: Mapping[str, Any] = field(default_factory=dict)
    """What pytest would give by parametrisation."""
    more: Mapping[str, Callable[[], AbstractAsyncContextManager[Any]]] = field(default_factory=dict)
    """Fixtures of the scenario's own."""

    made: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    """Fixtures of the scenario's own that are made of gate, gemini and witness."""
    less: Mapping[str, int] = field(default_factory=dict)
    """Constants of its module that are smaller here, for the sake of time."""

    @property
    def name(self) -> str:
        """As pytest names it, without parameters."""
        return f"{self.story.__module__.replace('.', '/')}.py::{self.story.__name__}"


def play(row: Row, gateway: type[BaseGateway]) -> list[str]:
    """Everything the scenario and its closing checks complain of; an empty list is green."""
    complaints: list[str] = []
    try:
        run_virtual(_play(row, gateway, complaints))
    except Deadlock as hang:
        complaints.append(f"Deadlock: {hang}")
    return complaints


async def _play(row: Row, make: type[BaseGateway], complaints: list[str]) -> None:
    """The world of `scenarios.world`, in the same order, with the same checks at its end."""
    with Witness(owned_types=OWNED_TYPES) as errors:
        async with FakeGemini() as gemini:
            with environment(gemini.environment):
                async with make(rtp_ports=_rtp_ports()) as gateway:
                    await _judge(row, gateway, gemini, errors, complaints)
            complaints += [str(violation) for violation in gemini.violations]
            complaints += [repr(error) for error in gemini.errors]
        gc.collect()  # what is garbage now must not end its life in the next world
        complaints += [f"error ({seen.channel}): {seen.text}" for seen in errors.errors]


async def _judge(
    row: Row,
    gateway: BaseGateway,
    gemini: FakeGemini,
    errors: Witness,
    complaints: list[str],
) -> None:
    async with SimulatedGate(gateway=gateway.address) as gate, AsyncExitStack() as more:
        world: dict[str, Any] = {"gate": gate, "gemini": gemini, "witness": errors}
        for name, enter in row.more.items():
            world[name] = await more.enter_async_context(enter())
        for name, make in row.made.items():
            world[name] = make(gate, gemini, errors)
        await errors.settle()
        errors.baseline()
        wanted = [name for name in inspect.signature(row.story).parameters if name in world]
        try:
            with patch.dict(row.story.__globals__, row.less):
                await row.story(**{name: world[name] for name in wanted}, **row.given)
        except (AssertionError, TimeoutError, LookupError, RuntimeError) as error:
            complaints.append(f"{type(error).__name__}: {error}")
        complaints += [str(violation) for violation in gate.violations]


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """These variables, for a while."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _rtp_ports() -> tuple[int, int]:
    """Every worker of pytest-xdist has a range of its own."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    low = 30000 + worker * PORTS_PER_WORKER
    return low, low + PORTS_PER_WORKER - 2

"""Judge the judge: a gateway that is broken on purpose turns its scenario red, and no other."""

import asyncio
import gc
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from simulator.gate.gate import SimulatedGate
from simulator.gemini.server import FakeGemini
from tests.bad_gateways import leaked_task
from tests.bad_gateways.base import BaseGateway
from tests.bad_gateways.rows import ROWS
from tests.bad_gateways.sin import Sin
from tests.bad_gateways.table import PAGE, page, sins
from tests.bad_gateways.world import play

SINS = sins()
AT_LEAST = 20
START_S, STOP_S = 30.0, 10.0


@pytest.fixture(scope="module", autouse=True)
def _nothing_old() -> None:
    """What earlier tests left to the collector must not end its life in one of these worlds."""
    gc.collect()


@pytest.mark.parametrize("row", ROWS)
def test_bad_gateway_without_a_sin_is_good(row: str) -> None:
    assert play(ROWS[row], BaseGateway) == []


@pytest.mark.parametrize("sin", SINS, ids=lambda sin: sin.name)
def test_bad_gateway_is_caught(sin: Sin) -> None:
    complaints = play(ROWS[sin.row], sin.gateway)

    assert any(sin.pattern.search(text) for text in complaints), complaints


@pytest.mark.parametrize("sin", SINS, ids=lambda sin: sin.name)
def test_bad_gateway_turns_nothing_else_red(sin: Sin) -> None:
    red = {row for row in ROWS if row != sin.row and play(ROWS[row], sin.gateway)}

    assert red == set(sin.also), sin.why


def test_bad_gateways_are_many_and_every_scenario_has_caught_one() -> None:
    assert len(SINS) >= AT_LEAST
    assert {row for sin in SINS for row in (sin.row, *sin.also)} == set(ROWS)
    assert all(bool(sin.also) == bool(sin.why) for sin in SINS)


def test_bad_gateways_page_is_what_the_records_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m tests.bad_gateways.table"


@pytest.mark.parametrize("sin", SINS, ids=lambda sin: sin.name)
def test_bad_gateway_can_be_started_by_hand(sin: Sin) -> None:
    text = Path(sys.modules[sin.gateway.__module__].__file__ or "").read_text(encoding="utf-8")

    assert text.endswith(f'if __name__ == "__main__":\n    serve({sin.gateway.__name__})\n')


@asynccontextmanager
async def started(file: str, environment: dict[str, str]) -> AsyncIterator[dict[str, Any]]:
    """The gateway of that file in a process of its own; gives its "gateway ready" line."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        file,
        *("--port", "0", "--admin-port", "0", "--rtp-ports", "0", "0"),
        env={**os.environ, **environment},
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(START_S):
            line = await process.stderr.readline()
        yield json.loads(line)
    finally:
        process.terminate()
        async with asyncio.timeout(STOP_S):
            _, rest = await process.communicate()
    assert process.returncode == 0, rest.decode()


async def test_bad_gateway_in_a_process_of_its_own_tells_what_it_holds() -> None:
    async with (
        FakeGemini() as gemini,
        started(leaked_task.__file__, gemini.environment) as ready,
        SimulatedGate(gateway=("127.0.0.1", ready["port"])) as gate,
        aiohttp.ClientSession(f"http://127.0.0.1:{ready['admin_port']}") as admin,
    ):
        before = await (await admin.get("/resources")).json()
        async with gate.dial("1000") as call:
            await call.lasts(1)
        async with asyncio.timeout(STOP_S):
            while (after := await (await admin.get("/resources")).json())["calls"]:
                continue
        health = (await admin.get("/health")).status

    assert health == 200
    assert [name for name in after["tasks"] if name not in before["tasks"]] == ["call-1/watchdog"]
    assert {**after, "tasks": [], "rtp_ports": {}} == {**before, "tasks": [], "rtp_ports": {}}

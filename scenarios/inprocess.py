"""voicegate inside this process: the target of the scenarios in virtual time."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from random import Random
from typing import Any

from simulator.target.target import InProcess, Settings, Target
from voicegate.config import load
from voicegate.gateway import Gateway
from voicegate.voice.gemini import Gemini

OWNED_TYPES = (
    "voicegate.call.Call",
    "voicegate.media.session.MediaSession",
    "voicegate.voice.conversation.GeminiConversation",
)
PORTS_PER_WORKER = 400


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Gateway]:
    """Run a gateway with these settings, its voice where the environment says."""
    overrides: dict[str, Any] = {
        "sip": {"port": 0},
        "media": {"rtp_ports": _rtp_ports()},
        "admin": {"port": 0},
    }
    for section, values in settings.items():
        whole = not isinstance(values, Mapping)
        overrides[section] = values if whole else overrides.get(section, {}) | values
    gateway = Gateway(load(dotenv=None, overrides=overrides))
    task = asyncio.create_task(gateway.serve(), name="gateway")
    ready = asyncio.create_task(gateway.ready.wait(), name="wait-for-ready")
    await asyncio.wait((task, ready), return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        ready.cancel()
        task.result()
    if isinstance(gateway.voice, Gemini):
        gateway.voice._random = Random(1)  # its retries must repeat themselves, run after run
    yield gateway
    gateway.stop()
    await task


@asynccontextmanager
async def _start(settings: Settings) -> AsyncIterator[Target]:
    async with serving(settings) as gateway:
        admin = gateway.admin_address
        yield Target(
            name="voicegate, in this process",
            address=gateway.agent.local,
            admin_url=f"http://127.0.0.1:{admin.port}" if admin else "",
        )


VOICEGATE = InProcess(_start, OWNED_TYPES)


def _rtp_ports() -> tuple[int, int]:
    """Give every worker of pytest-xdist a range of its own."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    low = 20000 + worker * PORTS_PER_WORKER
    return low, low + PORTS_PER_WORKER - 2

"""`voicegate serve` as a process of its own: started, looked at, ended."""

import asyncio
import json
import sys
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from ci.interop_job.ports import HOST, free_block
from ci.interop_job.tools import ended, plain_environment, running
from simulator.gemini.server import FakeGemini

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN_S = 90.0
STEP_S = 0.2
RTP_PORTS = 400
MAX_CALLS = 100
TAIL_LINES = 15


class GatewayLost(Exception):
    """The gateway did not start or does not answer; the text holds the end of its log."""


class RunningGateway:
    """One `voicegate serve`, seen as an operator sees it: its log and its admin side."""

    def __init__(self, low: int, log_file: Path, http: aiohttp.ClientSession) -> None:
        self.sip_port = low
        self.admin_port = low + 1
        self.rtp_ports = (low + 2, low + RTP_PORTS)
        self.process: Process
        self._log_file = log_file
        self._http = http

    def log_text(self) -> str:
        """Give all that it wrote to stderr (and stdout) up to now."""
        return self._log_file.read_text(encoding="utf-8", errors="replace")

    def lines(self, event: str) -> list[dict[str, Any]]:
        """Give the log lines of an event, in order."""
        return [line for line in log_lines(self.log_text()) if line.get("event") == event]

    def reasons(self, since: int = 0) -> Counter[str]:
        """Count why the calls ended, without the first `since` ones."""
        return Counter(str(line.get("reason")) for line in self.lines("call ended")[since:])

    async def resources(self) -> dict[str, Any]:
        """Ask what it holds right now. Raises GatewayLost."""
        url = f"http://{HOST}:{self.admin_port}/resources"
        try:
            async with self._http.get(url) as answer:
                if answer.status == 200:
                    found: dict[str, Any] = await answer.json()
                    return found
                fault = f"{answer.status} {answer.reason}"
        except (aiohttp.ClientError, TimeoutError) as error:
            fault = repr(error)
        raise GatewayLost(f"{url}: {fault}\n{self.log_tail()}")

    def log_tail(self) -> str:
        """Give the end of its log, for whoever has to find out why."""
        return "\n".join(self.log_text().splitlines()[-TAIL_LINES:])

    async def wait_until_ready(self) -> None:
        """Wait until it listens. Raises GatewayLost."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + READY_WITHIN_S
        while not self.lines("gateway ready"):
            if self.process.returncode is not None:
                code = self.process.returncode
                raise GatewayLost(f"ended with exit code {code}\n{self.log_tail()}")
            if loop.time() > deadline:
                raise GatewayLost(f"not ready in {READY_WITHIN_S:.0f} s\n{self.log_tail()}")
            await asyncio.sleep(STEP_S)

    async def interrupted(self, within_s: float) -> int | None:
        """End it as Ctrl+C does; give its exit code, None if it did not end in time."""
        if self.process.returncode is None:
            self.process.send_signal(2)
        return await ended(self.process, within_s)


@asynccontextmanager
async def open_gateway(
    folder: Path, gemini: FakeGemini | None, settings: Mapping[str, str] | None = None
) -> AsyncIterator[RunningGateway]:
    """Start a gateway whose voice is that fake, on free ports; it is gone after the block.

    With none, `settings` say where its voice is."""
    log_file = _new_folder(folder) / "gateway.log"
    command = (sys.executable, "-m", "voicegate", "serve")
    async with aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=10),
        connector=aiohttp.TCPConnector(force_close=True),
    ) as http:
        gateway = RunningGateway(free_block(RTP_PORTS + 2), log_file, http)
        variables = plain_environment() | _settings(gateway)
        variables |= gemini.environment if gemini is not None else {}
        variables |= {"PYTHONPATH": str(ROOT)} | dict(settings or {})
        # in a folder of its own: a developer's .env must not be read
        async with running(command, log_file, folder=folder, environment=variables) as process:
            gateway.process = process
            await gateway.wait_until_ready()
            yield gateway


def _new_folder(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _settings(gateway: RunningGateway) -> dict[str, str]:
    return {
        "VOICEGATE_SIP__HOST": HOST,
        "VOICEGATE_SIP__PORT": str(gateway.sip_port),
        "VOICEGATE_SIP__TRANSPORTS": '["udp", "tcp"]',
        "VOICEGATE_SIP__MAX_CALLS": str(MAX_CALLS),
        "VOICEGATE_ADMIN__HOST": HOST,
        "VOICEGATE_ADMIN__PORT": str(gateway.admin_port),
        "VOICEGATE_MEDIA__RTP_PORTS": json.dumps(gateway.rtp_ports),
    }


def log_lines(text: str) -> list[dict[str, Any]]:
    """Give the JSON lines of a log; what is none (or is half written) is left out."""
    found = []
    for line in text.splitlines():
        try:
            fields = json.loads(line)
        except ValueError:
            continue
        if isinstance(fields, dict):
            found.append(fields)
    return found

"""A gateway that is killed in the middle of its calls, and one that is drained under load.

Both in real time with processes of their own, on loopback: `kill -9` with ten calls in it, started
again by its service wrapper's rule; a drain with twenty calls in it.
"""

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from ci.interop_job.checks import Checks
from ci.interop_job.tools import ended, plain_environment, running
from simulator.audio.heard import Heard
from simulator.audio.sound import stamps
from simulator.audio.wav import read
from simulator.gate.caller import SimulatedCall
from simulator.gate.gate import SimulatedGate
from simulator.target.command import GatewayLost, as_environment, free_block
from voicegate.host.service import RESTART_S, USAGE_EXIT

HOST = "127.0.0.1"
KILLED_CALLS, DRAINED_CALLS = 10, 20
TALK_S = 5.0
LOST_S = 2.0
"""A recording may end so long before the kill: a second between two writes, and what is held."""
READY_S = 60.0
DRAIN_S = 30.0


class Service:
    """What a service wrapper does: start it, and after a failure again a little later."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.port = free_block(100)
        self.records = folder / "records"
        self.cdr = folder / "cdr.jsonl"
        self.starts = 0
        self.process: asyncio.subprocess.Process
        self.log = folder / "gateway.log"
        self._folder = folder
        self._up = asyncio.Event()

    async def run(self) -> int:
        """Start it until it ends as it should; give its exit code."""
        command = (sys.executable, "-m", "voicegate", "serve")
        variables = plain_environment() | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        variables |= as_environment(self._settings())
        while True:
            self.log = self._folder / f"gateway-{self.starts}.log"
            started = running(command, self.log, folder=self._folder, environment=variables)
            async with started as self.process:
                self.starts += 1
                self._up.set()
                code = await self.process.wait()
                self._up.clear()
            if code in (0, USAGE_EXIT):
                return code
            await asyncio.sleep(RESTART_S)

    async def ready(self) -> None:
        """Wait until it takes calls. Raises GatewayLost."""
        try:
            async with asyncio.timeout(READY_S):
                await self._up.wait()
                while b"gateway ready" not in self.log.read_bytes():  # noqa: ASYNC110 - a process
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise GatewayLost(self.log.read_text(encoding="utf-8")[-2000:]) from None

    def told(self) -> list[dict[str, Any]]:
        """Give the lines of finished calls."""
        if not self.cdr.exists():
            return []
        return [json.loads(line) for line in self.cdr.read_text(encoding="utf-8").splitlines()]

    def _settings(self) -> dict[str, dict[str, object]]:
        return {
            "sip": {"port": self.port},
            "admin": {"port": self.port + 1},
            "media": {"rtp_ports": [self.port + 2, self.port + 98]},
            "voice": {"backend": "echo"},
            "record": {"dir": str(self.records), "audio": True, "cdr": str(self.cdr)},
            "call": {"drain_limit_s": DRAIN_S},
        }


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[tuple[Service, SimulatedGate, asyncio.Task[int]]]:
    """Run a service and a gate that calls it; give the task that ends with the service."""
    service = Service(folder)
    async with AsyncExitStack() as owned:
        group = await owned.enter_async_context(asyncio.TaskGroup())
        over = group.create_task(service.run())
        owned.callback(over.cancel)
        await service.ready()
        gate = SimulatedGate(gateway=(HOST, service.port))
        yield service, await owned.enter_async_context(gate), over


async def dialled(gate: SimulatedGate, count: int) -> list[SimulatedCall]:
    """Begin so many calls that speak."""
    return [await gate.dial("1000", speak=stamps(every_s=1.0)) for _ in range(count)]


async def killed(checks: Checks, folder: Path) -> None:
    """Kill it in the middle of ten calls; see what is left, and the next call."""
    async with serving(folder) as (service, gate, _):
        finished = await dialled(gate, 1)
        await finished[0].lasts(1)
        await finished[0].hang_up()
        calls = await dialled(gate, KILLED_CALLS)
        await asyncio.gather(*(call.lasts(TALK_S) for call in calls))
        service.process.send_signal(signal.SIGKILL)
        await service.process.wait()
        for call in calls:
            call.vanish()
        files = sorted(service.records.glob("*/*/call.wav"))
        heard = sorted(map(seconds_heard, files), reverse=True)[:KILLED_CALLS]
        checks.check(
            "recordings of the killed calls play, each with its caller",
            len(heard) == KILLED_CALLS and heard[-1] >= TALK_S - LOST_S,
            f"{len(files)} files, the killed ones {heard[-1]:.1f} to {heard[0]:.1f} s",
        )
        checks.check("the finished call is in the CDR", len(service.told()) == 1, "1 line")
        await service.ready()
        [next_call] = await dialled(gate, 1)
        await next_call.lasts(TALK_S)
        echoed = next_call.heard.only_from(next_call, at_least=1)
        await next_call.hang_up()
        checks.check("started again, the next call hears", echoed, f"{service.starts} starts")


def seconds_heard(file: Path) -> float:
    """Give how long a recording is; 0 where the caller is not heard in it."""
    pcm, rate = read(file)
    caller = Heard()
    caller.add(pcm[:, 0], rate, 0.0)
    return len(pcm) / rate if caller.stamps() else 0.0


async def drained(checks: Checks, folder: Path) -> None:
    """Ask it to end with twenty calls in it; all end by themselves, new ones are refused."""
    async with serving(folder) as (service, gate, over):
        calls = await dialled(gate, DRAINED_CALLS)
        service.process.send_signal(signal.SIGTERM)
        await asyncio.sleep(1)
        refused = await gate.dial("1000", expect=503)
        checks.check("a new call is refused", refused.final_status == 503, "503")
        await asyncio.gather(*(call.lasts(TALK_S) for call in calls))
        kept = sum(call.ended_by is None for call in calls)
        checks.check("the calls go on", kept == DRAINED_CALLS, f"{kept} of {DRAINED_CALLS}")
        for call in calls:
            await call.hang_up()
        code = await ended(service.process, DRAIN_S)
        checks.check("it ends with the last call", code == 0, f"exit code {code}")
        checks.check("and is not started again", await over == 0, f"{service.starts} start")
        reasons = {line["reason"] for line in service.told()}
        lines = len(service.told())
        good = (lines, reasons) == (DRAINED_CALLS, {"caller_bye"})
        checks.check("every call is in the CDR", good, f"{lines} lines, reasons {sorted(reasons)}")


async def main() -> int:
    """Run both; give the exit code."""
    checks = Checks("endurance")
    if sys.platform == "win32":
        checks.skip("kill -9 and SIGTERM", "signals of POSIX")
        return checks.close()
    with tempfile.TemporaryDirectory(prefix="endurance-") as folder:
        await killed(checks, Path(folder) / "killed")
        await drained(checks, Path(folder) / "drained")
    return checks.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))

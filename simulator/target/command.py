"""A gateway in a process of its own, started by its command line and seen from outside."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import psutil

from simulator.target.target import Settings, Target
from simulator.witness.census import Snapshot, Trace

SERVE = (sys.executable, "-m", "voicegate", "serve")
HOST = "127.0.0.1"
READY_WITHIN_S = 30.0
STEP_S = 0.05
DRAIN_S = 3.0
END_WITHIN_S = 10.0
HTTP_TIMEOUT_S = 5.0
RTP_PORTS = 400
STEERING = ("VOICEGATE_", "GEMINI_", "GOOGLE_")


class GatewayLost(RuntimeError):
    """The gateway did not start or ended by itself; the text holds the end of its log."""


@asynccontextmanager
async def served(
    settings: Settings, environment: Mapping[str, str], command: Sequence[str] = SERVE
) -> AsyncIterator[Target]:
    """Start it on free ports with these settings; it has ended when the block is left."""
    ports = free_block(RTP_PORTS + 2)
    admin = f"http://{HOST}:{ports + 1}"
    own: dict[str, Any] = {
        "sip": {"host": HOST, "port": ports},
        "admin": {"host": HOST, "port": ports + 1},
        "media": {"rtp_ports": [ports + 2, ports + RTP_PORTS]},
    }
    for section, values in settings.items():
        own[section] = own.get(section, {}) | values if isinstance(values, Mapping) else values
    with tempfile.TemporaryDirectory(prefix="gateway-") as folder:
        log_file = Path(folder) / "gateway.log"
        variables = _plain() | dict(environment) | as_environment(own)
        with running(command, log_file, variables) as process:
            target = Target(
                name=" ".join(Path(part).name for part in command),
                address=(HOST, ports),
                take=lambda: seen_from_outside(process.pid, admin),
                log=lambda: log_file.read_text(encoding="utf-8", errors="replace"),
                admin_url=admin,
            )
            await _ready(process, target)
            yield target
            await _ended(process, target)


def as_environment(settings: Settings) -> dict[str, str]:
    """Give settings as the variables of the contract: VOICEGATE_SECTION__KEY, lists as JSON."""
    variables: dict[str, str] = {}
    for section, values in settings.items():
        name = f"VOICEGATE_{section.upper()}"
        if not isinstance(values, Mapping):
            variables[name] = json.dumps(values)
            continue
        for key, value in values.items():
            text = value if isinstance(value, str) else json.dumps(value)
            variables[f"{name}__{key.upper()}"] = text
    return variables


def seen_from_outside(pid: int, admin_url: str) -> Snapshot:
    """Give what the process holds: its own word on tasks and calls, the system's on the rest."""
    told = resources(admin_url)
    process = psutil.Process(pid)
    with process.oneshot():
        threads = process.num_threads()
    known = {
        "tasks": told["tasks"],
        "sockets": told["sockets"],
        "files": told["files"],
        "threads": max(threads, len(told["threads"])),
    }
    extra = [
        Trace("objects", kind, f"{kind} {number}")
        for kind in ("calls", "gemini_sessions")
        for number in range(told[kind])
    ]
    return Snapshot(Snapshot.from_resources(known).traces + tuple(extra))


def resources(admin_url: str) -> dict[str, Any]:
    """Ask the admin side what the gateway holds; raises OSError where it does not answer."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(f"{admin_url}/resources", timeout=HTTP_TIMEOUT_S) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


@contextmanager
def running(
    command: Sequence[str], log_file: Path, variables: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command whose output goes to a file; killed at the end of the block if need be."""
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP  # else Ctrl+Break would reach us too
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=variables,
            cwd=log_file.parent,  # a developer's .env must not be read
            creationflags=flags,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()


def free_block(size: int) -> int:
    """Give the first of `size` ports in a row of which the first two are free just now."""
    for low in range(24000 + os.getpid() % 40 * size, 65000 - size, size):
        if all(_is_free(port) for port in (low, low + 1, low + 2)):
            return low
    raise GatewayLost("no free ports on 127.0.0.1")


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                return False
    return True


def _plain() -> dict[str, str]:
    """Give this process's environment without what would steer the gateway."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(STEERING)}
    return kept | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


async def _ready(process: subprocess.Popen[bytes], target: Target) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + READY_WITHIN_S
    while loop.time() < deadline:
        if process.poll() is not None:
            raise GatewayLost(f"{target.name}: exit code {process.returncode}\n{tail(target)}")
        try:
            resources(target.admin_url)
        except OSError:
            await asyncio.sleep(STEP_S)
        else:
            return
    raise GatewayLost(f"{target.name}: not ready in {READY_WITHIN_S:.0f} s\n{tail(target)}")


async def _ended(process: subprocess.Popen[bytes], target: Target) -> None:
    """Ask it to end; where calls are left in it a second time, so that it hangs up."""
    stop: int = signal.SIGINT
    if sys.platform == "win32":
        stop = signal.CTRL_BREAK_EVENT
    loop = asyncio.get_running_loop()
    for patience_s in (DRAIN_S, END_WITHIN_S):
        if process.poll() is None:
            process.send_signal(stop)
        deadline = loop.time() + patience_s
        while process.poll() is None and loop.time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(STEP_S)
    if process.poll() is None:
        raise GatewayLost(f"{target.name}: did not end when told twice\n{tail(target)}")
    if process.returncode != 0:
        raise GatewayLost(f"{target.name}: exit code {process.returncode}\n{tail(target)}")


def tail(target: Target, lines: int = 15) -> str:
    """Give the end of its log."""
    return "\n".join(target.log().splitlines()[-lines:])

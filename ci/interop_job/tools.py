"""Other people's programs: where they are, and how they run without outliving the job."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

PACKAGES = {
    "sipp": "sip-tester",
    "baresip": "baresip-core",
    "espeak-ng": "espeak-ng",
    "linphonec": "linphone-cli",
    "sipsak": "sipsak",
    "svmap": "sipvicious",
    "kamailio": "kamailio",
    "wine": "wine",
    "x86_64-w64-mingw32-gcc": "gcc-mingw-w64-x86-64-win32",
}
"""The Debian package of each program."""
SERVERS = "/usr/sbin:/usr/local/sbin"
INSTALL_LIMIT_S = 300.0
STEERING = ("VOICEGATE_", "GEMINI_", "GOOGLE_", "PYTHONASYNCIODEBUG")
"""Variables that begin so would steer the gateway from outside the job."""


def missing_tool(name: str) -> str:
    """Give the reason why a program cannot be had; "" if it can.

    It is installed only where that harms nobody: as root, in a CI job.
    """
    if program_of(name):
        return ""
    package = PACKAGES[name]
    if not _may_install():
        return f"{name} is not installed (on Debian: apt-get install {package})"
    install = ("apt-get", "install", "-y", "--no-install-recommends", package)
    for command in (install, ("apt-get", "update"), install):
        if not _succeeds(command):
            continue
        if program_of(name):
            return ""
    return f"{name} is not installed, and apt-get could not install {package}"


def program_of(name: str) -> str:
    """Give the path of a program, "" if it is not there; servers stand where only root looks."""
    return shutil.which(name) or shutil.which(name, path=SERVERS) or ""


def _may_install() -> bool:
    if sys.platform == "win32" or os.environ.get("CI") != "true":
        return False
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def _succeeds(command: Sequence[str]) -> bool:
    variables = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with contextlib.suppress(subprocess.TimeoutExpired):
        done = subprocess.run(
            command,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=INSTALL_LIMIT_S,
            check=False,
        )
        return done.returncode == 0
    return False


def plain_environment() -> dict[str, str]:
    """Give the environment without what would steer the gateway, or send it through a proxy."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(STEERING) and not name.lower().endswith("_proxy")
    }


@contextlib.asynccontextmanager
async def running(
    command: Sequence[str],
    output: Path,
    *,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    stdin: int = DEVNULL,
) -> AsyncIterator[Process]:
    """Run a program in a process group of its own, which is gone when the block is left.

    What it prints goes to the file `output`; it works in `folder`.
    """
    with output.open("wb") as sink:
        process = await asyncio.create_subprocess_exec(
            *_bound_to_us(),
            *command,
            stdin=stdin,
            stdout=sink,
            stderr=STDOUT,
            cwd=folder,
            env=plain_environment() if environment is None else environment,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            _kill_group(process.pid)
            await process.wait()


def _kill_group(leader: int) -> None:
    if sys.platform != "win32":
        with contextlib.suppress(ProcessLookupError):
            os.killpg(leader, signal.SIGKILL)


def _bound_to_us() -> tuple[str, ...]:
    """Give the words before a command that let it die with us even if we are killed (Linux)."""
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "KILL", "--") if setpriv else ()


async def ended(process: Process, within_s: float) -> int | None:
    """Wait for a program to end by itself; give its exit code, None if it did not in time."""
    try:
        async with asyncio.timeout(within_s):
            return await process.wait()
    except TimeoutError:
        return None

"""Programs of others: found or missed, and never left running."""

import asyncio
import os
import sys
from pathlib import Path

import psutil
import pytest

from ci.interop_job.tools import ended, missing_tool, plain_environment, running

posix_only = pytest.mark.skipif(os.name != "posix", reason="process groups are a POSIX thing")
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


def test_a_missing_program_is_told_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CI", raising=False)

    assert missing_tool("sipp") == "sipp is not installed (on Debian: apt-get install sip-tester)"


def test_a_program_that_is_there_is_not_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / ("sipp.exe" if os.name == "nt" else "sipp")
    program.write_bytes(b"")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert missing_tool("sipp") == ""


def test_nothing_steers_the_programs_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VOICEGATE_SIP__PORT", "GEMINI_API_KEY", "GOOGLE_API_KEY", "https_proxy"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("HARMLESS", "x")

    variables = plain_environment()

    assert "HARMLESS" in variables
    assert not [name for name in variables if name.startswith(("VOICEGATE_", "GEMINI_"))]
    assert not [name for name in variables if name.lower().endswith("_proxy")]


@posix_only
@pytest.mark.parametrize(("works", "told"), [(True, ""), (False, "could not install sip-tester")])
def test_as_root_in_a_ci_job_it_is_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, works: bool, told: str
) -> None:
    asked, program = tmp_path / "asked", tmp_path / "sipp"
    body = f": > {program}\n/bin/chmod 755 {program}" if works else "exit 100"
    apt = tmp_path / "apt-get"
    apt.write_text(f'#!/bin/sh\necho "$@" >> {asked}\n{body}\n')
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    assert missing_tool("sipp").endswith(told)
    install = "install -y --no-install-recommends sip-tester"
    assert asked.read_text().splitlines() == ([install] if works else [install, "update", install])


@posix_only
def test_elsewhere_nothing_is_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    apt = tmp_path / "apt-get"
    apt.write_text(f"#!/bin/sh\n: > {tmp_path / 'asked'}\n")
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    for ci, user in (("true", 1000), ("", 0)):
        monkeypatch.setenv("CI", ci)
        monkeypatch.setattr(os, "geteuid", lambda user=user: user)

        assert missing_tool("baresip").startswith("baresip is not installed (on Debian")
    assert not (tmp_path / "asked").exists()


@posix_only
async def test_a_program_ends_by_itself_or_is_given_up(tmp_path: Path) -> None:
    quick = [sys.executable, "-c", "print('done'); raise SystemExit(3)"]
    slow = [sys.executable, "-c", "import time; time.sleep(60)"]

    async with running(quick, tmp_path / "quick", folder=tmp_path) as process:
        assert await ended(process, 30) == 3
    async with running(slow, tmp_path / "slow", folder=tmp_path) as process:
        assert await ended(process, 0.05) is None
    assert process.returncode == -9
    assert (tmp_path / "quick").read_text() == "done\n"


@posix_only
async def test_the_whole_group_is_gone_after_the_block(tmp_path: Path) -> None:
    output = tmp_path / "out"

    async with running([sys.executable, "-c", PARENT], output, folder=tmp_path):
        async with asyncio.timeout(30):
            while not output.read_text().endswith("\n"):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.01)
        child = psutil.Process(int(output.read_text()))
        assert child.is_running()

    _, alive = psutil.wait_procs([child], timeout=10)
    assert not alive or alive[0].status() == psutil.STATUS_ZOMBIE

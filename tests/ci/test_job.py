"""The frame of the jobs: whatever goes wrong inside is told, and is no traceback."""

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path

import pytest

from ci.interop_job.checks import Checks
from ci.interop_job.gateway import GatewayLost
from ci.job import evidence_folder, run_bounded

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


async def lost() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(raising("ended with exit code 1"))
        group.create_task(raising("does not answer"))


async def raising(text: str) -> None:
    raise GatewayLost(text)


async def interrupted() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.sleep(10)


@pytest.mark.parametrize(
    ("work", "limit_s", "told"),
    [
        (lost(), 10.0, "FAIL  voicegate serve: ended with exit code 1; does not answer"),
        (raising("is gone"), 10.0, "FAIL  voicegate serve: is gone"),
        (asyncio.sleep(10), 0.01, "FAIL  the job's time: not done within 0 s"),
        (interrupted(), 10.0, "FAIL  the job: stopped by a signal"),
    ],
    ids=["several tasks", "one", "time", "signal"],
)
def test_it_ends_with_a_failed_check(
    work: Coroutine[None, None, None], limit_s: float, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    checks = Checks()
    run_bounded(checks, work, limit_s)
    assert capsys.readouterr().out.strip() == told
    assert checks.close() == 1


def test_the_folder_goes_unless_it_was_asked_for(tmp_path: Path) -> None:
    with evidence_folder(None) as passing:
        assert passing.is_dir()
    with evidence_folder(tmp_path / "kept") as kept:
        assert kept.is_dir()
    assert kept.is_dir()
    assert not passing.exists()

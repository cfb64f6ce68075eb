"""The frame of the jobs that let other people's programs meet the gateway."""

import asyncio
import signal
import tempfile
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path

from ci.interop_job.checks import Checks
from ci.interop_job.gateway import GatewayLost
from simulator.gate.party import CallRefused, NoAnswer


@contextmanager
def evidence_folder(wanted: Path | None) -> Iterator[Path]:
    """Give a folder for what the programs read and write; it goes after the job unless wanted."""
    if wanted is None:
        with tempfile.TemporaryDirectory(prefix="voicegate-job-") as folder:
            yield Path(folder)
    else:
        wanted.mkdir(parents=True)
        yield wanted.resolve()


def run_bounded(checks: Checks, work: Coroutine[None, None, None], limit_s: float) -> None:
    """Run the checks of a job; whatever hangs or is lost, it ends with nothing left running."""
    asyncio.run(_bounded(checks, work, limit_s))


async def _bounded(checks: Checks, work: Coroutine[None, None, None], limit_s: float) -> None:
    """A signal ends the work as an error would: each block that owns a program ends it."""
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        async with asyncio.timeout(limit_s):
            await work
    except* asyncio.CancelledError:
        checks.check("the job", False, "stopped by a signal")
    except* TimeoutError:
        checks.check("the job's time", False, f"not done within {limit_s:.0f} s")
    except* (CallRefused, NoAnswer) as group:
        checks.check("a call", False, _words(group))
    except* GatewayLost as group:
        checks.check("voicegate serve", False, _words(group))


def _words(group: BaseExceptionGroup[BaseException]) -> str:
    """Give what each error says, also of those that several tasks raised at once."""
    return "; ".join(
        _words(error) if isinstance(error, BaseExceptionGroup) else str(error)
        for error in group.exceptions
    )

"""first_of(): the race that decides how a call goes on. beside(): work for as long as a block runs.

A result beats an error; of several errors the first argument's is raised and the rest are logged;
argument order breaks ties; what a loser does while it is being cancelled never hides the winner.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from voicegate.logs import PeerError, get_logger

T = TypeVar("T")
log = get_logger(__name__)


async def first_of(*contestants: Coroutine[Any, Any, T]) -> T:
    """Run all contestants as tasks, give the first result; the others are over when this returns.

    Raises the first argument's error where there is no result, and `CancelledError` when the race
    itself is cancelled (as often as one likes: it leaves only when every contestant has ended).
    """
    prefix = _name_of_owner()
    names = [getattr(one, "__name__", "contestant") for one in contestants]
    tasks = [
        asyncio.create_task(one, name=f"{prefix}/{name}")
        for one, name in zip(contestants, names, strict=True)
    ]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        await _end(tasks)
        _log_errors(tasks)
        raise
    await _end(tasks)
    return _outcome([t for t in tasks if t in done], [t for t in tasks if t not in done])


def _name_of_owner() -> str:
    """Name the running task. It is no variable of the race: a task that was cancelled holds, by its
    traceback, all that the frames knew, and would hold itself until a full collection."""
    owner = asyncio.current_task()
    return owner.get_name() if owner else "race"


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None], name: str) -> AsyncIterator[None]:
    """Do `work` for as long as the block runs; it is over when the block is left.

    A fault of it is logged at once and ends nothing else.
    """
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_tell_fault)
    try:
        yield
    finally:
        await _end([task])


def _tell_fault(task: asyncio.Task[None]) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None:
        log.error("work ended by a fault", task=task.get_name(), exc_info=error)


async def _end(tasks: Sequence[asyncio.Task[T]]) -> None:
    """Cancel all and wait until they have ended, however often we are cancelled meanwhile."""
    cancelled = False
    for task in tasks:
        task.cancel()
    while pending := [task for task in tasks if not task.done()]:
        try:
            await asyncio.wait(pending)
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        _log_errors(tasks)
        raise asyncio.CancelledError


def _outcome(finishers: list[asyncio.Task[T]], losers: list[asyncio.Task[T]]) -> T:
    """Choose among the ended tasks: first the finishers' results, then the losers', then errors."""
    everyone = finishers + losers
    results = [t for t in everyone if not t.cancelled() and t.exception() is None]
    if results:
        _log_errors(everyone)
        return results[0].result()
    errors = [t for t in everyone if not t.cancelled()]
    if not errors:
        raise asyncio.CancelledError
    _log_errors(errors[1:])
    return errors[0].result()


def _log_errors(tasks: Sequence[asyncio.Task[T]]) -> None:
    """Say aloud what nobody will be told otherwise."""
    for task in tasks:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            ours = None if isinstance(error, PeerError) else error
            log.error("lost the race", task=task.get_name(), error=repr(error), exc_info=ours)

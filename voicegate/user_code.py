"""The user's own Python: found by its path at load, run so that it can hold nothing up."""

import asyncio
import contextvars
import functools
import importlib
import inspect
import sys
import traceback
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, TypeVar

from voicegate.logs import PeerError

T = TypeVar("T")
Function = Callable[..., object]


class UserCodeRefused(ValueError):
    """What the configuration names cannot be used; the text says why and what to mend."""


class TookTooLong(PeerError):
    """The user's code did not end within its limit."""


def look_in(folders: Sequence[str]) -> None:
    """Have Python look for modules in these folders too, after all others."""
    for folder in folders:
        path = Path(folder).resolve()
        if not path.is_dir():
            raise UserCodeRefused(f"tools.python_path: {folder!r} is no folder")
        if str(path) not in sys.path:
            sys.path.append(str(path))


def load_function(path: str) -> Function:
    """Give the function at package.module:function; raises UserCodeRefused."""
    module_name, colon, name = path.partition(":")
    if not colon or not module_name or not name:
        raise UserCodeRefused(f"{path!r} is no package.module:function")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise UserCodeRefused(
            f"{path!r}: {error}. Is it installed, or its folder in tools.python_path?"
        ) from error
    except SyntaxError as error:
        raise UserCodeRefused(f"{path!r}: {error}") from error
    except (Exception, SystemExit) as error:  # a stranger's module may do anything at its import
        raise UserCodeRefused(
            f"{path!r}: {module_name} does not load: {type(error).__name__}: {error}"
            f"{_place_of(error)}. Mend it there, or leave it out of the settings"
        ) from error
    function = getattr(module, name, None)
    if not inspect.isroutine(function):
        raise UserCodeRefused(f"{path!r}: {module_name} has no function {name!r}")
    return function


def _place_of(error: BaseException) -> str:
    """Give the file and the line of the user's from which it came."""
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename not in (__file__, importlib.__file__) and "<frozen" not in frame.filename:
            return f" ({frame.filename}, line {frame.lineno})"
    return ""


def is_plain(function: Function) -> bool:
    """Say whether it would hold up the event loop, and so needs a thread."""
    return not inspect.iscoroutinefunction(function)


async def run_function(
    function: Function, threads: Executor | None, *args: object, **kwargs: object
) -> object:
    """Run it, a plain one in a thread; raises whatever it raises."""
    if not is_plain(function):
        return await function(*args, **kwargs)  # type: ignore[misc]
    # so that what it logs belongs to its call
    work = functools.partial(contextvars.copy_context().run, function, *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(threads, work)


async def outcome_of(work: Coroutine[Any, Any, T], limit_s: float) -> T | BaseException:
    """Give what it returns or raises: whatever a stranger's code raises is no fault of ours.

    TookTooLong where it did not end in time; it is cancelled then, and has ended.
    """
    try:
        async with asyncio.timeout(limit_s):
            outcomes = await asyncio.gather(work, return_exceptions=True)
    except TimeoutError:
        return TookTooLong(f"no result within {limit_s:g} s")
    return outcomes[0]

"""The user's own Python is found or refused with a mend, and what it does is no fault of ours."""

import asyncio
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from voicegate.blocking import open_threads
from voicegate.user_code import (
    TookTooLong,
    UserCodeRefused,
    is_plain,
    load_function,
    look_in,
    outcome_of,
    run_function,
)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder for modules that are forgotten afterwards."""
    path, modules = list(sys.path), set(sys.modules)
    yield tmp_path
    sys.path[:] = path
    for name in sorted(set(sys.modules) - modules):
        if name.startswith("users_"):
            del sys.modules[name]


def test_a_function_is_found_in_a_folder_of_the_user(folder: Path) -> None:
    (folder / "users_own.py").write_text("def lookup(): return 7\n", encoding="utf-8")
    look_in([str(folder)])
    assert load_function("users_own:lookup")() == 7


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("lookup", "is no package.module:function"),
        ("users_own:", "is no package.module:function"),
        ("users_no_such:lookup", "Is it installed, or its folder in tools.python_path"),
        ("users_own:lookup", "has no function 'lookup'"),
        ("users_own:NUMBER", "has no function 'NUMBER'"),
        ("users_bad:lookup", "invalid syntax"),
        (
            "users_raises:lookup",
            r"does not load: KeyError: 'TOKEN' \(.*users_raises.py, line 2\)\. Mend it there",
        ),
        ("users_ends:lookup", "does not load: SystemExit: 3"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_mend(folder: Path, path: str, says: str) -> None:
    (folder / "users_own.py").write_text("NUMBER = 1\n", encoding="utf-8")
    (folder / "users_bad.py").write_text("def def\n", encoding="utf-8")
    (folder / "users_raises.py").write_text("import os\nos.environ['TOKEN']\n", encoding="utf-8")
    (folder / "users_ends.py").write_text("import sys\nsys.exit(3)\n", encoding="utf-8")
    look_in([str(folder)])
    with pytest.raises(UserCodeRefused, match=says):
        load_function(path)


def test_a_folder_that_is_none_is_refused() -> None:
    with pytest.raises(UserCodeRefused, match="is no folder"):
        look_in(["no such folder"])


async def test_a_plain_function_runs_in_a_thread_of_its_own() -> None:
    async def own_thread() -> str:
        return threading.current_thread().name

    assert is_plain(threading.current_thread)
    assert not is_plain(own_thread)
    async with open_threads("users", 1) as threads:
        found = await run_function(threading.current_thread, threads)
        assert isinstance(found, threading.Thread)
        assert found.name.startswith("users")
        assert await run_function(own_thread, threads) == threading.current_thread().name


async def test_what_it_returns_or_raises_is_a_value() -> None:
    async def raising() -> int:
        raise KeyError("x")

    async def cancelled() -> int:
        raise asyncio.CancelledError

    async def works() -> int:
        return 7

    assert await outcome_of(works(), 1) == 7
    assert isinstance(await outcome_of(raising(), 1), KeyError)
    assert isinstance(await outcome_of(cancelled(), 1), asyncio.CancelledError)


@pytest.mark.virtual
async def test_it_is_cancelled_at_its_limit_and_has_ended() -> None:
    ended = []

    async def slow() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    outcome = await outcome_of(slow(), 2.0)
    assert isinstance(outcome, TookTooLong)
    assert str(outcome) == "no result within 2 s"
    assert ended == [True]


async def test_a_time_out_of_its_own_is_no_limit_of_ours() -> None:
    async def impatient() -> None:
        raise TimeoutError("theirs")

    assert str(await outcome_of(impatient(), 1)) == "theirs"


async def test_full_threads_cost_their_own_callers_only() -> None:
    held = threading.Event()
    async with open_threads("users", 1) as threads:
        waits = [outcome_of(run_function(held.wait, threads, 30), 0.1) for _ in range(2)]
        outcomes = await asyncio.gather(*waits)
        held.set()
    assert [type(one) for one in outcomes] == [TookTooLong] * 2

"""Lines of standard input."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.commands.lines import LINE_OCTETS_MAX, LineReader


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe whose reading end is closed here."""
    out, into = os.pipe()
    yield out, into
    os.close(out)


async def read_all(reader: LineReader) -> list[str]:
    async with asyncio.timeout(5):
        return [line async for line in reader.lines()]


async def test_lines_come_as_they_are_written(pipe: tuple[int, int]) -> None:
    out, into = pipe
    lines = LineReader(out).lines()
    os.write(into, "é\n\n  two \r\nth".encode())
    assert [await anext(lines), await anext(lines)] == ["é", "two"]
    os.write(into, b"ree\nfour")
    os.close(into)
    assert [line async for line in lines] == ["three", "four"]


async def test_a_line_without_end_is_skipped_and_counted(pipe: tuple[int, int]) -> None:
    out, into = pipe
    reader = LineReader(out)
    os.set_blocking(into, True)

    def write() -> None:
        os.write(into, b"first\n" + b"x" * (3 * LINE_OCTETS_MAX) + b"\nlast\n")
        os.close(into)

    writing = asyncio.get_running_loop().run_in_executor(None, write)
    assert await read_all(reader) == ["first", "last"]
    assert reader.skipped == 1
    await writing


async def test_a_plain_file_is_read_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    file.write_bytes(b"one\n\xfftwo")
    descriptor = os.open(file, os.O_RDONLY)
    assert await read_all(LineReader(descriptor)) == ["one", "\ufffdtwo"]
    os.close(descriptor)


async def test_waiting_can_be_cancelled_and_leaves_nothing_behind(pipe: tuple[int, int]) -> None:
    out, into = pipe
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await anext(LineReader(out).lines())
    assert asyncio.get_running_loop().remove_reader(out) is False
    os.close(into)

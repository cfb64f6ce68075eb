"""Log lines: JSON off a terminal, the call bound once, ASCII alone, no frames of libraries."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from structlog.contextvars import bound_contextvars

from voicegate.logs import QUIET_LOGGERS, get_logger, set_up_logging


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in QUIET_LOGGERS}
    target = io.StringIO()
    set_up_logging(target)
    yield target
    root.handlers[:] = before
    root.setLevel(level)
    for name, old in levels.items():
        logging.getLogger(name).setLevel(old)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_with_its_fields_and_its_call(stream: io.StringIO) -> None:
    with bound_contextvars(call=7):
        get_logger("voicegate.call").info("call ended", reason="goodbye", ms=1200)
    [line] = lines(stream)
    assert (line["event"], line["reason"], line["ms"], line["call"]) == (
        "call ended",
        "goodbye",
        1200,
        7,
    )
    assert (line["logger"], line["level"]) == ("voicegate.call", "info")


def test_a_line_is_ascii_whatever_is_in_it(stream: io.StringIO) -> None:
    get_logger("voicegate").info("call began", caller="\N{GRINNING FACE} довиждане")
    assert stream.getvalue().isascii()
    assert lines(stream)[0]["caller"] == "\N{GRINNING FACE} довиждане"


def test_a_fault_carries_its_traceback(stream: io.StringIO) -> None:
    try:
        raise ValueError("ours")
    except ValueError as error:
        get_logger("voicegate").error("fault in a call", exc_info=error)
    assert "ValueError: ours" in lines(stream)[0]["exception"]


def test_other_libraries_come_through_the_same_way(stream: io.StringIO) -> None:
    logging.getLogger("asyncio").error("Task was destroyed but it is pending!")
    assert lines(stream)[0]["event"] == "Task was destroyed but it is pending!"


@pytest.mark.parametrize("name", ["websockets.client", "google_genai.live"])
def test_libraries_that_dump_frames_are_kept_quiet(stream: io.StringIO, name: str) -> None:
    logging.getLogger(name).info("> TEXT secret")
    assert stream.getvalue() == ""

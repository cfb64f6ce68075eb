"""Each channel on which Python tells of an error that nobody handled."""

import asyncio
import logging
import sys
import threading
import warnings
from typing import Any

import pytest

from simulator.witness.channels import Channels


class Raises:
    """Fails in its finaliser."""

    def __del__(self) -> None:
        raise ValueError("in a finaliser")


def heard(channels: Channels) -> list[tuple[str, str]]:
    return [(error.channel, error.text) for error in channels.errors]


async def test_the_loops_handler_is_heard_and_the_old_one_goes_on() -> None:
    loop = asyncio.get_running_loop()
    seen: list[str] = []
    loop.set_exception_handler(lambda _loop, context: seen.append(context["message"]))
    channels = Channels()
    channels.install()
    loop.call_exception_handler({"message": "no", "exception": ValueError("reason")})
    channels.remove()
    loop.call_exception_handler({"message": "afterwards"})

    assert heard(channels) == [("loop", "no: ValueError: reason")]
    assert seen == ["no", "afterwards"]
    loop.set_exception_handler(None)


def test_the_log_is_heard_at_error_only() -> None:
    channels = Channels()
    channels.install()
    logging.getLogger("asyncio").warning("slow callback")
    logging.getLogger("asyncio").error("Task was destroyed\nwith details")
    channels.remove()
    logging.getLogger("asyncio").error("afterwards")

    assert heard(channels) == [("asyncio-log", "Task was destroyed")]


def test_a_failing_finaliser_is_heard() -> None:
    before = sys.unraisablehook
    channels = Channels()
    channels.install()
    Raises()
    channels.remove()

    assert [channel for channel, _ in heard(channels)] == ["unraisable"]
    assert "Raises.__del__: ValueError: in a finaliser" in channels.errors[0].text
    assert sys.unraisablehook is before


def test_a_dying_thread_is_heard() -> None:
    def work() -> None:
        raise ValueError("in a thread")

    before = threading.excepthook
    channels = Channels()
    channels.install()
    thread = threading.Thread(target=work, name="worker")
    thread.start()
    thread.join()
    channels.remove()

    assert heard(channels) == [("thread", "in worker: ValueError: in a thread")]
    assert threading.excepthook is before


def test_a_resource_warning_is_heard_and_others_pass(recwarn: pytest.WarningsRecorder) -> None:
    channels = Channels()
    channels.install()
    warnings.warn("unclosed thing", ResourceWarning, stacklevel=1)
    warnings.simplefilter("always", UserWarning)
    warnings.warn("something else", UserWarning, stacklevel=1)
    channels.remove()

    assert heard(channels) == [("warning", "unclosed thing")]
    assert [str(warning.message) for warning in recwarn] == ["something else"]


def test_known_texts_do_not_count() -> None:
    channels = Channels(ignored=("_ProactorSocketTransport",))
    channels.install()
    warnings.warn("unclosed transport <_ProactorSocketTransport", ResourceWarning, stacklevel=1)
    channels.remove()

    assert channels.errors == []


def test_only_so_many_are_kept_and_the_rest_is_counted() -> None:
    channels = Channels()
    channels.install()
    for n in range(205):
        logging.getLogger("asyncio").error("error %d", n)
    channels.remove()

    assert (len(channels.errors), channels.dropped) == (200, 5)
    channels.remove()  # harmless twice


async def test_a_handler_set_in_between_is_left_alone() -> None:
    def other(_loop: asyncio.AbstractEventLoop, _context: dict[str, Any]) -> None:
        """The program's own."""

    loop = asyncio.get_running_loop()
    channels = Channels()
    channels.install()
    loop.set_exception_handler(other)
    channels.remove()

    assert loop.get_exception_handler() is other
    loop.set_exception_handler(None)

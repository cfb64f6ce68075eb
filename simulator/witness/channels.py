"""The four channels on which Python reports what nobody handled.

The loop's exception handler; the `asyncio` logger at ERROR (the only one that tells of loops in
other threads); the hooks for unraisable errors and for threads; ResourceWarning.
"""

import asyncio
import logging
import sys
import threading
import traceback
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, TextIO

ERRORS = 200


@dataclass(frozen=True)
class ErrorSeen:
    """One thing that went wrong out of sight."""

    channel: str
    """Where it showed: loop, asyncio-log, unraisable, thread or warning."""

    text: str
    """The message and, where there is one, the last line of the error."""


class Channels:
    """Listens on all four from install() to remove(); keeps the first 200 and counts the rest."""

    def __init__(self, ignored: tuple[str, ...] = ()) -> None:
        self.errors: list[ErrorSeen] = []
        self.dropped = 0
        self._ignored = ignored
        self._undo = ExitStack()

    def install(self) -> None:
        """Start to listen; on the running loop too, where there is one."""
        self._listen_to_log()
        self._listen_to_hooks()
        self._listen_to_warnings()
        try:
            self.attach(asyncio.get_running_loop())
        except RuntimeError:  # no loop runs here: attach() it later
            return

    def remove(self) -> None:
        """Put everything back as it was; harmless twice."""
        self._undo.close()

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Listen to this loop's exception handler; the one it has goes on working."""
        before = loop.get_exception_handler()

        def listen(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
            self._record("loop", str(context.get("message")), context.get("exception"))
            if before is not None:
                before(loop, context)

        loop.set_exception_handler(listen)
        self._undo.callback(_restore, loop, listen, before)

    def _listen_to_log(self) -> None:
        channel = _LogChannel(self._record)
        logger = logging.getLogger("asyncio")
        logger.addHandler(channel)
        self._undo.callback(logger.removeHandler, channel)

    def _listen_to_hooks(self) -> None:
        def unraisable(args: Any) -> None:
            name = getattr(args.object, "__qualname__", None) or repr(args.object)
            self._record("unraisable", f"{args.err_msg or 'ignored in'} {name}", args.exc_value)

        def in_thread(args: threading.ExceptHookArgs) -> None:
            name = args.thread.name if args.thread else "a thread that is gone"
            self._record("thread", f"in {name}", args.exc_value)

        self._undo.callback(setattr, sys, "unraisablehook", sys.unraisablehook)
        self._undo.callback(setattr, threading, "excepthook", threading.excepthook)
        sys.unraisablehook = unraisable
        threading.excepthook = in_thread

    def _listen_to_warnings(self) -> None:
        # As an error it reaches the unraisable hook, shown it comes here: either way it is seen.
        self._undo.enter_context(warnings.catch_warnings())
        shown_before = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, ResourceWarning):
                self._record("warning", str(message), None)
            else:
                shown_before(message, category, filename, lineno, file, line)

        warnings.simplefilter("always", ResourceWarning)
        warnings.showwarning = show

    def _record(self, channel: str, message: str, error: BaseException | None) -> None:
        last = traceback.format_exception_only(error)[-1].strip() if error else ""
        text = f"{message}: {last}" if last else message
        if any(part in text for part in self._ignored):
            return
        if len(self.errors) < ERRORS:
            self.errors.append(ErrorSeen(channel, text))
        else:
            self.dropped += 1


class _LogChannel(logging.Handler):
    """Passes on what asyncio logs at ERROR."""

    def __init__(self, record: Callable[[str, str, BaseException | None], None]) -> None:
        super().__init__(logging.ERROR)
        self._record = record

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self._record("asyncio-log", record.getMessage().splitlines()[0], error)


def _restore(loop: asyncio.AbstractEventLoop, ours: Any, before: Any) -> None:
    if loop.get_exception_handler() is ours:
        loop.set_exception_handler(before)

"""Counts what asyncio complains of: its loop's exception handler, and its logger at ERROR."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

LOGGER = "asyncio"


class Complaints:
    """How many there were; each counts once, by whichever way it came."""

    def __init__(self) -> None:
        self.count = 0
        self._passing_on = False

    @contextmanager
    def counted(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        """Listen on both ways for as long as the block runs; what listened before still does."""
        before = loop.get_exception_handler()

        def heed(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
            self.count += 1
            self._passing_on = True  # asyncio's own answer is a line in its log
            try:
                (before or type(loop).default_exception_handler)(loop, context)
            finally:
                self._passing_on = False

        logger = logging.getLogger(LOGGER)
        loop.set_exception_handler(heed)
        logger.addFilter(self._see)
        try:
            yield
        finally:
            logger.removeFilter(self._see)
            if loop.get_exception_handler() is heed:
                loop.set_exception_handler(before)

    def _see(self, record: logging.LogRecord) -> bool:
        self.count += record.levelno >= logging.ERROR and not self._passing_on
        return True

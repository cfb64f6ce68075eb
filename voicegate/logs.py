"""Logging: JSON lines with the call bound once; a readable console on a terminal only."""

import logging
import sys
from typing import TextIO, cast

import structlog
from structlog.typing import Processor

QUIET_LOGGERS = ("websockets", "google_genai", "aiohttp", "httpx", "httpcore", "asyncio")
"""At DEBUG some of them write whole frames, audio and keys included."""


class PeerError(Exception):
    """The other side's fault: told in one line, where ours is told with its traceback."""


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Give a logger that takes fields and writes through the standard library's `logging`."""
    logger = structlog.wrap_logger(
        logging.getLogger(name),
        wrapper_class=structlog.stdlib.BoundLogger,
        processors=[
            structlog.stdlib.filter_by_level,
            *_common(),
            # as text at once: a kept record would keep the traceback, and with it the call
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
    )
    return cast(structlog.stdlib.BoundLogger, logger)


def set_up_logging(stream: TextIO | None = None) -> None:
    """Send all records of the process to `stream` (stderr by default)."""
    target = stream or sys.stderr
    sink = logging.StreamHandler(target)
    sink.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_common(),
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_rendering(target.isatty()),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [sink]
    root.setLevel(logging.INFO)
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)


def _common() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _rendering(on_terminal: bool) -> list[Processor]:
    if on_terminal:
        return [structlog.dev.ConsoleRenderer()]
    # ensure_ascii: a log line survives every code page
    render = structlog.processors.JSONRenderer(ensure_ascii=True)
    return [structlog.processors.format_exc_info, render]

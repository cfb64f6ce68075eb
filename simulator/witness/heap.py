"""The part of this process that stands still: searched once, then left out of every later look.

A whole program's heap costs some 50 ms a search and as much a collection, and a witness searches a
dozen times a test. What was there before is therefore put out of the gc's sight (`gc.freeze`).
"""

import asyncio
import gc
import io
import socket
import weakref
from collections.abc import Callable, Iterator
from typing import Any

GROWN = 500_000
"""Objects put to rest since all were looked at: with more of them all are looked at again."""
COUNTED = (asyncio.AbstractEventLoop, socket.socket, io.FileIO)
"""What is counted wherever it was made, so it is noted before it is put out of sight."""


class StillHeap:
    """The heap of this process; what is put to rest stays so until much has come since."""

    def __init__(self) -> None:
        self._noted: list[weakref.ref[Any]] = []
        self._grown = 0
        self._looked = False

    def rest(self) -> None:
        """Put to rest what has come; look at all of it again where much has come since."""
        if not self._looked or self._grown > GROWN:
            self._look_again()
        else:
            self._grown += len(gc.get_objects())
        new = things_of(is_counted)
        self._noted = [weakref.ref(one) for one in (*self.noted(), *filter(is_open, new))]
        gc.freeze()

    def noted(self) -> Iterator[Any]:
        """Loops, sockets and files at rest that are still open."""
        return (thing for ref in self._noted if (thing := ref()) is not None and is_open(thing))

    def _look_again(self) -> None:
        """Let go of what has died at rest in a ring: only the gc frees that."""
        self._noted, self._grown, self._looked = [], 0, True
        gc.unfreeze()
        gc.collect()


HEAP = StillHeap()
"""A process has one heap, so there is one of these."""


def is_counted(kind: type) -> bool:
    """Whether it is one of COUNTED, without waking what calls itself a class."""
    return any(base in kind.__mro__ for base in COUNTED)


def is_open(thing: Any) -> bool:
    """Whether it still counts: a loop, socket or file that is closed never opens again."""
    if isinstance(thing, asyncio.AbstractEventLoop):
        return not thing.is_closed()
    if isinstance(thing, socket.socket):
        return thing.fileno() != -1
    return not (isinstance(thing, io.FileIO) and thing.closed)


def things_of(is_wanted: Callable[[type], bool]) -> list[Any]:
    """Every object in the gc's sight whose class is wanted."""
    everything = gc.get_objects()
    # type() and not isinstance(), which would wake proxies and lazy modules
    wanted = {kind for kind in dict.fromkeys(map(type, everything)) if is_wanted(kind)}
    return [thing for thing in everything if type(thing) in wanted]

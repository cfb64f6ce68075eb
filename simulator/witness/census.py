"""Who is alive: threads, tasks, sockets, files, event loops and watched objects, one by one.

Identities are compared, never numbers alone: one thing gone and another one left is a leak too.
"""

import asyncio
import io
import os
import re
import socket
import sys
import threading
import weakref
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.witness.heap import HEAP, is_counted, is_open, things_of

KINDS = ("threads", "tasks", "sockets", "files", "loops", "objects")
FD_FOLDER = "/proc/self/fd"
# The name asyncio gives to a task that was given none.
NAMELESS = re.compile(r"Task-\d+")


@dataclass(frozen=True)
class Trace:
    """One thing that is alive."""

    kind: str
    """One of KINDS."""

    name: str
    """What a reader knows it by: a thread's or task's name, a socket's address, a path."""

    key: str
    """Who it is: no two things of a run share it, one thing keeps it."""


@dataclass(frozen=True)
class Snapshot:
    """All that was alive at one moment."""

    traces: tuple[Trace, ...]
    """In order of kind, then of first sight."""

    def counts(self) -> dict[str, int]:
        """How many of each kind, zeros included."""
        found = Counter(trace.kind for trace in self.traces)
        return {kind: found[kind] for kind in KINDS}

    def since(self, before: "Snapshot") -> tuple[Trace, ...]:
        """What is alive here and was not there."""
        known = {(trace.kind, trace.key) for trace in before.traces}
        return tuple(trace for trace in self.traces if (trace.kind, trace.key) not in known)

    @classmethod
    def from_resources(cls, resources: Mapping[str, Any]) -> "Snapshot":
        """A gateway elsewhere, by its `GET /resources`: names where it tells them, else numbers."""
        traces: list[Trace] = []
        for kind in KINDS:
            told = resources.get(kind, 0)
            names = [kind] * told if isinstance(told, int) else sorted(map(str, told))
            seen: Counter[str] = Counter()
            for name in names:
                seen[name] += 1
                traces.append(Trace(kind, name, f"{name} {seen[name]}"))
        return cls(tuple(traces))


class Census:
    """Takes snapshots of this process; gives every thing seen a number of its own.

    `owned_types` are qualified names ("package.module.Class"): every live object of such a class
    is counted, with no import and no help from the code under test.
    """

    def __init__(self, owned_types: Collection[str] = ()) -> None:
        self._owned = tuple(owned_types)
        # By place, not by hash: two equal values are two things.
        self._seen: dict[int, tuple[weakref.ref[Any], int]] = {}
        self._watched: list[tuple[str, weakref.ref[Any]]] = []
        self._count = 0

    def watch(self, thing: Any, name: str) -> None:
        """Count this object for as long as it is alive."""
        self._watched.append((name, weakref.ref(thing)))

    def take(self) -> Snapshot:
        """What is alive now; leaves out the task that asks."""
        found = [*HEAP.noted(), *filter(is_open, things_of(self._is_wanted))]
        # The gc does not show what stands still, so those seen before are asked as well.
        everyone = {id(thing): thing for thing in (*self._seen_before(), *found)}
        for thing in found:
            self._key(thing)
        still_open: list[Any] = [thing for thing in everyone.values() if is_open(thing)]
        loops = [t for t in still_open if isinstance(t, asyncio.AbstractEventLoop)]
        sockets: list[socket.socket] = [t for t in still_open if isinstance(t, socket.socket)]
        files: list[io.FileIO] = [t for t in still_open if isinstance(t, io.FileIO)]
        pipes = {id(end) for loop in loops for end in _wake_up_pipe(loop)}
        own_sockets = [each for each in sockets if id(each) not in pipes]
        traces = [
            *self._traces("threads", ((t, t.name) for t in threading.enumerate())),
            *self._traces("tasks", ((t, task_name(t)) for t in _tasks(loops))),
            *self._traces("sockets", ((s, socket_name(s)) for s in own_sockets)),
            *self._traces("files", ((f, str(f.name)) for f in files if f.fileno() > 2)),
            *_descriptors({s.fileno() for s in sockets} | {f.fileno() for f in files}),
            *self._traces("loops", ((each, type(each).__name__) for each in loops)),
            *self._objects(everyone.values()),
        ]
        return Snapshot(tuple(traces))

    def _is_wanted(self, kind: type) -> bool:
        return is_counted(kind) or self._is_owned(kind)

    def _is_owned(self, kind: type) -> bool:
        return f"{kind.__module__}.{kind.__qualname__}" in self._owned

    def _seen_before(self) -> list[Any]:
        alive = [(ref(), ref, number) for ref, number in self._seen.values()]
        self._seen = {id(t): (ref, number) for t, ref, number in alive if t is not None}
        return [thing for thing, _, _ in alive if thing is not None]

    def _key(self, thing: Any) -> str:
        known = self._seen.get(id(thing))
        if known is not None and known[0]() is thing:
            return str(known[1])
        self._count += 1
        try:
            self._seen[id(thing)] = (weakref.ref(thing), self._count)
        except TypeError:  # without weak references only its place is left to know it by
            return f"at {id(thing):x}"
        return str(self._count)

    def _traces(self, kind: str, things: Iterable[tuple[Any, str]]) -> Iterator[Trace]:
        traces = [Trace(kind, name, self._key(thing)) for thing, name in things]
        yield from sorted(traces, key=lambda trace: (len(trace.key), trace.key))

    def _objects(self, everyone: Iterable[Any]) -> Iterator[Trace]:
        owned = [(t, type(t).__qualname__) for t in everyone if self._is_owned(type(t))]
        self._watched = [(name, ref) for name, ref in self._watched if ref() is not None]
        watched = [(thing, name) for name, ref in self._watched if (thing := ref()) is not None]
        named = {id(thing): (thing, name) for thing, name in (*owned, *watched)}
        yield from self._traces("objects", named.values())


def _wake_up_pipe(loop: Any) -> tuple[Any, ...]:
    """The two sockets by which a loop wakes itself: part of the loop, not a leak of their own."""
    return (getattr(loop, "_ssock", None), getattr(loop, "_csock", None))


def _tasks(loops: Iterable[asyncio.AbstractEventLoop]) -> list[asyncio.Task[Any]]:
    try:
        asker = asyncio.current_task()
    except RuntimeError:  # nobody runs a loop here
        asker = None
    tasks = [task for loop in loops for task in asyncio.all_tasks(loop) if task is not asker]
    # all_tasks() is a set: without this a leak would be told in another order each time
    return sorted(tasks, key=task_name)


def task_name(task: asyncio.Task[Any]) -> str:
    """The name it was given, or that of its coroutine."""
    name = task.get_name()
    if NAMELESS.fullmatch(name):
        return str(getattr(task.get_coro(), "__qualname__", name))
    return name


def socket_name(thing: socket.socket) -> str:
    """Kind and addresses: "udp 127.0.0.1:5060", "tcp 127.0.0.1:1 -> 127.0.0.1:2"."""
    if thing.family not in (socket.AF_INET, socket.AF_INET6):
        return f"{thing.family.name} fd {thing.fileno()}"
    kind = "udp" if thing.type == socket.SOCK_DGRAM else "tcp"
    parts = []
    for ask in (thing.getsockname, thing.getpeername):
        try:
            host, port, *_ = ask()
        except OSError:
            continue
        parts.append(f"{host}:{port}")
    return f"{kind} {' -> '.join(parts)}"


def _descriptors(known: Collection[int]) -> Iterator[Trace]:
    """Open descriptors that no Python object accounts for (Linux; nothing elsewhere)."""
    if sys.platform != "linux":
        return
    for fd in sorted(map(int, os.listdir(FD_FOLDER))):
        try:
            target = os.readlink(f"{FD_FOLDER}/{fd}")
        except OSError:  # the one that listed the folder
            continue
        # An epoll descriptor is part of its loop, which is counted.
        if fd > 2 and fd not in known and target != "anon_inode:[eventpoll]":
            yield Trace("files", f"fd {fd} {target}", f"{fd} {target}")

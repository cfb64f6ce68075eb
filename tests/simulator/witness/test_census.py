"""What the census counts and how it names it."""

import asyncio
import socket
import sys
import threading
from dataclasses import dataclass

import pytest

from simulator.witness.census import Census, Snapshot, Trace, socket_name, task_name


@dataclass(frozen=True)
class Value:
    """Equal to any other of the same number; still another object."""

    number: list[int]
    """Unhashable on purpose."""


class Slotted:
    """Leaves no room for a weak reference."""

    __slots__ = ("held",)

    def __init__(self) -> None:
        self.held = [self]


def names(snapshot: Snapshot, kind: str) -> list[str]:
    return [trace.name for trace in snapshot.traces if trace.kind == kind]


async def test_every_kind_is_counted_with_zeros() -> None:
    counts = Census().take().counts()

    assert list(counts) == ["threads", "tasks", "sockets", "files", "loops", "objects"]
    assert counts["threads"] >= 1
    assert counts["loops"] >= 1
    assert counts["objects"] == 0


async def test_the_asking_task_is_left_out() -> None:
    asker = asyncio.current_task()
    assert asker is not None
    asker.set_name("the asker")

    assert "the asker" not in names(Census().take(), "tasks")


async def test_threads_and_tasks_go_by_name() -> None:
    census, done = Census(), threading.Event()
    before = census.take()
    thread = threading.Thread(target=done.wait, name="voicegate-blocking_0")
    thread.start()
    task = asyncio.create_task(asyncio.sleep(10), name="call-7/uplink")
    found = census.take().since(before)
    done.set()
    thread.join()
    task.cancel()

    assert [(t.kind, t.name) for t in found] == [
        ("threads", "voicegate-blocking_0"),
        ("tasks", "call-7/uplink"),
    ]


async def test_a_nameless_task_goes_by_its_coroutine() -> None:
    async def keepalive() -> None:
        await asyncio.sleep(10)

    task = asyncio.create_task(keepalive())
    assert task_name(task).endswith("keepalive")
    task.cancel()


def test_sockets_go_by_address() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as near,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far,
        socket.create_server(("127.0.0.1", 0)) as server,
    ):
        far.bind(("127.0.0.1", 0))
        near.connect(far.getsockname())
        near_port, far_port = near.getsockname()[1], far.getsockname()[1]

        assert socket_name(far) == f"udp 127.0.0.1:{far_port}"
        assert socket_name(near) == f"udp 127.0.0.1:{near_port} -> 127.0.0.1:{far_port}"
        assert socket_name(server) == f"tcp 127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.skipif(sys.platform == "win32", reason="a socket pair is TCP there")
def test_other_families_go_by_descriptor() -> None:
    a, b = socket.socketpair()
    with a, b:
        assert socket_name(a) == f"AF_UNIX fd {a.fileno()}"


def test_live_objects_of_an_owned_type_are_counted_without_being_told() -> None:
    census = Census(owned_types=[f"{__name__}.Value", f"{__name__}.Slotted"])
    kept = [Value([1]), Value([1]), Slotted()]
    snapshot = census.take()

    assert sorted(names(snapshot, "objects")) == ["Slotted", "Value", "Value"]
    assert census.take() == snapshot
    kept.clear()


def test_a_watched_object_is_counted_until_it_dies() -> None:
    census = Census()
    thing = Value([1])
    census.watch(thing, "call-3")

    assert names(census.take(), "objects") == ["call-3"]
    del thing
    assert names(census.take(), "objects") == []


def test_a_thing_keeps_its_key_and_gives_it_to_nobody() -> None:
    census = Census()
    keys = []
    for _ in range(5):  # the same place in memory, another thing each time
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM):
            [first] = [t.key for t in census.take().traces if t.name == "udp 0.0.0.0:0"]
            [again] = [t.key for t in census.take().traces if t.name == "udp 0.0.0.0:0"]
            assert first == again
            keys.append(first)

    assert len(dict.fromkeys(keys)) == 5


def test_resources_of_another_process_compare_by_name_and_number() -> None:
    before = Snapshot.from_resources({"tasks": ["serve", "call"], "sockets": 2, "rtp_ports": {}})
    after = Snapshot.from_resources({"tasks": ["call", "serve", "call"], "sockets": 1})

    assert after.since(before) == (Trace("tasks", "call", "call 2"),)
    assert before.counts()["sockets"] == 2

"""What stands still is searched once, and nothing that is counted gets lost in it."""

import asyncio
import gc
import socket
import weakref
from collections.abc import Iterator

import pytest

from simulator.witness import heap
from simulator.witness.census import Census
from simulator.witness.heap import HEAP, StillHeap, is_counted, things_of


@pytest.fixture
def still() -> Iterator[StillHeap]:
    """A heap at rest; afterwards all is in sight again."""
    heap = StillHeap()
    heap.rest()
    yield heap
    gc.unfreeze()


class Ring:
    """Something that only the gc can free."""

    def __init__(self) -> None:
        self.itself = self


def test_what_stands_still_is_out_of_the_gcs_sight(still: StillHeap) -> None:
    still.rest()
    assert len(gc.get_objects()) < gc.get_freeze_count() / 10


def test_little_growth_is_no_reason_to_look_at_everything_again(still: StillHeap) -> None:
    kept = Ring()
    ring = weakref.ref(kept)
    still.rest()
    del kept
    still.rest()
    gc.collect()
    assert ring() is not None


def test_much_growth_lets_go_of_what_has_died_at_rest(
    still: StillHeap, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Ring()
    ring = weakref.ref(kept)
    still.rest()
    del kept
    monkeypatch.setattr(heap, "GROWN", -1)
    still.rest()
    assert ring() is None


def test_a_socket_and_a_loop_at_rest_are_still_counted() -> None:
    loop = asyncio.new_event_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        before = Census().take().counts()
        HEAP.rest()
        HEAP.rest()
        assert Census().take().counts() == before
        assert any(thing is ours for thing in HEAP.noted())
        loop.close()
    after = Census().take().counts()
    assert (after["sockets"], after["loops"]) == (before["sockets"] - 1, before["loops"] - 1)


def test_what_has_died_at_rest_is_noted_no_more(still: StillHeap) -> None:
    noted = len(list(still.noted()))
    ours = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    still.rest()
    assert len(list(still.noted())) == noted + 1
    ours.close()
    del ours
    assert len(list(still.noted())) == noted


def test_only_counted_things_are_looked_for() -> None:
    assert is_counted(asyncio.SelectorEventLoop)
    assert is_counted(socket.socket)
    assert not is_counted(dict)
    assert all(is_counted(type(thing)) for thing in things_of(is_counted))

"""The timer heap: order, cancellation, no clock."""

from __future__ import annotations

from voicegate.sip.timers import Timers


def test_timers_fire_in_due_order_then_in_the_order_set() -> None:
    timers = Timers()
    fired: list[str] = []
    for name, due in (("late", 2.0), ("first", 1.0), ("second", 1.0)):
        timers.at(due, lambda now, name=name: fired.append(f"{name}@{now}"))  # type: ignore[misc]
    assert timers.next_due() == 1.0
    timers.fire(0.9)
    assert fired == []
    timers.fire(1.5)
    assert fired == ["first@1.5", "second@1.5"]
    timers.fire(9.0)
    assert fired[2:] == ["late@9.0"]
    assert timers.next_due() is None


def test_timers_of_one_instant_keep_their_order() -> None:
    timers = Timers()
    fired: list[int] = []
    for number in range(20):
        timers.at(1.0, lambda _now, number=number: fired.append(number))  # type: ignore[misc]
    timers.fire(1.0)
    assert fired == list(range(20))


def test_a_cancelled_timer_never_fires_and_is_not_due() -> None:
    timers = Timers()
    fired: list[float] = []
    timer = timers.at(1.0, fired.append)
    timers.at(2.0, fired.append)
    timer.cancel()
    timer.cancel()
    assert timers.next_due() == 2.0
    timers.fire(3.0)
    assert fired == [3.0]


def test_a_timer_may_cancel_one_due_at_the_same_instant() -> None:
    timers = Timers()
    fired: list[float] = []
    timers.at(1.0, lambda _now: other.cancel())
    other = timers.at(1.0, fired.append)
    timers.fire(1.0)
    assert fired == []


def test_what_a_timer_sets_waits_for_its_own_time() -> None:
    timers = Timers()
    fired: list[float] = []
    timers.at(1.0, lambda now: void(timers.at(now + 1.0, fired.append)))
    timers.fire(1.0)
    assert fired == []
    assert timers.next_due() == 2.0


def void(_value: object) -> None:
    return

"""The memory of how early packets came."""

from voicegate.media.slack import LOOK_EVERY, WINDOW, Advice, Slacks


def noted(*samples: int) -> Slacks:
    slacks = Slacks()
    for one in samples:
        slacks.note(one)
    return slacks


def test_the_slacks_are_given_in_order_with_their_median() -> None:
    slacks = noted(30, 10, 20)
    assert (slacks.ranked(), slacks.median, len(slacks)) == ([10, 20, 30], 20, 3)
    assert noted().median == 0


def test_what_was_noted_moves_with_the_point_of_playing() -> None:
    slacks = noted(100)
    slacks.shift(160)
    slacks.note(100)
    assert slacks.ranked() == [-60, 100]
    assert slacks.least_of_last(1) == 100


def test_the_oldest_go() -> None:
    slacks = noted(*range(WINDOW + 5))
    assert slacks.ranked()[0] == 5
    slacks.forget_all_but(2)
    assert slacks.ranked() == [WINDOW + 3, WINDOW + 4]


def test_the_delay_is_advised_by_the_packets_that_came_latest() -> None:
    assert noted(*[0] * 10).advice(3200, 0) is None
    assert noted(*[0] * 50).advice(3200, 0) == Advice(1, urgent=True)
    assert noted(*[-300] * 50).advice(3200, 0) == Advice(2, urgent=True)
    assert noted(*[0] * 49, 3150).advice(3200, 0) == Advice(0, urgent=True)
    assert noted(*[100] * 50).advice(3200, 99) is None
    assert noted(*[300] * 50).advice(3200, 7) is None
    assert noted(*[300] * 50).advice(3200, 8) == Advice(-1, urgent=False)
    assert noted(*[900] * 50).advice(3200, 0) == Advice(-5, urgent=True)


def test_the_median_is_looked_for_now_and_then_but_moves_at_once() -> None:
    slacks = noted(10)
    assert slacks.median == 10
    for _ in range(LOOK_EVERY - 1):
        slacks.note(50)
    assert slacks.median == 10
    slacks.shift(160)
    assert slacks.median == -150
    slacks.note(-110)
    assert slacks.median == -110
